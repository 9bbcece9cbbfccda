package retrieval

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"ken/index"
)

func TestSyntax(t *testing.T) {
	for _, c := range []struct{ query, words, phrases, prefixes string }{
		{`parental leave`, `parental leave`, ``, ``},
		{`"parental leave" contract*`, `parental leave`, `parental leave`, `contract`},
		{`how "parental leave", (contract*)?`, `how parental leave , (`, `parental leave`, `contract`},
		{`how long is contract*?`, `how long is`, ``, `contract`},
		{`"parental leave`, `"parental leave`, ``, ``},
		{`"" leave`, `"" leave`, ``, ``},
		{`"" "of" leave`, `of leave`, `of`, ``},
		{`"—"`, `"—"`, ``, ``},
		{`*`, `*`, ``, ``},
		{`**bold** *slanted* 2 * 3 con*act *tract`, `**bold** *slanted* 2 * 3 con*act *tract`, ``, ``},
		{`A* search`, `A* search`, ``, ``},
		{`HLA-B*27`, `HLA-B*27`, ``, ``},
		{`hr-contract*`, `hr-`, ``, `contract`},
		{`育*`, ``, ``, `育`},
		{`什么是"育儿假"？`, `什么是"育儿假"？`, ``, ``},
		{`什么是 "育儿假"的`, `什么是 育儿假 的`, `育儿假`, ``},
		{`5" pipe and 6" valve`, `5" pipe and 6" valve`, ``, ``},
		{`“curly marks”`, `“curly marks”`, ``, ``},
		{`\"parental leave\"`, `\ parental leave\`, `parental leave\`, ``},
		{`"a b" "a b" con* con*`, `a b a b`, `a b`, `con`},
		{`"contract*"`, `contract*`, `contract*`, ``},
	} {
		a, err := Request{Query: c.query}.read()
		if err != nil {
			t.Fatal(err)
		}
		words := strings.Join(strings.Fields(a.words), " ")
		if words != c.words || strings.Join(a.phrases, "|") != c.phrases || strings.Join(a.prefixes, "|") != c.prefixes {
			t.Errorf("%s\n got %q %q %q\nwant %q %q %q", c.query, words, a.phrases, a.prefixes, c.words, c.phrases, c.prefixes)
		}
		literal, err := Request{Query: c.query, Literal: true}.read()
		if err != nil || literal.text != c.query || len(literal.phrases)+len(literal.prefixes) > 0 {
			t.Errorf("%s, literal: %+v, %v", c.query, literal, err)
		}
	}
}

func TestSyntaxIsBounded(t *testing.T) {
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	for query, want := range map[string]string{
		many(1000, "ab%d* "):                    "1000 words with a star, more than 16",
		many(17, "ab%d* "):                      "17 words with a star",
		many(16, "ab%d* "):                      "",
		many(9, `"ab%d" `):                      "9 phrases in quotation marks, more than 8",
		`"` + many(65, "w%d ") + `"`:            "65 words, more than 64",
		`"` + many(64, "w%d ") + `"`:            "",
		strings.Repeat(`"`, 5000):               "",
		strings.Repeat(`" `, 2500):              "",
		strings.Repeat(`"a`, 2500):              "",
		strings.Repeat("*", 5000) + `"` + "x*y": "",
	} {
		_, err := Request{Query: query}.read()
		if want == "" && err != nil || want != "" && (!errors.Is(err, ErrQuery) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%.30s…: error %v, want %q", query, err, want)
		}
	}
}

// A query without signs is taken as it is, and one with them loses no word.
func FuzzSyntax(f *testing.F) {
	f.Add(`"parental leave" contract* "`)
	f.Add("a\xff\"b\"* \" \"")
	f.Fuzz(func(t *testing.T, query string) {
		a, err := Request{Query: query}.read()
		if err != nil {
			return
		}
		if !strings.ContainsAny(query, `"*`) && (a.text != query || a.words != query) {
			t.Errorf("%q became %q and %q", query, a.text, a.words)
		}
		if strings.TrimSpace(query) != "" && strings.TrimSpace(a.text) == "" {
			t.Errorf("nothing is left of %q", query)
		}
		Highlights("en", query, query)
	})
}

func TestHighlights(t *testing.T) {
	for _, c := range []struct{ language, query, text, want string }{
		{"en", "parental leave", "Leaves for parents; parental leaving.", "[Leaves] for [parents]; [parental] [leaving]."},
		{"en", `"leave of absence"`, "A leave of absence. A leave.", "A [leave of absence]. A [leave]."},
		{"en", "contract*", "Contractors and the contract", "[Contractors] and the [contract]"},
		{"en", "the of", "the state of things", "the state of things"},
		{"zh", "育儿假", "关于育儿假期", "关于[育儿假]期"},
		{"", "CAFÉ", "cafe ﬁx café", "[cafe] ﬁx [café]"},
		{"en", `"`, `"x"`, `"x"`},
		{"en", "user", "the user_id is", "the [user_id] is"},
	} {
		var got strings.Builder
		at := 0
		for _, h := range Highlights(c.language, c.query, c.text) {
			got.WriteString(c.text[at:h.Start] + "[" + c.text[h.Start:h.End] + "]")
			at = h.End
		}
		got.WriteString(c.text[at:])
		if got.String() != c.want {
			t.Errorf("%q in %q\n got %s\nwant %s", c.query, c.text, got.String(), c.want)
		}
	}
}

// A snippet is a piece of the text, of whole characters, within its bounds, and
// its highlights are in order, apart, and where words match.
func TestSnippets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.OneOf(
			rapid.SampledFrom([]string{"leave", "leaves", "policy", "the", "育儿假期", "é́", "👩‍👩‍👧", "a", "ลาเลี้ยงดู", strings.Repeat("x", 200), strings.Repeat("假", 90)}),
			rapid.StringMatching(`\pL{1,9}`),
		), 0, 60).Draw(t, "words")
		text := strings.Join(strings.Fields(strings.Join(words, rapid.SampledFrom([]string{" ", ""}).Draw(t, "between"))), " ")
		a, err := Request{Query: rapid.SampledFrom([]string{"leave policy", `"the leave"`, "pol*", "育儿", "none"}).Draw(t, "query")}.read()
		if err != nil {
			t.Fatal(err)
		}
		m := newMarker(rapid.SampledFrom([]string{"en", "zh", "", "th"}).Draw(t, "language"), a)
		s := m.snippet(text)
		inner := strings.TrimSuffix(strings.TrimPrefix(s.Text, ellipsis), ellipsis)
		if !utf8.ValidString(s.Text) || !strings.Contains(text, inner) || utf8.RuneCountInString(inner) > snippetSize {
			t.Fatalf("%q of %q", s.Text, text)
		}
		all := apart(m.marks(text))
		if len(s.Highlights) == 0 && slices.ContainsFunc(all, func(h index.Span) bool { return utf8.RuneCountInString(text[h.Start:h.End]) < snippetSize-snippetLead }) {
			t.Fatalf("no highlight in %q of %q", s.Text, text)
		}
		last := 0
		for _, h := range s.Highlights {
			if h.Start < last || h.End <= h.Start || h.End > len(s.Text) || !utf8.ValidString(s.Text[h.Start:h.End]) {
				t.Fatalf("highlights %v of %q", s.Highlights, s.Text)
			}
			last = h.End
		}
	})
}

func TestSnippetIsTheBestPiece(t *testing.T) {
	filler := strings.Repeat("one two three four five six seven. ", 10)
	a, err := Request{Query: "parental leave policy"}.read()
	if err != nil {
		t.Fatal(err)
	}
	s := newMarker("en", a).snippet(strings.TrimSpace("A leave. " + filler + "The policy on parental leave is new. " + filler))
	if !strings.Contains(s.Text, "The policy on parental leave is new.") || len(s.Highlights) != 3 || !strings.HasPrefix(s.Text, ellipsis) {
		t.Errorf("%+v", s)
	}
	if s := newMarker("en", a).snippet("Nothing of it."); s.Text != "Nothing of it." || s.Highlights != nil {
		t.Errorf("%+v", s)
	}
}
