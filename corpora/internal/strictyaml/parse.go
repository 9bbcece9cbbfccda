package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

const (
	maxNesting = 64
	maxKeys    = 20_000
)

// Error is a complaint about a place in a file. Line and Column count from 1;
// Column counts characters.
type Error struct {
	Line, Column int
	Message      string
}

func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// Options bound a file and say where it begins.
type Options struct {
	MaxBytes  int // 0: 1 MiB
	FirstLine int // number of the first line; 0: 1
}

// Parse reads one YAML document. A file without content gives the zero Node,
// which [Node.IsZero] reports. Every error is an [*Error].
func Parse(data []byte, o Options) (Node, error) {
	if o.MaxBytes == 0 {
		o.MaxBytes = 1 << 20
	}
	p := place{max(o.FirstLine, 1) - 1}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if len(data) > o.MaxBytes {
		return Node{}, p.at(1, 1, "%d bytes are more than the limit of %d", len(data), o.MaxBytes)
	}
	if err := p.checkBytes(data); err != nil {
		return Node{}, err
	}
	return p.parse(data)
}

// parse calls the library. A panic in it is an error here: the bytes come from
// strangers, and one file must not end the program.
func (p place) parse(data []byte) (root Node, err error) {
	defer func() {
		if r := recover(); r != nil {
			root, err = Node{}, p.at(1, 1, "not valid YAML: the parser gave up: %v", r)
		}
	}()
	tokens := lexer.Tokenize(string(data))
	if err := p.checkTokens(tokens); err != nil {
		return Node{}, err
	}
	file, err := parser.Parse(joinColons(tokens), 0)
	if err != nil {
		return Node{}, p.syntax(err)
	}
	return p.document(file)
}

// place turns positions within the YAML text into positions within the file.
type place struct{ linesBefore int }

func (p place) at(line, column int, format string, args ...any) *Error {
	return &Error{p.linesBefore + line, column, fmt.Sprintf(format, args...)}
}

func (p place) of(t *token.Token, format string, args ...any) *Error {
	if t == nil || t.Position == nil {
		return p.at(1, 1, format, args...)
	}
	return p.at(t.Position.Line, t.Position.Column, format, args...)
}

// checkBytes refuses what the parser would replace without a word.
func (p place) checkBytes(data []byte) error {
	line, column := 1, 1
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			return p.at(line, column, "byte %#02x is not valid UTF-8: save the file as UTF-8", data[i])
		case r < ' ' && r != '\n' && r != '\r' && r != '\t':
			return p.at(line, column, "control character %#02x: remove it", r)
		case r == '\n':
			line, column = line+1, 0
		}
		i, column = i+n, column+1
	}
	return nil
}

// checkTokens bounds what the parser recurses over or searches again and again.
func (p place) checkTokens(tokens token.Tokens) error {
	flow, keys, line, onLine, properties := 0, 0, 0, 0, 0
	for _, t := range tokens {
		if t.Position.Line != line {
			line, onLine = t.Position.Line, 0
		}
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			flow++
		case token.MappingEndType, token.SequenceEndType:
			flow = max(flow-1, 0)
		case token.SequenceEntryType, token.MappingKeyType:
			onLine++
		case token.AnchorType, token.TagType:
			properties++
		case token.MappingValueType:
			keys++
			onLine++
		}
		if flow > maxNesting || properties > maxNesting || onLine > maxNesting*8 {
			return p.of(t, "nested more than %d deep", maxNesting)
		}
		if keys > maxKeys {
			return p.of(t, "more than %d keys", maxKeys)
		}
	}
	return nil
}

func (p place) syntax(err error) error {
	if e, ok := errors.AsType[yaml.Error](err); ok {
		return p.of(e.GetToken(), "not valid YAML: %s", e.GetMessage())
	}
	return p.at(1, 1, "not valid YAML: %v", err)
}

func (p place) document(file *ast.File) (Node, error) {
	var root Node
	for _, d := range file.Docs {
		switch {
		case d.Body == nil:
		case root.IsZero():
			root = Node{d.Body, p}
		default:
			return Node{}, Node{d.Body, p}.Errorf("a second YAML document: keep one")
		}
	}
	return root, nil
}

// ErrorAt returns a complaint about a place that no node stands at.
func ErrorAt(line, column int, format string, args ...any) error {
	return place{}.at(line, column, format, args...)
}
