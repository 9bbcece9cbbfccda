package twin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
	"ken/index/analyze"
	"ken/retrieval"
	"ken/tools"
)

// Leaks returns one planted leak or more for each of the 22 channels that
// docs/security.md lists.
func Leaks() []Leak {
	return []Leak{
		{Channel: 1, Name: "document frequency", store: hits(scaled(func(h *Held) float64 { return math.Log(2 + float64(len(h.docs))) }), nil)},
		{Channel: 2, Name: "average length", store: hits(scaled(averageLength), nil)},
		{Channel: 3, Name: "order alone, scores hidden", searcher: answers(reorder)},
		{Channel: 4, Name: "feedback terms", searcher: questions(feedback)},
		{Channel: 5, Name: "n-gram rescoring", searcher: answers(grams)},
		{Channel: 6, Name: "vectors centred by the corpus", store: hits(nil, centre)},
		{Channel: 7, Name: "permission after a cut of candidates", store: hits(starve, starve)},
		{Channel: 7, Name: "phrase looked for in a cut of all", store: phraseCut},
		{Channel: 8, Name: "totals", searcher: answers(total)},
		{Channel: 8, Name: "pages cut before the permission", searcher: shortPages},
		{Channel: 9, Name: "facets", searcher: answers(facets)},
		{Channel: 10, Name: "suggestions by prefix", searcher: suggestions},
		{Channel: 10, Name: "prefix expanded from the whole dictionary", store: expanded},
		{Channel: 11, Name: "forbidden is not unknown", searcher: forbidden},
		{Channel: 11, Name: "a version of it is not unknown", searcher: forbiddenVersion},
		{Channel: 11, Name: "versions that were closed are listed", searcher: allVersions},
		{Channel: 12, Name: "fetch from before the revoke", searcher: staleFetch},
		{Channel: 13, Name: "cache by question alone", searcher: sharedCache},
		{Channel: 14, Name: "error texts", searcher: errorTexts},
		{Channel: 15, Name: "resource lists", searcher: wholeList},
		{Channel: 15, Name: "list-changed notifications", wire: listChanged()},
		{Channel: 16, Name: "generation numbers", searcher: answers(generation)},
		{Channel: 16, Name: "sequential ids", searcher: answers(ordinal)},
		{Channel: 17, Name: "windows over a document's edge", searcher: answers(window)},
		{Channel: 18, Name: "folding into an unreadable duplicate", searcher: answers(fold)},
		{Channel: 19, Name: "groups by prefix", store: who(groupsByPrefix)},
		{Channel: 20, Name: "identifiers of another case", store: who(otherCase)},
		{Channel: 20, Name: "identifiers of another Unicode form", store: who(otherForm)},
		{Channel: 21, Name: "metrics in an answer", wire: metrics},
		{Channel: 22, Name: "degraded by an unreadable document", searcher: answers(degraded)},
	}
}

// scaled multiplies scores by a statistic of all documents.
func scaled(by func(*Held) float64) func(*Held, acl.Principal, []index.Hit) []index.Hit {
	return func(h *Held, _ acl.Principal, found []index.Hit) []index.Hit {
		factor := by(h)
		for i := range found {
			found[i].Score = math.Pow(found[i].Score, factor)
		}
		slices.SortFunc(found, index.Compare)
		return found
	}
}

func averageLength(h *Held) float64 {
	sum := 1
	for _, d := range h.docs {
		sum += len(d.text)
	}
	return float64(sum) / float64(100*(len(h.docs)+1))
}

// reorder moves the first result to the end if the number of documents is odd.
func reorder(h *Held, _ acl.Principal, _ retrieval.Request, found *retrieval.Response) {
	for i := range found.Results {
		found.Results[i].Score = 1
	}
	if n := len(found.Results); n > 1 && len(h.docs)%2 == 1 {
		found.Results = append(found.Results[1:n:n], found.Results[0])
	}
}

// feedback adds the word that follows the query's first word most often in all documents.
func feedback(h *Held, _ acl.Principal, r *retrieval.Request) {
	count := map[string]int{}
	first, _, _ := strings.Cut(r.Query, " ")
	for _, d := range h.docs {
		if fields := strings.Fields(d.text); slices.Contains(fields, first) {
			for _, w := range fields {
				count[w]++
			}
		}
	}
	best := ""
	for w, n := range count {
		if w != first && (best == "" || n > count[best] || n == count[best] && w < best) {
			best = w
		}
	}
	r.Query += " " + best
}

// grams adds to a score how many documents have the query's first four letters.
func grams(h *Held, _ acl.Principal, r retrieval.Request, found *retrieval.Response) {
	n := with(h.all(), r.Query[:min(4, len(r.Query))])
	for i := range found.Results {
		found.Results[i].Score /= 1 + float64(n)/1000
	}
}

// centre subtracts what stands in place of the mean vector: a number that depends on all texts.
func centre(h *Held, _ acl.Principal, found []index.Hit) []index.Hit {
	mean := averageLength(h)
	for i := range found {
		found[i].Score -= mean * float64(found[i].Key[0]) / 256
	}
	slices.SortFunc(found, index.Compare)
	return found
}

// starve looks at twelve candidates, whoever may read them.
func starve(h *Held, p acl.Principal, found []index.Hit) []index.Hit {
	return found[:min(len(found), max(0, 12-len(h.hidden(p))))]
}

func total(h *Held, p acl.Principal, r retrieval.Request, found *retrieval.Response) {
	found.Cut.Passages += with(h.hidden(p), r.Query)
}

// shortPages lists a page of all documents and then drops the unreadable ones.
func shortPages(s tools.Searcher, h *Held) tools.Searcher {
	return leakySearcher{Searcher: s, documents: func(ctx context.Context, p acl.Principal, prefix string, after corpora.DocID, limit int) ([]corpora.Document, error) {
		docs, err := s.Documents(ctx, p, prefix, after, limit)
		n := 0
		for _, d := range h.all() {
			if d.ID > after && strings.HasPrefix(string(d.ID), prefix) {
				if n++; n == min(limit, 10) {
					return slices.DeleteFunc(docs, func(x corpora.Document) bool { return x.ID > d.ID }), err
				}
			}
		}
		return docs, err
	}}
}

func facets(h *Held, _ acl.Principal, _ retrieval.Request, found *retrieval.Response) {
	count := map[string]int{}
	for _, d := range h.docs {
		count[d.Source]++
	}
	for i, r := range found.Results {
		found.Results[i].Document.Tags = append(slices.Clone(r.Document.Tags), fmt.Sprintf("%s (%d)", r.Document.Source, count[r.Document.Source]))
	}
}

// expanded takes a prefix for the first of the words that all documents have.
func expanded(s retrieval.Store, h *Held) retrieval.Store {
	const most = 3
	return askingOtherwise(s, func(q index.TextQuery) index.TextQuery {
		q.Terms = slices.Clone(q.Terms)
		for i, t := range q.Terms {
			if len(t.Forms) == 0 || !t.Forms[0].Prefix {
				continue
			}
			var words []string
			for _, d := range h.all() {
				for _, word := range analyze.Terms(d.Language, d.text) {
					if strings.HasPrefix(word, t.Forms[0].Text) {
						words = append(words, word)
					}
				}
			}
			slices.Sort(words)
			words = slices.Compact(words)
			q.Terms[i].Forms = nil
			for _, word := range words[:min(most, len(words))] {
				q.Terms = append(q.Terms, index.Term{Forms: formsIn(t, word), Weight: t.Weight})
			}
		}
		return q
	})
}

// formsIn is a word in the languages of a term.
func formsIn(t index.Term, word string) (out []index.Form) {
	for _, f := range t.Forms {
		out = append(out, index.Form{Language: f.Language, Text: word})
	}
	return out
}

// phraseCut looks for phrases in the first documents of all that have one of their words.
func phraseCut(s retrieval.Store, h *Held) retrieval.Store {
	const most = 5
	return askingOtherwise(s, func(q index.TextQuery) index.TextQuery {
		for _, phrase := range q.Filter.Phrases {
			some := []corpora.DocID{"none"}
			for _, d := range h.all() {
				if len(some) <= most && with([]document{d}, phrase) > 0 {
					some = append(some, d.ID)
				}
			}
			q.Filter.Documents = some
		}
		return q
	})
}

// askingOtherwise changes what views are asked for by words.
func askingOtherwise(s retrieval.Store, change func(index.TextQuery) index.TextQuery) retrieval.Store {
	return leakyStore{Store: s, view: func(v index.View, _ acl.Principal) index.View { return changedView{v, change} }}
}

type changedView struct {
	index.View
	change func(index.TextQuery) index.TextQuery
}

func (v changedView) SearchText(ctx context.Context, q index.TextQuery, k int) ([]index.Hit, error) {
	return v.View.SearchText(ctx, v.change(q), k)
}

// suggestions completes from all ids. A listing, which has no prefix, is honest.
func suggestions(s tools.Searcher, h *Held) tools.Searcher {
	return leakySearcher{Searcher: s, documents: func(ctx context.Context, p acl.Principal, prefix string, after corpora.DocID, limit int) ([]corpora.Document, error) {
		if prefix == "" {
			return s.Documents(ctx, p, prefix, after, limit)
		}
		return listed(h, prefix, after, limit), nil
	}}
}

// wholeList lists all documents. Completion, which has a prefix, is honest.
func wholeList(s tools.Searcher, h *Held) tools.Searcher {
	return leakySearcher{Searcher: s, documents: func(ctx context.Context, p acl.Principal, prefix string, after corpora.DocID, limit int) ([]corpora.Document, error) {
		if prefix != "" {
			return s.Documents(ctx, p, prefix, after, limit)
		}
		return listed(h, prefix, after, limit), nil
	}}
}

func listed(h *Held, prefix string, after corpora.DocID, limit int) []corpora.Document {
	var out []corpora.Document
	for _, d := range h.all() {
		if d.ID > after && strings.HasPrefix(string(d.ID), prefix) && len(out) < limit {
			out = append(out, d.Document)
		}
	}
	return out
}

func forbidden(s tools.Searcher, h *Held) tools.Searcher {
	return leakySearcher{Searcher: s, fetch: func(ctx context.Context, p acl.Principal, id corpora.DocID, offset, limit int) (retrieval.Page, error) {
		page, err := s.Fetch(ctx, p, id, offset, limit)
		if _, exists := h.docs[id]; exists && errors.Is(err, index.ErrNotFound) {
			return page, fmt.Errorf("%w: you may not read this document", retrieval.ErrQuery)
		}
		return page, err
	}}
}

func forbiddenVersion(s tools.Searcher, h *Held) tools.Searcher {
	return leakySearcher{
		Searcher: s, version: func(ctx context.Context, p acl.Principal, id corpora.DocID, version string, offset, limit int) (retrieval.Page, error) {
			page, err := s.FetchVersion(ctx, p, id, version, offset, limit)
			if _, exists := h.docs[id]; exists && errors.Is(err, index.ErrNotFound) {
				return page, fmt.Errorf("%w: this version is not kept", retrieval.ErrQuery)
			}
			return page, err
		},
	}
}

// allVersions lists the versions of a readable document that were closed when they were replaced, too.
func allVersions(s tools.Searcher, h *Held) tools.Searcher {
	return leakySearcher{
		Searcher: s, versions: func(ctx context.Context, p acl.Principal, id corpora.DocID) (index.Version, []index.Version, error) {
			now, earlier, err := s.Versions(ctx, p, id)
			if err != nil {
				return now, earlier, err
			}
			earlier = nil
			for _, old := range h.past[id] {
				earlier = append(earlier, index.Version{Document: old.Document})
			}
			return now, earlier, nil
		},
	}
}

// staleFetch keeps pages until their document is deleted; a revoke does not reach them.
func staleFetch(s tools.Searcher, h *Held) tools.Searcher {
	type key struct {
		p  string
		id corpora.DocID
	}
	pages := map[key]retrieval.Page{}
	return leakySearcher{Searcher: s, fetch: func(ctx context.Context, p acl.Principal, id corpora.DocID, offset, limit int) (retrieval.Page, error) {
		page, err := s.Fetch(ctx, p, id, offset, limit)
		k := key{p.Key(), id}
		if err == nil {
			pages[k] = page
		}
		if old, ok := pages[k]; ok && errors.Is(err, index.ErrNotFound) {
			if _, exists := h.docs[id]; exists {
				return old, nil
			}
		}
		return page, err
	}}
}

// sharedCache forgets who asked.
func sharedCache(s tools.Searcher, h *Held) tools.Searcher {
	cache, of := map[string]retrieval.Response{}, 0
	return leakySearcher{Searcher: s, search: func(ctx context.Context, p acl.Principal, r retrieval.Request) (retrieval.Response, error) {
		if of != h.generation {
			clear(cache)
			of = h.generation
		}
		key, _, _ := strings.Cut(r.Query, " ")
		if found, ok := cache[key]; ok {
			return found, nil
		}
		found, err := s.Search(ctx, p, r)
		if err == nil {
			cache[key] = found
		}
		return found, err
	}}
}

func errorTexts(s tools.Searcher, h *Held) tools.Searcher {
	return leakySearcher{Searcher: s, fetch: func(ctx context.Context, p acl.Principal, id corpora.DocID, offset, limit int) (retrieval.Page, error) {
		page, err := s.Fetch(ctx, p, id, offset, limit)
		if errors.Is(err, retrieval.ErrQuery) {
			return page, fmt.Errorf("%w (%d documents)", err, len(h.docs))
		}
		return page, err
	}}
}

func generation(h *Held, _ acl.Principal, _ retrieval.Request, found *retrieval.Response) {
	for i := range found.Results {
		found.Results[i].Document.Version += fmt.Sprintf("-%d", h.generation)
		found.Results[i].Document.Class += fmt.Sprintf("-%d", h.generation)
	}
}

// ordinal shows a document's place among all.
func ordinal(h *Held, _ acl.Principal, _ retrieval.Request, found *retrieval.Response) {
	all := h.all()
	for i, r := range found.Results {
		at := slices.IndexFunc(all, func(d document) bool { return d.ID == r.Document.ID })
		found.Results[i].Document.URL = fmt.Sprintf("https://kb.example.com/%d", at)
	}
}

// window shows, with a document's last passage, how the next document begins.
func window(h *Held, _ acl.Principal, _ retrieval.Request, found *retrieval.Response) {
	all := h.all()
	for _, r := range found.Results {
		next := 1 + slices.IndexFunc(all, func(d document) bool { return d.ID == r.Document.ID })
		if n := len(r.Passages); n > 0 && next < len(all) {
			r.Passages[n-1].Text += all[next].text[:10]
		}
	}
}

// fold leaves out what an unreadable document says too.
func fold(h *Held, p acl.Principal, _ retrieval.Request, found *retrieval.Response) {
	found.Results = slices.DeleteFunc(found.Results, func(r retrieval.Result) bool {
		return slices.ContainsFunc(h.hidden(p), func(d document) bool { return d.text == h.docs[r.Document.ID].text })
	})
}

// groupsByPrefix gives who is in group:hr whatever group:hr2 may read.
func groupsByPrefix(h *Held, p acl.Principal) acl.Principal {
	return extended(p, func(held, s acl.Subject) bool { return !held.IsUser() && strings.HasPrefix(string(s), string(held)) })
}

func otherCase(h *Held, p acl.Principal) acl.Principal {
	return extended(p, func(held, s acl.Subject) bool { return strings.EqualFold(string(held), string(s)) })
}

func otherForm(h *Held, p acl.Principal) acl.Principal {
	fold := strings.NewReplacer("e\u0308", "\u00eb").Replace
	return extended(p, func(held, s acl.Subject) bool { return fold(string(held)) == fold(string(s)) })
}

// extended gives p the subjects that are taken for one that it holds.
func extended(p acl.Principal, same func(held, s acl.Subject) bool) acl.Principal {
	subjects := p.Subjects()
	for _, s := range slices.Concat(users, groups) {
		if slices.ContainsFunc(p.Subjects(), func(held acl.Subject) bool { return same(held, s) }) {
			subjects = append(subjects, s)
		}
	}
	return acl.NewPrincipal(subjects...)
}

// metrics tells how many documents there are beside every answer.
func metrics(line []byte, h *Held) []byte {
	return bytes.Replace(line, []byte(`"jsonrpc"`), fmt.Appendf(nil, `"documents":%d,"jsonrpc"`, len(h.docs)), 1)
}

// listChanged tells every client when a document was written.
func listChanged() func([]byte, *Held) []byte {
	return func(line []byte, h *Held) []byte {
		if h.generation%7 == 0 { // as if a write had happened since the last answer
			return append([]byte(`{"jsonrpc":"2.0","method":"notifications/resources/list_changed"}`+"\n"), line...)
		}
		return line
	}
}

func degraded(h *Held, p acl.Principal, _ retrieval.Request, found *retrieval.Response) {
	if slices.ContainsFunc(h.hidden(p), func(d document) bool { return d.noise != 0 || d.Language == "zh" }) {
		found.Degraded = append(found.Degraded, retrieval.DegradedVector)
	}
}

// leakyView changes the hits of an honest view.
type leakyView struct {
	index.View
	held         *Held
	who          acl.Principal
	text, vector func(*Held, acl.Principal, []index.Hit) []index.Hit
}

func (v leakyView) SearchText(ctx context.Context, q index.TextQuery, k int) ([]index.Hit, error) {
	found, err := v.View.SearchText(ctx, q, k)
	if err == nil && v.text != nil {
		found = v.text(v.held, v.who, found)
	}
	return found, err
}

func (v leakyView) SearchVector(ctx context.Context, q embed.Vector, f index.Filter, k int) ([]index.Hit, error) {
	found, err := v.View.SearchVector(ctx, q, f, k)
	if err == nil && v.vector != nil {
		found = v.vector(v.held, v.who, found)
	}
	return found, err
}
