package block

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

const (
	window = 128 << 10
	// maxInner is how many blocks may be in one that cannot be taken apart, such
	// as a list item.
	maxInner = 1 << 15
	// maxMarks bounds the quote and list marks at the beginning of a line: the
	// parser pays for each on every line that follows.
	maxMarks = 256
	// MaxBlank is the longest run of blank lines that is read.
	MaxBlank = 32
)

// ErrLimit says that a text is nested or spread out more than is read.
var ErrLimit = errors.New("bounds of Markdown")

// Each calls visit for the top-level blocks of source in order. Positions in
// the nodes are those in source. A list or a quote may come in several nodes,
// each with some of its items. An error wraps [ErrLimit]; the blocks that were
// visited before it are right.
func Each(source []byte, visit func(n ast.Node)) error {
	if err := check(source); err != nil {
		return err
	}
	p := parser.NewParser(parser.WithBlockParsers(parser.DefaultBlockParsers()...))
	for start, size := 0, window; start < len(source); {
		end := afterLine(source, min(start+size, len(source)))
		root := p.Parse(reader(source[:end], start))
		next := end
		if end < len(source) && root.HasChildren() {
			next = hold(root, source, start)
		}
		if next == start {
			if count(root) > maxInner {
				return fmt.Errorf("%w: one list item or quote has more than %d parts", ErrLimit, maxInner)
			}
			size *= 2
			continue
		}
		for n := root.FirstChild(); n != nil; n = n.NextSibling() {
			visit(n)
		}
		start, size = next, window
	}
	return nil
}

// reader begins in the middle of source, so that positions are the source's.
func reader(source []byte, start int) text.Reader {
	r := text.NewReader(source)
	if start > 0 {
		r.SetPosition(-1, text.NewSegment(0, start))
		r.AdvanceLine()
	}
	return r
}

// hold removes from the tree the last block, which may go on after the window,
// and returns where it begins: where the next window does. If it is all that
// there is, its last part is removed if that can stand by itself. The result is
// start if nothing can.
func hold(root ast.Node, source []byte, start int) int {
	for n := root; n.LastChild() != nil; {
		last := n.LastChild()
		if at := lineStart(source, last.Pos()); at > start {
			n.RemoveChild(n, last)
			return at
		}
		// The lines of a quote carry its marks, and the items of a list that is
		// in no other begin a list; what is nested in an item stands for
		// something else without it.
		if !isContainer(last) {
			return start
		}
		n = last
	}
	return start
}

func count(root ast.Node) int {
	n := 0
	for c := root.FirstChild(); c != nil; c = c.NextSibling() {
		if c.Type() == ast.TypeBlock {
			n += 1 + count(c)
		}
	}
	return n
}

func isContainer(n ast.Node) bool {
	return n.Kind() == ast.KindBlockquote || n.Kind() == ast.KindList
}

func lineStart(source []byte, at int) int {
	return bytes.LastIndexByte(source[:max(at, 0)], '\n') + 1
}

func afterLine(source []byte, at int) int {
	if n := bytes.IndexByte(source[at:], '\n'); n >= 0 {
		return at + n + 1
	}
	return len(source)
}

func check(source []byte) error {
	n, blank := 0, 0
	for line := range bytes.Lines(source) {
		n++
		if marks(line) > maxMarks {
			return fmt.Errorf("%w: line %d nests more than %d lists and quotes", ErrLimit, n, maxMarks)
		}
		blank++
		if !isBlank(line) {
			blank = 0
		}
		if blank > MaxBlank {
			return fmt.Errorf("%w: more than %d blank lines follow each other in line %d", ErrLimit, MaxBlank, n)
		}
	}
	return nil
}

// marks counts the quote and list marks that a line begins with.
func marks(line []byte) (n int) {
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '>':
			n++
		case c == ' ' || c == '\t' || c >= '0' && c <= '9':
		case bytes.IndexByte([]byte("-+*.)"), c) >= 0 && i+1 < len(line) && (line[i+1] == ' ' || line[i+1] == '\t'):
			n++
		default:
			return n
		}
	}
	return n
}

func isBlank(line []byte) bool { return len(bytes.Trim(line, " \t\r\n")) == 0 }

// Squeeze returns source without the blank lines of a run beyond [MaxBlank].
func Squeeze(source []byte) []byte {
	var out []byte
	blank, from, at := 0, 0, 0
	for line := range bytes.Lines(source) {
		blank++
		if !isBlank(line) {
			blank = 0
		}
		if blank > MaxBlank {
			out = append(out, source[from:at]...)
			from = at + len(line)
		}
		at += len(line)
	}
	if from == 0 {
		return source
	}
	return append(out, source[from:]...)
}
