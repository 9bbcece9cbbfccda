package twin

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
	"ken/retrieval"
	"ken/tools"
)

// Leak is a fault that is planted in both servers: each tells, at one place,
// something about all the documents that it holds.
type Leak struct {
	Channel int    // in the list of docs/security.md
	Name    string // what goes through

	store    func(retrieval.Store, *Held) retrieval.Store
	searcher func(tools.Searcher, *Held) tools.Searcher
	wire     func(line []byte, h *Held) []byte
}

// LeakReport says whether a planted leak was noticed.
type LeakReport struct {
	Channel     int    `json:"channel"`
	Name        string `json:"name"`
	Caught      bool   `json:"caught"`
	Comparisons int    `json:"comparisons"` // until then
}

// Teeth plants each leak in turn and compares until it is noticed, for at most
// Options.Comparisons comparisons each. The report is r with the leaks in it.
func Teeth(ctx context.Context, o Options, r Report, leaks []Leak) (Report, error) {
	o, err := o.withDefaults()
	if err != nil {
		return r, err
	}
	var found []LeakReport
	for _, l := range leaks {
		got, err := run(ctx, o, l, true)
		if err != nil {
			return r, err
		}
		found = append(found, LeakReport{l.Channel, l.Name, got.DifferingBytes > 0, got.Comparisons})
	}
	return r.merge(found), nil
}

// Held is what a server holds, as no part that answers people may see it.
type Held struct {
	world      *world
	docs       map[corpora.DocID]document
	past       map[corpora.DocID][]document // what stood in them before, whoever might read it
	generation int                          // writes of content so far
}

func (h *Held) put(d document) {
	if old, ok := h.docs[d.ID]; ok && old.Version != d.Version {
		h.past[d.ID] = append(h.past[d.ID], old)
	}
	h.docs[d.ID] = d
	h.generation++
}

func (h *Held) remove(id corpora.DocID) {
	delete(h.docs, id)
	delete(h.past, id)
	h.generation++
}

// all returns the documents in order of their ids.
func (h *Held) all() []document {
	return slices.SortedFunc(maps.Values(h.docs), func(a, b document) int { return cmp.Compare(a.ID, b.ID) })
}

func (h *Held) hidden(p acl.Principal) []document {
	return slices.DeleteFunc(h.all(), func(d document) bool { return d.ACL.Admits(p, h.world.now) })
}

// with counts the documents in which one of the query's words stands.
func with(docs []document, query string) int {
	n := 0
	for _, d := range docs {
		if slices.ContainsFunc(strings.Fields(query), func(w string) bool { return strings.Contains(d.text, w) }) {
			n++
		}
	}
	return n
}

// leakySearcher replaces some of a searcher's answers; what is nil is honest.
type leakySearcher struct {
	tools.Searcher
	search    func(context.Context, acl.Principal, retrieval.Request) (retrieval.Response, error)
	fetch     func(context.Context, acl.Principal, corpora.DocID, int, int) (retrieval.Page, error)
	version   func(context.Context, acl.Principal, corpora.DocID, string, int, int) (retrieval.Page, error)
	versions  func(context.Context, acl.Principal, corpora.DocID) (index.Version, []index.Version, error)
	documents func(context.Context, acl.Principal, string, corpora.DocID, int) ([]corpora.Document, error)
}

func (l leakySearcher) Search(ctx context.Context, p acl.Principal, r retrieval.Request) (retrieval.Response, error) {
	if l.search == nil {
		return l.Searcher.Search(ctx, p, r)
	}
	return l.search(ctx, p, r)
}

func (l leakySearcher) Fetch(ctx context.Context, p acl.Principal, id corpora.DocID, offset, limit int) (retrieval.Page, error) {
	if l.fetch == nil {
		return l.Searcher.Fetch(ctx, p, id, offset, limit)
	}
	return l.fetch(ctx, p, id, offset, limit)
}

func (l leakySearcher) FetchVersion(ctx context.Context, p acl.Principal, id corpora.DocID, version string, offset, limit int) (retrieval.Page, error) {
	if l.version == nil {
		return l.Searcher.FetchVersion(ctx, p, id, version, offset, limit)
	}
	return l.version(ctx, p, id, version, offset, limit)
}

func (l leakySearcher) Versions(ctx context.Context, p acl.Principal, id corpora.DocID) (index.Version, []index.Version, error) {
	if l.versions == nil {
		return l.Searcher.Versions(ctx, p, id)
	}
	return l.versions(ctx, p, id)
}

func (l leakySearcher) Documents(ctx context.Context, p acl.Principal, prefix string, after corpora.DocID, limit int) ([]corpora.Document, error) {
	if l.documents == nil {
		return l.Searcher.Documents(ctx, p, prefix, after, limit)
	}
	return l.documents(ctx, p, prefix, after, limit)
}

// answers is a leak that changes what a search found.
func answers(change func(h *Held, p acl.Principal, r retrieval.Request, found *retrieval.Response)) func(tools.Searcher, *Held) tools.Searcher {
	return func(s tools.Searcher, h *Held) tools.Searcher {
		return leakySearcher{Searcher: s, search: func(ctx context.Context, p acl.Principal, r retrieval.Request) (retrieval.Response, error) {
			found, err := s.Search(ctx, p, r)
			if err == nil {
				change(h, p, r, &found)
			}
			return found, err
		}}
	}
}

// questions is a leak that changes what is searched for.
func questions(change func(h *Held, p acl.Principal, r *retrieval.Request)) func(tools.Searcher, *Held) tools.Searcher {
	return func(s tools.Searcher, h *Held) tools.Searcher {
		return leakySearcher{Searcher: s, search: func(ctx context.Context, p acl.Principal, r retrieval.Request) (retrieval.Response, error) {
			change(h, p, &r)
			return s.Search(ctx, p, r)
		}}
	}
}

// leakyStore gives leaky views, or views for somebody else.
type leakyStore struct {
	retrieval.Store
	who  func(acl.Principal) acl.Principal
	view func(index.View, acl.Principal) index.View
}

func (l leakyStore) View(ctx context.Context, p acl.Principal, at time.Time) (index.View, error) {
	if l.who != nil {
		p = l.who(p)
	}
	v, err := l.Store.View(ctx, p, at)
	if err == nil && l.view != nil {
		v = l.view(v, p)
	}
	return v, err
}

// hits is a leak that changes what the legs of a search found.
func hits(text, vector func(h *Held, p acl.Principal, found []index.Hit) []index.Hit) func(retrieval.Store, *Held) retrieval.Store {
	return func(s retrieval.Store, h *Held) retrieval.Store {
		return leakyStore{Store: s, view: func(v index.View, p acl.Principal) index.View {
			return leakyView{v, h, p, text, vector}
		}}
	}
}

// who is a leak that takes somebody for somebody else.
func who(change func(h *Held, p acl.Principal) acl.Principal) func(retrieval.Store, *Held) retrieval.Store {
	return func(s retrieval.Store, h *Held) retrieval.Store {
		return leakyStore{Store: s, who: func(p acl.Principal) acl.Principal { return change(h, p) }}
	}
}
