package block_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
	"pgregory.net/rapid"

	"ken/corpora/extract/block"
)

// leaves describes the blocks without children: kind and lines.
func leaves(n ast.Node, source []byte) (out []string) {
	_ = ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if entering && n.Type() == ast.TypeBlock && n.Lines() != nil && n.Lines().Len() > 0 {
			kind := n.Kind()
			if kind == ast.KindTextBlock {
				kind = ast.KindParagraph // whether a list is loose is told by all of it
			}
			out = append(out, fmt.Sprintf("%s %q", kind, n.Lines().Value(source)))
		}
		return ast.WalkContinue, nil
	})
	return out
}

// A text read in windows has the blocks that it has when it is read at once.
func TestEachIsTheParser(t *testing.T) {
	parts := []string{"# One\n", "Sub\n---\n", "\n", "> quote\n", "> > deep\n", "> - a\n", "- item\n", "  - nested\n", "\n  more of it\n", "1. first\n", "    code\n",
		"```\n", "~~~\n", "| a |\n|---|\n", "<div>\n", "</div>\n", "<!--\n", "-->\n", "<pre>\n", "***\n", "some words\n", "\tx\n"}
	rapid.Check(t, func(t *rapid.T) {
		var b strings.Builder
		for range rapid.IntRange(1, 8).Draw(t, "runs") { // enough for several windows
			run := strings.Join(rapid.SliceOfN(rapid.SampledFrom(parts), 1, 12).Draw(t, "parts"), "")
			for range rapid.SampledFrom([]int{1, 1000, 3000}).Draw(t, "times") {
				b.WriteString(run)
			}
		}
		source := block.Squeeze([]byte(b.String()))
		var got []string
		err := block.Each(source, func(n ast.Node) { got = append(got, leaves(n, source)...) })
		if errors.Is(err, block.ErrLimit) {
			t.Skip("one item has more than a megabyte")
		}
		whole := parser.NewParser(parser.WithBlockParsers(parser.DefaultBlockParsers()...)).Parse(text.NewReader(source))
		want := leaves(whole, source)
		if len(got) != len(want) {
			t.Fatalf("%d blocks, want %d", len(got), len(want))
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("block %d of %d is %.200s, want %.200s", i, len(want), got[i], want[i])
			}
		}
	})
}

func TestEachHasLimits(t *testing.T) {
	for name, source := range map[string]string{
		"marks":       strings.Repeat("> ", 300) + "x",
		"blank lines": "- a\n" + strings.Repeat("\n", block.MaxBlank+1) + "b",
		"one item":    "- a\n" + strings.Repeat("  - b\n", 1<<19),
	} {
		if err := block.Each([]byte(source), func(ast.Node) {}); !errors.Is(err, block.ErrLimit) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

func TestSqueeze(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""}, {"a", "a"}, {"a\n\nb\n", "a\n\nb\n"},
		{"a\n" + strings.Repeat(" \n", 100) + "b", "a\n" + strings.Repeat(" \n", block.MaxBlank) + "b"},
		{strings.Repeat("\n", 100), strings.Repeat("\n", block.MaxBlank)},
	} {
		got := block.Squeeze([]byte(tt.in))
		if string(got) != tt.want || !bytes.Equal(block.Squeeze(got), got) {
			t.Errorf("Squeeze(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}
