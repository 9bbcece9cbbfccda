package embedded

import (
	"context"
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index/indextest"
)

// While several write and several read, at instants before and after each other,
// every view answers what one answers that remembers nothing. In the end memory is
// what the documents say.
func TestWarmAnswersUnderTraffic(t *testing.T) {
	disk := vfs.NewMem()
	s, err := Open("data", Options{FS: disk, Memory: 1 << 20}) // little: what is remembered goes and comes
	if err != nil {
		t.Fatal(err)
	}
	m := modelOf(1)
	if err := s.Reembed(t.Context(), m, vectorsOf(m)); err != nil {
		t.Fatal(err)
	}
	var writers, readers sync.WaitGroup
	done := make(chan struct{})
	for n := range uint64(3) {
		writers.Go(func() {
			for r, i := rand.New(rand.NewPCG(n, 1)), 0; i < 150 && !t.Failed(); i++ {
				if err := writeAny(t.Context(), s, r); err != nil && !possible(err) {
					t.Error(err)
				}
			}
		})
		readers.Go(func() {
			for r := rand.New(rand.NewPCG(n, 2)); !t.Failed(); {
				readAny(t, s, r)
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
	mustBeSound(t, s)
}

// writeAny does something to some document, or to how they are stored.
func writeAny(ctx context.Context, s *Store, r *rand.Rand) error {
	id, list := ids[r.IntN(len(ids))], lists8[r.IntN(len(lists8))]
	switch n := r.IntN(40); {
	case n < 18:
		d := corpora.Document{ID: id, Title: []string{"Leave", "Page"}[r.IntN(2)], Language: []string{"en", "de"}[r.IntN(2)], ACL: list}
		texts := []string{"leave policy", "leave leave", "server", "policy policy server leave"}
		e := indextest.NewEntry(embed.Model{}, d, texts[:r.IntN(len(texts))]...)
		e.Vectors, _ = vectorsOf(s.Model())(ctx, e.Chunks)
		return s.Replace(ctx, e)
	case n < 33:
		return s.SetACL(ctx, id, list)
	case n < 37:
		return s.Delete(ctx, id)
	case n < 39:
		return s.Merge(ctx)
	case r.IntN(4) == 0:
		m := modelOf(1 + r.IntN(2))
		return s.Reembed(ctx, m, vectorsOf(m))
	default:
		return changeGeneration(ctx, s, r)
	}
}

// changeGeneration adds one, makes what it lacks, promotes, rolls back or drops it.
func changeGeneration(ctx context.Context, s *Store, r *rand.Rand) error {
	all, err := s.Generations()
	last := all[len(all)-1].ID
	switch n := r.IntN(5); {
	case err != nil:
		return err
	case len(all) == 1:
		m := modelOf(3)
		id, err := s.AddGeneration(ctx, NewGeneration{Model: m})
		s.SetMaker(id, makerOf(m))
		return err
	case n == 0:
		return s.Promote(ctx, last, 1+r.IntN(100))
	case n == 1:
		_, err := s.Rollback(ctx)
		return err
	case n == 2:
		_ = s.Drop(ctx, last) // it may be the active one by now
		return nil
	default:
		return errors.Join(s.CatchUp(ctx, last, nil), s.Promote(ctx, last, 100))
	}
}

// readAny compares a view with one of the same state that remembers nothing.
func readAny(t *testing.T, s *Store, r *rand.Rand) {
	people := []acl.Principal{acl.NewPrincipal(), acl.NewPrincipal("user:ann"), acl.NewPrincipal("user:bob", "group:hr"), acl.NewPrincipal("user:eve")}
	at := noon.Add(time.Duration(r.IntN(9)-1) * time.Hour / 2).Add(time.Duration(r.IntN(3) - 1)) // at a boundary, and next to it
	opened, err := s.View(t.Context(), people[r.IntN(len(people))], at)
	if err != nil {
		t.Error(err)
		return
	}
	v := opened.(*view)
	cold := &state{
		number: v.state.number, meta: v.state.meta, segments: v.state.segments, live: v.state.live, classes: v.state.classes,
		truth: v.state.truth, snapshot: v.state.snapshot, leg: v.state.leg, kept: &remembered{},
	}
	plain := &view{state: cold, readable: newReadable(cold, v.principal, at), principal: v.principal, at: at}
	if got, want := v.readable, plain.readable; !got.live.Equals(want.live) || !slices.Equal(got.classes, want.classes) || !reflect.DeepEqual(got.rows, want.rows) {
		t.Errorf("%v may read %v of classes %v, want %v of %v", at, got.live, got.classes, want.live, want.classes)
	}
	for range 2 {
		if got, want := answerOf(t.Context(), v), answerOf(t.Context(), plain); !reflect.DeepEqual(got, want) {
			t.Errorf("answered\n%+v\nwant\n%+v", got, want)
		}
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
}
