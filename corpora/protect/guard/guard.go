// Package guard puts a Protector between documents and the pipeline: [Source]
// protects what is known of documents before they are read, [Extractor] what they say.
// Together they are on every way into the store.
package guard

import (
	"context"
	"errors"
	"iter"
	"slices"

	"ken/corpora"
	"ken/corpora/extract"
	"ken/corpora/protect"
)

// Source returns the source with its names, titles, tags and addresses
// protected. The ids of documents with a value in their names hold a token, or, where
// there is no key, such documents are refused. Documents are read again when the
// rules change.
func Source(s corpora.Source, by *protect.Protector) corpora.Source {
	if by == nil {
		return s
	}
	return source{s, by}
}

type source struct {
	corpora.Source
	by *protect.Protector
}

// errName says that a document's name holds a value and no key is there to make
// a token of it.
var errName = errors.New("its name holds a value that is protected: rename it, or give a protection key")

func (s source) Changes(ctx context.Context, after corpora.Cursor) iter.Seq2[corpora.Change, error] {
	return func(yield func(corpora.Change, error) bool) {
		for c, err := range s.Source.Changes(ctx, after) {
			id, ok := s.by.Name(string(c.ID))
			if !ok && err == nil {
				err = errName
			}
			c.ID = corpora.DocID(id)
			c.Stamp = s.stamp(c.Stamp)
			if load := c.Load; load != nil {
				c.Load = func(ctx context.Context) (corpora.Document, []byte, error) { return s.load(ctx, load) }
			}
			if !yield(c, s.by.Fault(err)) {
				return
			}
		}
	}
}

// stamp adds the rules to a stamp: other rules make another document.
func (s source) stamp(stamp string) string {
	if stamp == "" {
		return ""
	}
	return stamp + "-" + s.by.Digest()
}

func (s source) load(ctx context.Context, load func(context.Context) (corpora.Document, []byte, error)) (corpora.Document, []byte, error) {
	d, data, err := load(ctx)
	if err != nil {
		return corpora.Document{}, nil, s.by.Fault(err)
	}
	d, ok := Document(d, s.by)
	if !ok {
		return corpora.Document{}, nil, errName
	}
	d.Stamp = s.stamp(d.Stamp)
	return d, data, nil
}

// Document returns what is known of a document with values replaced, and false
// if a name of it holds one that there is no key for.
func Document(d corpora.Document, by *protect.Protector) (corpora.Document, bool) {
	if by == nil {
		return d, true
	}
	id, ok := by.Name(string(d.ID))
	other, ok2 := by.Name(string(d.SupersededBy))
	path, ok3 := by.Name(d.Path)
	d.ID, d.SupersededBy, d.Path = corpora.DocID(id), corpora.DocID(other), path
	d.Title, _ = by.Text(d.Title)
	d.URL = by.Line(d.URL)
	d.Tags = slices.Clone(d.Tags)
	for i, t := range d.Tags {
		d.Tags[i], _ = by.Text(t)
	}
	slices.Sort(d.Tags)
	return d, ok && ok2 && ok3
}

// Reader is what turns bytes into text; *extract.Mux is one.
type Reader interface {
	Extract(ctx context.Context, in extract.Input) (extract.Text, error)
}

// Clean reports whether a document that did not come through [Source] holds no
// value: neither what is known of it, nor its text, nor the lines that come with
// pieces of it.
func Clean(d corpora.Document, text string, lines []string, by *protect.Protector) bool {
	if by == nil {
		return true
	}
	p, ok := Document(d, by)
	title, body, _ := by.Titled(d.Title, text)
	tags := slices.Sorted(slices.Values(d.Tags))
	return ok && p.ID == d.ID && p.SupersededBy == d.SupersededBy && p.Path == d.Path && p.URL == d.URL &&
		slices.Equal(p.Tags, tags) && title == d.Title && body == text &&
		!slices.ContainsFunc(lines, func(l string) bool { return by.Line(l) != l })
}

// Extractor returns the reader with the texts that it makes protected.
func Extractor(r Reader, by *protect.Protector) Reader {
	if by == nil {
		return r
	}
	return reader{r, by}
}

type reader struct {
	from Reader
	by   *protect.Protector
}

func (r reader) Extract(ctx context.Context, in extract.Input) (extract.Text, error) {
	t, err := r.from.Extract(ctx, in)
	if err != nil {
		return extract.Text{}, r.by.Fault(err)
	}
	t.Title, t.Body, t.Class = r.by.Titled(t.Title, t.Body)
	return t, nil
}
