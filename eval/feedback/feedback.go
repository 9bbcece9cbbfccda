package feedback

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
)

// Record is what somebody said of a document or a passage of it.
type Record struct {
	Time      time.Time     `json:"time"`
	Subjects  []acl.Subject `json:"subjects"` // who said it, with groups
	QueryHash string        `json:"query_sha256"`
	Query     string        `json:"query,omitempty"` // only where questions are kept
	Document  corpora.DocID `json:"document"`
	Version   string        `json:"version,omitempty"`
	Span      index.Span    `json:"span,omitzero"` // zero: of the document as a whole
	Useful    bool          `json:"useful"`
}

// HashOf is the hash that a record has of its question.
func HashOf(query string) string {
	sum := sha256.Sum256([]byte(query))
	return hex.EncodeToString(sum[:])
}

// MaxLog bounds the file of a log in bytes: people can be asked to write.
const MaxLog = 64 << 20

// ErrFull is returned by a log that has reached MaxLog.
var ErrFull = errors.New("the feedback log is full")

// Log is a file of records, one line each. It is safe for concurrent use.
type Log struct {
	mu   sync.Mutex
	file *os.File
	keep bool
}

// Open opens or creates a log. Unless keepQueries is set, questions are dropped
// and their hashes kept.
func Open(name string, keepQueries bool) (*Log, error) {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open feedback log: %w", err)
	}
	l := &Log{file: f, keep: keepQueries}
	if err := l.endLine(); err != nil {
		return nil, errors.Join(fmt.Errorf("open feedback log: %w", err), f.Close())
	}
	return l, nil
}

// endLine ends a line that a crash left half written, so that the next record
// has one of its own.
func (l *Log) endLine() error {
	info, err := l.file.Stat()
	if err != nil || info.Size() == 0 {
		return err
	}
	last := make([]byte, 1)
	if _, err := l.file.ReadAt(last, info.Size()-1); err != nil || last[0] == '\n' {
		return err
	}
	_, err = l.file.WriteString("\n")
	return err
}

// Record writes the record down; when it returns, it is on disk.
func (l *Log) Record(_ context.Context, r Record) error {
	r.QueryHash = HashOf(r.Query)
	if !l.keep {
		r.Query = ""
	}
	line, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("record feedback: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	info, err := l.file.Stat()
	if err == nil && info.Size()+int64(len(line)) >= MaxLog {
		return ErrFull
	}
	if err == nil {
		_, err = l.file.Write(append(line, '\n'))
	}
	if err = errors.Join(err, l.file.Sync()); err != nil {
		return fmt.Errorf("record feedback: %w", err)
	}
	return nil
}

// Close closes the file.
func (l *Log) Close() error { return l.file.Close() }

// Read returns the records of a log in order, and the number of lines that are
// none, such as one that a crash left half written.
func Read(r io.Reader) (records []Record, broken int, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var record Record
		if json.Unmarshal(lines.Bytes(), &record) != nil || record.Document == "" || record.QueryHash == "" {
			broken++
			continue
		}
		records = append(records, record)
	}
	if err := lines.Err(); err != nil {
		return nil, broken, fmt.Errorf("read feedback log: %w", err)
	}
	return records, broken, nil
}
