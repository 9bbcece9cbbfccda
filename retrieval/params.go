package retrieval

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Fusion says how the two legs become one ranking.
type Fusion string

// The fusions.
const (
	// Convex adds the legs' scores, each scaled to 0..1 by its own least and
	// greatest: (1 - alpha) · lexical + alpha · vector.
	Convex Fusion = "convex"
	// RRF adds 1/(60 + rank) over the legs (Cormack, Clarke and Büttcher,
	// "Reciprocal Rank Fusion outperforms Condorcet and individual Rank
	// Learning Methods", 2009). It needs no scores and loses to Convex when
	// one leg is weak.
	RRF Fusion = "rrf"
)

// ModelAlpha as Params.Alpha takes the weight from the embedder's model.
const ModelAlpha = -1

// Params are the numbers of the ranking. [DefaultParams] has the measured
// ones (docs/adr/0007-ranking-recipe.md); they are not tuned to one set.
// Plain BM25 over
// title and text is Title = 1, FeedbackTerms = 0 and GramWeight = 0.
type Params struct {
	K1    float64 // k1: BM25F, where a term's frequency saturates
	B     float64 // b: BM25F, how much a field's length counts
	Title float64 // title: weight of the title field; the body's is 1

	FeedbackChunks int     // rm3_docs: chunks that feed terms back
	FeedbackTerms  int     // rm3_terms: terms fed back; 0 turns feedback off
	FeedbackWeight float64 // rm3_weight: share of the original query, 0 to 1

	GramWeight float64 // gram_weight: share of the gram score, 0 to 1; 0 turns it off

	Depth  int     // depth: chunks taken from each leg
	Fusion Fusion  // fusion: convex or rrf
	Alpha  float64 // alpha: share of the vector leg, 0 to 1, or ModelAlpha

	Superseded float64 // superseded: factor on the score of superseded documents
	Draft      float64 // draft: factor on the score of drafts
	Fold       float64 // fold: similarity from which two passages are one; above 1 turns it off
	Rerank     int     // rerank: chunks handed to the reranker, if there is one
}

// DefaultParams returns the parameters in force unless others are given.
func DefaultParams() Params {
	return Params{
		K1: 1.2, B: .75, Title: 3,
		FeedbackChunks: 3, FeedbackTerms: 20, FeedbackWeight: .8,
		GramWeight: .3,
		Depth:      200, Fusion: Convex, Alpha: ModelAlpha,
		Superseded: .5, Draft: .7, Fold: .9, Rerank: 30,
	}
}

// Set changes one parameter, written name=value as in "k1=0.9".
func (p *Params) Set(assignment string) error {
	name, value, ok := strings.Cut(assignment, "=")
	if !ok {
		return fmt.Errorf("parameter %q: want name=value, such as k1=0.9", assignment)
	}
	if name == "fusion" {
		return p.setFusion(value)
	}
	if name == "alpha" && value == "model" {
		p.Alpha = ModelAlpha
		return nil
	}
	knobs := p.knobs()
	i := slices.IndexFunc(knobs, func(k knob) bool { return k.name == name })
	if i < 0 {
		return fmt.Errorf("parameter %q: no such name; there are %s", name, strings.Join(p.names(), ", "))
	}
	return knobs[i].set(value)
}

// Settings returns every parameter by name: float64, int or string.
func (p Params) Settings() map[string]any {
	out := map[string]any{"fusion": string(p.Fusion)}
	for _, k := range p.knobs() {
		if k.whole != nil {
			out[k.name] = *k.whole
		} else {
			out[k.name] = *k.real
		}
	}
	if p.Alpha == ModelAlpha {
		out["alpha"] = "model"
	}
	return out
}

// validate returns an error for the first parameter out of its range.
func (p Params) validate() error {
	if p.Fusion != Convex && p.Fusion != RRF {
		return fusionError(string(p.Fusion))
	}
	for _, k := range p.knobs() {
		if k.name == "alpha" && p.Alpha == ModelAlpha {
			continue
		}
		if err := k.check(); err != nil {
			return err
		}
	}
	return nil
}

func (p *Params) setFusion(value string) error {
	if value != string(Convex) && value != string(RRF) {
		return fusionError(value)
	}
	p.Fusion = Fusion(value)
	return nil
}

func fusionError(value string) error {
	return fmt.Errorf("parameter fusion=%s: want %s or %s", value, Convex, RRF)
}

func (p *Params) names() []string {
	names := []string{"fusion"}
	for _, k := range p.knobs() {
		names = append(names, k.name)
	}
	slices.Sort(names)
	return names
}

// knob is one numeric parameter: its name, place and range. Exactly one of
// real and whole is set.
type knob struct {
	name  string
	real  *float64
	whole *int
	min   float64
	max   float64
}

func (p *Params) knobs() []knob {
	return []knob{
		{name: "k1", real: &p.K1, max: 10},
		{name: "b", real: &p.B, max: 1},
		{name: "title", real: &p.Title, max: 100},
		{name: "rm3_docs", whole: &p.FeedbackChunks, max: 50},
		{name: "rm3_terms", whole: &p.FeedbackTerms, max: 200},
		{name: "rm3_weight", real: &p.FeedbackWeight, max: 1},
		{name: "gram_weight", real: &p.GramWeight, max: 1},
		{name: "depth", whole: &p.Depth, min: 1, max: 10_000},
		{name: "alpha", real: &p.Alpha, max: 1},
		{name: "superseded", real: &p.Superseded, max: 1},
		{name: "draft", real: &p.Draft, max: 1},
		{name: "fold", real: &p.Fold, max: 2},
		{name: "rerank", whole: &p.Rerank, max: 200},
	}
}

// set parses and checks before it writes, so that a refused value changes nothing.
func (k knob) set(value string) error {
	x, err := strconv.ParseFloat(value, 64)
	if err != nil || !k.admits(x) {
		return k.rangeError(value)
	}
	if k.whole != nil {
		*k.whole = int(x)
	} else {
		*k.real = x
	}
	return nil
}

func (k knob) check() error {
	x := 0.0
	if k.whole != nil {
		x = float64(*k.whole)
	} else {
		x = *k.real
	}
	if !k.admits(x) {
		return k.rangeError(strconv.FormatFloat(x, 'g', -1, 64))
	}
	return nil
}

// admits is false for NaN, which is neither below nor above a limit.
func (k knob) admits(x float64) bool {
	return x >= k.min && x <= k.max && (k.whole == nil || x == math.Trunc(x))
}

func (k knob) rangeError(value string) error {
	kind := "number"
	if k.whole != nil {
		kind = "whole number"
	}
	return fmt.Errorf("parameter %s=%s: want a %s from %g to %g", k.name, value, kind, k.min, k.max)
}
