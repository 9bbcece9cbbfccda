package chunk

import (
	"strings"

	"github.com/yuin/goldmark/ast"

	markdown "ken/corpora/extract/block"
	"ken/index"
)

const (
	maxMarkdown = 32 << 20 // bytes; larger text is not parsed
	maxNesting  = 64       // containers that one line may open
	maxHeading  = 200      // bytes of a heading in a path
)

// form says how a block is cut if it is too large.
type form int

const (
	prose form = iota
	heading
	list
	table
	fenced
	lines // other code, HTML
)

// block is a range of the text that is kept whole if it fits. The blocks of a
// text partition it.
type block struct {
	start, end int
	form       form
	level      int    // headings: 1 to 6
	title      string // headings: the words
	cost       int    // tokens
}

// tame reports whether text may be given to the Markdown parser, whose time
// grows with the depth of nesting in each line.
func tame(text string) bool {
	if len(text) > maxMarkdown {
		return false
	}
	for line := range strings.Lines(text) {
		if nesting(line) > maxNesting {
			return false
		}
	}
	return true
}

// nesting counts the markers of quotes and lists, and the steps of indentation,
// that a line begins with.
func nesting(line string) int {
	n := 0
	for i := range len(line) {
		switch b := line[i]; {
		case b == '>' || b == '\t' || b == ' ' && i%4 == 3:
			n++
		case b == ' ' || '0' <= b && b <= '9':
		case strings.IndexByte("-+*.)", b) >= 0 && i+1 < len(line) && (line[i+1] == ' ' || line[i+1] == '\t'):
			n++
		default:
			return n
		}
	}
	return n
}

// markdownBlocks returns the top-level blocks of Markdown. A block reaches to
// where the next one begins. It reports whether the text could be parsed.
func markdownBlocks(source string) ([]block, bool) {
	src := []byte(source)
	var out []block
	add := func(b block) {
		if k := len(out); k == 0 || b.start > out[k-1].start {
			out = append(out, b)
		}
	}
	err := markdown.Each(src, func(n ast.Node) {
		if n.Pos() < 0 || n.Pos() >= len(source) {
			return
		}
		b := describe(n, src)
		b.start = lineStart(source, n.Pos())
		at, ok := tableStart(n, src)
		switch at = lineStart(source, at); {
		case ok && at > b.start:
			b.form = prose
			add(b)
			add(block{start: at, form: table})
		case ok:
			add(block{start: b.start, form: table})
		default:
			add(b)
		}
	})
	return closed(out, len(source)), err == nil
}

func lineStart(source string, at int) int { return strings.LastIndexByte(source[:at], '\n') + 1 }

// closed makes the blocks a partition of a text of n bytes.
func closed(blocks []block, n int) []block {
	if len(blocks) == 0 {
		return []block{{end: n}}
	}
	blocks[0].start = 0
	for i := range blocks[1:] {
		blocks[i].end = blocks[i+1].start
	}
	blocks[len(blocks)-1].end = n
	return blocks
}

func describe(n ast.Node, src []byte) block {
	switch n := n.(type) {
	case *ast.Heading:
		return block{form: heading, level: n.Level, title: title(n, src)}
	case *ast.List:
		return block{form: list}
	case *ast.FencedCodeBlock:
		return block{form: fenced}
	case *ast.CodeBlock, *ast.HTMLBlock:
		return block{form: lines}
	}
	return block{form: prose}
}

// title returns the words of a heading on one line.
func title(n *ast.Heading, src []byte) string {
	words := index.BodyText(index.Chunk{Text: string(n.Lines().Value(src))})
	words = strings.Join(strings.Fields(words), " ")
	return words[:runeFloor(words, maxHeading)]
}

// leastBlock is the size in bytes from which on an empty line ends a block of
// plain text. It bounds the number of blocks.
const leastBlock = 64

// paragraphs returns the blocks of plain text: what empty lines separate.
func paragraphs(source string) []block {
	var out []block
	for i := 0; i < len(source); {
		end := afterBlank(source, i)
		for end < len(source) && end-i < leastBlock {
			end = afterBlank(source, end)
		}
		out = append(out, block{start: i, end: end})
		i = end
	}
	return out
}
