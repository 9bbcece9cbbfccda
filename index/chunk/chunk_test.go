package chunk_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"ken/index"
	"ken/index/chunk"
)

// check fails unless the chunks are what Split promises for the text.
func check(t interface {
	Helper()
	Fatalf(string, ...any)
}, text string, o chunk.Options, chunks []index.Chunk) {
	t.Helper()
	o = o.WithDefaults()
	at := 0
	for i, c := range chunks {
		switch {
		case c.N != i:
			t.Fatalf("chunk %d has N %d", i, c.N)
		case c.Span.Start != at || c.Span.End <= at:
			t.Fatalf("chunk %d has span %v, want one from %d", i, c.Span, at)
		case c.Span.End > len(text) || c.Text != text[c.Span.Start:c.Span.End]:
			t.Fatalf("chunk %d: the text is not that of its span %v", i, c.Span)
		case c.Tokens != chunk.Tokens(c.Text):
			t.Fatalf("chunk %d: Tokens = %d, want %d", i, c.Tokens, chunk.Tokens(c.Text))
		case c.Tokens > o.Max && utf8.RuneCountInString(c.Text) > 1:
			t.Fatalf("chunk %d has %d tokens, more than %d: %q", i, c.Tokens, o.Max, c.Text)
		case utf8.ValidString(text) && !utf8.ValidString(c.Text):
			t.Fatalf("chunk %d was cut inside a character", i)
		}
		at = c.Span.End
	}
	if at != len(text) {
		t.Fatalf("the chunks end at %d of %d", at, len(text))
	}
}

// markdown draws texts of Markdown and its debris.
func markdown() *rapid.Generator[string] {
	part := rapid.OneOf(
		rapid.SampledFrom([]string{"# One\n", "## Two\n\n", "### Three\n", "Title\n=====\n", "Sub\n---\n", "\n", "\n\n", "\r\n", "> quote\n", "> > deep\n",
			"- item\n", "  - nested\n", "1. first\n", "    code\n", "```go\n", "```\n", "~~~\n", "| a | b |\n|---|---|\n", "| 1 | 2 |\n", "<div>\n", "</div>\n", "<!--\n", "-->\n",
			"[ref]: http://example.com\n", "***\n", "Some words. And more! Is it?\n", "日本語の文。次の文！\n", "\t", " ", "\\", "{% x %}\n", "func f() {\n", "  def g():\n", "class A {\n", "}\n", "# c\n", "\x00", "\xff"}),
		rapid.StringN(0, 40, 120),
		rapid.StringMatching(`([a-z]{1,9} ){0,40}`),
	)
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(part, 0, 40).Draw(t, "parts"), "")
	})
}

func TestChunksPartitionTheText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := markdown().Draw(t, "text")
		media := rapid.SampledFrom([]string{"text/markdown", "text/plain", "text/html; charset=utf-8", "text/x-source"}).Draw(t, "media type")
		o := chunk.Options{
			Max:    rapid.IntRange(0, 60).Draw(t, "max"),
			Target: rapid.IntRange(0, 60).Draw(t, "target"),
			Min:    rapid.IntRange(0, 60).Draw(t, "min"),
		}
		check(t, text, o, chunk.Split(text, media, o))
	})
}

// Words that are two tokens with the tab after them are three with the tab
// before: the sum over the words is less than the count of the chunk.
func TestCountsOfWordsDoNotAddUp(t *testing.T) {
	text := strings.Repeat("everyone\t", 500)
	if joined, sum := chunk.Tokens(text), 500*chunk.Tokens("everyone\t"); joined <= sum {
		t.Fatalf("%d tokens, %d by words: the text does not show what it should", joined, sum)
	}
	check(t, text, chunk.Options{}, chunk.Split(text, "text/plain", chunk.Options{}))
}

func FuzzSplit(f *testing.F) {
	f.Add("# A\n\ntext\n\n## B\n| a |\n|---|\n| 1 |\n", true, 20)
	f.Add("```\ncode", true, 3)
	f.Add("\xff\xfe\n\n\n", false, 1)
	f.Fuzz(func(t *testing.T, text string, md bool, limit int) {
		o := chunk.Options{Max: limit}
		media := "text/plain"
		if md {
			media = "text/markdown"
		}
		check(t, text, o, chunk.Split(text, media, o))
	})
}

// TestPathologicalText is done when it ends: each text once cost a parser
// quadratic time or a tree of gigabytes.
func TestPathologicalText(t *testing.T) {
	const million, n = 1_000_000, 50_000
	for name, text := range map[string]string{
		"quotes":        strings.Repeat(">", million),
		"quotes spaced": strings.Repeat("> ", million),
		"brackets":      strings.Repeat("[", million),
		"links":         strings.Repeat("[a](", n/4),
		"stars":         strings.Repeat("*a ", n/3),
		"ticks":         strings.Repeat("`", n) + "a",
		"bullets":       strings.Repeat("- ", n/2),
		"one word":      strings.Repeat("a", n),
		"one line":      strings.Repeat("word ", n/5),
		"spaces":        strings.Repeat(" ", n),
		"line ends":     strings.Repeat("\n", n),
		"blank items":   "- a\n" + strings.Repeat("\n", n) + "b",
		"pipes":         "|" + strings.Repeat("a|", n/4) + "\n|" + strings.Repeat("-|", n/4) + "\n",
		"wide table":    "|" + strings.Repeat("a|", n) + "\n|" + strings.Repeat("-|", n) + "\n" + strings.Repeat("|a|\n", n), // 10^9 cells if rows are filled up
		"tables":        strings.Repeat("|a|\n|-|\n", n/8),
		"headings":      strings.Repeat("# a\n", n/4),
		"long heading":  "# " + strings.Repeat("a ", n/2) + "\n\ntext",
		"references":    strings.Repeat("[a]: b\n", n/7),
		"staircase":     staircase(600) + strings.Repeat("\n", n),
		"han":           strings.Repeat("漢", n/3),
		"invalid":       strings.Repeat("\x80", n),
		"comment":       strings.Repeat("<!--", n/4),
		"html":          strings.Repeat("<div>\n", n/6),
		"setext":        strings.Repeat("a\n", n/2) + "===",
	} {
		t.Run(name, func(t *testing.T) {
			check(t, text, chunk.Options{}, chunk.Split(text, "text/markdown", chunk.Options{}))
		})
	}
}

func staircase(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat("  ", i) + "- a\n")
	}
	return b.String()
}

var update = flag.Bool("update", false, "write the golden files")

func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.md")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden input: %v", err)
	}
	o := chunk.Options{Max: 60, Target: 40, Min: 12}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			chunks := chunk.Split(string(text), "text/markdown", o)
			check(t, string(text), o, chunks)
			golden := strings.TrimSuffix(file, ".md") + ".golden"
			got := render(chunks)
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("chunks differ from %s (run with -update to see how):\n%s", golden, got)
			}
		})
	}
}

func render(chunks []index.Chunk) string {
	var b strings.Builder
	for _, c := range chunks {
		fmt.Fprintf(&b, "==== %d [%d,%d) %d tokens\nheading: %s\n", c.N, c.Span.Start, c.Span.End, c.Tokens, strings.Join(c.Heading, " > "))
		if c.Context != "" {
			fmt.Fprintf(&b, "context: %q\n", c.Context)
		}
		fmt.Fprintf(&b, "----\n%s", c.Text)
		if !strings.HasSuffix(c.Text, "\n") {
			b.WriteString("⏎̸\n")
		}
	}
	return b.String()
}

func ExampleSplit() {
	text := "# Leave\n\nSixteen weeks.\n\n# Travel\n\nBook early.\n"
	for _, c := range chunk.Split(text, "text/markdown", chunk.Options{Max: 8, Target: 8, Min: 1}) {
		fmt.Printf("%d %v %q %q %d tokens\n", c.N, c.Span, c.Heading, c.Text, c.Tokens)
	}
	// Output:
	// 0 {0 25} ["Leave"] "# Leave\n\nSixteen weeks.\n\n" 7 tokens
	// 1 {25 47} ["Travel"] "# Travel\n\nBook early.\n" 6 tokens
}

func ExampleTokens() {
	fmt.Println(chunk.Tokens("How much parental leave do I get?"))
	// Output: 8
}

func BenchmarkSplit(b *testing.B) {
	text, err := os.ReadFile("testdata/handbook.md")
	if err != nil {
		b.Fatal(err)
	}
	page := strings.Repeat(string(text), 5)
	b.SetBytes(int64(len(page)))
	b.ReportAllocs()
	for b.Loop() {
		chunk.Split(page, "text/markdown", chunk.Options{})
	}
}
