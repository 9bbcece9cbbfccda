package guard_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"strings"
	"testing"

	"ken/corpora"
	"ken/corpora/extract"
	"ken/corpora/protect"
	"ken/corpora/protect/guard"
)

// shelf is a source of one document whose everything names a person.
type shelf struct{ err error }

func (shelf) Name() string { return "shelf" }

func (s shelf) Changes(context.Context, corpora.Cursor) iter.Seq2[corpora.Change, error] {
	const id = "shelf/ann@example.com.md"
	return func(yield func(corpora.Change, error) bool) {
		load := func(context.Context) (corpora.Document, []byte, error) {
			d := corpora.Document{ID: id, Source: "shelf", Path: "ann@example.com.md", URL: "https://example.org/?q=ann%40example.com", Title: "Ann ann@example.com",
				Tags: []string{"x", "ann@example.com"}, Stamp: "1", SupersededBy: id, MediaType: extract.Plain}
			return d, []byte("ann@example.com"), s.err
		}
		_ = yield(corpora.Change{ID: id, Stamp: "1", Load: load}, nil)
	}
}

func protector(t *testing.T, withKey bool, rules ...protect.Rule) *protect.Protector {
	t.Helper()
	var key protect.Key
	r, err := protect.New(rules...)
	if err == nil && withKey {
		key, err = protect.NewKey([]byte(strings.Repeat("k", protect.KeyBytes)))
	}
	if err != nil {
		t.Fatal(err)
	}
	p, err := r.With(key)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var email = protect.Rule{Find: "email", Do: protect.Redact, Class: "internal"}

// first returns the first change of a source, and what it loads.
func first(t *testing.T, s corpora.Source) (c corpora.Change, d corpora.Document, listed, loaded error) {
	t.Helper()
	for c, listed = range s.Changes(t.Context(), "") {
		if listed == nil {
			d, _, loaded = c.Load(t.Context())
		}
		break
	}
	return c, d, listed, loaded
}

func TestSource(t *testing.T) {
	c, d, listed, loaded := first(t, guard.Source(shelf{}, protector(t, true, email)))
	if listed != nil || loaded != nil || c.ID != d.ID || c.Stamp != d.Stamp {
		t.Fatalf("%v, %v: %+v, %+v", listed, loaded, c, d)
	}
	if all := fmt.Sprintf("%+v %+v", c.ID, d); strings.Contains(all, "ann@") || strings.Contains(all, "ann%40") {
		t.Errorf("%s", all)
	}
	other, _, _, _ := first(t, guard.Source(shelf{}, protector(t, true, email, protect.Rule{Find: "card", Do: protect.Redact})))
	if other.Stamp == c.Stamp || other.ID != c.ID {
		t.Errorf("other rules: stamp %s and %s, id %s and %s", c.Stamp, other.Stamp, c.ID, other.ID)
	}
}

// Without a key a name cannot be told from others, so its document is refused,
// and not even the refusal names the value.
func TestNameWithoutKey(t *testing.T) {
	c, _, listed, _ := first(t, guard.Source(shelf{}, protector(t, false, email)))
	if listed == nil || strings.Contains(string(c.ID)+listed.Error(), "ann@") {
		t.Errorf("%s: %v", c.ID, listed)
	}
}

// An error keeps what it is and loses the value.
func TestFault(t *testing.T) {
	_, _, _, loaded := first(t, guard.Source(shelf{fmt.Errorf("open ann@example.com.md: %w", fs.ErrPermission)}, protector(t, true, email)))
	if !errors.Is(loaded, fs.ErrPermission) || strings.Contains(loaded.Error(), "ann@") {
		t.Errorf("%v", loaded)
	}
}

func TestExtractor(t *testing.T) {
	in := extract.Input{Path: "ann@example.com.txt", MediaType: extract.Plain, Data: []byte("Write to ann@example.com.")}
	text, err := guard.Extractor(extract.Default(), protector(t, true, email)).Extract(t.Context(), in)
	if err != nil || text.Body != "Write to [email removed]." || text.Class != "internal" || strings.Contains(text.Title, "ann@") {
		t.Errorf("%+v, %v", text, err)
	}
	if text, _ := guard.Extractor(extract.Default(), nil).Extract(t.Context(), in); text.Body != "Write to ann@example.com." {
		t.Errorf("without rules: %+v", text)
	}
}

// A field can stand in what is known of a document, too.
func TestDocumentWithFields(t *testing.T) {
	by := protector(t, false, protect.Rule{Fields: []string{"salary"}, Do: protect.Redact})
	d, ok := guard.Document(corpora.Document{ID: "shelf/a", Title: "salary: 90000", Tags: []string{"salary=90000"}}, by)
	if all := fmt.Sprintf("%+v", d); !ok || strings.Contains(all, "90000") {
		t.Errorf("%s", all)
	}
}

// What comes in by another way is clean or not, whatever holds the value.
func TestClean(t *testing.T) {
	by := protector(t, true, email)
	const bad = "ann@example.com"
	for name, tt := range map[string]struct {
		d     corpora.Document
		text  string
		lines []string
		want  bool
	}{
		"nothing": {corpora.Document{ID: "a", Title: "A", Tags: []string{"y", "x"}}, "text", []string{"A"}, true},
		"id":      {corpora.Document{ID: bad}, "", nil, false},
		"path":    {corpora.Document{Path: bad}, "", nil, false},
		"title":   {corpora.Document{Title: bad}, "", nil, false},
		"address": {corpora.Document{URL: "https://example.org/" + bad}, "", nil, false},
		"tag":     {corpora.Document{Tags: []string{bad}}, "", nil, false},
		"later":   {corpora.Document{SupersededBy: bad}, "", nil, false},
		"text":    {corpora.Document{}, bad, nil, false},
		"line":    {corpora.Document{}, "", []string{bad}, false},
	} {
		if got := guard.Clean(tt.d, tt.text, tt.lines, by); got != tt.want {
			t.Errorf("%s: clean %v", name, got)
		}
	}
}
