package embedded

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"ken/embed"
	"ken/index/embedded/flat"
)

// cloud makes vectors of unit length whose mean cosine is about mean.
func cloud(n, dim int, mean float64, r *rand.Rand) []embed.Vector {
	center := gauss(dim, r)
	out := make([]embed.Vector, n)
	for i := range out {
		v := gauss(dim, r)
		for j := range v {
			v[j] = float32(math.Sqrt(mean))*center[j] + float32(math.Sqrt(1-mean))*v[j]
		}
		embed.Normalize(v)
		out[i] = v
	}
	return out
}

func gauss(dim int, r *rand.Rand) embed.Vector {
	v := make(embed.Vector, dim)
	for i := range v {
		v[i] = float32(r.NormFloat64())
	}
	embed.Normalize(v)
	return v
}

// segmentOf puts the vectors into a segment without postings.
func segmentOf(t testing.TB, vectors []embed.Vector) *segment {
	t.Helper()
	ordinals := make([]uint32, len(vectors))
	for i := range ordinals {
		ordinals[i] = uint32(i)
	}
	var data bytes.Buffer
	err := flat.Encode(&data, "cloud", len(vectors[0]), ordinals, func(i int) []float32 { return vectors[i] })
	if err != nil {
		t.Fatal(err)
	}
	f, err := flat.Open(data.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return &segment{segmentRecord: segmentRecord{Last: ordinals[len(ordinals)-1], Chunks: len(vectors)}, vec: f}
}

func allRows(n int) []uint64 {
	out := make([]uint64, (n+63)/64)
	for i := range n {
		out[i/64] |= 1 << (i % 64)
	}
	return out
}

// TestRecall asks for vectors near stored ones, as queries are, and for others, also
// where all have much in common: of those that are truly best the leg proposes 999 in
// 1000.
func TestRecall(t *testing.T) {
	const dim, queries = 384, 50
	n := 25_000
	if testing.Short() {
		t.Skip("25,000 vectors")
	}
	for _, mean := range []float64{0, .5, .8, .95} {
		t.Run(fmt.Sprint(mean), func(t *testing.T) {
			all := cloud(n+queries, dim, mean, rand.New(rand.NewPCG(1, 2)))
			s := segmentOf(t, all[:n])
			for _, k := range []int{10, 200} {
				found := 0
				for i, q := range all[n:] {
					if i%2 == 0 {
						q = between(q, all[i])
					}
					found += common(t, s, q, allRows(n), k)
				}
				recall := float64(found) / float64(k*queries)
				t.Logf("recall@%d %.4f", k, recall)
				if recall < .999 {
					t.Errorf("recall@%d is %v, want .999", k, recall)
				}
			}
		})
	}
}

// TestCertainMissesNothing asks for vectors near stored ones and for others, of as
// many rows as are compared closely: all of the best are proposed, each within its
// slack, and of the others few.
func TestCertainMissesNothing(t *testing.T) {
	const n, queries = 2000, 60
	r := rand.New(rand.NewPCG(5, 6))
	for name, all := range map[string][]embed.Vector{
		"without structure": cloud(n+queries, 48, 0, r),
		"much in common":    cloud(n+queries, 64, .9, r),
		"few numbers":       few(n+queries, 100, r),
	} {
		t.Run(name, func(t *testing.T) {
			s, proposed := segmentOf(t, all[:n]), 0
			v := &view{state: &state{segments: []*segment{s}, kept: &remembered{}}}
			for i, q := range all[n:] {
				if i%2 == 0 {
					q = between(q, all[i])
				}
				k := 1 + i%20
				places, err := flatLeg{exact: n}.candidates(t.Context(), v, q, [][]uint64{allRows(n)}, k, nil)
				if err != nil {
					t.Fatal(err)
				}
				proposed += len(places)
				checkBest(t, s, q, places, k)
			}
			if proposed > n*queries/2 {
				t.Errorf("%d of %d rows are proposed: the test shows nothing", proposed/queries, n)
			}
		})
	}
}

// few makes vectors of one to three numbers that are not zero, many of them equal.
func few(n, dim int, r *rand.Rand) []embed.Vector {
	out := make([]embed.Vector, n)
	for i := range out {
		out[i] = make(embed.Vector, dim)
		for range 1 + r.IntN(3) {
			out[i][r.IntN(dim)] += float32(1 + r.IntN(2))
		}
		embed.Normalize(out[i])
	}
	return out
}

// checkBest looks for rows among the best k, equal ones included, that are not
// proposed, and for estimates that are further off than they say.
func checkBest(t *testing.T, s *segment, q embed.Vector, places []near, k int) {
	t.Helper()
	scores := make([]float64, s.vec.Len())
	for i := range scores {
		scores[i] = flat.Dot(q, s.vec.Row(i))
	}
	least := slices.Sorted(slices.Values(scores))[len(scores)-k]
	for _, p := range places {
		if math.Abs(p.product-scores[p.row]) > p.slack {
			t.Errorf("row %d is %v, estimated %v, allowed %v", p.row, scores[p.row], p.product, p.slack)
		}
		scores[p.row] = math.Inf(-1)
	}
	for i, score := range scores {
		if score >= least {
			t.Errorf("row %d is among the best %d and not proposed", i, k)
		}
	}
}

// between returns a vector between the two.
func between(a, b embed.Vector) embed.Vector {
	out := make(embed.Vector, len(a))
	for i := range a {
		out[i] = a[i] + b[i]
	}
	embed.Normalize(out)
	return out
}

// common returns how many of the true best k are among the candidates.
func common(t *testing.T, s *segment, q embed.Vector, rows []uint64, k int) (n int) {
	v := &view{state: &state{segments: []*segment{s}, kept: &remembered{}}}
	places, err := flatLeg{exact: exactRows}.candidates(context.Background(), v, q, [][]uint64{rows}, k, nil)
	if err != nil {
		t.Fatal(err)
	}
	scores := make([]float64, s.vec.Len())
	for i := range scores {
		scores[i] = flat.Dot(q, s.vec.Row(i))
	}
	sorted := slices.Sorted(slices.Values(scores))
	for _, p := range places {
		if scores[p.row] >= sorted[len(sorted)-k] {
			n++
		}
	}
	return n
}

// TestLegIsAFunctionOfReadableVectors proposes from the same vectors alone and
// scattered, in another order, among ten times as many that are not readable.
func TestLegIsAFunctionOfReadableVectors(t *testing.T) {
	const dim, n, k = 16, 6000, 5
	for _, exact := range []int{100, n - 1, n} { // below, at and above the number of readable ones
		t.Run(fmt.Sprint(exact), func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 4))
			own, others := cloud(n, dim, .5, r), cloud(10*n, dim, .5, r)
			alone := segmentOf(t, own)
			segments, rows, names := scattered(t, own, others, r)
			for range 20 {
				q := gauss(dim, r)
				want := proposed(t, []*segment{alone}, [][]uint64{allRows(n)}, q, exact, k, func(p place) int { return p.row })
				got := proposed(t, segments, rows, q, exact, k, func(p place) int { return names[p] })
				if !slices.Equal(got, want) {
					t.Fatalf("%d candidates among others, %d alone", len(got), len(want))
				}
				if exact < n && len(want) == n {
					t.Fatal("nothing was left out: the test shows nothing")
				}
			}
		})
	}
}

// scattered puts own vectors at random places of three segments.
func scattered(t *testing.T, own, others []embed.Vector, r *rand.Rand) (segments []*segment, rows [][]uint64, names map[place]int) {
	names = map[place]int{}
	order := r.Perm(len(own) + len(others))
	for i := range 3 {
		var vectors []embed.Vector
		part := order[i*len(order)/3 : (i+1)*len(order)/3]
		mine := make([]uint64, (len(part)+63)/64)
		for row, n := range part {
			if n < len(own) {
				vectors = append(vectors, own[n])
				names[place{i, row}] = n
				mine[row/64] |= 1 << (row % 64)
			} else {
				vectors = append(vectors, others[n-len(own)])
			}
		}
		segments, rows = append(segments, segmentOf(t, vectors)), append(rows, mine)
	}
	return segments, rows, names
}

func proposed(t *testing.T, segments []*segment, rows [][]uint64, q embed.Vector, exact, k int, name func(place) int) []int {
	t.Helper()
	places, err := flatLeg{exact}.candidates(t.Context(), &view{state: &state{segments: segments, kept: &remembered{}}}, q, rows, k, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out []int
	for _, p := range places {
		out = append(out, name(p.place))
	}
	slices.Sort(out)
	return out
}
