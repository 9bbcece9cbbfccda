package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"
	"time"

	"ken/cmd/ken/internal/config"
	"ken/cmd/ken/internal/ledger"
	"ken/cmd/ken/internal/wire"
	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/extract"
	"ken/corpora/protect"
	"ken/corpora/source/item"
	"ken/corpora/source/spool"
	"ken/index"
	"ken/index/embedded"
	"ken/index/ingest"
	"ken/tools"
)

// writer keeps what people write with tools: in the spool of a source tools://, from
// where it goes into the index as what is pushed does.
type writer struct {
	p   *program
	dir string // data directory
	kb  *wire.Base
}

// desk is a document about to be written, while nobody else writes to its source or
// reads that into the index.
type desk struct {
	writer
	id      corpora.DocID
	path    string
	spool   *spool.Spool
	kept    spool.Kept
	base    *wire.Base
	reading reading
}

// at calls f at the desk of a document that is in the index as it is in the spool.
func (w writer) at(ctx context.Context, id corpora.DocID, f func(*desk) error) (err error) {
	name, path, _ := strings.Cut(string(id), "/")
	c, err := w.source(name)
	switch {
	case err != nil:
		return w.closed(ctx, err)
	case c.Name == "" || item.CheckPath(path) != nil:
		return tools.ErrPlace
	}
	if err := w.p.doubted(ctx, w.dir, name); err != nil {
		return w.closed(ctx, err)
	}
	d := &desk{writer: w, id: id, path: path}
	if err := os.MkdirAll(spoolsOf(w.dir), 0o700); err != nil {
		return w.closed(ctx, err)
	}
	if d.spool, err = spool.Open(wire.SpoolOf(spoolsOf(w.dir), name)); err != nil {
		return w.closed(ctx, err)
	}
	if d.reading, err = w.p.openSource(ctx, c, ingestOptions{only: path}, w.dir); err != nil {
		return w.closed(ctx, err)
	}
	defer func() { err = errors.Join(err, d.reading.Close()) }()
	if err := d.look(ctx); err != nil {
		return err
	}
	return f(d)
}

// closed is the answer where nothing can be written now, for a reason that is the
// operator's to know.
func (w writer) closed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.Join(ctx.Err(), err)
	}
	w.p.logger().Error("a document cannot be written", "err", err)
	return errors.Join(tools.ErrClosed, err)
}

// source is the source of a name if it takes what is written; else the zero one.
func (w writer) source(name string) (chosen, error) {
	l, err := ledger.Read(w.dir)
	if err != nil {
		return chosen{}, err
	}
	c, err := configOf(name, l[name])
	if err != nil || wire.SchemeOf(c.URL) != wire.ToolsScheme {
		return chosen{}, err
	}
	return chosen{Source: c, file: config.ConfigFile}, nil
}

// look opens what the desk needs, and brings into the index what a crash kept out.
func (d *desk) look(ctx context.Context) (err error) {
	if !sameName(d.id, d.reading.protect) {
		return tools.ErrPlace // it would be stored under another
	}
	settings, err := config.Load(d.dir)
	if err != nil {
		return err
	}
	o := d.p.options(d.dir, settings)
	o.Write = true
	if d.base, err = d.kb.Share(o); err != nil {
		return d.closed(ctx, err)
	}
	if d.kept, err = d.spool.Kept(d.path); err != nil {
		return err
	}
	if d.kept.Present() {
		_, err := d.carry(ctx, false)
		if err != nil && !errors.Is(err, tools.ErrRefused) && !errors.Is(err, tools.ErrTaken) { // it is not in the index
			return err
		}
	}
	return nil
}

// sameName reports whether a document is stored under the id that it was given.
func sameName(id corpora.DocID, by *protect.Protector) bool {
	if by == nil {
		return true
	}
	name, ok := by.Name(string(id))
	return ok && name == string(id)
}

// carry takes the document from the spool into the index, as an ingest does, and
// returns it as it is there. With keep, one that is refused leaves what is there.
func (d *desk) carry(ctx context.Context, keep bool) (corpora.Document, error) {
	expired, err := d.p.expired()
	if err != nil {
		return corpora.Document{}, err
	}
	o := wire.IngestOptions{
		Protect: d.reading.protect, Expired: expired, Keep: keep, Logger: d.p.logger(),
		Through: oneDocument{d.reading.governed.over(d.base.Store), d.base.Store, d.id},
	}
	sum, err := wire.Ingest(ctx, d.base.Store, d.base.Embedder, o, d.reading.governed)
	switch {
	case sum.Added+sum.Updated+sum.ACLChanged+sum.Unchanged == 1 && len(sum.Quarantined) == 0: // and committed, whatever came then
		now, err := d.base.Store.Lookup(context.WithoutCancel(ctx), d.id)
		if errors.Is(err, index.ErrNotFound) { // erased at that moment
			err = tools.ErrTaken
		}
		return now, err
	case sum.Erased > 0:
		return corpora.Document{}, tools.ErrTaken
	case err != nil || sum.Postponed > 0 || failedToEmbed(sum):
		return corpora.Document{}, d.closed(ctx, errors.Join(err, errEmbed))
	}
	return corpora.Document{}, tools.ErrRefused // for a reason that the pipeline has logged
}

// errEmbed says that what was written has no vectors.
var errEmbed = errors.New("the embedder did not take it")

func failedToEmbed(s ingest.Summary) bool {
	return len(s.Quarantined) > 0 && s.Quarantined[0].Stage == ingest.StageEmbed
}

// keep makes the next version of the document durable, in the spool and in the index,
// or in neither.
func (d *desk) keep(ctx context.Context, m spool.Message, by acl.Subject) (version string, err error) {
	m.ID, m.Version = d.path, d.kept.Version+1
	_, err = d.spool.ApplyBy(m, by)
	switch {
	case errors.Is(err, spool.ErrErased):
		return "", tools.ErrTaken
	case err != nil:
		return "", err
	}
	now, err := d.carry(ctx, true)
	if err != nil {
		if rerr := d.spool.Restore(d.path, d.kept); rerr != nil {
			return "", fmt.Errorf("take back what could not be taken in: %w", rerr)
		}
		return "", err
	}
	return now.Version, nil
}

// Create implements [tools.Writer].
func (w writer) Create(ctx context.Context, n tools.Draft, reads func(context.Context) (bool, error)) (version string, err error) {
	err = w.at(ctx, n.ID, func(d *desk) error {
		gone, err := erasedBefore(ctx, d.base.Store, n.ID)
		switch {
		case err != nil:
			return err
		case gone || d.kept.Erased:
			return tools.ErrTaken
		case d.kept.Present():
			version, err = d.again(ctx, n, reads)
			return err
		}
		if _, err := d.base.Store.Lookup(ctx, n.ID); !errors.Is(err, index.ErrNotFound) {
			return errors.Join(tools.ErrTaken, err) // an ingest has yet to take it away
		}
		version, err = d.keep(ctx, w.message(n), n.By)
		return err
	})
	return version, err
}

// again answers whoever creates what is there.
func (d *desk) again(ctx context.Context, n tools.Draft, reads func(context.Context) (bool, error)) (version string, err error) {
	if !d.kept.Says(d.message(n)) {
		return "", tools.ErrTaken
	}
	if n.By == "" || n.By != d.kept.By {
		if may, err := reads(ctx); err != nil || !may {
			return "", errors.Join(tools.ErrTaken, err)
		}
	}
	now, err := d.base.Store.Lookup(ctx, d.id)
	if errors.Is(err, index.ErrNotFound) { // it was kept as long as it may be
		err = tools.ErrTaken
	}
	return now.Version, err
}

func (w writer) message(n tools.Draft) spool.Message {
	_, path, _ := strings.Cut(string(n.ID), "/")
	return spool.Message{ID: path, Data: []byte(n.Text), Meta: spool.Meta{
		Title: n.Title, MediaType: n.MediaType, Class: strings.ToLower(n.Class), Tags: n.Tags, Updated: w.time(),
		States: true, Allow: sorted(n.Allow), Deny: sorted(n.Deny),
	}}
}

func sorted(subjects []acl.Subject) []acl.Subject {
	return slices.Compact(slices.Sorted(slices.Values(subjects)))
}

// Update implements [tools.Writer].
func (w writer) Update(ctx context.Context, e tools.Edit) (version string, err error) {
	err = w.at(ctx, e.ID, func(d *desk) error {
		now, err := d.base.Store.Lookup(ctx, e.ID)
		switch {
		case err != nil:
			return err
		case !d.kept.Present():
			return index.ErrNotFound
		case now.Version != e.IfVersion:
			return tools.ErrVersion
		}
		m := edited(d.kept.Message, e)
		if d.kept.Says(m) {
			version = now.Version
			return nil
		}
		if now.Class == "" && classifies(now, m.Data) {
			return tools.ErrRefused
		}
		m.Class, m.Updated = cmp.Or(m.Class, now.Class), w.time() // the class stays, also where the text gave it that
		version, err = d.keep(ctx, m, e.By)
		return err
	})
	return version, err
}

// classifies reports whether a text would give a document a class.
func classifies(d corpora.Document, text []byte) bool {
	meta, err := extract.Metadata(extract.Input{Path: d.Path, MediaType: d.MediaType, Data: text})
	return err != nil || meta.Class != ""
}

// edited is the document with a change.
func edited(m spool.Message, e tools.Edit) spool.Message {
	if e.Title != nil {
		m.Title = *e.Title
	}
	if e.Text != nil {
		m.Data = []byte(*e.Text)
	}
	if e.Tags != nil {
		m.Tags = *e.Tags
	}
	return m
}

// time is when something is written.
func (w writer) time() time.Time { return w.p.now().UTC() }

// erasedBefore reports whether a document was deleted for good.
func erasedBefore(ctx context.Context, store *embedded.Store, id corpora.DocID) (bool, error) {
	hash := embedded.ErasedHash(id)
	for erased, err := range store.Erased(ctx) {
		if err != nil || erased == hash {
			return erased == hash, err
		}
	}
	return false, nil
}

// oneDocument is a store of which a run looks at one document alone.
type oneDocument struct {
	ingest.Store
	looked *embedded.Store
	id     corpora.DocID
}

func (o oneDocument) Documents(ctx context.Context, _ string) iter.Seq2[corpora.Document, error] {
	return func(yield func(corpora.Document, error) bool) {
		d, err := o.looked.Lookup(ctx, o.id)
		if !errors.Is(err, index.ErrNotFound) {
			yield(d, err)
		}
	}
}
