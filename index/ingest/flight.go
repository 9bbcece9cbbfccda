package ingest

import (
	"context"
	"runtime/debug"

	"ken/corpora"
	"ken/embed"
)

// maxFlights bounds the batches that are with the embedder at once, and so what
// waits in memory. Several keep an endpoint busy while one of them is committed.
const maxFlights = 4

// flight is a batch whose vectors are being made. Its documents are committed by
// the goroutine of Run, in the order in which flights began.
type flight struct {
	puts    []put
	dropped map[corpora.DocID]bool // deleted since
	done    chan struct{}          // closed when the rest is set
	vectors []embed.Vector
	err     error
}

// begin sends documents to the embedder.
func (r *run) begin(ctx context.Context, puts []put) {
	f := &flight{puts: puts, dropped: map[corpora.DocID]bool{}, done: make(chan struct{})}
	r.flights = append(r.flights, f)
	r.embedding.Go(func() {
		defer close(f.done)
		f.vectors, f.err = r.embed(ctx, puts)
	})
}

// landed is closed when the first flight can be committed; nil if there is none.
func (r *run) landed() <-chan struct{} {
	if len(r.flights) == 0 {
		return nil
	}
	return r.flights[0].done
}

// land waits until no more than some flights are left, and commits the others.
func (r *run) land(ctx context.Context, left int) error {
	for len(r.flights) > left {
		select {
		case <-r.landed():
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := r.commit(ctx); err != nil {
			return err
		}
	}
	return nil
}

// commit stores the first flight, which has landed.
func (r *run) commit(ctx context.Context) error {
	f := r.flights[0]
	r.flights = r.flights[1:]
	puts, vectors := f.left()
	switch {
	case len(puts) == 0:
		return nil
	case r.down:
		r.sum.Postponed += len(puts)
		return nil
	case f.err != nil:
		return r.flushEach(ctx, puts, f.err)
	}
	r.refused = 0
	return r.replace(ctx, puts, vectors)
}

// left is the flight without the documents that were deleted meanwhile.
func (f *flight) left() (puts []put, vectors []embed.Vector) {
	if len(f.dropped) == 0 {
		return f.puts, f.vectors
	}
	rest := f.vectors
	for _, p := range f.puts {
		n := min(len(p.chunks), len(rest)) // no vectors came with an error
		if !f.dropped[p.document.ID] {
			puts, vectors = append(puts, p), append(vectors, rest[:n]...)
		}
		rest = rest[n:]
	}
	return puts, vectors
}

// guarded is the embedder behind a recover: its goroutine has no caller that
// could. The panic's text may quote a document, so it is in the log only.
func (r *run) guarded(ctx context.Context, texts []string) (vectors []embed.Vector, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			r.Logger.Error("panic in the embedder", "panic", fault, "stack", string(debug.Stack()))
			err = errPanic
		}
	}()
	vectors, err = r.Embedder.Embed(ctx, embed.Passage, texts)
	if err == nil {
		err = embed.Check(vectors, len(texts), r.Embedder.Model().Dim)
	}
	return vectors, err
}
