package policy

import (
	"io/fs"
	"os"
	"sync"

	"ken/corpora"
	"ken/corpora/acl"
)

// Book is the file of overrides of a data directory. Every change goes through
// one Book, so that a change by hand and an ingest that runs at the same time
// cannot undo each other. Safe for concurrent use.
type Book struct {
	path string

	mu   sync.Mutex
	read bool
	seen fs.FileInfo // nil: there was no file
	all  Overrides
}

// NewBook returns the book that is kept in a file, which need not exist yet.
func NewBook(path string) *Book { return &Book{path: path} }

// Do calls f with what the book says of documents, while nobody else reads or
// changes it.
func (b *Book) Do(f func(p *Pages) error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.follow(); err != nil {
		return err
	}
	return f(&Pages{b})
}

// follow reads the file again if it is another than last time.
func (b *Book) follow() error {
	info, err := os.Stat(b.path)
	if err != nil && !os.IsNotExist(err) {
		return err
	}
	if b.read && same(b.seen, info) {
		return nil
	}
	b.read = false
	all, err := ReadOverrides(b.path)
	if err != nil {
		return err
	}
	b.all, b.seen, b.read = all, info, true
	return nil
}

func same(a, b fs.FileInfo) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// Pages is the book while [Book.Do] holds it.
type Pages struct{ book *Book }

// Of returns what was said of a document, and whether anything was.
func (p *Pages) Of(id corpora.DocID) (Override, bool) {
	o, ok := p.book.all[id]
	return o, ok
}

// Set replaces what was said. It returns when that is durable.
func (p *Pages) Set(id corpora.DocID, o *Override) error {
	b := p.book
	b.read = false // what a failed write left behind is read again
	b.all[id] = *o
	return b.all.Write(b.path)
}

// Forget forgets what was said of the documents. It returns when that is durable.
func (p *Pages) Forget(ids ...corpora.DocID) error {
	b := p.book
	had := len(b.all)
	for _, id := range ids {
		delete(b.all, id)
	}
	if len(b.all) == had {
		return nil
	}
	b.read = false // what a failed write left behind is read again
	return b.all.Write(b.path)
}

// Learn notes what the source says of a document that something was said of by
// hand, for [Override.Source], and returns the list in force.
func (p *Pages) Learn(id corpora.DocID, source acl.List) (acl.List, error) {
	o, ok := p.Of(id)
	if !ok {
		return source, nil
	}
	if o.Source == nil || o.Source.Key() != source.Key() {
		o.Source = &source
		if err := p.Set(id, &o); err != nil {
			return acl.List{}, err
		}
		if err := p.book.follow(); err != nil {
			return acl.List{}, err
		}
	}
	return o.Apply(source), nil
}
