package indextest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
)

// Traffic is several writers that write to one store at the same time without
// end, each to documents of its own, so that what the store must hold follows
// from how far each of them came. The same seed gives the same writes.
type Traffic struct {
	Seed    uint64
	Writers int
}

// documentsPerWriter is small, so that writes meet.
const documentsPerWriter = 6

// Prepare is the write that comes before all others: it sets the model.
func (t Traffic) Prepare(ctx context.Context, s Store) error {
	return s.Reembed(ctx, model(1), embedAs(model(1)))
}

// Step returns the n-th write of a writer: documents are ingested, edited and
// deleted, rights granted and revoked.
func (t Traffic) Step(writer, n int) Step {
	r := rand.New(rand.NewPCG(t.Seed, uint64(writer)<<32|uint64(n)))
	id := t.id(writer, r.IntN(documentsPerWriter))
	switch kind := r.IntN(10); {
	case kind < 5:
		entries := []index.Entry{t.entry(r, writer, id, n)}
		for range r.IntN(3) {
			entries = append(entries, t.entry(r, writer, t.id(writer, r.IntN(documentsPerWriter)), n))
		}
		return Step{"replace", func(ctx context.Context, s Store) error { return s.Replace(ctx, entries...) }}
	case kind < 8: // the document may be gone, and then it is not found
		l := lists[r.IntN(len(lists))]
		return Step{"set acl", func(ctx context.Context, s Store) error {
			if err := s.SetACL(ctx, id, l); !errors.Is(err, index.ErrNotFound) {
				return err
			}
			return nil
		}}
	default:
		ids := []corpora.DocID{id, t.id(writer, r.IntN(documentsPerWriter))}
		return Step{"delete", func(ctx context.Context, s Store) error { return s.Delete(ctx, ids...) }}
	}
}

var lists = []acl.List{{}, acl.Allow(acl.Everyone), acl.Allow("group:hr"), acl.Allow("user:ann", "group:it")}

func (t Traffic) source(writer int) string { return fmt.Sprintf("writer%d", writer) }

func (t Traffic) id(writer, n int) corpora.DocID {
	return corpora.DocID(fmt.Sprintf("%s/%d.md", t.source(writer), n))
}

func (t Traffic) entry(r *rand.Rand, writer int, id corpora.DocID, n int) index.Entry {
	d := doc(string(id), lists[r.IntN(len(lists))])
	d.Source, d.Version = t.source(writer), fmt.Sprint(n)
	texts := make([]string, 1+r.IntN(4))
	for i := range texts {
		words := make([]string, 1+r.IntN(40))
		for j := range words {
			words[j] = []string{"leave", "policy", "server", "last", "parental", fmt.Sprint("w", r.IntN(500))}[r.IntN(6)]
		}
		texts[i] = strings.Join(words, " ")
	}
	return NewEntry(model(1), d, texts...)
}

// Journal is what is known of a store that traffic was written to: how many writes
// of each writer were acknowledged.
type Journal struct {
	Traffic
	Acked   []int   // writes that each writer was told are stored
	applied []int   // writes that the oracle holds
	oracle  *Oracle // what the store must hold
}

// Verdict says what is wrong with a store.
type Verdict struct {
	Lost        int      `json:"lost"`        // writes that were acknowledged and are not there
	Orphans     int      `json:"orphans"`     // halves of writes, and rows without a document
	Resurrected int      `json:"resurrected"` // documents or rights that were taken away
	Notes       []string `json:"notes,omitempty"`
}

// NewJournal returns the journal of a prepared store.
func NewJournal(ctx context.Context, t Traffic) (*Journal, error) {
	j := &Journal{Traffic: t, Acked: make([]int, t.Writers), applied: make([]int, t.Writers), oracle: NewOracle()}
	return j, t.Prepare(ctx, j.oracle)
}

// Clone returns a journal of its own, to verify a copy of the store.
func (j *Journal) Clone(ctx context.Context) (*Journal, error) {
	err := j.advance(ctx)
	out := *j
	out.Acked, out.applied, out.oracle = slices.Clone(j.Acked), slices.Clone(j.applied), j.oracle.Clone()
	return &out, err
}

// advance applies what was acknowledged to the oracle.
func (j *Journal) advance(ctx context.Context) error {
	for writer := range j.Writers {
		for ; j.applied[writer] < j.Acked[writer]; j.applied[writer]++ {
			if err := j.Step(writer, j.applied[writer]).Do(ctx, j.oracle); err != nil {
				return err
			}
		}
	}
	return nil
}

// Verify compares the store with the journal: of each writer it must hold what was
// acknowledged, and all or nothing of the write that was under way. The journal
// then goes on from what is there.
func (j *Journal) Verify(ctx context.Context, s Store) (v Verdict, err error) {
	if err := j.advance(ctx); err != nil {
		return v, err
	}
	for writer := range j.Writers {
		if err := j.verifyWriter(ctx, s, writer, &v); err != nil {
			return v, err
		}
	}
	if c, ok := s.(Checker); ok {
		problems, err := c.Problems(ctx)
		if err != nil {
			return v, err
		}
		v.Orphans += len(problems)
		v.Notes = append(v.Notes, problems...)
	}
	if v.Lost+v.Orphans+v.Resurrected == 0 {
		if d := Compare(ctx, s, j.oracle); d != "" {
			v.Lost++
			v.Notes = append(v.Notes, d)
		}
	}
	return v, nil
}

func (j *Journal) verifyWriter(ctx context.Context, s Store, writer int, v *Verdict) error {
	next := j.oracle.Clone()
	if err := j.Step(writer, j.applied[writer]).Do(ctx, next); err != nil {
		return err
	}
	var docs [3]map[corpora.DocID]corpora.Document
	for i, from := range []Store{s, j.oracle, next} {
		found, err := list(ctx, from, j.source(writer))
		if err != nil {
			return err
		}
		docs[i] = map[corpora.DocID]corpora.Document{}
		for _, d := range found {
			docs[i][d.ID] = d
		}
	}
	got, before, after := docs[0], docs[1], docs[2]
	switch {
	case sameDocuments(got, before):
	case sameDocuments(got, after):
		j.oracle = next
		j.applied[writer]++
		j.Acked[writer] = j.applied[writer]
	default:
		v.judge(got, before, after)
	}
	return nil
}

func sameDocuments(a, b map[corpora.DocID]corpora.Document) bool {
	same := len(a) == len(b)
	for id, d := range a {
		other, ok := b[id]
		same = same && ok && sameDocument(d, other)
	}
	return same
}

// judge says what is wrong with documents that are neither before nor after a write.
func (v *Verdict) judge(got, before, after map[corpora.DocID]corpora.Document) {
	ids, wrong := map[corpora.DocID]bool{}, 0
	for _, docs := range []map[corpora.DocID]corpora.Document{got, before, after} {
		for id := range docs {
			ids[id] = true
		}
	}
	for id := range ids {
		wrong += v.judgeDocument(id, got, before, after)
	}
	if wrong == 0 { // each is right by itself
		v.Orphans++
		v.Notes = append(v.Notes, "one half of a write is there and the other is not")
	}
}

func (v *Verdict) judgeDocument(id corpora.DocID, got, before, after map[corpora.DocID]corpora.Document) (wrong int) {
	g, there := got[id]
	b, was := before[id]
	a, will := after[id]
	switch {
	case there && (was && sameDocument(g, b) || will && sameDocument(g, a)), !there && (!was || !will):
		return 0
	case there && !was && !will || there && admitsMore(g.ACL, b.ACL, a.ACL):
		v.Resurrected++
	default:
		v.Lost++
	}
	v.Notes = append(v.Notes, fmt.Sprintf("%s is %+v, want %+v or %+v", id, g, b, a))
	return 1
}

// admitsMore reports whether the list admits someone whom none of the others admits.
func admitsMore(l acl.List, others ...acl.List) bool {
	for _, p := range people {
		allowed := false
		for _, o := range others {
			allowed = allowed || o.Admits(p, noon)
		}
		if l.Admits(p, noon) && !allowed {
			return true
		}
	}
	return false
}
