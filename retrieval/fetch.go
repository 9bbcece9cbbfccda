package retrieval

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
)

// Limits of Fetch and Documents.
const (
	DefaultPage    = 64 << 10 // bytes of text
	MaxPage        = 1 << 20
	DefaultListing = 100 // documents
	MaxListing     = 1_000
)

// Fetch returns the part of a document's text that begins at byte offset and
// has at most limit bytes (0 is DefaultPage, at most MaxPage). Both ends are
// moved back to the beginning of a character. The next page begins at
// Page.Span.End; the last one ends at Page.Length. A document that does not
// exist and one that p may not read are the same index.ErrNotFound.
func (s *Searcher) Fetch(ctx context.Context, p acl.Principal, id corpora.DocID, offset, limit int) (Page, error) {
	return s.FetchVersion(ctx, p, id, "", offset, limit)
}

// FetchVersion is Fetch of a version of the document, "" being the one that it has
// now. A version that is not kept and one that p may not read are index.ErrNotFound,
// as if there were no document.
func (s *Searcher) FetchVersion(ctx context.Context, p acl.Principal, id corpora.DocID, version string, offset, limit int) (Page, error) {
	if limit == 0 {
		limit = DefaultPage
	}
	if offset < 0 {
		return Page{}, bad("offset %d is negative: begin at 0", offset)
	}
	if limit < utf8.UTFMax || limit > MaxPage {
		return Page{}, bad("limit %d is out of range: ask for %d to %d bytes", limit, utf8.UTFMax, MaxPage)
	}
	v, err := s.open(ctx, p)
	if err != nil {
		return Page{}, err
	}
	defer v.Close()
	d, text, now, err := v.textOf(ctx, id, version)
	if err != nil {
		return Page{}, err
	}
	if offset > len(text) {
		return Page{}, bad("offset %d is beyond the end of the document: it has %d bytes", offset, len(text))
	}
	span := pageSpan(text, offset, limit)
	part := text[span.Start:span.End]
	page := Page{Document: d, Text: part, Span: span, Length: len(text), Citation: cite(d, span, part)}
	if d.Version != now {
		page.Now = now
	}
	return page, nil
}

func pageSpan(text string, offset, limit int) index.Span {
	start := backToRune(text, offset)
	return index.Span{Start: start, End: backToRune(text, min(start+limit, len(text)))}
}

func backToRune(text string, i int) int {
	for i > 0 && i < len(text) && !utf8.RuneStart(text[i]) {
		i--
	}
	return i
}

// Documents lists the documents that p may read, in byte order of their ids:
// up to limit (0 is DefaultListing, at most MaxListing) whose id begins with
// prefix and is greater than after.
func (s *Searcher) Documents(ctx context.Context, p acl.Principal, prefix string, after corpora.DocID, limit int) ([]corpora.Document, error) {
	if limit == 0 {
		limit = DefaultListing
	}
	if limit < 0 || limit > MaxListing {
		return nil, bad("limit %d is out of range: ask for 1 to %d documents", limit, MaxListing)
	}
	v, err := s.open(ctx, p)
	if err != nil {
		return nil, err
	}
	defer v.Close()
	docs, err := v.Documents(ctx, prefix, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list documents: %w", err)
	}
	return docs, nil
}

// text returns a readable document and its whole text.
func (s *snapshot) text(ctx context.Context, id corpora.DocID) (document, string, error) {
	d, err := s.document(ctx, id)
	if err != nil {
		return document{}, "", err
	}
	chunks, err := s.load(ctx, d.chunks)
	if err != nil {
		return document{}, "", err
	}
	var text strings.Builder
	for _, c := range chunks {
		text.WriteString(c.Text)
	}
	return d, text.String(), nil
}
