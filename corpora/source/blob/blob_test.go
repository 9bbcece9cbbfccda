package blob_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocloud "gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/memblob"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/source/blob"
	"ken/corpora/source/remote"
	"ken/corpora/sourcetest"
)

func TestConformance(t *testing.T) {
	t.Run("memory", func(t *testing.T) {
		sourcetest.Run(t, func(t *testing.T) sourcetest.Fixture { return fixture(t, memblob.OpenBucket(nil)) })
	})
	t.Run("directory", func(t *testing.T) {
		sourcetest.Run(t, func(t *testing.T) sourcetest.Fixture { return fixture(t, directory(t, t.TempDir())) })
	})
}

func directory(t *testing.T, dir string) *gocloud.Bucket {
	t.Helper()
	b, err := fileblob.OpenBucket(dir, &fileblob.Options{NoTempDir: true})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fixture says who may read in the objects' metadata.
func fixture(t *testing.T, b *gocloud.Bucket) sourcetest.Fixture {
	t.Helper()
	t.Cleanup(func() { _ = b.Close() }) // a broken one is closed already
	mark := func(name string, metadata map[string]string) {
		t.Helper()
		data, err := b.ReadAll(t.Context(), "docs/"+name)
		if err != nil {
			t.Fatal(err)
		}
		write(t, b, "docs/"+name, string(data), metadata)
	}
	return sourcetest.Fixture{
		Source: source(t, b),
		Put:    func(name, text string) { write(t, b, "docs/"+name, text, nil) },
		Remove: func(name string) {
			if err := b.Delete(t.Context(), "docs/"+name); err != nil {
				t.Fatal(err)
			}
		},
		SetACL: func(name string, who ...acl.Subject) {
			names := make([]string, len(who))
			for i, s := range who {
				names[i] = string(s)
			}
			mark(name, map[string]string{"ken-acl-allow": strings.Join(names, ",")})
		},
		Spoil: func(name string) { mark(name, map[string]string{"ken-acl-allow": "ann"}) },
		Break: func() { _ = b.Close() },
	}
}

func source(t *testing.T, b *gocloud.Bucket) *blob.Source {
	t.Helper()
	s, err := blob.New(blob.Options{Name: "bucket", Bucket: b, Prefix: "docs", Calls: remote.Options{Backoff: time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func write(t *testing.T, b *gocloud.Bucket, key, text string, metadata map[string]string) {
	t.Helper()
	if err := b.WriteAll(t.Context(), key, []byte(text), &gocloud.WriterOptions{Metadata: metadata}); err != nil {
		t.Fatal(err)
	}
}

// outcome of a listing: the lists of the documents that can be read, and the
// errors of the others.
func outcome(t *testing.T, s corpora.Source) (map[string]acl.List, map[corpora.DocID]error) {
	t.Helper()
	lists, refused := map[string]acl.List{}, map[corpora.DocID]error{}
	for c, err := range s.Changes(t.Context(), "") {
		if err == nil && c.Op == corpora.Put {
			var d corpora.Document
			if d, _, err = c.Load(t.Context()); err == nil {
				lists[d.Path] = d.ACL
			}
		}
		if err != nil {
			refused[c.ID] = err
		}
	}
	return lists, refused
}

func TestMetadata(t *testing.T) {
	for _, c := range []struct {
		name     string
		metadata map[string]string
		want     acl.List
		refused  bool
	}{
		{"nothing", nil, acl.Allow("group:staff"), false},
		{"foreign", map[string]string{"owner": "ann"}, acl.Allow("group:staff"), false},
		{"allow", map[string]string{"ken-acl-allow": "user:ann, group:hr"}, acl.Allow("user:ann", "group:hr"), false},
		{"underscores and case", map[string]string{"Ken_ACL_Allow": "user:ann"}, acl.Allow("user:ann"), false},
		{"empty is nobody", map[string]string{"ken-acl-allow": ""}, acl.List{}, false},
		{"deny adds up", map[string]string{"ken-acl-deny": "user:sam"}, acl.NewList(acl.Grants("group:staff"), acl.Grants("user:sam")), false},
		{"no subject", map[string]string{"ken-acl-allow": "ann"}, acl.List{}, true},
		{"misspelled", map[string]string{"ken-acl-alow": "user:ann"}, acl.List{}, true},
		{"class is not read", map[string]string{"ken-class": "secret"}, acl.List{}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := memblob.OpenBucket(nil)
			defer b.Close()
			write(t, b, "docs/.ken/acl.yaml", "version: 1\ndefault: {allow: [group:staff]}\n", nil)
			write(t, b, "docs/a.md", "text", c.metadata)
			lists, refused := outcome(t, source(t, b))
			if (len(refused) == 1) != c.refused || lists["a.md"].Key() != c.want.Key() {
				t.Errorf("%s, refused %v; want %s, refused: %v", lists["a.md"].Key(), refused, c.want.Key(), c.refused)
			}
		})
	}
}

// Keys are any bytes; what is no path is refused by name and never opened.
func TestKeys(t *testing.T) {
	b := memblob.OpenBucket(nil)
	defer b.Close()
	for _, key := range []string{"docs/a.md", "docs/a.md/b.md", "docs//double.md", "docs/../up.md", "docs/./dot.md", "docs/empty/", "docsother/c.md", "docs/.hidden.md"} {
		write(t, b, key, strings.TrimSuffix("text", strings.Repeat("x", len(key)%2)), nil)
	}
	write(t, b, "docs/marker/", "", nil)
	lists, refused := outcome(t, source(t, b))
	var got []string
	for p := range lists {
		got = append(got, p)
	}
	slices.Sort(got)
	if want := []string{"a.md", "a.md/b.md"}; !slices.Equal(got, want) {
		t.Errorf("documents %q, want %q", got, want)
	}
	if len(refused) != 4 {
		t.Errorf("refused %v, want the four keys that are no paths", refused)
	}
}

// What was written after the listing waits for the next one.
func TestChangedSinceListed(t *testing.T) {
	b := memblob.OpenBucket(nil)
	defer b.Close()
	write(t, b, "docs/a.md", "text", nil)
	for c, err := range source(t, b).Changes(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if c.Op != corpora.Put {
			continue
		}
		write(t, b, "docs/a.md", "a secret", nil)
		write(t, b, "docs/a.md.acl.yaml", "[group:hr]", nil)
		if _, _, err := c.Load(t.Context()); !errors.Is(err, corpora.ErrUnavailable) {
			t.Errorf("load of what changed: %v, want %v", err, corpora.ErrUnavailable)
		}
	}
}

// A link in a directory leads nowhere, also when it appears after the listing.
func TestLinks(t *testing.T) {
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	b := directory(t, dir)
	defer b.Close()
	write(t, b, "docs/a.md", "text", nil)
	if err := os.Symlink(outside, filepath.Join(dir, "docs", "b.md")); err != nil {
		t.Fatal(err)
	}
	lists, refused := outcome(t, source(t, b))
	if len(lists) != 1 || len(refused) != 1 {
		t.Errorf("documents %v, refused %v; want one of each", lists, refused)
	}
	for c := range source(t, b).Changes(t.Context(), "") {
		if c.ID != "bucket/a.md" {
			continue
		}
		info, err := os.Stat(outside)
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, "docs", "a.md")
		if err := errors.Join(os.Remove(file), os.Symlink(outside, file), os.Chtimes(outside, time.Time{}, info.ModTime())); err != nil {
			t.Fatal(err)
		}
		if _, data, err := c.Load(t.Context()); err == nil {
			t.Errorf("a link gave %q", data)
		}
	}
}
