package twin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
)

// Options of [Run] and [Teeth].
type Options struct {
	// Place prepares an empty place for a store and returns what opens the
	// store that lies there; it is called again after the store was closed.
	Place func() (open func() (Store, error), err error)
	// Embedder makes the vectors of documents and queries.
	Embedder embed.Embedder

	Seed        uint64 // of the first world
	Comparisons int    // at least so many; 0 is 10,000
	Workers     int    // worlds at once; 0 is one per processor
}

func (o Options) withDefaults() (Options, error) {
	if o.Place == nil || o.Embedder == nil {
		return o, errors.New("twin: no store or no embedder")
	}
	if o.Comparisons == 0 {
		o.Comparisons = 10_000
	}
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	return o, nil
}

// Report is what came out; twin.json holds it.
type Report struct {
	Comparisons    int `json:"comparisons"`
	DifferingBytes int `json:"differing_bytes"`
	Worlds         int `json:"worlds"`
	Changes        int `json:"changes"`         // made between requests
	Controls       int `json:"controls"`        // documents granted on one side alone
	ControlsMissed int `json:"controls_missed"` // that changed no answer
	Planted        int `json:"planted"`
	Caught         int `json:"caught"`

	Bytes       int64          `json:"bytes_compared"`
	Methods     map[string]int `json:"methods"` // comparisons by method
	Differences []Difference   `json:"differences,omitempty"`
	Leaks       []LeakReport   `json:"leaks,omitempty"`
}

// Difference is an answer that was not the same.
type Difference struct {
	Seed    uint64 `json:"seed"` // of the world
	Person  string `json:"person"`
	After   string `json:"after"` // what happened last
	Request string `json:"request"`
	All     string `json:"all"` // around the first byte that differs
	Own     string `json:"own"`
}

const maxDifferences = 5

func (r *Report) add(other Report) {
	r.Comparisons += other.Comparisons
	r.DifferingBytes += other.DifferingBytes
	r.Worlds += other.Worlds
	r.Changes += other.Changes
	r.Controls += other.Controls
	r.ControlsMissed += other.ControlsMissed
	r.Bytes += other.Bytes
	if r.Methods == nil {
		r.Methods = map[string]int{}
	}
	for m, n := range other.Methods {
		r.Methods[m] += n
	}
	r.Differences = append(r.Differences, other.Differences...)
	r.Differences = r.Differences[:min(len(r.Differences), maxDifferences)]
}

// Run compares until Options.Comparisons are reached. Differences are no error:
// they stand in the report.
func Run(ctx context.Context, o Options) (Report, error) {
	o, err := o.withDefaults()
	if err != nil {
		return Report{}, err
	}
	return run(ctx, o, Leak{}, false)
}

// run compares worlds in parallel; with first, until the first difference.
func run(ctx context.Context, o Options, leak Leak, first bool) (total Report, err error) {
	var (
		mu   sync.Mutex
		wg   sync.WaitGroup
		next atomic.Uint64
	)
	enough := func() bool {
		mu.Lock()
		defer mu.Unlock()
		return err != nil || total.Comparisons >= o.Comparisons || first && total.DifferingBytes > 0
	}
	for range o.Workers {
		wg.Go(func() {
			for !enough() {
				got, werr := compareWorld(ctx, o, leak, o.Seed+next.Add(1)-1, first)
				mu.Lock()
				total.add(got)
				err = errors.Join(err, werr)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return total, err
}

// Sizes of a world's comparison.
const (
	personsPerWorld   = 3
	requestsAtFirst   = 48
	changesPerPerson  = 8
	requestsPerChange = 10
)

// pair is the two servers of one person.
type pair struct {
	world    *world
	seed     uint64
	person   acl.Principal
	all, own *side
	report   Report
	after    string // last change
	first    bool   // stop at the first difference
}

func compareWorld(ctx context.Context, o Options, leak Leak, seed uint64, first bool) (Report, error) {
	w := newWorld(seed)
	total := Report{Worlds: 1}
	for range personsPerWorld {
		p := &pair{world: w, seed: seed, person: w.person(), first: first, after: "the beginning"}
		err := errors.Join(p.open(ctx, o, leak), p.close())
		total.add(p.report)
		if err != nil {
			return total, fmt.Errorf("world %d, after %s: %w", seed, p.after, err)
		}
		if first && total.DifferingBytes > 0 {
			break
		}
	}
	return total, nil
}

// open builds the two servers and goes through the comparison.
func (p *pair) open(ctx context.Context, o Options, leak Leak) (err error) {
	p.report.Methods, p.world.past = map[string]int{}, map[corpora.DocID][]document{}
	if p.all, err = newSide(ctx, p.world, o, leak, p.world.docs); err != nil {
		return err
	}
	readable, _ := p.world.split(p.person)
	mine := make([]document, len(readable))
	for i, at := range readable {
		mine[len(mine)-1-i] = p.world.docs[at] // in another order
	}
	if p.own, err = newSide(ctx, p.world, o, leak, mine); err != nil {
		return err
	}
	for range 4 { // so that there are earlier versions
		if err := errors.Join(p.edit(ctx), p.editOwn(ctx)); err != nil {
			return err
		}
	}
	if err := p.compare(ctx, requestsAtFirst); err != nil {
		return err
	}
	for range changesPerPerson {
		if p.done() {
			return nil
		}
		if err := p.change(ctx); err != nil {
			return err
		}
		p.report.Changes++
		if err := p.compare(ctx, requestsPerChange); err != nil {
			return err
		}
	}
	if p.done() {
		return nil
	}
	return p.control(ctx)
}

func (p *pair) done() bool { return p.first && p.report.DifferingBytes > 0 }

func (p *pair) close() error {
	var errs []error
	for _, s := range []*side{p.all, p.own} {
		if s != nil {
			errs = append(errs, s.close())
		}
	}
	return errors.Join(errs...)
}

func (p *pair) compare(ctx context.Context, n int) error {
	for _, r := range p.world.requests(p.person, n) {
		if err := p.same(ctx, r); err != nil {
			return err
		}
	}
	return nil
}

// same puts one request to both and follows the cursors that they give.
func (p *pair) same(ctx context.Context, r request) error {
	for {
		a, b, err := p.both(ctx, r)
		if err != nil {
			return err
		}
		p.report.Comparisons++
		p.report.Methods[r.method]++
		p.report.Bytes += int64(len(b))
		if !bytes.Equal(a, b) {
			p.differ(r, a, b)
			return nil
		}
		var page struct {
			Result struct {
				NextCursor string `json:"nextCursor"`
			} `json:"result"`
		}
		if json.Unmarshal(b, &page) != nil || page.Result.NextCursor == "" {
			return nil
		}
		r = newRequest(1, r.modern, r.method, map[string]any{"cursor": page.Result.NextCursor})
	}
}

func (p *pair) both(ctx context.Context, r request) (a, b []byte, err error) {
	if a, err = p.all.ask(ctx, p.person, r); err != nil {
		return nil, nil, err
	}
	b, err = p.own.ask(ctx, p.person, r)
	return a, b, err
}

func (p *pair) differ(r request, a, b []byte) {
	p.report.DifferingBytes += differing(a, b)
	if len(p.report.Differences) < maxDifferences {
		at := 0
		for at < min(len(a), len(b)) && a[at] == b[at] {
			at++
		}
		part := func(s []byte) string { return string(s[min(len(s), max(0, at-80)):min(len(s), at+80)]) }
		p.report.Differences = append(p.report.Differences, Difference{
			Seed: p.seed, Person: fmt.Sprint(p.person.Subjects()), After: p.after, Request: string(r.line), All: part(a), Own: part(b),
		})
	}
}

// differing counts the bytes of the longer answer that the other does not have in that place.
func differing(a, b []byte) int {
	n := max(len(a), len(b)) - min(len(a), len(b))
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}

// control grants one document on one side alone: an answer has to change.
func (p *pair) control(ctx context.Context) error {
	_, hidden := p.world.split(p.person)
	if len(hidden) == 0 {
		return nil
	}
	d := p.world.docs[pick(p.world, hidden)]
	before := d.ACL
	d.ACL = p.world.openTo(p.person)
	if err := p.all.setACL(ctx, d); err != nil {
		return err
	}
	method, params := call("fetch", map[string]any{"id": string(d.ID)})
	a, b, err := p.both(ctx, newRequest(1, false, method, params))
	if err != nil {
		return err
	}
	p.report.Controls++
	if bytes.Equal(a, b) {
		p.report.ControlsMissed++
	}
	d.ACL = before
	return p.all.setACL(ctx, d)
}

// Sound reports whether the report shows what it is to show: nothing differs, and
// the comparison could have found it.
func (r Report) Sound() error {
	var problems []error
	if r.DifferingBytes > 0 {
		problems = append(problems, fmt.Errorf("%d bytes differ in %d comparisons", r.DifferingBytes, r.Comparisons))
	}
	if r.Controls == 0 || r.ControlsMissed > 0 {
		problems = append(problems, fmt.Errorf("%d of %d documents that were granted on one side changed no answer", r.ControlsMissed, r.Controls))
	}
	for _, l := range r.Leaks {
		if !l.Caught {
			problems = append(problems, fmt.Errorf("the leak %q (channel %d) was not noticed in %d comparisons", l.Name, l.Channel, l.Comparisons))
		}
	}
	return errors.Join(problems...)
}

// merge puts the leaks' reports into r.
func (r Report) merge(leaks []LeakReport) Report {
	r.Leaks = slices.Clone(leaks)
	r.Planted, r.Caught = len(leaks), 0
	for _, l := range leaks {
		if l.Caught {
			r.Caught++
		}
	}
	return r
}
