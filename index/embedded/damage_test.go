package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
	"ken/index/analyze"
	"ken/index/indextest"
)

// files of many blocks: a segment with a hole in its ordinals.
func manyBlocks(t *testing.T) *vfs.MemFS {
	t.Helper()
	disk := vfs.NewMem()
	s, err := Open("data", Options{FS: disk})
	if err != nil {
		t.Fatal(err)
	}
	m := embed.Model{Name: "m", Hash: "m", Dim: 48}
	if err := s.Reembed(t.Context(), m, nil); err != nil {
		t.Fatal(err)
	}
	for from := range 3 {
		var entries []index.Entry
		for n := range 200 {
			id := fmt.Sprintf("wiki/%d", from*200+n)
			d := corpora.Document{
				ID: corpora.DocID(id), Source: "wiki", Path: id, Title: fmt.Sprint("page ", n%7), Language: "en",
				ACL: acl.Allow([]acl.Subject{"user:ann", "user:bob"}[n/5%2]), Modified: time.Date(2026, 1, 1+n%20, 0, 0, 0, 0, time.UTC),
			}
			entries = append(entries, indextest.NewEntry(m, d, fmt.Sprintf("leave policy w%d", n%90)))
		}
		if err := s.Replace(t.Context(), entries...); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(s.Delete(t.Context(), "wiki/250", "wiki/251"), s.Compact(t.Context()), s.Close()); err != nil {
		t.Fatal(err)
	}
	return disk
}

// questions are searches that each read other parts of the files first.
func questions() map[string]func(context.Context, *view) ([]index.Hit, error) {
	words := func(text string, f index.Filter) func(context.Context, *view) ([]index.Hit, error) {
		return func(ctx context.Context, v *view) ([]index.Hit, error) {
			q := index.TextQuery{Terms: analyze.Query(text, v.Languages()), Filter: f, BM25: index.BM25{K1: 1.2, B: .75, Title: 3}}
			return v.SearchText(ctx, q, 20)
		}
	}
	near := func(exact int, f index.Filter) func(context.Context, *view) ([]index.Hit, error) {
		return func(ctx context.Context, v *view) ([]index.Hit, error) {
			v.state.leg = flatLeg{exact: exact}
			q := make(embed.Vector, v.state.meta.Model.Dim)
			for i := range q {
				q[i] = float32(i%3) - 1
			}
			return v.SearchVector(ctx, q, f, 20)
		}
	}
	return map[string]func(context.Context, *view) ([]index.Hit, error){
		"a common word":     words("leave page", index.Filter{}),
		"a rare word":       words("w12", index.Filter{}),
		"within paths":      words("policy", index.Filter{Paths: []string{"wiki/3", "wiki/77"}}),
		"since":             words("policy", index.Filter{After: time.Date(2026, 1, 12, 0, 0, 0, 0, time.UTC)}),
		"near, all":         near(exactRows, index.Filter{}),
		"near, by half":     near(10, index.Filter{}),
		"near and recently": near(10, index.Filter{After: time.Date(2026, 1, 15, 0, 0, 0, 0, time.UTC)}),
	}
}

// ask opens the disk and puts one question as one person.
func ask(t *testing.T, disk vfs.FS, question func(context.Context, *view) ([]index.Hit, error)) ([]index.Hit, error) {
	t.Helper()
	s, err := Open("data", Options{FS: disk})
	if err != nil {
		return nil, err
	}
	v, err := s.View(t.Context(), acl.NewPrincipal("user:ann"), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	hits, err := question(t.Context(), v.(*view))
	if closing := errors.Join(v.Close(), s.Close()); closing != nil {
		t.Fatal(closing)
	}
	return hits, err
}

// with returns the disk with one file changed.
func with(t *testing.T, disk *vfs.MemFS, file string, change func([]byte) []byte) *vfs.MemFS {
	t.Helper()
	out := vfs.NewMem()
	if _, err := vfs.Clone(disk, out, "data", "data"); err != nil {
		t.Fatal(err)
	}
	data := change(read(t, disk, file))
	f, err := out.Create(file, vfs.WriteCategoryUnspecified)
	if err == nil {
		_, err = f.Write(data)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func read(t *testing.T, disk vfs.FS, file string) []byte {
	t.Helper()
	f, err := disk.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(f)
	if err = errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return data
}

// Wherever an index file is damaged: what a search answers is right or an error, and
// the check tells.
func TestDamagedSegmentsNeverLie(t *testing.T) {
	disk := manyBlocks(t)
	names, err := disk.List("data/segments")
	if err != nil || len(names) != 2 {
		t.Fatal(names, err)
	}
	want, found := map[string][]index.Hit{}, map[string]int{}
	for name, question := range questions() {
		if want[name], err = ask(t, disk, question); err != nil || len(want[name]) == 0 {
			t.Fatal(name, want[name], err)
		}
	}
	for _, name := range names {
		file := path.Join("data/segments", name)
		size := len(read(t, disk, file))
		for at := 0; at < size; at += max(1, size/60) {
			flipped := with(t, disk, file, func(b []byte) []byte { b[at] ^= 1 << (at % 8); return b })
			for what, question := range questions() {
				got, err := ask(t, flipped, question)
				if err == nil && !reflect.DeepEqual(got, want[what]) {
					t.Errorf("%s flipped at %d: %s: another answer", name, at, what)
				}
				if err != nil {
					found[what]++
				}
			}
			s, err := Open("data", Options{FS: flipped})
			if err != nil {
				continue
			}
			report, err := s.Check(t.Context())
			if err = errors.Join(err, s.Close()); err != nil || len(report.Problems) == 0 {
				t.Errorf("%s flipped at %d: the check did not notice: %v", name, at, err)
			}
		}
		for _, at := range []int{0, 100, size / 2, size - 1} {
			if _, err := Open("data", Options{FS: with(t, disk, file, func(b []byte) []byte { return slices.Clone(b[:at]) })}); err == nil {
				t.Errorf("%s cut at %d: no error", name, at)
			}
		}
	}
	t.Logf("damage met: %v", found)
	for what := range questions() {
		if found[what] == 0 {
			t.Errorf("%s met no damage: the test does not reach it", what)
		}
	}
}

// Damage does not get a checksum of its own in a merge.
func TestDamageIsNotMerged(t *testing.T) {
	disk := manyBlocks(t)
	names, err := disk.List("data/segments")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		file := path.Join("data/segments", name)
		half := len(read(t, disk, file)) / 2
		s, err := Open("data", Options{FS: with(t, disk, file, func(b []byte) []byte { b[half] ^= 1; return b })})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Compact(t.Context()); err == nil {
			t.Errorf("%s: a damaged segment was written anew", name)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
