package embedded

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"ken/corpora"
	"ken/embed"
	"ken/index"
)

// lastOf keeps the last item of each document: writing twice in one call is
// writing once.
func lastOf[T any](items []T, id func(T) corpora.DocID) []T {
	last := make(map[corpora.DocID]int, len(items))
	for i, item := range items {
		last[id(item)] = i
	}
	var out []T
	for i, item := range items {
		if last[id(item)] == i {
			out = append(out, item)
		}
	}
	return out
}

// checkEntry returns what makes an entry unfit to be stored with vectors of m, but
// for the lengths of the vectors: analysis looks at these.
func checkEntry(e index.Entry, m embed.Model) error {
	if err := checkDocument(e.Document); err != nil {
		return err
	}
	if err := checkChunks(e.Document.ID, e.Chunks); err != nil {
		return err
	}
	return checkShape(e.Vectors, len(e.Chunks), m)
}

// checkDocument refuses what would be read back as something else.
func checkDocument(d corpora.Document) error {
	if d.ID == "" {
		return fmt.Errorf("document without id")
	}
	fields := []string{
		string(d.ID), d.Source, d.Path, d.URL, d.Title, d.MediaType, d.Language, d.Class,
		string(d.Status), string(d.SupersededBy), d.Stamp, d.Version,
	}
	for _, f := range append(fields, d.Tags...) {
		if !utf8.ValidString(f) {
			return fmt.Errorf("metadata %q is not valid UTF-8", f)
		}
	}
	if strings.ContainsRune(d.Language, 0) {
		return fmt.Errorf("language %q holds a NUL", d.Language)
	}
	return nil
}

// checkChunks verifies that the chunks partition one text.
func checkChunks(id corpora.DocID, chunks []index.Chunk) error {
	at := 0
	for i, c := range chunks {
		switch {
		case c.Doc != id:
			return fmt.Errorf("chunk %d belongs to document %q", i, c.Doc)
		case c.N != i:
			return fmt.Errorf("chunk %d has number %d", i, c.N)
		case c.Span.Start != at || c.Span.End-c.Span.Start != len(c.Text):
			return fmt.Errorf("chunk %d of %d bytes has span [%d, %d), want it to begin at %d", i, len(c.Text), c.Span.Start, c.Span.End, at)
		case c.Tokens < 0:
			return fmt.Errorf("chunk %d has %d tokens", i, c.Tokens)
		}
		at = c.Span.End
	}
	return nil
}

// checkVectors verifies number, dimension and length of vectors of the model.
func checkVectors(vs []embed.Vector, n int, m embed.Model) error {
	if err := checkShape(vs, n, m); err != nil {
		return err
	}
	for i, v := range vs {
		if err := checkLength(i, v); err != nil {
			return err
		}
	}
	return nil
}

// checkShape verifies number and dimension alone.
func checkShape(vs []embed.Vector, n int, m embed.Model) error {
	if m.Dim == 0 {
		if len(vs) > 0 {
			return fmt.Errorf("%w: there are vectors and the index has no model yet", index.ErrModel)
		}
		return nil
	}
	for _, v := range vs {
		if len(v) != m.Dim {
			return fmt.Errorf("%w: a vector has %d dimensions, the model %q %d", index.ErrModel, len(v), m.Name, m.Dim)
		}
	}
	if len(vs) != n {
		return fmt.Errorf("%w: %d vectors for %d texts", embed.ErrVector, len(vs), n)
	}
	return nil
}

// checkLength verifies that vector i has unit length.
func checkLength(i int, v embed.Vector) error {
	var a, b, c, d float64 // four sums at once
	n := len(v) / 4 * 4
	for j := 0; j < n; j += 4 {
		w := v[j:][:4]
		a += float64(float64(w[0]) * float64(w[0]))
		b += float64(float64(w[1]) * float64(w[1]))
		c += float64(float64(w[2]) * float64(w[2]))
		d += float64(float64(w[3]) * float64(w[3]))
	}
	for _, x := range v[n:] {
		a += float64(float64(x) * float64(x))
	}
	if length := math.Sqrt(a + b + c + d); !(math.Abs(length-1) <= unitTolerance) { // nor is one that is no number
		return fmt.Errorf("%w: vector %d has length %v, want 1", embed.ErrVector, i, length)
	}
	return nil
}

// checkUpdate refuses changes of what segments hold.
func checkUpdate(old, updated corpora.Document) error {
	if err := checkDocument(updated); err != nil {
		return err
	}
	if old.Title != updated.Title || languageOf(old) != languageOf(updated) || old.Source != updated.Source || old.Path != updated.Path ||
		old.MediaType != updated.MediaType || old.Class != updated.Class || !slices.Equal(old.Tags, updated.Tags) ||
		!old.Modified.Equal(updated.Modified) {
		return fmt.Errorf("title, language, source, path, media type, class, tags and modified can only change with the document's text (Replace)")
	}
	return nil
}
