package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"ken/tools"
)

// Record is one line of a log.
type Record struct {
	Seq       uint64            `json:"seq"` // from 1
	Time      time.Time         `json:"time"`
	User      string            `json:"user,omitempty"`
	Subjects  []string          `json:"subjects,omitempty"`
	Client    string            `json:"client,omitempty"`
	Session   string            `json:"session,omitempty"` // hash of its id
	Method    string            `json:"method,omitempty"`
	Tool      string            `json:"tool,omitempty"`
	Arguments map[string]string `json:"arguments,omitempty"`
	Documents []Document        `json:"documents,omitempty"`
	Count     int               `json:"count"`            // documents
	Result    string            `json:"result,omitempty"` // "ok", or the kind of the error
	Millis    float64           `json:"duration_ms"`
	// Torn is the SHA-256 of the line before, which a crash had cut off.
	Torn string `json:"torn,omitempty"`
	Prev string `json:"prev"` // hash of the record before; "" in the first
	Hash string `json:"hash,omitempty"`
}

// Document is what left of a document; without spans its name and what is known of it.
type Document struct {
	ID      string   `json:"id"`
	Version string   `json:"version,omitempty"`
	Spans   [][2]int `json:"spans,omitempty"` // bytes of the extracted text
}

// record is a call as it is written down.
func record(c tools.Call) Record {
	r := Record{
		Time: c.Time.UTC(), User: string(c.Principal.User()), Client: c.Client, Session: c.Session, Method: c.Method, Tool: c.Tool,
		Arguments: c.Arguments, Count: len(c.Left), Result: c.Kind, Millis: float64(c.Duration.Microseconds()) / 1000,
	}
	if r.Result == "" {
		r.Result = "ok"
	}
	for _, s := range c.Principal.Subjects() {
		r.Subjects = append(r.Subjects, string(s))
	}
	for _, l := range c.Left {
		d := Document{ID: string(l.Document), Version: l.Version}
		for _, s := range l.Spans {
			d.Spans = append(d.Spans, [2]int{s.Start, s.End})
		}
		r.Documents = append(r.Documents, d)
	}
	return r
}

// line is the record as a line, with its hash.
func (r Record) line() ([]byte, string, error) {
	r.Hash = ""
	text, err := json.Marshal(r)
	if err != nil {
		return nil, "", fmt.Errorf("encode an audit record: %w", err)
	}
	hash := digest(text)
	text = append(text[:len(text)-1], `,"hash":"`+hash+"\"}\n"...)
	return text, hash, nil
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// File is where a log is kept. An *os.File that was opened with os.O_APPEND is one.
type File interface {
	io.ReaderAt
	io.Writer
	Sync() error
	Close() error
}

// Log appends records to a file. Safe for concurrent use.
type Log struct {
	file File
	lock io.Closer // nil: of a file that is not ours to lock

	mu   sync.Mutex
	seq  uint64
	prev string
	torn string
	err  error // a write that failed: nobody knows what is in the file

	syncing sync.Mutex // held by the one that syncs for those who wait
	synced  uint64
}

// ErrInUse says that a log is written by another, here or in another process.
var ErrInUse = errors.New("another ken writes this audit log: name another file")

// Open opens a log, which is made if it is not there. A log whose end is
// damaged is an error; one whose last line a crash has cut off goes on. While it
// is open nobody else can open it: two chains in one file are none.
func Open(path string) (*Log, error) {
	lock := flock.New(path + ".lock") // not the log itself, which others may read
	held, err := lock.TryLock()
	if err == nil && !held {
		err = ErrInUse
	}
	if err != nil {
		return nil, fmt.Errorf("open the audit log %s: %w", path, err)
	}
	l, err := open(path)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	l.lock = lock
	return l, nil
}

func open(path string) (*Log, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the audit log: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	l, err := Continue(f, info.Size())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, errors.Join(err, f.Close()))
	}
	return l, nil
}

// Continue is Open for a file of a size.
func Continue(f File, size int64) (*Log, error) {
	l := &Log{file: f}
	lines, err := tail(f, size)
	if err != nil {
		return nil, err
	}
	for n := len(lines) - 1; n >= 0 && l.prev == ""; n-- {
		r, err := parse(lines[n])
		switch {
		case err == nil:
			l.seq, l.prev = r.Seq, r.Hash
			lines = lines[n+1:]
		case bytes.HasSuffix(lines[n], []byte(`"}`)): // not cut off
			return nil, fmt.Errorf("the last record is damaged: run `ken audit verify`, put the file aside, and begin another: %w", err)
		}
	}
	if len(lines) > 0 {
		l.torn = digest(bytes.Join(lines, []byte("\n")))
	}
	return l, l.endLine(size)
}

// endLine ends the line that a crash has cut off.
func (l *Log) endLine(size int64) error {
	var last [1]byte
	if size == 0 {
		return nil
	}
	if _, err := l.file.ReadAt(last[:], size-1); err != nil {
		return fmt.Errorf("read the audit log: %w", err)
	}
	if last[0] == '\n' {
		return nil
	}
	_, err := l.file.Write([]byte("\n"))
	return err
}

// maxRecord bounds a line: 200 subjects, 1,000 documents with their spans.
const maxRecord = 4 << 20

// tail returns the last lines, of which one is a record unless there is none.
func tail(f io.ReaderAt, size int64) ([][]byte, error) {
	data := make([]byte, min(size, 2*maxRecord))
	if _, err := f.ReadAt(data, size-int64(len(data))); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	if data = bytes.TrimSuffix(data, []byte("\n")); len(data) == 0 {
		return nil, nil
	}
	return bytes.Split(data, []byte("\n")), nil
}

// Append writes a call down and returns when that is on the disk.
func (l *Log) Append(c tools.Call) error {
	seq, err := l.write(record(c))
	if err != nil {
		return err
	}
	return l.sync(seq)
}

func (l *Log) write(r Record) (seq uint64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return 0, l.err
	}
	r.Seq, r.Prev, r.Torn = l.seq+1, l.prev, l.torn
	text, hash, err := r.line()
	if err != nil {
		return 0, err
	}
	if _, err := l.file.Write(text); err != nil {
		l.err = fmt.Errorf("write the audit log: %w", err)
		return 0, l.err
	}
	l.seq, l.prev, l.torn = r.Seq, hash, ""
	return r.Seq, nil
}

// sync returns when a record is on the disk. Records that were written while
// another sync ran share the next.
func (l *Log) sync(seq uint64) error {
	l.syncing.Lock()
	defer l.syncing.Unlock()
	if l.synced >= seq {
		return nil
	}
	l.mu.Lock()
	written, err := l.seq, l.err
	l.mu.Unlock()
	if err != nil {
		return err
	}
	if err := l.file.Sync(); err != nil {
		err = fmt.Errorf("write the audit log: %w", err)
		l.mu.Lock()
		l.err = err
		l.mu.Unlock()
		return err
	}
	l.synced = written
	return nil
}

// Close closes the file.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.file.Close()
	if l.lock != nil {
		err = errors.Join(err, l.lock.Close())
	}
	return err
}
