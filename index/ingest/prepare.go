package ingest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"syscall"

	"ken/corpora"
	"ken/corpora/extract"
	"ken/corpora/protect"
	"ken/index"
	"ken/index/analyze"
	"ken/index/chunk"
)

// job is one listed document on its way. done is closed when the rest is set.
type job struct {
	change corpora.Change
	err    error // of the listing; then there is nothing to load
	done   chan struct{}

	document corpora.Document
	text     extract.Text
	chunks   []index.Chunk
	bytes    int
	stage    Stage // where err happened
}

// prepare does all that needs neither store nor embedder. A parser that panics
// is a fault of the document that it was given.
func (r *run) prepare(ctx context.Context, j *job) {
	defer func() {
		if fault := recover(); fault != nil {
			r.Logger.Error("panic on a document", "id", j.change.ID, "stage", j.stage, "panic", fault, "stack", string(debug.Stack()))
			j.err = errPanic
		}
	}()
	j.stage = StageLoad
	data, err := j.load(ctx, r.source.Name())
	if err == nil {
		j.stage = StageExtract
		err = r.extract(ctx, j, data)
	}
	j.err = err
}

// errPanic is the reason in the summary; the panic itself is in the log only,
// since its text may quote the document.
var errPanic = errors.New("the program failed on this document: see the log")

func (j *job) load(ctx context.Context, source string) ([]byte, error) {
	d, data, err := j.change.Load(ctx)
	if err != nil {
		return nil, err
	}
	if d.ID != j.change.ID {
		return nil, fmt.Errorf("the source listed %q and loaded %q", j.change.ID, d.ID)
	}
	if d.Source != source { // the next run would not find it, and so never delete it
		return nil, fmt.Errorf("the document says that it comes from %q, and was listed by %q", d.Source, source)
	}
	j.document, j.bytes = d, len(data)
	return data, nil
}

func (r *run) extract(ctx context.Context, j *job, data []byte) error {
	text, err := r.Extract.Extract(ctx, extract.Input{Path: j.document.Path, MediaType: j.document.MediaType, Data: data})
	if err != nil {
		return err
	}
	d := &j.document
	if d.Title == "" {
		d.Title = text.Title
	}
	if d.Language == "" {
		d.Language = text.Language
	}
	if d.Language == "" {
		d.Language = analyze.Detect(text.Body)
	}
	raise(d, text.Class)
	d.Version, j.text = Version(*d, text.Body), text
	if old, ok := r.known[d.ID]; ok && old.Version == d.Version {
		return nil // the stored chunks are these
	}
	r.cut(j)
	return nil
}

// raise gives a document the class that its content calls for, if that is
// stricter. Where classes are held against clearances, so is this one.
func raise(d *corpora.Document, class string) {
	higher := protect.Higher(d.Class, class)
	if higher == d.Class {
		return
	}
	if len(d.ACL.Requires()) > 0 {
		d.ACL = d.ACL.Classified(higher)
	}
	d.Class = higher
}

// cut makes the chunks of an extracted document.
func (r *run) cut(j *job) {
	j.chunks = chunk.Split(j.text.Body, j.text.MediaType, r.Chunk)
	for i := range j.chunks {
		j.chunks[i].Doc = j.document.ID
	}
}

// unreadable reports whether the document's format is one that is not read,
// which is no fault of the document.
func unreadable(err error) bool { return errors.Is(err, extract.ErrUnsupported) }

// transient reports whether a load failed for want of something that has
// nothing to do with the document: time, connections, file descriptors, memory.
// What is indexed then stays as it is. Everything else closes the document,
// because its permissions may be what has changed.
func transient(j *job) bool {
	if j.stage != StageLoad {
		return false
	}
	if timeout, ok := errors.AsType[interface {
		error
		Timeout() bool
	}](j.err); ok && timeout.Timeout() {
		return true
	}
	return slices.ContainsFunc([]error{
		corpora.ErrUnavailable, syscall.EMFILE, syscall.ENFILE, syscall.EAGAIN, syscall.EINTR, syscall.EBUSY, syscall.ENOMEM,
		syscall.ECONNREFUSED, syscall.ECONNRESET, syscall.EPIPE, io.ErrUnexpectedEOF,
	}, func(target error) bool { return errors.Is(j.err, target) })
}
