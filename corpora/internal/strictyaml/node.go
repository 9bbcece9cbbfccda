package strictyaml

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// Node is a value in a YAML file together with its place.
type Node struct {
	node  ast.Node
	place place
}

// Pair is a key of a mapping with its value.
type Pair struct {
	Name  string
	Key   Node // for its place
	Value Node
}

// IsZero reports whether there is no value at all.
func (n Node) IsZero() bool { return n.node == nil }

// IsNull reports whether the value was left out or is null.
func (n Node) IsNull() bool {
	return n.node == nil || n.node.Type() == ast.NullType
}

// IsMapping reports whether the value is a mapping.
func (n Node) IsMapping() bool {
	_, ok := n.node.(*ast.MappingNode)
	return ok
}

// IsSequence reports whether the value is a list.
func (n Node) IsSequence() bool {
	_, ok := n.node.(*ast.SequenceNode)
	return ok
}

// Errorf returns an [*Error] at the place of n.
func (n Node) Errorf(format string, args ...any) error {
	if n.node == nil {
		return n.place.at(1, 1, format, args...)
	}
	return n.place.of(n.start(), format, args...)
}

// start is the token that a person would point at: for a block mapping the
// first key, since its own token is the colon after it.
func (n Node) start() *token.Token {
	if m, ok := n.node.(*ast.MappingNode); ok && !m.IsFlowStyle && len(m.Values) > 0 {
		return m.Values[0].Key.GetToken()
	}
	return n.node.GetToken()
}

// Mapping returns the pairs of a mapping, in order. The parser has refused
// duplicate keys.
func (n Node) Mapping() ([]Pair, error) {
	m, ok := n.node.(*ast.MappingNode)
	if !ok {
		return nil, n.wrong("a mapping (key: value)")
	}
	pairs := make([]Pair, 0, len(m.Values))
	for _, v := range m.Values {
		key := Node{v.Key, n.place}
		name, err := key.Text()
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, Pair{name, key, Node{v.Value, n.place}})
	}
	return pairs, nil
}

// Only returns the pairs of a mapping and refuses keys other than the known
// ones, with the nearest known key as a suggestion.
func (n Node) Only(known ...string) ([]Pair, error) {
	pairs, err := n.Mapping()
	if err != nil {
		return nil, err
	}
	for _, p := range pairs {
		if slices.Contains(known, p.Name) {
			continue
		}
		if s := nearest(p.Name, known); s != "" {
			return nil, p.Key.Errorf("unknown key %q: did you mean %q?", p.Name, s)
		}
		return nil, p.Key.Errorf("unknown key %q: want %s", p.Name, strings.Join(known, ", "))
	}
	return pairs, nil
}

// Items returns the entries of a list.
func (n Node) Items() ([]Node, error) {
	s, ok := n.node.(*ast.SequenceNode)
	if !ok {
		return nil, n.wrong("a list ([a, b])")
	}
	items := make([]Node, len(s.Values))
	for i, v := range s.Values {
		items[i] = Node{v, n.place}
	}
	return items, nil
}

// Text returns a scalar as it is written: the number 010 is "010", since a
// person who names a document so means those characters.
func (n Node) Text() (string, error) {
	if text, ok := n.scalar(); ok {
		return text, nil
	}
	return "", n.wrong("a text")
}

func (n Node) scalar() (string, bool) {
	switch v := n.node.(type) {
	case *ast.StringNode:
		return v.Value, true
	case *ast.LiteralNode:
		return v.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return v.GetToken().Value, true
	}
	return "", false
}

func (n Node) wrong(want string) error {
	switch n.node.(type) {
	case *ast.AliasNode, *ast.AnchorNode, *ast.MergeKeyNode:
		return n.Errorf("anchors, aliases and merge keys are not read: write the value out")
	case *ast.TagNode:
		return n.Errorf("tags are not read: write the value without %q", n.node.GetToken().Value)
	}
	return n.Errorf("want %s, got %s", want, n.kind())
}

func (n Node) kind() string {
	switch n.node.(type) {
	case nil, *ast.NullNode:
		return "nothing"
	case *ast.MappingNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	}
	if text, ok := n.scalar(); ok {
		return "the text " + quoteShort(text)
	}
	return "something else"
}

func quoteShort(s string) string {
	if r := []rune(s); len(r) > 40 {
		s = string(r[:40]) + "…"
	}
	return `"` + s + `"`
}

// nearest returns the known word within two edits of word (one for words of up
// to three characters), or "".
func nearest(word string, known []string) string {
	best, limit := "", 3
	if utf8.RuneCountInString(word) <= 3 {
		limit = 2
	}
	for _, k := range known {
		if d := edits(strings.ToLower(word), k); d < limit {
			best, limit = k, d
		}
	}
	return best
}

// edits is the Levenshtein distance, for words that are keys.
func edits(a, b string) int {
	if len(a) > 64 {
		return len(a)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
