package indextest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"

	"ken/corpora"
	"ken/embed"
	"ken/index"
)

// probe is the questions that are put to two views.
type probe struct {
	texts   []textProbe
	vectors []vectorProbe
	ids     []corpora.DocID
}

type textProbe struct {
	query index.TextQuery
	k     int
}

type vectorProbe struct {
	query  embed.Vector
	filter index.Filter
	k      int
}

// difference returns the first thing that two views answer differently, "" if
// there is none. Scores may differ by tolerance, and hits with scores that
// close may come in another order; with tolerance 0 all must be equal to the bit.
func difference(ctx context.Context, got, want index.View, p probe, tolerance float64) string {
	if g, w := got.Languages(), want.Languages(); !slices.Equal(g, w) {
		return fmt.Sprintf("languages %q, want %q", g, w)
	}
	if g, w := got.Model(), want.Model(); g != w {
		return fmt.Sprintf("model %+v, want %+v", g, w)
	}
	if d := documentsDiffer(ctx, got, want); d != "" {
		return d
	}
	for _, id := range p.ids {
		if d := documentDiffers(ctx, got, want, id); d != "" {
			return fmt.Sprintf("document %q: %s", id, d)
		}
	}
	for _, t := range p.texts {
		g, gerr := got.SearchText(ctx, t.query, t.k)
		w, werr := want.SearchText(ctx, t.query, t.k)
		if d := cmp.Or(errorsDiffer(gerr, werr), hitsDiffer(g, w, tolerance)); d != "" {
			return fmt.Sprintf("text search %+v: %s", t, d)
		}
	}
	for _, v := range p.vectors {
		g, gerr := got.SearchVector(ctx, v.query, v.filter, v.k)
		w, werr := want.SearchVector(ctx, v.query, v.filter, v.k)
		if d := cmp.Or(errorsDiffer(gerr, werr), hitsDiffer(g, w, tolerance)); d != "" {
			return fmt.Sprintf("vector search %+v: %s", v, d)
		}
	}
	return ""
}

func documentsDiffer(ctx context.Context, got, want index.View) string {
	for _, limit := range []int{0, 1, 3, math.MaxInt} {
		for _, prefix := range []string{"", "wiki/", "wiki/a", "none"} {
			for _, after := range []corpora.DocID{"", "wiki/a/", "zzz"} {
				g, gerr := got.Documents(ctx, prefix, after, limit)
				w, werr := want.Documents(ctx, prefix, after, limit)
				if d := errorsDiffer(gerr, werr); d != "" {
					return "documents: " + d
				}
				if !slices.EqualFunc(g, w, sameDocument) {
					return fmt.Sprintf("documents with %q after %q up to %d: %v, want %v", prefix, after, limit, g, w)
				}
			}
		}
	}
	return ""
}

func documentDiffers(ctx context.Context, got, want index.View, id corpora.DocID) string {
	g, gids, gerr := got.Document(ctx, id)
	w, wids, werr := want.Document(ctx, id)
	if d := errorsDiffer(gerr, werr); d != "" || werr != nil {
		return d
	}
	if !sameDocument(g, w) {
		return fmt.Sprintf("metadata %+v, want %+v", g, w)
	}
	gc, gerr := got.Chunks(ctx, gids)
	wc, werr := want.Chunks(ctx, wids)
	if d := errorsDiffer(gerr, werr); d != "" {
		return "chunks: " + d
	}
	if !slices.EqualFunc(gc, wc, sameChunk) {
		return fmt.Sprintf("chunks %+v, want %+v", gc, wc)
	}
	for _, grams := range []bool{true, false} {
		g, gerr := got.Outlines(ctx, gids, grams)
		w, werr := want.Outlines(ctx, wids, grams)
		if d := errorsDiffer(gerr, werr); d != "" {
			return "outlines: " + d
		}
		if !reflect.DeepEqual(g, w) {
			return fmt.Sprintf("outlines %+v, want %+v", g, w)
		}
	}
	return ""
}

func sameDocument(a, b corpora.Document) bool {
	if !a.Modified.Equal(b.Modified) || !slices.Equal(a.Tags, b.Tags) || a.ACL.Key() != b.ACL.Key() {
		return false
	}
	a.Modified, a.Tags, a.ACL = b.Modified, b.Tags, b.ACL
	return reflect.DeepEqual(a, b)
}

// sameChunk compares all but the handle, which is a store's own.
func sameChunk(a, b index.Chunk) bool {
	if !slices.Equal(a.Heading, b.Heading) {
		return false
	}
	a.ID, a.Heading = b.ID, b.Heading
	return reflect.DeepEqual(a, b)
}

// errorsDiffer compares errors by what callers ask of them.
func errorsDiffer(got, want error) string {
	same := (got == nil) == (want == nil)
	for _, sentinel := range []error{index.ErrNotFound, index.ErrModel} {
		same = same && errors.Is(got, sentinel) == errors.Is(want, sentinel)
	}
	if same {
		return ""
	}
	return fmt.Sprintf("error %v, want %v", got, want)
}

// hitsDiffer compares keys and scores, place by place. Within a run of scores
// that are as good as equal the keys may be permuted; the last run may have been
// cut by k anywhere, so there the scores must do.
func hitsDiffer(got, want []index.Hit, tolerance float64) string {
	if len(got) != len(want) {
		return fmt.Sprintf("%d hits, want %d", len(got), len(want))
	}
	for i := range got {
		if !(math.Abs(got[i].Score-want[i].Score) <= tolerance) {
			return fmt.Sprintf("hit %d has score %v, want %v", i, got[i].Score, want[i].Score)
		}
		if tolerance == 0 && got[i].Key != want[i].Key {
			return fmt.Sprintf("hit %d is %x, want %x", i, got[i].Key, want[i].Key)
		}
	}
	for from := 0; tolerance > 0 && from < len(want); {
		to := from + 1
		for to < len(want) && want[to-1].Score-want[to].Score <= 2*tolerance {
			to++
		}
		if to < len(want) && !slices.Equal(keys(got[from:to]), keys(want[from:to])) {
			return fmt.Sprintf("hits %d to %d are %x, want %x", from, to, keys(got[from:to]), keys(want[from:to]))
		}
		from = to
	}
	return ""
}

func keys(hits []index.Hit) []index.Key {
	out := make([]index.Key, len(hits))
	for i, h := range hits {
		out[i] = h.Key
	}
	slices.SortFunc(out, func(a, b index.Key) int { return slices.Compare(a[:], b[:]) })
	return out
}

// listsDiffer compares what operators see.
func listsDiffer(ctx context.Context, got, want Store) string {
	for _, source := range []string{"", "mail"} {
		g, gerr := list(ctx, got, source)
		w, werr := list(ctx, want, source)
		if d := errorsDiffer(gerr, werr); d != "" {
			return "list: " + d
		}
		if !slices.EqualFunc(g, w, sameDocument) {
			return fmt.Sprintf("list of %q: %+v, want %+v", source, g, w)
		}
	}
	return ""
}

func list(ctx context.Context, s Store, source string) ([]corpora.Document, error) {
	var out []corpora.Document
	for d, err := range s.Documents(ctx, source) {
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}
