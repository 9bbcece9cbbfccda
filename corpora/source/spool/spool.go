package spool

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"ken/corpora/acl"
	"ken/corpora/source/item"
)

var (
	// ErrStale says that a newer version is kept already.
	ErrStale = errors.New("a newer version is there already")
	// ErrConflict says that the same version is kept with another content.
	ErrConflict = errors.New("this version is there already, with another content")
	// ErrErased says that an operator erased the document for good.
	ErrErased = errors.New("the document was erased and is kept out")
)

// Spool is a directory of pushed documents. It is safe for concurrent use, also by
// several processes.
type Spool struct {
	dir string
	mu  sync.Mutex
}

const (
	lockName     = ".lock"
	incomingName = ".incoming" // the file that is being written, under the lock
	consumerName = ".consumer"
	consumerLen  = 26
)

// Open opens a spool, made if need be.
func Open(dir string) (*Spool, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the spool: %w", err)
	}
	if err := syncDir(filepath.Dir(dir)); err != nil {
		return nil, fmt.Errorf("open the spool: %w", err)
	}
	return &Spool{dir: dir}, nil
}

// state is what became of an id.
type state string

const (
	present state = "put"
	deleted state = "delete"
	erased  state = "erased"  // by an operator; nothing replaces it
	refused state = "refused" // its newest version is not understood
)

// record is the first line of a file; the document's bytes follow it.
type record struct {
	ID      string `json:"id"`
	Version int64  `json:"version"`
	State   state  `json:"state"`
	Reason  string `json:"reason,omitzero"` // of a refusal
	Meta
	By     acl.Subject `json:"by,omitzero"` // who wrote it with a tool
	Digest string      `json:"digest"`      // of all the above and the bytes
}

func digest(r record, data []byte) string {
	r.Digest = ""
	head, _ := json.Marshal(r) // of strings, numbers and a time that was parsed
	h := sha256.New()
	fmt.Fprintf(h, "%d %s", len(head), head)
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

// fileOf is the name of the file of an id.
func fileOf(id string) string {
	h := sha256.Sum256([]byte(id))
	return hex.EncodeToString(h[:])
}

// Apply keeps a message, and returns when that is durable. changed is false if it
// was kept before.
func (s *Spool) Apply(m Message) (changed bool, err error) { return s.ApplyBy(m, "") }

// ApplyBy keeps a message with who wrote it.
func (s *Spool) ApplyBy(m Message, by acl.Subject) (changed bool, err error) {
	if err := item.CheckPath(m.ID); err != nil {
		return false, fmt.Errorf("%w: id: %w", ErrMessage, err)
	}
	if m.Version < 1 {
		return false, fmt.Errorf("%w: version %d", ErrMessage, m.Version)
	}
	r := record{ID: m.ID, Version: m.Version, State: present, Meta: m.Meta, By: by}
	if m.Delete {
		r.State, r.Meta, r.By, m.Data = deleted, Meta{}, "", nil
	}
	return s.replace(r, m.Data)
}

// Refuse notes that a message is not understood, where its sender cannot be told.
// If it says which document and version it is, that document is closed until a
// newer version comes; else the message is listed by its place in the stream.
// Of the latter 256 are kept.
func (s *Spool) Refuse(m Message, place string, reason error) error {
	r := record{ID: m.ID, Version: m.Version, State: refused, Reason: reason.Error()}
	if item.CheckPath(m.ID) != nil || m.Version < 1 {
		place = place[:min(len(place), 60)] // all of it is in the id that is shown
		r.ID, r.Version = nameless+place, 0
		return s.locked(func() error { return s.write(namelessFile(place), r, nil) })
	}
	_, err := s.replace(r, nil)
	if errors.Is(err, ErrStale) || errors.Is(err, ErrErased) {
		return nil // it would have changed nothing
	}
	return err
}

// Take keeps a message of a stream, whose sender cannot be told that it is wrong:
// what is not understood is noted (see Refuse), and what comes late is left out.
// An error says that nothing is durable, and that the message is to come again.
func (s *Spool) Take(data []byte, place string) (changed bool, err error) {
	m, err := Parse(data)
	if err == nil {
		changed, err = s.Apply(m)
	}
	switch {
	case errors.Is(err, ErrStale), errors.Is(err, ErrErased):
		return false, nil
	case errors.Is(err, ErrConflict):
		return true, s.Refuse(Message{}, place, fmt.Errorf("%s, version %d: %w", m.ID, m.Version, err))
	case errors.Is(err, ErrMessage):
		return true, s.Refuse(m, place, err)
	}
	return changed, err
}

// nameless begins what stands for a message without an id. No id begins so.
const nameless = "//"

func namelessFile(place string) string { return "refused-" + fileOf(place)[:2] }

// Erase leaves nothing of a document but that it is kept out.
func (s *Spool) Erase(id string) error {
	return s.locked(func() error {
		if place, ok := strings.CutPrefix(id, nameless); ok {
			return s.remove(namelessFile(place))
		}
		return s.write(fileOf(id), record{ID: id, State: erased}, nil)
	})
}

// Clear forgets all documents, so that any version of them can be pushed again, and
// how far brokers were followed.
func (s *Spool) Clear() error {
	return s.locked(func() error {
		entries, err := os.ReadDir(s.dir)
		if err != nil {
			return fmt.Errorf("clear the spool: %w", err)
		}
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), ".") || e.Name() == consumerName {
				err = errors.Join(err, os.Remove(filepath.Join(s.dir, e.Name())))
			}
		}
		return errors.Join(err, syncDir(s.dir))
	})
}

// OldestChange tells when the first of those versions was kept that were kept after
// an instant; zero: there are none.
func (s *Spool) OldestChange(after time.Time) (oldest time.Time, err error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return oldest, fmt.Errorf("look into the spool: %w", err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || strings.HasPrefix(e.Name(), ".") {
			continue // replaced since: then it is a new change, which waits for the next look
		}
		if at := info.ModTime(); at.After(after) && (oldest.IsZero() || at.Before(oldest)) {
			oldest = at
		}
	}
	return oldest, nil
}

// Consumer is a name under which a broker remembers how far this spool was filled.
// A spool that was lost and made anew has another, and so is filled from the start.
func (s *Spool) Consumer() (name string, err error) {
	path := filepath.Join(s.dir, consumerName)
	err = s.locked(func() error {
		data, err := os.ReadFile(path)
		if name = string(data); err == nil && len(data) == consumerLen {
			return nil
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		name = rand.Text()[:consumerLen]
		return errors.Join(os.WriteFile(path, []byte(name), 0o600), syncDir(s.dir))
	})
	if err != nil {
		return "", fmt.Errorf("name the spool: %w", err)
	}
	return "ken-" + name, nil
}

// remove removes a file that may be there.
func (s *Spool) remove(name string) error {
	err := os.Remove(filepath.Join(s.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return errors.Join(err, syncDir(s.dir))
}

// Readmit lets a document that was erased be pushed again.
func (s *Spool) Readmit(id string) error {
	return s.locked(func() error {
		old, err := s.head(fileOf(id))
		if errors.Is(err, fs.ErrNotExist) || err == nil && old.State != erased {
			return nil
		}
		if err != nil {
			return err
		}
		return s.remove(fileOf(id))
	})
}

// replace writes a record if it is newer than what is there.
func (s *Spool) replace(r record, data []byte) (changed bool, err error) {
	r.Digest = digest(r, data)
	err = s.locked(func() error {
		old, err := s.head(fileOf(r.ID))
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		case old.State == erased:
			return ErrErased
		case old.Version > r.Version:
			return fmt.Errorf("%w: version %d", ErrStale, old.Version)
		case old.Version == r.Version && old.Digest == r.Digest:
			return nil
		case old.Version == r.Version && r.State == refused:
			return nil // one reason is enough, and what is understood stays
		case old.Version == r.Version && old.State == refused: // understood after all
		case old.Version == r.Version:
			return ErrConflict
		}
		changed = true
		return s.write(fileOf(r.ID), r, data)
	})
	return changed && err == nil, err
}

// locked runs f while nobody else writes.
func (s *Spool) locked(f func() error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	lock := flock.New(filepath.Join(s.dir, lockName))
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("lock the spool: %w", err)
	}
	defer lock.Unlock()
	return f()
}

// write replaces a file in one step and returns when that is durable.
func (s *Spool) write(name string, r record, data []byte) (err error) {
	r.Digest = digest(r, data)
	head, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("write the spool: %w", err)
	}
	path := filepath.Join(s.dir, incomingName)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write the spool: %w", err)
	}
	defer os.Remove(path) // gone after the rename
	_, err = f.Write(append(head, '\n'))
	if err == nil {
		_, err = f.Write(data)
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(path, filepath.Join(s.dir, name))
	}
	if err == nil {
		err = syncDir(s.dir)
	}
	if err != nil {
		return fmt.Errorf("write the spool: %w", err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// maxHead bounds a first line in bytes: 100 tags, readers without number.
const maxHead = 64 << 20

// head reads what is known of a document.
func (s *Spool) head(name string) (record, error) { return head(s.dir, name) }

func head(dir, name string) (record, error) {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return record{}, err
	}
	defer f.Close() // opened to read
	r, _, err := readHead(f)
	return r, err
}

func readHead(f io.Reader) (record, *bufio.Reader, error) {
	in := bufio.NewReader(io.LimitReader(f, maxHead))
	line, err := in.ReadBytes('\n')
	if err != nil {
		return record{}, nil, fmt.Errorf("%w: its first line is cut off", errDamaged)
	}
	var r record
	if err := json.Unmarshal(line, &r); err != nil || r.ID == "" {
		return record{}, nil, fmt.Errorf("%w: its first line is not understood", errDamaged)
	}
	return r, in, nil
}

var errDamaged = errors.New("a file of the spool is damaged")

// read reads a document as it is now.
func read(dir, id string, limit int64) (record, []byte, error) {
	f, err := os.Open(filepath.Join(dir, fileOf(id)))
	if err != nil {
		return record{}, nil, err
	}
	defer f.Close() // opened to read
	if info, err := f.Stat(); err != nil || info.Size() > limit+maxHead {
		return record{}, nil, errors.Join(err, item.ErrTooLarge)
	}
	all, err := io.ReadAll(f)
	if err != nil {
		return record{}, nil, err
	}
	r, _, err := readHead(bytes.NewReader(all))
	if err != nil {
		return r, nil, err
	}
	data := all[bytes.IndexByte(all, '\n')+1:]
	if digest(r, data) != r.Digest {
		return record{}, nil, fmt.Errorf("%w: its bytes are not those that were pushed", errDamaged)
	}
	return r, data, nil
}
