package retrieval

import (
	"ken/index"
)

// rrfRank is the constant of reciprocal rank fusion in its authors' paper.
const rrfRank = 60

// fuse joins the legs, each best first, into one ranking.
func fuse(f Fusion, alpha float64, words, vectors []index.Hit) []Ranked {
	lexical, vector := minMax(words), minMax(vectors)
	if f == RRF && alpha > 0 && alpha < 1 {
		return join(words, vectors, lexical, vector, func(w, v int) float64 {
			return reciprocal(w) + reciprocal(v)
		})
	}
	return join(words, vectors, lexical, vector, func(w, v int) float64 {
		return float64((1-alpha)*at(lexical, w)) + float64(alpha*at(vector, v))
	})
}

// join makes the union of the legs. Score gets the places of a chunk in the
// two legs, -1 where a leg did not find it.
func join(words, vectors []index.Hit, lexical, vector []float64, score func(w, v int) float64) []Ranked {
	out := make([]Ranked, 0, len(words)+len(vectors))
	place := make(map[index.ChunkID]int, len(words))
	for i, h := range words {
		place[h.ID] = i
		out = append(out, Ranked{Hit: h, Lexical: lexical[i]})
		out[i].Score = score(i, -1)
	}
	for j, h := range vectors {
		i, both := place[h.ID]
		if !both {
			i = len(out)
			out = append(out, Ranked{Hit: h})
			out[i].Score = score(-1, j)
		} else {
			out[i].Score = score(i, j)
		}
		out[i].Vector = vector[j]
	}
	sortRanked(out)
	return out
}

// minMax scales the hits' scores, best first, to 0..1. Equal scores are all 1.
func minMax(hits []index.Hit) []float64 {
	if len(hits) == 0 {
		return nil
	}
	scores := make([]float64, len(hits))
	for i, h := range hits {
		scores[i] = h.Score
	}
	return scale(scores)
}

// scale maps the least score to 0 and the greatest to 1; equal scores are all 1.
func scale(scores []float64) []float64 {
	low, high := scores[0], scores[0]
	for _, x := range scores {
		low, high = min(low, x), max(high, x)
	}
	out := make([]float64, len(scores))
	for i, x := range scores {
		out[i] = 1
		if high > low {
			out[i] = (x - low) / (high - low)
		}
	}
	return out
}

// at is the score in this place; 0 where the leg did not find the chunk.
func at(scores []float64, i int) float64 {
	if i < 0 {
		return 0
	}
	return scores[i]
}

// reciprocal is scaled so that the first place in both legs is 1.
func reciprocal(place int) float64 {
	if place < 0 {
		return 0
	}
	return float64(rrfRank+1) / float64(rrfRank+1+place) / 2
}
