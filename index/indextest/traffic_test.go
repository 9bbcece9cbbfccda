package indextest_test

import (
	"context"
	"errors"
	"testing"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index/indextest"
)

// after returns a store and a journal after n writes of each of two writers.
func after(t *testing.T, n int) (*indextest.Oracle, *indextest.Journal) {
	t.Helper()
	traffic := indextest.Traffic{Seed: 7, Writers: 2}
	s := indextest.NewOracle()
	journal, err := indextest.NewJournal(t.Context(), traffic)
	if err = errors.Join(err, traffic.Prepare(t.Context(), s)); err != nil {
		t.Fatal(err)
	}
	for w := range traffic.Writers {
		for i := range n {
			if err := traffic.Step(w, i).Do(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		journal.Acked[w] = n
	}
	return s, journal
}

// A verdict names what is wrong, and finds nothing where all is well.
func TestVerdict(t *testing.T) {
	for name, c := range map[string]struct {
		harm func(context.Context, *indextest.Oracle) error
		want func(indextest.Verdict) bool
	}{
		"sound": {
			func(context.Context, *indextest.Oracle) error { return nil },
			func(v indextest.Verdict) bool { return v.Lost+v.Orphans+v.Resurrected == 0 },
		},
		"a document is gone": {
			func(ctx context.Context, s *indextest.Oracle) error { return s.Delete(ctx, first(ctx, s)) },
			func(v indextest.Verdict) bool { return v.Lost == 1 && v.Resurrected == 0 },
		},
		"a right is back": {
			func(ctx context.Context, s *indextest.Oracle) error {
				return s.SetACL(ctx, closed(ctx, s), acl.Allow(acl.Everyone))
			},
			func(v indextest.Verdict) bool { return v.Resurrected == 1 && v.Lost == 0 },
		},
	} {
		s, journal := after(t, 40)
		if err := c.harm(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		verdict, err := journal.Verify(t.Context(), s)
		if err != nil || !c.want(verdict) {
			t.Errorf("%s: %+v, %v", name, verdict, err)
		}
	}
}

// A store that is one write ahead of the journal is sound, and one behind is not.
func TestVerdictOnTheWriteUnderWay(t *testing.T) {
	s, journal := after(t, 40)
	journal.Acked = []int{39, 39}
	if v, err := journal.Verify(t.Context(), s); err != nil || len(v.Notes) > 0 {
		t.Errorf("ahead: %+v, %v", v, err)
	}
	s, journal = after(t, 40)
	journal.Acked = []int{48, 48}
	if v, err := journal.Verify(t.Context(), s); err != nil || v.Lost+v.Resurrected == 0 {
		t.Errorf("behind: %+v, %v", v, err)
	}
}

func first(ctx context.Context, s *indextest.Oracle) (id corpora.DocID) {
	for d := range s.Documents(ctx, "") {
		return d.ID
	}
	return ""
}

// closed returns a document that nobody may read.
func closed(ctx context.Context, s *indextest.Oracle) corpora.DocID {
	for d := range s.Documents(ctx, "") {
		if len(d.ACL.Allow()) == 0 {
			return d.ID
		}
	}
	return ""
}
