package main

import (
	"context"
	"errors"
	"iter"
	"slices"
	"sync"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/policy"
	"ken/index"
	"ken/index/ingest"
)

// overridden is a source whose documents come with what an administrator said
// of them in place of, or beside, what the source says.
type overridden struct {
	corpora.Source
	book *policy.Book
	dry  bool // nothing is kept of what is read

	mu    sync.Mutex
	onWay map[corpora.DocID]loaded // documents between their loading and their commit
}

// loaded is what was known of a document when it was loaded.
type loaded struct {
	source  acl.List
	inForce acl.List // what the pipeline was given
}

// overridden puts the overrides of the data directory over a source.
func (p *program) overridden(s corpora.Source) (*overridden, error) {
	book, err := p.overrides()
	return &overridden{Source: s, book: book, onWay: map[corpora.DocID]loaded{}}, err
}

func (o *overridden) Changes(ctx context.Context, after corpora.Cursor) iter.Seq2[corpora.Change, error] {
	return func(yield func(corpora.Change, error) bool) {
		for c, err := range o.Source.Changes(ctx, after) {
			if load := c.Load; err == nil && load != nil {
				c.Load = func(ctx context.Context) (corpora.Document, []byte, error) { return o.load(ctx, load) }
			}
			if !yield(c, err) {
				return
			}
		}
	}
}

func (o *overridden) load(ctx context.Context, load func(context.Context) (corpora.Document, []byte, error)) (corpora.Document, []byte, error) {
	d, data, err := load(ctx)
	if err != nil {
		return d, data, err
	}
	source := d.ACL
	err = o.book.Do(func(p *policy.Pages) (err error) {
		if o.dry {
			said, _ := p.Of(d.ID)
			d.ACL = said.Apply(source)
			return nil
		}
		d.ACL, err = p.Learn(d.ID, source)
		return err
	})
	o.mu.Lock()
	o.onWay[d.ID] = loaded{source, d.ACL}
	o.mu.Unlock()
	return d, data, err
}

// over returns the store as the pipeline writes to it: what is said by hand
// between the loading of a document and its commit counts too.
func (o *overridden) over(s ingest.Store) ingest.Store { return overriding{s, o} }

type overriding struct {
	ingest.Store
	by *overridden
}

// latest is what is in force for a list that the pipeline was given, with what the
// document's content requires besides (see [acl.List.Classified]). A list that the
// pipeline has made itself, to close a document, stays.
func (o overriding) latest(p *policy.Pages, id corpora.DocID, l acl.List) acl.List {
	was, ok := o.loaded(id)
	if !ok || l.Key() != l.Instead(was.inForce.Allow(), was.inForce.Deny()).Key() {
		return l
	}
	said, _ := p.Of(id)
	now := said.Apply(was.source)
	return l.Instead(now.Allow(), now.Deny())
}

func (o overriding) loaded(id corpora.DocID) (loaded, bool) {
	o.by.mu.Lock()
	defer o.by.mu.Unlock()
	was, ok := o.by.onWay[id]
	return was, ok
}

func (o overriding) arrived(id corpora.DocID) {
	o.by.mu.Lock()
	delete(o.by.onWay, id)
	o.by.mu.Unlock()
}

func (o overriding) Replace(ctx context.Context, entries ...index.Entry) error {
	return o.by.book.Do(func(p *policy.Pages) error {
		entries := slices.Clone(entries)
		for i, e := range entries {
			entries[i].Document.ACL = o.latest(p, e.Document.ID, e.Document.ACL)
		}
		if err := without(ctx, index.ErrErased, entries, o.Store.Replace); err != nil {
			return err
		}
		for _, e := range entries {
			o.arrived(e.Document.ID)
		}
		return nil
	})
}

func (o overriding) Update(ctx context.Context, docs ...corpora.Document) error {
	return o.by.book.Do(func(p *policy.Pages) error {
		docs := slices.Clone(docs)
		for i, d := range docs {
			docs[i].ACL = o.latest(p, d.ID, d.ACL)
		}
		if err := without(ctx, index.ErrNotFound, docs, o.Store.Update); err != nil {
			return err
		}
		for _, d := range docs {
			o.arrived(d.ID)
		}
		return nil
	})
}

// without writes all that can be written where some of it was deleted or erased
// since the run began, which keeps out no other document.
func without[T any](ctx context.Context, gone error, all []T, write func(context.Context, ...T) error) error {
	err := write(ctx, all...)
	if !errors.Is(err, gone) {
		return err
	}
	for _, one := range all {
		if err := write(ctx, one); err != nil && !errors.Is(err, gone) {
			return err
		}
	}
	return nil
}

// SetACL closes a document to those whom the list on its way does not admit;
// what was said by hand meanwhile counts besides.
func (o overriding) SetACL(ctx context.Context, id corpora.DocID, l acl.List) error {
	return o.by.book.Do(func(p *policy.Pages) error {
		if said, ok := p.Of(id); ok {
			l = l.With(nil, said.Change.Deny())
			if was, ok := o.loaded(id); ok {
				l = acl.Both(l, said.Apply(was.source))
			}
		}
		if err := o.Store.SetACL(ctx, id, l); !errors.Is(err, index.ErrNotFound) {
			return err
		}
		return nil // deleted since the run began
	})
}
