package index_test

import (
	"fmt"
	"strings"
	"testing"

	"ken/corpora"
	"ken/index"
)

func TestTitleText(t *testing.T) {
	for _, c := range []struct {
		title   string
		heading []string
		want    string
	}{
		{"Leave", []string{"Parental leave", "Who may take it"}, "Leave\nParental leave\nWho may take it"},
		{"Leave", []string{"LEAVE ", "Leave", "Rates"}, "Leave\nRates"},
		{"", []string{"", "Rates"}, "Rates"},
		{" ", nil, ""},
	} {
		got := index.TitleText(corpora.Document{Title: c.title}, index.Chunk{Heading: c.heading})
		if got != c.want {
			t.Errorf("TitleText(%q, %q) = %q, want %q", c.title, c.heading, got, c.want)
		}
	}
}

func TestBodyText(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"See [the policy](https://example.com/a_(b) \"title\") now.", "See the policy now."},
		{"![A chart](img/chart.png) and [ref][1] and [alone]", "A chart and ref and [alone]"},
		{"[![badge](a.png)](b.html) x", "badge x"},
		{"[1]: https://example.com\ntext", "text"},
		{"[1]: <a b> 'x'\n[2]: b (x)\ntext", "text"},
		{"[Note]: see the handbook\n[Q]: \"why\" not", "[Note]: see the handbook\n[Q]: \"why\" not"},
		{"**bold** _it_ ***both*** ~~gone~~ snake_case 2*3 ~5", "bold it both gone snake_case 2*3 ~5"},
		{"# Title #\n## Sub\n- item\n* [x] done\n> quoted\n1. first", "Title\nSub\nitem\ndone\nquoted\n1. first"},
		{"Title\n=====\n\n***\n\ntext", "Title\n\ntext"},
		{"| a | b |\n|---|:-:|\n| 1 | 2 |", "a   b\n  1   2"},
		{"a<br>b <span class=\"x\">c</span> <https://example.com> 1 < 2 > 0", "a b  c  https://example.com 1 < 2 > 0"},
		{"a <!-- hidden\nstill hidden --> b", "a\n b"},
		{"{% include x.html %}{{ site.url }}text{: .note }", "text"},
		{"Use `List<String>` and ``a`b``.", "Use List<String> and a`b."},
		{"```go\nif a < b && *p {\n```\n*after*", "go\nif a < b && *p {\nafter"},
		{"~~~\n```\n# no heading\n~~~\n# heading", "```\n# no heading\nheading"},
		{"\\*kept\\* &amp; R&D &nbsp;x", "*kept* & R&D  x"},
		{"plain text stays: 50% of a [list], f(x) = y.", "plain text stays: 50% of a [list], f(x) = y."},
		{"", ""},
	} {
		if got := index.BodyText(index.Chunk{Text: c.text}); got != c.want {
			t.Errorf("BodyText(%q)\n got %q\nwant %q", c.text, got, c.want)
		}
	}
}

// A piece of a code block begins inside of it: its context says so.
func TestBodyTextGoesOnFromTheContext(t *testing.T) {
	c := index.Chunk{Context: "```go", Text: "*p = <-c\n```\nThen *this*.\n"}
	if got, want := index.BodyText(c), "go\n*p = <-c\nThen this."; got != want {
		t.Errorf("BodyText = %q, want %q", got, want)
	}
}

// Text full of openings that nothing closes costs linear time.
func TestBodyTextOfDebris(t *testing.T) {
	for _, s := range []string{"[", "](", "[a](", "<a", "<!--", "`", "{%", "&a", "![", "**a", "\\", "|", "_", "\xff", "```\n", "> "} {
		index.BodyText(index.Chunk{Text: strings.Repeat(s, 1_000_000/len(s))})
	}
}

func FuzzBodyText(f *testing.F) {
	f.Add("```", "[a](b) `c` <d> {% e %}")
	f.Fuzz(func(t *testing.T, context, text string) {
		got := index.BodyText(index.Chunk{Context: context, Text: text})
		if limit := len(context) + len(text) + 1; len(got) > 2*limit {
			t.Errorf("%d bytes became %d", limit, len(got))
		}
	})
}

func BenchmarkBodyText(b *testing.B) {
	c := index.Chunk{Text: strings.Repeat("Ask **your** manager, see [the policy](../policy.md), or run `desk book --help`.\n\n| a | b |\n|---|---|\n", 10)}
	b.SetBytes(int64(len(c.Text)))
	for b.Loop() {
		index.BodyText(c)
	}
}

func ExampleBodyText() {
	c := index.Chunk{
		Heading: []string{"Leave", "Parental leave"},
		Text:    "## Parental leave\n\nUp to **16 weeks**, see [the form](hr-12.pdf).\n",
	}
	fmt.Println(index.TitleText(corpora.Document{Title: "Leave"}, c))
	fmt.Println("--")
	fmt.Println(index.BodyText(c))
	// Output:
	// Leave
	// Parental leave
	// --
	// Parental leave
	//
	// Up to 16 weeks, see the form.
}
