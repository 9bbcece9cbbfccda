package extract

import (
	"context"
	"fmt"
	"path"
	"strings"
	"time"

	"golang.org/x/sync/semaphore"

	"ken/corpora/extract/bounds"
	"ken/corpora/extract/visible"
	"ken/corpora/frontmatter"
)

// What went wrong with a document. Each says what a person can do about it.
var (
	// ErrUnsupported says that no extractor reads this kind of document.
	ErrUnsupported = bounds.ErrUnsupported
	// ErrLimit says that a document is larger or deeper than its format's
	// extractor reads, or takes longer.
	ErrLimit = bounds.ErrLimit
	// ErrLocked says that a document needs a password.
	ErrLocked = bounds.ErrLocked
	// ErrDamaged says that a document is cut off or not what it claims to be.
	ErrDamaged = bounds.ErrDamaged
	// ErrScanned says that a document has pages and no text on them.
	ErrScanned = bounds.ErrScanned
)

// Input is a document to extract. Path is its place in the source: the last
// resort for a title, and what relative front matter is relative to.
type Input struct {
	Path      string
	MediaType string // as [MediaType] returns it
	Data      []byte // not modified, not kept

	budget *bounds.Budget // of the document that this is a part of; nil: it is a whole one
}

// Text is what was extracted.
type Text struct {
	Title     string // never "" unless the path is
	Body      string // valid UTF-8 with \n line ends and no invisible characters
	MediaType string // of Body: Markdown, Plain or Source
	Language  string // primary language that the document declares; "" if none
	Class     string // least data class that its content calls for; "" if none
}

// Extractor reads one format.
type Extractor func(ctx context.Context, in Input) (Text, error)

// Mux chooses the extractor by media type. The zero Mux supports nothing.
type Mux struct {
	extractors map[string]Extractor
	timeout    time.Duration
	memory     *semaphore.Weighted
}

// Handle makes e read documents of the media type. It must not be called
// while documents are extracted.
func (m *Mux) Handle(mediaType string, e Extractor) {
	if m.extractors == nil {
		m.extractors = make(map[string]Extractor)
	}
	m.extractors[mediaType] = e
}

// Extract returns the document's text. Errors wrap [ErrUnsupported], [ErrLimit],
// [ErrLocked], [ErrDamaged], [ErrScanned], the context's error, or say what is
// malformed; they do not name the document. It may be called by many goroutines.
func (m *Mux) Extract(ctx context.Context, in Input) (Text, error) {
	if err := ctx.Err(); err != nil {
		return Text{}, err
	}
	e := m.extractors[in.MediaType]
	if e == nil {
		return Text{}, fmt.Errorf("%w: %q", ErrUnsupported, in.MediaType)
	}
	t, err := m.bounded(ctx, e, in)
	if err != nil {
		return Text{}, fmt.Errorf("extract %s: %w", in.MediaType, err)
	}
	t.Title = visible.Line(t.Title)
	if t.Title == "" {
		t.Title = nameTitle(in.Path)
	}
	return t, nil
}

// bounded runs the extractor of a whole document within the bounds of time and
// memory, and that of a part within those of the whole.
func (m *Mux) bounded(ctx context.Context, e Extractor, in Input) (Text, error) {
	if in.budget != nil {
		return guard(ctx, e, in)
	}
	in.budget = bounds.New()
	if m.memory != nil {
		need := memoryOf(in)
		if err := m.memory.Acquire(ctx, need); err != nil {
			return Text{}, err
		}
		defer m.memory.Release(need)
	}
	limited := ctx
	if m.timeout > 0 {
		var cancel context.CancelFunc
		limited, cancel = context.WithTimeout(ctx, m.timeout)
		defer cancel()
	}
	t, err := guard(limited, e, in)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		return Text{}, fmt.Errorf("%w: it takes longer than %v to read", ErrLimit, m.timeout)
	}
	return t, err
}

// guard turns a panic of a format's library into an error of the document: the
// bytes come from strangers, and one page must not end the program.
func guard(ctx context.Context, e Extractor, in Input) (t Text, err error) {
	defer func() {
		if r := recover(); r != nil {
			t, err = Text{}, fmt.Errorf("the parser gave up: %v", r)
		}
	}()
	return e(ctx, in)
}

// Metadata returns what the document says of itself, read from the same
// characters as its text. An error wraps [frontmatter.ErrMalformed]: who may
// read the document is then not known.
func Metadata(in Input) (frontmatter.Meta, error) {
	if !isText(in.MediaType) {
		return frontmatter.Meta{}, nil
	}
	s, err := decode(in.Data)
	if err != nil {
		return frontmatter.Meta{}, err
	}
	if in.MediaType != Markdown {
		return frontmatter.Meta{}, frontmatter.Refuse([]byte(s))
	}
	meta, _, err := frontmatter.Parse(in.Path, []byte(s))
	return meta, err
}

// nameTitle makes a title of a file's name: "people/sick-leave.md" is "sick leave".
func nameTitle(p string) string {
	if p == "" {
		return ""
	}
	base := path.Base(p)
	name := strings.TrimSuffix(base, path.Ext(base))
	name = visible.Line(strings.NewReplacer("-", " ", "_", " ").Replace(name))
	if name == "" {
		return visible.Line(base)
	}
	return name
}

// checkSize bounds what a format's parser is given.
func checkSize(data []byte, limit int) error {
	if len(data) > limit {
		return fmt.Errorf("%w: %d bytes, at most %d are read; split the document", ErrLimit, len(data), limit)
	}
	return nil
}
