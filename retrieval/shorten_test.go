package retrieval

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ken/index"
	"ken/index/chunk"
)

// Lines partition the text, and what a chunk is shortened to fits, stands where
// it says and begins and ends with a line.
func TestShortenProperties(t *testing.T) {
	parts := rapid.SampledFrom([]string{"The pump is off. ", "Restart it now! ", "| a | b |\n", "|---|---|\n", "```\n", "code here\n", "\n", "水位が高い。", "x", "\xff", "   ```", "1. "})
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOfN(parts, 1, 20).Draw(t, "text"), "")
		at := 0
		starts := map[int]bool{len(text): true}
		for _, l := range linesOf(text, "en", "restart the pump") {
			if l.start != at || l.end <= l.start {
				t.Fatalf("a line at %d to %d after %d", l.start, l.end, at)
			}
			starts[l.start], at = true, l.end
		}
		if at != len(text) {
			t.Fatalf("the lines end at %d of %d", at, len(text))
		}
		budget := rapid.IntRange(1, 60).Draw(t, "budget")
		whole := index.Chunk{Span: index.Span{Start: 100, End: 100 + len(text)}, Text: text, Tokens: chunk.Tokens(text)}
		short, ok := shorten(whole, "en", "restart the pump", budget)
		if !ok {
			return
		}
		start, end := short.Span.Start-100, short.Span.End-100
		if text[start:end] != short.Text || !starts[start] || !starts[end] || short.Tokens > budget || short.Tokens != chunk.Tokens(short.Text) {
			t.Fatalf("%q to %q at %v, %d tokens of %d", text, short.Text, short.Span, short.Tokens, budget)
		}
	})
}

func TestTableHeader(t *testing.T) {
	const header = "| part | price |\n|:---|---:|\n"
	for text, want := range map[string]string{
		header:                                 header,
		"Prices:\n\n" + header + "| a | 1 |\n": header,
		header + "| a | 1 |\n\nNotes.\n":       "",
		"| a | 1 |\n| b | 2 |\n":               "",
		"| a | 1 |\n":                          "",
		"":                                     "",
	} {
		if got := tableHeader(text); got != want {
			t.Errorf("of %q: %q, want %q", text, got, want)
		}
	}
}
