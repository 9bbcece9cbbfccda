package retrieval

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"ken/index"
	"ken/index/analyze"
)

// feedBack widens the query by RM3 pseudo-relevance feedback (Abdul-Jaleel et
// al., "UMass at TREC 2004: Novelty and HARD"): the terms that the best chunks
// use most join the query with a small weight. The chunks are readable ones,
// so what joins is nothing that the principal could not read.
func (s *Searcher) feedBack(ctx context.Context, v *snapshot, q index.TextQuery) (index.TextQuery, error) {
	p := s.Params
	if p.FeedbackChunks == 0 || p.FeedbackTerms == 0 || p.FeedbackWeight == 1 {
		return q, nil
	}
	ctx, end := Stage(ctx, StageFeedback)
	defer end()
	hits, err := v.SearchText(ctx, q, p.FeedbackChunks)
	if err != nil {
		return q, fmt.Errorf("search for feedback: %w", err)
	}
	sources, err := readSources(ctx, v, hits)
	if err != nil {
		return q, err
	}
	model := relevanceModel(sources, p.FeedbackTerms)
	q.Terms = interpolate(q.Terms, model, p.FeedbackWeight)
	return q, nil
}

// feedSource is a chunk that feeds terms back.
type feedSource struct {
	score    float64
	language string
	terms    []string // analysed, in order of the text
}

func readSources(ctx context.Context, v *snapshot, hits []index.Hit) ([]feedSource, error) {
	out := make([]feedSource, len(hits))
	for i, h := range hits {
		d, text, err := v.indexed(ctx, h.ID)
		if err != nil {
			return nil, err
		}
		language := cmp.Or(d.Language, analyze.Und)
		out[i] = feedSource{score: h.Score, language: language, terms: analyze.Terms(language, text)}
	}
	return out, nil
}

// weighted is a form with its share of a distribution over terms.
type weighted struct {
	index.Form
	weight float64
}

// feedbackPower sharpens the scores before they weigh the chunks: with three
// quarters of the best score a chunk has 3 % of the best one's say. RM3 weighs by
// the query's likelihood, which falls off exponentially; BM25 scores do not, and
// taken as they are let a wrong third chunk speak nearly as loud as a right first.
const feedbackPower = 12

// relevanceModel returns the n likeliest terms of the sources, likeliest first.
// A term's likelihood is the sum over the sources of
// (score / best score)^feedbackPower · tf / length; the n are scaled to sum to 1.
// There is no cut by document frequency: a term that is everywhere weighs
// little in BM25 anyway, and in a small corpus the cut removes the topic.
func relevanceModel(sources []feedSource, n int) []weighted {
	likelihood := make(map[index.Form]float64)
	best := bestScore(sources)
	for _, s := range sources {
		trust := math.Pow(s.score/best, feedbackPower)
		counts := make(map[string]int, len(s.terms))
		for _, t := range s.terms {
			counts[t]++
		}
		for t, tf := range counts { // each form gets one addition per source: order does not matter
			likelihood[index.Form{Language: s.language, Text: t}] += trust * float64(tf) / float64(len(s.terms))
		}
	}
	out := make([]weighted, 0, len(likelihood))
	for form, x := range likelihood {
		out = append(out, weighted{form, x})
	}
	out = likeliest(out, n)
	slices.SortFunc(out, compareWeighted)
	return normalize(out[:min(n, len(out))])
}

// likeliest leaves out what is less likely than the nth.
func likeliest(terms []weighted, n int) []weighted {
	if len(terms) <= n {
		return terms
	}
	weights := make([]float64, len(terms))
	for i, t := range terms {
		weights[i] = t.weight
	}
	slices.Sort(weights)
	least := weights[len(weights)-n]
	return slices.DeleteFunc(terms, func(t weighted) bool { return t.weight < least })
}

func bestScore(sources []feedSource) float64 {
	best := 0.0
	for _, s := range sources {
		best = max(best, s.score)
	}
	return best
}

func compareWeighted(a, b weighted) int {
	return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.Language, b.Language), cmp.Compare(a.Text, b.Text))
}

func normalize(terms []weighted) []weighted {
	var sum float64
	for _, t := range terms {
		sum += t.weight
	}
	for i := range terms {
		terms[i].weight /= sum
	}
	return terms
}

// interpolate returns the query with its weights scaled to sum to share, and
// the model's terms, which sum to 1 - share. A fed term that is a form of a
// query term adds to that term.
func interpolate(query []index.Term, model []weighted, share float64) []index.Term {
	if len(model) == 0 {
		return query
	}
	var sum float64
	for _, t := range query {
		sum += t.Weight
	}
	out := slices.Clone(query)
	place := make(map[index.Form]int)
	for i := range out {
		out[i].Weight *= share / sum
		for _, form := range out[i].Forms {
			if _, taken := place[form]; !taken {
				place[form] = i
			}
		}
	}
	for _, t := range model {
		if i, ok := place[t.Form]; ok {
			out[i].Weight += float64((1 - share) * t.weight)
		} else {
			out = append(out, index.Term{Forms: []index.Form{t.Form}, Weight: (1 - share) * t.weight})
		}
	}
	return out
}
