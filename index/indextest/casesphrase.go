package indextest

import (
	"fmt"
	"slices"
	"testing"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
	"ken/index/analyze"
)

func testPhrases(t *testing.T, s Store) {
	fill(t, s, acl.Allow("user:ann"),
		"parental leave for managers", "leave is parental", "the leaves of absence", "leave absence", "a parental plan. Leave it", "on leave\n\nParental room",
	)
	title := doc("title", acl.Allow("user:ann"))
	title.Title = "Parental leave"
	must(t, s.Replace(t.Context(), NewEntry(model(1), title, "see below")))
	chinese := doc("zh", acl.Allow("user:ann"))
	chinese.Language = "zh"
	must(t, s.Replace(t.Context(), NewEntry(model(1), chinese, "关于育儿假期", "育儿和儿假")))
	must(t, s.Replace(t.Context(), NewEntry(model(1), doc("hidden", acl.Allow("user:bob")), "parental leave absence")))
	v := openView(t, s, ann, noon)
	defer closeView(t, v)
	for _, c := range []struct {
		phrases []string
		want    []corpora.DocID
	}{
		{[]string{"parental leave"}, []corpora.DocID{"d0", "title"}},
		{[]string{"parental leaves"}, []corpora.DocID{"d0", "title"}},
		{[]string{"leave parental"}, nil},
		{[]string{"leave of absence"}, []corpora.DocID{"d2"}},
		{[]string{"leave absence"}, []corpora.DocID{"d3"}},
		{[]string{"the"}, []corpora.DocID{"d2"}},
		{[]string{"plan leave"}, []corpora.DocID{"d4"}},
		{[]string{"on leave"}, []corpora.DocID{"d5"}},
		{[]string{"leave parental"}, nil}, // paragraphs are apart, too
		{[]string{"leave part"}, nil},     // a title's lines are apart
		{[]string{"parental leave", "managers"}, []corpora.DocID{"d0"}},
		{[]string{"育儿假"}, []corpora.DocID{"zh"}},
		{[]string{"—"}, []corpora.DocID{"d0", "d1", "d2", "d3", "d4", "d5", "title", "zh", "zh"}},
		{[]string{"nowhere"}, nil},
	} {
		f := index.Filter{Phrases: c.phrases}
		near, err := v.SearchVector(t.Context(), vectorOf(model(1), "x"), f, 10)
		must(t, err)
		expect(t, documentsOf(t, v, near), c.want...)
		f.Sources = []string{"none"}
		near, err = v.SearchVector(t.Context(), vectorOf(model(1), "x"), f, 10)
		must(t, err)
		expect(t, documentsOf(t, v, near))
	}
	q := query("leave")
	all, err := v.SearchText(t.Context(), q, 10)
	must(t, err)
	q.Filter.Phrases = []string{"parental leave"}
	some, err := v.SearchText(t.Context(), q, 10)
	must(t, err)
	for _, h := range some {
		if !slices.Contains(all, h) {
			t.Errorf("a phrase changed the score of %+v", h)
		}
	}
	expect(t, documentsOf(t, v, some), "d0", "title")
}

func testPrefixes(t *testing.T, s Store) {
	fill(t, s, acl.Allow("user:ann"), "a contractor", "contracts, contract", "vacate the room", "two vacations", "contact")
	prefix := func(word string) index.TextQuery {
		q := query("")
		q.Terms = []index.Term{analyze.QueryPrefix(word, []string{"en", analyze.Und})}
		return q
	}
	find := func(word string) []index.Hit {
		v := openView(t, s, ann, noon)
		defer closeView(t, v)
		hits, err := v.SearchText(t.Context(), prefix(word), 10)
		must(t, err)
		for i := range hits {
			hits[i].ID = 0
		}
		return hits
	}
	for _, c := range []struct {
		word string
		want []corpora.DocID
	}{
		{"contract", []corpora.DocID{"d0", "d1"}},
		{"cont", []corpora.DocID{"d0", "d1", "d4"}},
		{"vacat", []corpora.DocID{"d2", "d3"}},
		{"vacatio", []corpora.DocID{"d3"}},
		{"zz", nil},
	} {
		expect(t, search(t, s, ann, noon, prefix(c.word)), c.want...)
	}
	twice := func(id, title, text string) { // by two words, or twice by one: it counts the same
		d := doc(id, acl.Allow("user:ann"))
		d.Title = title
		must(t, s.Replace(t.Context(), NewEntry(model(1), d, text)))
	}
	twice("t1", "lorry lorry", "vacated vacated")
	twice("t2", "lorry lorryload", "vacate vacating")
	for _, w := range []string{"lorry", "vacat"} {
		if found := find(w); found[0].Score != found[1].Score {
			t.Errorf("%s*: scores %v and %v", w, found[0].Score, found[1].Score)
		}
	}
	words := []string{"contract", "vacatio", "c"}
	var want [][]index.Hit
	for _, w := range words {
		want = append(want, find(w))
	}
	for i := range 40 { // more words with these beginnings than anybody may read
		text := fmt.Sprintf("contract%c%c vacation%d contraptions vacat", 'a'+i%26, 'a'+i/2%26, i)
		must(t, s.Replace(t.Context(), NewEntry(model(1), doc(fmt.Sprint("hidden", i), acl.Allow("user:bob")), text)))
	}
	for i, w := range words {
		if got := find(w); !slices.Equal(got, want[i]) {
			t.Errorf("hidden words changed what %s* finds from %v to %v", w, want[i], got)
		}
	}
}
