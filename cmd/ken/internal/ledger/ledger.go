package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"ken/corpora"
	"ken/index/ingest"
	"ken/internal/atomicfile"
)

// Ledger tells of every source that was ever read, by name.
type Ledger map[string]Source

// Source is the history of one source.
type Source struct {
	Ingest     []string  `json:"ingest"`               // arguments of ken ingest that read it again
	Last       Run       `json:"last"`                 // the newest run
	LastGood   time.Time `json:"last_good,omitzero"`   // when the newest run began that read the source to its end
	Postponed  time.Time `json:"postponed,omitzero"`   // when the oldest run began of those since which documents wait for the embedder; zero: none wait
	Doubt      *Doubt    `json:"doubt,omitempty"`      // its permissions could not be read; nil: they could
	Quarantine []Refused `json:"quarantine,omitempty"` // documents that are not in, or closed, in order of their ids
}

// Run is how one run went.
type Run struct {
	Started time.Time     `json:"started"`
	Took    time.Duration `json:"took_ns"`
	Error   string        `json:"error,omitempty"` // why it failed; "" if it did not
	Seen    int           `json:"seen"`
	Changed int           `json:"changed"` // added, updated, deleted, or with new permissions
}

// Doubt is why the documents of a source are closed until somebody confirms it.
type Doubt struct {
	Since  time.Time `json:"since"`
	Reason string    `json:"reason"`
}

// Refused is a document in quarantine.
type Refused struct {
	ID       corpora.DocID `json:"id"`
	Stage    ingest.Stage  `json:"stage"`
	Reason   string        `json:"reason"`
	Closed   bool          `json:"closed"`   // an earlier version is indexed, and nobody may read it
	Since    time.Time     `json:"since"`    // when it was first refused
	Attempts int           `json:"attempts"` // runs that refused it
}

const fileName = "sources.json"

// mu is held while the file is read and written again: a server runs several
// commands at once.
var mu sync.Mutex

// Read returns the ledger of a data directory; one without a ledger has an empty one.
func Read(dir string) (Ledger, error) {
	data, err := os.ReadFile(filepath.Join(dir, fileName))
	if errors.Is(err, fs.ErrNotExist) {
		return Ledger{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read what is known of the sources: %w", err)
	}
	l := Ledger{}
	if err := json.Unmarshal(data, &l); err != nil {
		return nil, fmt.Errorf("%s is damaged (%w): remove it, the next ingest writes it anew", filepath.Join(dir, fileName), err)
	}
	return l, nil
}

// Record notes a run that began at an instant and ended with err, and how to read
// the source again. The caller holds the index, so no other process writes.
func Record(dir string, started time.Time, again []string, sum ingest.Summary, err error) error {
	return change(dir, func(l Ledger) {
		s := l[sum.Source].after(started, sum, err)
		s.Ingest = again
		l[sum.Source] = s
	})
}

// Forget removes a source, and documents of other sources from quarantine.
func Forget(dir, source string, ids ...corpora.DocID) error {
	return change(dir, func(l Ledger) {
		if source != "" {
			delete(l, source)
		}
		for name, s := range l {
			s.Quarantine = slices.DeleteFunc(s.Quarantine, func(r Refused) bool { return slices.Contains(ids, r.ID) })
			l[name] = s
		}
	})
}

// Distrust notes that the permissions of a source could not be read. The first
// reason stays.
func Distrust(dir, source string, at time.Time, reason error) error {
	return change(dir, func(l Ledger) {
		if s := l[source]; s.Doubt == nil {
			s.Doubt = &Doubt{Since: at.UTC(), Reason: reason.Error()}
			l[source] = s
		}
	})
}

// Trust takes that back.
func Trust(dir, source string) error {
	return change(dir, func(l Ledger) {
		if s, ok := l[source]; ok {
			s.Doubt = nil
			l[source] = s
		}
	})
}

func change(dir string, f func(Ledger)) error {
	mu.Lock()
	defer mu.Unlock()
	l, err := Read(dir)
	if err != nil {
		return err
	}
	f(l)
	return l.write(dir)
}

func (l Ledger) write(dir string) error {
	data, err := json.MarshalIndent(l, "", "  ")
	if err == nil {
		err = atomicfile.Write(filepath.Join(dir, fileName), append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write what is known of the sources: %w", err)
	}
	return nil
}

// after is the source's history with one more run.
func (s Source) after(started time.Time, sum ingest.Summary, failed error) Source {
	s.Last = Run{
		Started: started.UTC(), Took: time.Duration(sum.Seconds * float64(time.Second)),
		Seen: sum.Seen, Changed: sum.Added + sum.Updated + sum.ACLChanged + sum.Deleted,
	}
	if failed != nil {
		s.Last.Error = failed.Error()
	} else if sum.Complete {
		s.LastGood = s.Last.Started
	}
	switch {
	case sum.Postponed == 0 && sum.Complete && failed == nil:
		s.Postponed = time.Time{}
	case sum.Postponed > 0 && s.Postponed.IsZero():
		s.Postponed = s.Last.Started
	}
	before := map[corpora.DocID]Refused{}
	for _, r := range s.Quarantine {
		before[r.ID] = r
	}
	var now []Refused
	for _, q := range sum.Quarantined {
		r := Refused{ID: q.ID, Stage: q.Stage, Reason: q.Reason, Closed: q.Closed, Since: s.Last.Started, Attempts: 1}
		if old, ok := before[q.ID]; ok {
			r.Since, r.Attempts, r.Closed = old.Since, old.Attempts+1, old.Closed || q.Closed
			delete(before, q.ID)
		}
		now = append(now, r)
	}
	if !sum.Complete || failed != nil { // what this run did not come to is as it was
		for _, r := range before {
			now = append(now, r)
		}
	}
	slices.SortFunc(now, func(a, b Refused) int { return strings.Compare(string(a.ID), string(b.ID)) })
	s.Quarantine = now
	return s
}
