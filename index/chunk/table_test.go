package chunk

import (
	"slices"
	"strings"
	"testing"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	east "github.com/yuin/goldmark/extension/ast"
	"github.com/yuin/goldmark/text"
	"pgregory.net/rapid"
)

// Counting the cells finds the tables that reading them finds.
func TestTablesAreThoseOfTheParser(t *testing.T) {
	lines := []string{"| a | b |", "a | b", "|a|", "a", `a \| b | c`, "|---|---|", "---|:-:", "|-|", "|:-", "-|", ":-", "| 1 |", "| - | x |", "", "", "# h", "- a"}
	rapid.Check(t, func(t *rapid.T) {
		source := "intro\n\n" + strings.Join(rapid.SliceOfN(rapid.SampledFrom(lines), 1, 8).Draw(t, "lines"), "\n") + "\n"
		blocks, ok := markdownBlocks(source)
		if !ok {
			t.Fatal("not parsed")
		}
		var got, want []int // lines on which tables have their rule
		for _, b := range blocks {
			if b.form == table {
				got = append(got, 1+strings.Count(source[:b.start], "\n"))
			}
		}
		root := goldmark.New(goldmark.WithExtensions(extension.Table)).Parser().Parse(text.NewReader([]byte(source)))
		for n := root.FirstChild(); n != nil; n = n.NextSibling() {
			if n.Kind() == east.KindTable {
				header := n.FirstChild().FirstChild()
				want = append(want, 1+strings.Count(source[:header.Pos()], "\n"))
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("tables at lines %v, want %v: %q", got, want, source)
		}
	})
}
