package data

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"ken/corpora/extract/bounds"
	"ken/corpora/extract/mark"
)

const (
	maxNesting = 64
	maxValues  = 500_000
)

// JSON reads JSON, or JSON values one after the other as in JSON Lines, into
// Markdown. The title is what the value calls its title or name.
func JSON(ctx context.Context, text string) (title, markdown string, err error) {
	p := parser{ctx: ctx, d: json.NewDecoder(strings.NewReader(text))}
	p.d.UseNumber()
	var all []node
	for {
		n, err := p.value("", 0)
		if errors.Is(err, io.EOF) && n.kind == none {
			break
		}
		if err != nil {
			return "", "", err
		}
		all = append(all, n)
	}
	if len(all) == 1 {
		title = all[0].name()
	}
	var w mark.Writer
	switch {
	case len(all) == 1 && all[0].kind == array:
		records(&w, all[0].kids)
	case len(all) == 1:
		fields(&w, 0, all[0])
	default:
		records(&w, all)
	}
	markdown, err = w.Text()
	return title, markdown, err
}

type kind int

const (
	none kind = iota
	scalar
	object
	array
)

// node is a value, with the order of its fields.
type node struct {
	kind kind
	key  string // in the object that it stands in
	text string // of a scalar
	kids []node
}

// name is what a record is called by, "" if it does not say.
func (n node) name() string {
	for _, want := range []string{"title", "name", "subject", "summary", "key", "id"} {
		for _, k := range n.kids {
			if n.kind == object && k.kind == scalar && strings.EqualFold(k.key, want) && k.text != "" && len(k.text) <= 200 {
				return k.text
			}
		}
	}
	return ""
}

type parser struct {
	ctx    context.Context
	d      *json.Decoder
	values int
}

// value reads the next value. An end where one could begin is io.EOF.
func (p *parser) value(key string, depth int) (node, error) {
	t, err := p.d.Token()
	if err != nil {
		return node{}, p.fault(err, depth)
	}
	if p.values++; p.values > maxValues {
		return node{}, fmt.Errorf("%w: more than %d values", bounds.ErrLimit, maxValues)
	}
	if p.values%1024 == 0 && p.ctx.Err() != nil {
		return node{}, p.ctx.Err()
	}
	switch t := t.(type) {
	case json.Delim:
		if depth == maxNesting {
			return node{}, fmt.Errorf("%w: values nest deeper than %d", bounds.ErrLimit, maxNesting)
		}
		return p.inner(key, t, depth+1)
	case string:
		return node{kind: scalar, key: key, text: t}, nil
	case json.Number:
		return node{kind: scalar, key: key, text: t.String()}, nil
	case bool:
		return node{kind: scalar, key: key, text: strconv.FormatBool(t)}, nil
	}
	return node{kind: scalar, key: key}, nil // null
}

func (p *parser) fault(err error, depth int) error {
	if errors.Is(err, io.EOF) && depth == 0 {
		return io.EOF
	}
	return fmt.Errorf("%w: %v", bounds.ErrDamaged, err) // not %w: an end within a value is none of the text
}

func (p *parser) inner(key string, open json.Delim, depth int) (node, error) {
	n := node{kind: array, key: key}
	if open == '{' {
		n.kind = object
	}
	for p.d.More() {
		name := ""
		if n.kind == object {
			t, err := p.d.Token()
			if err != nil {
				return node{}, p.fault(err, depth)
			}
			name, _ = t.(string)
		}
		v, err := p.value(name, depth)
		if err != nil {
			return node{}, err
		}
		n.kids = append(n.kids, v)
	}
	if _, err := p.d.Token(); err != nil {
		return node{}, p.fault(err, depth)
	}
	return n, nil
}

// records writes a list of records: as a table if they are alike, else as a
// section each.
func records(w *mark.Writer, all []node) {
	if uniform(all) {
		t := w.Table(keys(all[0]))
		for _, r := range all {
			row := make([]string, len(r.kids))
			for i, k := range r.kids {
				row[i] = k.text
			}
			t.Row(row)
		}
		return
	}
	sections := !slices.ContainsFunc(all, func(n node) bool { return n.kind != object })
	for i, r := range all {
		if sections {
			name := r.name()
			if name == "" {
				name = "Record " + strconv.Itoa(i+1)
			}
			w.Heading(2, name)
		}
		fields(w, 0, r)
	}
}

// fields writes the fields of a value as a list.
func fields(w *mark.Writer, depth int, n node) {
	switch {
	case n.kind == scalar:
		w.Item(depth, label(n.key, n.text))
		return
	case n.kind == array && scalars(n):
		texts := make([]string, len(n.kids))
		for i, k := range n.kids {
			texts[i] = strings.Join(strings.Fields(k.text), " ")
		}
		if n.key != "" {
			w.Item(depth, label(n.key, strings.Join(texts, ", ")))
			return
		}
		for _, t := range texts {
			w.Item(depth, t)
		}
		return
	}
	if n.key != "" {
		w.Item(depth, n.key+":")
		depth++
	}
	for _, k := range n.kids {
		fields(w, depth, k)
	}
}

func label(key, text string) string {
	if key == "" {
		return text
	}
	return strings.Join(strings.Fields(key), " ") + ": " + text
}

// scalars reports whether an array is a list of short values.
func scalars(n node) bool {
	return !slices.ContainsFunc(n.kids, func(k node) bool { return k.kind != scalar || len(k.text) > 200 })
}
