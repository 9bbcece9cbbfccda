package main

import (
	"context"
	"iter"
	"sync"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/policy"
	"ken/index"
	"ken/index/embedded"
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
	inForce string // key of the list that the pipeline was given
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
	o.onWay[d.ID] = loaded{source, d.ACL.Key()}
	o.mu.Unlock()
	return d, data, err
}

// over returns the store as the pipeline writes to it: what is said by hand
// between the loading of a document and its commit counts too, and so does its
// erasure.
func (o *overridden) over(s *embedded.Store) ingest.Store { return overriding{s, o} }

type overriding struct {
	*embedded.Store
	by *overridden
}

// latest is what is in force for a list that the pipeline was given. A list
// that the pipeline has made itself, to close a document, stays.
func (o overriding) latest(p *policy.Pages, id corpora.DocID, l acl.List) acl.List {
	o.by.mu.Lock()
	was, ok := o.by.onWay[id]
	o.by.mu.Unlock()
	if !ok || l.Key() != was.inForce {
		return l
	}
	said, _ := p.Of(id)
	return said.Apply(was.source)
}

func (o overriding) arrived(id corpora.DocID) {
	o.by.mu.Lock()
	delete(o.by.onWay, id)
	o.by.mu.Unlock()
}

func (o overriding) Replace(ctx context.Context, entries ...index.Entry) error {
	return o.by.book.Do(func(p *policy.Pages) error {
		var kept []index.Entry
		for _, e := range entries {
			erased, err := o.IsErased(ctx, e.Document.ID)
			if err != nil {
				return err
			}
			if !erased {
				e.Document.ACL = o.latest(p, e.Document.ID, e.Document.ACL)
				kept = append(kept, e)
			}
		}
		if err := o.Store.Replace(ctx, kept...); err != nil {
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
		var kept []corpora.Document
		for _, d := range docs {
			erased, err := o.IsErased(ctx, d.ID)
			if err != nil {
				return err
			}
			if !erased {
				d.ACL = o.latest(p, d.ID, d.ACL)
				kept = append(kept, d)
			}
		}
		if err := o.Store.Update(ctx, kept...); err != nil {
			return err
		}
		for _, d := range docs {
			o.arrived(d.ID)
		}
		return nil
	})
}

// SetACL closes a document to those whom the list on its way does not admit;
// one that was said by hand meanwhile counts besides.
func (o overriding) SetACL(ctx context.Context, id corpora.DocID, l acl.List) error {
	return o.by.book.Do(func(p *policy.Pages) error {
		if said, ok := p.Of(id); ok {
			l = l.With(nil, said.Change.Deny())
		}
		return o.Store.SetACL(ctx, id, l)
	})
}
