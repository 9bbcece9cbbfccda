package ingest

import (
	"context"
	"errors"
	"fmt"
	"path"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
)

// Run brings the store up to date with the source. What a run that fails had
// committed stays, so running again goes on from there. Documents that cannot
// be taken in are in Summary.Quarantined and do not make the run fail.
func Run(ctx context.Context, o Options, source corpora.Source) (Summary, error) {
	o = o.WithDefaults()
	if err := o.validate(); err != nil {
		return Summary{}, fmt.Errorf("ingest: %w", err)
	}
	r := &run{
		Options: o, source: source, known: map[corpora.DocID]corpora.Document{},
		present: map[corpora.DocID]bool{}, seen: map[corpora.DocID]bool{},
	}
	r.sum = Summary{Source: source.Name(), Skipped: map[string]int{}, Quarantined: []Refused{}}
	r.started = o.Clock()
	err := r.all(ctx)
	r.sum.Seconds = o.Clock().Sub(r.started).Seconds()
	if err != nil {
		err = fmt.Errorf("ingest %s: %w", source.Name(), err)
	}
	return r.sum, err
}

// run is one run. The workers read known and nothing else of it; all the rest
// belongs to the goroutine of Run.
type run struct {
	Options
	source  corpora.Source
	known   map[corpora.DocID]corpora.Document // what the store had when the run began; never changes
	present map[corpora.DocID]bool             // what the store has now
	seen    map[corpora.DocID]bool             // what the source listed
	batch   batch
	flights []*flight // batches that the embedder has, oldest first
	moves   *moves    // nil until a new document was seen
	started time.Time
	listed  counter
	done    int
	refused int   // documents in a row that the embedder refused
	down    bool  // the embedder is down
	partial bool  // the listing broke off
	failed  error // why the run is not a success, though it goes on
	sum     Summary

	embedding sync.WaitGroup // goroutines of flights
}

func (r *run) all(ctx context.Context) error {
	if err := r.useModel(ctx); err != nil {
		return err
	}
	for d, err := range r.Store.Documents(ctx, r.source.Name()) {
		if err != nil {
			return fmt.Errorf("read what is indexed: %w", err)
		}
		r.known[d.ID], r.present[d.ID] = d, true
	}
	err := r.stream(ctx)
	if err == nil && r.sum.Complete {
		err = r.deleteUnseen(ctx)
	}
	return errors.Join(r.failed, err)
}

// stream takes the source's changes through the workers, and what they made, in
// the order of the listing, to the store.
func (r *run) stream(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer r.embedding.Wait()
	defer cancel()
	work, ordered := make(chan *job), make(chan *job, 4*r.Workers)
	wg.Go(func() { r.list(ctx, work, ordered) })
	for range r.Workers {
		wg.Go(func() {
			for j := range work {
				r.prepare(ctx, j)
				close(j.done)
			}
		})
	}
	return r.collect(ctx, ordered)
}

// list turns changes into jobs. Jobs that need no loading are done at once.
func (r *run) list(ctx context.Context, work, ordered chan<- *job) {
	defer close(ordered)
	defer close(work)
	defer r.listed.end()
	defer func() { // this goroutine has no caller that could; what was listed is taken in
		if fault := recover(); fault != nil {
			r.Logger.Error("panic in the source", "source", r.source.Name(), "panic", fault, "stack", string(debug.Stack()))
			j := &job{err: errListing, stage: StageList, done: make(chan struct{})}
			close(j.done)
			send(ctx, ordered, j)
		}
	}()
	for c, err := range r.source.Changes(ctx, "") {
		j := &job{change: c, err: err, stage: StageList, done: make(chan struct{})}
		loads := err == nil && c.Op == corpora.Put && !r.current(c) && !r.Erased(c.ID)
		if !loads {
			close(j.done)
		}
		r.listed.add()
		if !send(ctx, ordered, j) || loads && !send(ctx, work, j) {
			return
		}
	}
}

// errListing stands for a panic, whose text may quote a document.
var errListing = errors.New("the program failed while it listed the source: see the log")

func send(ctx context.Context, to chan<- *job, j *job) bool {
	select {
	case to <- j:
		return true
	case <-ctx.Done():
		return false
	}
}

// current reports whether the stored document is what the source has.
func (r *run) current(c corpora.Change) bool {
	old, ok := r.known[c.ID]
	return ok && c.Stamp != "" && old.Stamp == c.Stamp
}

// collect takes the jobs in order. It flushes when the batch is full or old.
func (r *run) collect(ctx context.Context, ordered <-chan *job) error {
	ticker := time.NewTicker(r.BatchInterval)
	defer ticker.Stop()
	for {
		j, more, err := receive(ctx, r, ordered, ticker.C)
		if err == nil && !more {
			err = r.finish(ctx)
		}
		if err != nil || !more {
			return errors.Join(err, ctx.Err())
		}
		if _, _, err := receive(ctx, r, j.done, ticker.C); err != nil {
			return err
		}
		if err := r.take(ctx, j); err != nil {
			return err
		}
		r.report()
	}
}

// finish commits what is left.
func (r *run) finish(ctx context.Context) error {
	if err := r.flush(ctx); err != nil {
		return err
	}
	if err := r.land(ctx, 0); err != nil {
		return err
	}
	r.report()
	return nil
}

// receive waits for a value or the end of from, and flushes and commits meanwhile.
func receive[T any](ctx context.Context, r *run, from <-chan T, flush <-chan time.Time) (v T, more bool, err error) {
	for {
		select {
		case v, more = <-from:
			return v, more, nil
		case <-flush:
			if err := r.flush(ctx); err != nil {
				return v, false, err
			}
		case <-r.landed():
			if err := r.commit(ctx); err != nil {
				return v, false, err
			}
		case <-ctx.Done():
			return v, false, ctx.Err()
		}
	}
}

// take deals with one job.
func (r *run) take(ctx context.Context, j *job) error {
	c := j.change
	switch {
	case j.err != nil && c.ID == "":
		r.failed, r.partial = errors.Join(r.failed, j.err), true // what was listed before it is taken in
		return nil
	case c.Op == corpora.Complete:
		r.sum.Complete = !r.partial
		return nil
	}
	r.done++
	if j.err == nil && c.Op == corpora.Delete {
		delete(r.seen, c.ID)
		return r.delete(ctx, c.ID)
	}
	if j.err == nil && r.Erased(c.ID) {
		r.sum.Erased++
		return nil
	}
	if r.seen[c.ID] {
		r.refuse(c.ID, StageList, errors.New("the source listed this id twice; the first document with it counts"), false)
		return nil
	}
	r.seen[c.ID] = true
	r.sum.Seen++
	return r.put(ctx, j)
}

// put takes a listed document in.
func (r *run) put(ctx context.Context, j *job) error {
	skipped := j.err == nil && r.current(j.change)
	if skipped && r.Expired(r.known[j.change.ID]) {
		r.sum.Expired++
		return r.delete(ctx, j.change.ID)
	}
	if skipped && r.present[j.change.ID] {
		r.sum.Unchanged++
		return nil
	}
	if skipped { // deleted since the run began, and here again
		r.prepare(ctx, j)
	}
	if j.err != nil {
		return r.fail(ctx, j)
	}
	r.sum.Bytes += int64(j.bytes)
	return r.store(ctx, j)
}

// store puts a prepared document into the batch. A revoke goes ahead of it and
// does not wait for an embedder; a grant comes with the text that it is for, so
// that nobody is shown the text before with the permissions of the text after.
func (r *run) store(ctx context.Context, j *job) error {
	d := j.document
	if r.Expired(d) {
		r.sum.Expired++
		return r.delete(ctx, d.ID)
	}
	old, ok := r.known[d.ID]
	newACL := ok && r.present[d.ID] && old.ACL.Key() != d.ACL.Key()
	switch {
	case ok && old.Version == d.Version && r.present[d.ID]:
		r.batch.updates = append(r.batch.updates, d)
		if newACL {
			r.sum.ACLChanged++
		} else {
			r.sum.Unchanged++
		}
		return r.flushFull(ctx)
	case ok && old.Version == d.Version: // deleted since the run began: it was not cut
		r.cut(j)
	case newACL:
		if err := r.Store.SetACL(ctx, d.ID, acl.Both(old.ACL, d.ACL)); err != nil {
			return err
		}
	}
	r.batch.puts = append(r.batch.puts, put{document: d, chunks: j.chunks})
	return r.flushFull(ctx)
}

// fail deals with a document that could not be prepared.
func (r *run) fail(ctx context.Context, j *job) error {
	id := j.change.ID
	known := r.present[id]
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(j.err, corpora.ErrGone):
		delete(r.seen, id)
		r.sum.Seen--
		return r.delete(ctx, id)
	case r.Keep:
		r.refuse(id, j.stage, j.err, false)
		return nil
	case unreadable(j.err):
		r.sum.Skipped[extension(id)]++
		return r.delete(ctx, id)
	case transient(j):
		r.refuse(id, j.stage, j.err, false)
		return nil
	}
	r.refuse(id, j.stage, j.err, known)
	if !known {
		return nil
	}
	return r.shut(ctx, id)
}

func extension(id corpora.DocID) string {
	if ext := strings.ToLower(path.Ext(string(id))); ext != "" {
		return ext
	}
	return "(none)"
}

// shut makes an indexed document readable by nobody. What it denies and requires
// stays: a grant that an administrator makes meanwhile opens it to nobody whom
// these would refuse. Its stamp goes: the next run must read it again even if it
// looks as it did before the fault.
func (r *run) shut(ctx context.Context, id corpora.DocID) error {
	d := r.known[id]
	if d.Stamp == "" && len(d.ACL.Allow()) == 0 {
		return nil // shut by an earlier run
	}
	d.ACL, d.Stamp = d.ACL.Instead(nil, d.ACL.Deny()), ""
	return r.Store.Update(ctx, d)
}

func (r *run) refuse(id corpora.DocID, stage Stage, err error, closed bool) {
	r.sum.Quarantined = append(r.sum.Quarantined, Refused{ID: id, Stage: stage, Reason: err.Error(), Closed: closed})
	r.Logger.Warn("document refused", "id", id, "stage", stage, "error", err)
}

// delete removes documents, also from the batch.
func (r *run) delete(ctx context.Context, ids ...corpora.DocID) error {
	for _, id := range ids {
		r.batch.drop(id)
		for _, f := range r.flights {
			f.dropped[id] = true
		}
	}
	ids = slices.DeleteFunc(ids, func(id corpora.DocID) bool { return !r.present[id] })
	if len(ids) == 0 {
		return nil
	}
	if err := r.Store.Delete(ctx, ids...); err != nil {
		return err
	}
	for _, id := range ids {
		delete(r.present, id)
	}
	r.sum.Deleted += len(ids)
	return nil
}

// deleteUnseen removes what a complete listing did not name.
func (r *run) deleteUnseen(ctx context.Context) error {
	var gone []corpora.DocID
	for id := range r.present {
		if !r.seen[id] {
			gone = append(gone, id)
		}
	}
	slices.Sort(gone)
	return r.delete(ctx, gone...)
}

func (r *run) report() {
	if r.Progress == nil {
		return
	}
	listed, ended := r.listed.get()
	r.Progress(Progress{
		Done: r.done, Listed: listed, Listing: !ended, Chunks: r.sum.Chunks, Bytes: r.sum.Bytes,
		Elapsed: r.Clock().Sub(r.started),
	})
}

// counter counts what the listing goroutine has listed.
type counter struct {
	mu    sync.Mutex
	n     int
	ended bool
}

func (c *counter) add() { c.mu.Lock(); c.n++; c.mu.Unlock() }
func (c *counter) end() { c.mu.Lock(); c.ended = true; c.mu.Unlock() }

func (c *counter) get() (n int, ended bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n, c.ended
}
