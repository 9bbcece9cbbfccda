package twin_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
	"ken/index/embedded"
	"ken/retrieval"
	"ken/tools/auth"
)

// register is what one writer does to one thing: state n is in force from some
// moment between began[n] and acknowledged[n], until that of n+1. The times are ticks of one counter.
type register struct {
	mu                  sync.Mutex
	began, acknowledged []int64
	open                []bool
}

func (r *register) write(clock *atomic.Int64, open bool, do func() error) error {
	r.mu.Lock()
	r.began = append(r.began, clock.Add(1))
	r.open = append(r.open, open)
	r.mu.Unlock()
	err := do()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.acknowledged = append(r.acknowledged, clock.Add(1))
	return err
}

// explains reports whether a read from a to b may have seen open: whether some
// state with that value was possibly in force at a moment in between.
func (r *register) explains(open bool, a, b int64) bool {
	for n, state := range r.open {
		begun := r.began[n] < b
		replaced := n+1 < len(r.acknowledged) && r.acknowledged[n+1] < a
		if state == open && begun && !replaced {
			return true
		}
	}
	return false
}

type read struct {
	of   *register
	open bool
	a, b int64
}

// stale runs one writer per register and the readers at once, and counts the reads
// that no order of the operations explains.
func stale(t *testing.T, clock *atomic.Int64, registers []*register, writes, readers, reads int, write func(n, i int, open bool) error, look func(n int) (bool, error)) int {
	t.Helper()
	var wg sync.WaitGroup
	for n, r := range registers {
		wg.Go(func() {
			for i := range writes {
				open := i%2 == 1
				if err := r.write(clock, open, func() error { return write(n, i, open) }); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	seen := make([][]read, readers)
	for k := range readers {
		wg.Go(func() {
			for i := range reads {
				n := (i*7 + k) % len(registers)
				a := clock.Add(1)
				open, err := look(n)
				if err != nil {
					t.Error(err)
					return
				}
				seen[k] = append(seen[k], read{registers[n], open, a, clock.Add(1)})
			}
		})
	}
	wg.Wait()
	wrong := 0
	for _, all := range seen {
		for _, r := range all {
			if !r.of.explains(r.open, r.a, r.b) {
				wrong++
			}
		}
	}
	return wrong
}

// TestRevokesAreLinear: whoever asks after a revoke or a grant was acknowledged sees it,
// while others read, write and merge.
func TestRevokesAreLinear(t *testing.T) {
	store, err := embedded.Open("index", embedded.Options{FS: vfs.NewMem()})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	searcher, err := retrieval.New(store, retrieval.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const documents, readers = 8, 8
	writes, reads := 1_000, 12_000
	if testing.Short() {
		writes, reads = 60, 300
	}
	var clock atomic.Int64
	registers := make([]*register, documents)
	id := func(n int) corpora.DocID { return corpora.DocID(fmt.Sprintf("wiki/%d.md", n)) }
	for n := range registers {
		registers[n] = &register{began: []int64{0}, acknowledged: []int64{0}, open: []bool{true}}
		text := fmt.Sprintf("document %d\n", n)
		e := index.Entry{
			Document: corpora.Document{ID: id(n), Source: "wiki", Title: "Page", Language: "en", Version: "1", ACL: acl.Allow("group:hr")},
			Chunks:   []index.Chunk{{Doc: id(n), Span: index.Span{End: len(text)}, Text: text}},
			Vectors:  []embed.Vector(nil),
		}
		if err := store.Replace(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	ann := acl.NewPrincipal("user:ann", "group:hr")
	lists := map[bool]acl.List{true: acl.Allow("group:hr"), false: acl.NewList(acl.Grants("group:hr"), acl.Grants("user:ann"))}
	wrong := stale(t, &clock, registers, writes, readers, reads,
		func(n, _ int, open bool) error { return store.SetACL(t.Context(), id(n), lists[open]) },
		func(n int) (bool, error) {
			if n%2 == 0 {
				_, err := searcher.Fetch(t.Context(), ann, id(n), 0, 0)
				if errors.Is(err, index.ErrNotFound) {
					return false, nil
				}
				return true, err
			}
			found, err := searcher.Search(t.Context(), ann, retrieval.Request{Query: "document", Mode: retrieval.Lexical, Filter: index.Filter{Documents: []corpora.DocID{id(n)}}})
			return len(found.Results) > 0, err
		})
	t.Logf("%d changes and %d reads at once, %d stale", documents*writes, readers*reads, wrong)
	if wrong > 0 {
		t.Errorf("%d reads saw what no order of the operations explains", wrong)
	}
}

// TestKeyRevokesAreLinear: the same for keys, which another process may revoke.
func TestKeyRevokesAreLinear(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.yaml")
	if err := auth.CreateFile(path); err != nil {
		t.Fatal(err)
	}
	open := func() *auth.Keys {
		keys, err := auth.Open(path, auth.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return keys
	}
	operator, server := open(), open()
	writes, reads := 60, 2_000
	if testing.Short() {
		writes, reads = 20, 200
	}
	var clock atomic.Int64
	r := &register{began: []int64{0}, acknowledged: []int64{0}, open: []bool{false}}
	var secret atomic.Value
	secret.Store("ken_none")
	var last auth.Key
	wrong := stale(t, &clock, []*register{r}, writes, 4, reads,
		func(_, i int, open bool) (err error) {
			if !open {
				if i == 0 {
					return nil
				}
				return operator.Revoke(last.ID)
			}
			var text string
			if last, text, err = operator.Create([]acl.Subject{"user:ann"}, time.Time{}, ""); err == nil {
				secret.Store(text)
			}
			return err
		},
		func(int) (bool, error) {
			_, err := server.Verify(secret.Load().(string))
			return err == nil, nil
		})
	t.Logf("%d changes and %d reads at once, %d stale", writes, 4*reads, wrong)
	if wrong > 0 {
		t.Errorf("%d reads saw what no order of the operations explains", wrong)
	}
}

// TestStaleCanFail: a reader that remembers what it saw first is found out.
func TestStaleCanFail(t *testing.T) {
	var clock atomic.Int64
	r := &register{began: []int64{0}, acknowledged: []int64{0}, open: []bool{true}}
	for _, open := range []bool{false} {
		if err := r.write(&clock, open, func() error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	a := clock.Add(1)
	if r.explains(true, a, clock.Add(1)) {
		t.Error("a read after the revoke was explained by the state before")
	}
	if !r.explains(true, 0, clock.Load()) {
		t.Error("a read that began before the revoke was not explained")
	}
}
