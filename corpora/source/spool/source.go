package spool

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strings"

	"ken/corpora"
	"ken/corpora/source/item"
)

// Source lists what a spool holds. It is safe for concurrent use.
type Source struct {
	options item.Options
	dir     string
	only    string // the one id that is listed; "": all
}

var _ corpora.Source = (*Source)(nil)

// NewSource returns the source of a spool's documents. A directory that does not
// exist is a spool that nothing was pushed to.
func NewSource(dir string, o item.Options) (*Source, error) {
	o = o.WithDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	return &Source{options: o, dir: dir}, nil
}

// Name returns the source's name.
func (s *Source) Name() string { return s.options.Name }

// Only returns the source of one document. Its listing is never complete, so
// nothing is missing from it.
func (s *Source) Only(id string) *Source {
	return &Source{options: s.options, dir: s.dir, only: id}
}

// Changes lists all documents in the byte order of their ids; the cursor is not
// looked at. What is pushed during the listing is in it or waits for the next one.
func (s *Source) Changes(ctx context.Context, _ corpora.Cursor) iter.Seq2[corpora.Change, error] {
	return func(yield func(corpora.Change, error) bool) {
		all, err := s.list(ctx)
		if err != nil {
			yield(corpora.Change{}, fmt.Errorf("source %s: the listing is not complete: %w", s.Name(), err))
			return
		}
		for _, r := range all {
			if !yield(s.change(r)) {
				return
			}
		}
		if s.only == "" {
			yield(corpora.Change{Op: corpora.Complete}, nil)
		}
	}
}

func (s *Source) change(r record) (corpora.Change, error) {
	if r.State == refused {
		id := s.options.ID(r.ID)
		return corpora.Change{Op: corpora.Put, ID: id}, fmt.Errorf("document %s: version %d was pushed and refused: %s", id, r.Version, r.Reason)
	}
	return s.options.Put(r.ID, s.options.Stamp(r.ID, r.Digest), func(context.Context) (item.Item, error) { return s.load(r) })
}

// list reads the first lines of all files.
func (s *Source) list(ctx context.Context) ([]record, error) {
	entries, err := s.files()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	var out []record
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if strings.HasPrefix(e, ".") {
			continue
		}
		r, err := head(s.dir, e)
		if errors.Is(err, fs.ErrNotExist) { // erased since
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e, err)
		}
		if r.State == present || r.State == refused {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b record) int { return strings.Compare(a.ID, b.ID) })
	return out, ctx.Err()
}

// files names the files to read.
func (s *Source) files() ([]string, error) {
	if s.only != "" {
		return []string{fileOf(s.only)}, nil
	}
	entries, err := os.ReadDir(s.dir)
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, err
}

// load reads the document that was listed.
func (s *Source) load(listed record) (item.Item, error) {
	r, data, err := read(s.dir, listed.ID, s.options.MaxBytes)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return item.Item{}, corpora.ErrGone
	case err != nil:
		return item.Item{}, err
	case r.State == deleted || r.State == erased:
		return item.Item{}, corpora.ErrGone
	case r.Digest != listed.Digest:
		return item.Item{}, fmt.Errorf("%w in the state that was listed: a newer version came", corpora.ErrUnavailable)
	}
	return item.Item{
		Path: r.ID, Title: r.Title, URL: r.URL, MediaType: r.MediaType, Language: r.Language, Class: r.Class,
		Tags: r.Tags, Modified: r.Updated, Says: r.says(), Data: data,
	}, nil
}
