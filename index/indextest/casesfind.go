package indextest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
	"ken/index/analyze"
)

func testFilters(t *testing.T, s Store) {
	must(t, s.Reembed(t.Context(), model(1), embedAs(model(1))))
	put := func(d corpora.Document) {
		d.ACL = acl.Allow("user:ann")
		must(t, s.Replace(t.Context(), NewEntry(model(1), d, "server room")))
	}
	put(corpora.Document{ID: "a", Source: "wiki", Path: "x/y/one.md", MediaType: "text/markdown", Language: "en", Tags: []string{"t1", "t2"}, Class: "public", Modified: noon})
	put(corpora.Document{ID: "b", Source: "mail", Path: "x/two.md", MediaType: "text/plain", Language: "de", Tags: []string{"t2"}, Modified: noon.Add(time.Hour)})
	put(corpora.Document{ID: "c", Source: "mail", Path: "x", Language: "en"})
	v := openView(t, s, ann, noon)
	defer closeView(t, v)
	all, err := v.SearchText(t.Context(), query("server"), 10)
	must(t, err)
	scores := map[index.Key]float64{}
	for _, h := range all {
		scores[h.Key] = h.Score
	}
	for _, c := range []struct {
		name   string
		filter index.Filter
		want   []corpora.DocID
	}{
		{"none", index.Filter{}, []corpora.DocID{"a", "b", "c"}},
		{"source", index.Filter{Sources: []string{"mail"}}, []corpora.DocID{"b", "c"}},
		{"unknown source", index.Filter{Sources: []string{"none"}}, nil},
		{"folder", index.Filter{Paths: []string{"x/"}}, []corpora.DocID{"a", "b"}},
		{"nested folder", index.Filter{Paths: []string{"x/y/"}}, []corpora.DocID{"a"}},
		{"document by path", index.Filter{Paths: []string{"x"}}, []corpora.DocID{"c"}},
		{"half a name", index.Filter{Paths: []string{"x/y/on", "x/y"}}, nil},
		{"either path", index.Filter{Paths: []string{"x/y/", "x"}}, []corpora.DocID{"a", "c"}},
		{"media type", index.Filter{MediaTypes: []string{"text/plain"}}, []corpora.DocID{"b"}},
		{"language", index.Filter{Languages: []string{"de"}}, []corpora.DocID{"b"}},
		{"tag", index.Filter{Tags: []string{"t2"}}, []corpora.DocID{"a", "b"}},
		{"class", index.Filter{Classes: []string{"public"}}, []corpora.DocID{"a"}},
		{"document", index.Filter{Documents: []corpora.DocID{"c", "a"}}, []corpora.DocID{"a", "c"}},
		{"after, included", index.Filter{After: noon}, []corpora.DocID{"a", "b"}},
		{"before, excluded", index.Filter{Before: noon.Add(time.Hour)}, []corpora.DocID{"a"}},
		{"all fields must be met", index.Filter{Tags: []string{"t2"}, Sources: []string{"wiki"}}, []corpora.DocID{"a"}},
	} {
		q := query("server")
		q.Filter = c.filter
		hits, err := v.SearchText(t.Context(), q, 10)
		must(t, err)
		near, err := v.SearchVector(t.Context(), vectorOf(model(1), "x"), c.filter, 10)
		must(t, err)
		for _, h := range hits {
			if h.Score != scores[h.Key] {
				t.Errorf("%s: score %v, want %v as without a filter", c.name, h.Score, scores[h.Key])
			}
		}
		for _, found := range [][]index.Hit{hits, near} {
			got := documentsOf(t, v, found)
			slices.Sort(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("%s: found %q, want %q", c.name, got, c.want)
			}
		}
	}
}

func testStatistics(t *testing.T, s Store) {
	fill(t, s, acl.Allow("user:bob"), "layoff plan", "budget plan", "picnic")
	scores := func() []index.Hit {
		v := openView(t, s, bob, noon)
		defer closeView(t, v)
		hits, err := v.SearchText(t.Context(), query("layoff plan"), 10)
		must(t, err)
		for i := range hits {
			hits[i].ID = 0
		}
		return hits
	}
	want := scores()
	for i := range 30 {
		hidden := NewEntry(model(1), doc(fmt.Sprint("hidden", i), acl.Allow("user:ann")), "layoff layoff layoff and many words more")
		must(t, s.Replace(t.Context(), hidden))
	}
	if got := scores(); !slices.Equal(got, want) {
		t.Errorf("hidden documents changed the scores from %v to %v", want, got)
	}
}

func testLanguages(t *testing.T, s Store) {
	put := func(id, language string, l acl.List, texts ...string) {
		d := doc(id, l)
		d.Language = language
		must(t, s.Replace(t.Context(), NewEntry(embed.Model{}, d, texts...)))
	}
	languages := func(who acl.Principal) []string {
		v := openView(t, s, who, noon)
		defer closeView(t, v)
		return v.Languages()
	}
	put("en", "en", acl.Allow("user:ann"), "text")
	put("zh", "zh", acl.Allow("user:bob"), "文本")
	put("de", "de", acl.Allow("user:ann")) // without chunks
	put("unknown", "", acl.Allow("user:ann", "user:bob"), "text")
	if got := languages(ann); !slices.Equal(got, []string{"en", analyze.Und}) {
		t.Errorf("ann has %q", got)
	}
	if got := languages(bob); !slices.Equal(got, []string{analyze.Und, "zh"}) {
		t.Errorf("bob has %q", got)
	}
	put("en", "de", acl.Allow("user:ann"), "Text")
	if got := languages(ann); !slices.Equal(got, []string{"de", analyze.Und}) {
		t.Errorf("after the English document became German, ann has %q", got)
	}
}
