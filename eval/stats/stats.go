package stats

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Rounds of the randomisation test and the bootstrap. The least p-value that
// can be told is 1 / (Rounds + 1).
const Rounds = 10_000

// Seed is that of the generators unless another is given: the same figures give
// the same verdict on every machine.
const Seed = 20_261_121

// Randomisation returns the two-sided p-value of the mean of paired differences
// under the hypothesis that each could as well have had the other sign (Smucker,
// Allan and Carterette, "A Comparison of Statistical Significance Tests for
// Information Retrieval Evaluation", 2007). Up to 12 differences that are not
// zero are tried in all their signs; more are sampled.
func Randomisation(differences []float64, seed uint64) float64 {
	moved := slices.DeleteFunc(slices.Clone(differences), func(d float64) bool { return d == 0 })
	if len(moved) == 0 {
		return 1
	}
	observed := math.Abs(sum(moved))
	limit := observed - 1e-12*math.Max(1, observed) // sums of the same numbers in other signs are equal but for rounding
	if len(moved) <= exactUpTo {
		return exact(moved, limit)
	}
	random := rand.New(rand.NewPCG(seed, uint64(len(moved))))
	extreme := 1 // the observed signs are one of the ways
	for range Rounds {
		var total float64
		for i := 0; i < len(moved); i += 64 {
			bits := random.Uint64()
			for _, d := range moved[i:min(i+64, len(moved))] {
				if bits&1 == 0 {
					total += d
				} else {
					total -= d
				}
				bits >>= 1
			}
		}
		if math.Abs(total) >= limit {
			extreme++
		}
	}
	return float64(extreme) / (Rounds + 1)
}

const exactUpTo = 12

func exact(differences []float64, limit float64) float64 {
	ways, extreme := 1<<len(differences), 0
	for signs := range ways {
		var total float64
		for i, d := range differences {
			if signs>>i&1 == 0 {
				total += d
			} else {
				total -= d
			}
		}
		if math.Abs(total) >= limit {
			extreme++
		}
	}
	return float64(extreme) / float64(ways)
}

// Interval is a range that holds a mean with a given confidence.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Bootstrap returns the 95 % percentile interval of the mean (Efron, "Bootstrap
// Methods: Another Look at the Jackknife", 1979). Of nothing it is zero.
func Bootstrap(values []float64, seed uint64) Interval {
	if len(values) == 0 {
		return Interval{}
	}
	random := rand.New(rand.NewPCG(seed, uint64(len(values))))
	means := make([]float64, Rounds)
	for i := range means {
		var total float64
		for range values {
			total += values[random.IntN(len(values))]
		}
		means[i] = total / float64(len(values))
	}
	slices.Sort(means)
	return Interval{means[Rounds*25/1000], means[Rounds*975/1000-1]}
}

// Holm corrects p-values of several tests for their number (Holm, "A Simple
// Sequentially Rejective Multiple Test Procedure", 1979), in their order.
func Holm(ps []float64) []float64 {
	order := make([]int, len(ps))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case ps[a] < ps[b]:
			return -1
		case ps[a] > ps[b]:
			return 1
		}
		return 0
	})
	out := make([]float64, len(ps))
	least := 0.0
	for rank, i := range order {
		least = max(least, min(1, ps[i]*float64(len(ps)-rank)))
		out[i] = least
	}
	return out
}

// Mean of nothing is 0.
func Mean(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	return sum(values) / float64(len(values))
}

func sum(values []float64) float64 {
	var total float64
	for _, v := range values {
		total += v
	}
	return total
}
