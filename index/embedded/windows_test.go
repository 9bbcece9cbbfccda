package embedded

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ken/index"
	"ken/index/embedded/lexical"
)

// wordSegment makes chunks of words that follow Zipf's law.
func wordSegment(t testing.TB, first uint32, n int, r *rand.Rand) *segment {
	t.Helper()
	zipf := rand.NewZipf(r, 1.2, 4, 2000)
	var v lexical.Inverter
	v.Document("en", time.Time{}, nil)
	ordinals := make([]uint32, n)
	for i := range ordinals {
		ordinals[i] = first + uint32(i)
		key := [16]byte{byte(r.Uint32()), byte(r.Uint32()), byte(i), byte(i >> 8)}
		var title, body []uint32
		for range 1 + r.IntN(30) {
			body = append(body, uint32(zipf.Uint64()))
		}
		if r.IntN(4) == 0 {
			title = []uint32{uint32(zipf.Uint64())}
		}
		v.Chunk(key, title, body)
	}
	data, err := lexical.Build(ordinals, v.Done(func(n uint32) lexical.TermKey { return lexical.TermKey{Language: "en", Stem: fmt.Sprint(n)} }))
	if err != nil {
		t.Fatal(err)
	}
	lex, err := lexical.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	return &segment{segmentRecord: segmentRecord{First: first, Last: first + uint32(n) - 1, Chunks: n}, lex: lex}
}

// readableView makes a view of the segments in which about one chunk in share is readable.
func readableView(segments []*segment, share int, r *rand.Rand) *view {
	v := &view{state: &state{segments: segments, kept: &remembered{}, truth: &truth{room: divide(defaultMemory)}}, readable: &readable{segments: segments}}
	for _, s := range segments {
		rows := make([]uint64, (s.Chunks+63)/64)
		for i := range s.Chunks {
			if r.IntN(share) == 0 {
				rows[i/64] |= 1 << (i % 64)
				title, body := s.lex.Lengths(i)
				v.readable.chunks++
				v.readable.title += uint64(title)
				v.readable.body += uint64(body)
			}
		}
		v.readable.rows = append(v.readable.rows, rows)
	}
	v.readable.ranks, v.readable.counted = rankAll(v.readable.rows), v.readable.count()
	v.readable.line = newLine(v.readable.averageBody())
	return v
}

// scoreAll scores every chunk of the rows that has a term, one after the other, by definition.
func scoreAll(t *rapid.T, v *view, q index.TextQuery, rows [][]uint64, k int) []index.Hit {
	field, scores := v.fields(q.BM25), map[place]float64{}
	for _, term := range q.Terms {
		parts := map[place]float64{}
		for _, f := range term.Forms {
			for i, s := range v.state.segments {
				p := s.lex.Term(f.Language, f.Text)
				found, err := p.Within(v.readable.rows[i], nil)
				if err != nil {
					t.Fatal(err)
				}
				for _, p := range found {
					title, body := s.lex.Lengths(int(p.Chunk))
					parts[place{i, int(p.Chunk)}] = field.saturated(p.Title, p.Body, title, body)
				}
			}
		}
		weight := float64(term.Weight * field.idf(len(parts)))
		for at, part := range parts {
			scores[at] += float64(weight * part)
		}
	}
	best := top{k: k, segments: v.state.segments}
	for at, score := range scores {
		if has(rows[at.segment], at.row) {
			best.push(at.segment, at.row, score)
		}
	}
	return best.sorted()
}

// TestEarlyEndChangesNothing compares the search that leaves chunks out with one
// that scores all: equal hits, equal to the bit.
func TestEarlyEndChangesNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	segments := []*segment{wordSegment(t, 0, 3*window+77, r), wordSegment(t, 100_000, 300, r), wordSegment(t, 200_000, window, r)}
	views := []*view{readableView(segments, 1, r), readableView(segments, 3, r), readableView(segments, 200, r)}
	odd := make([][]uint64, len(segments)) // a filter that a readable chunk in two passes, about
	for i, s := range segments {
		odd[i] = make([]uint64, (s.Chunks+63)/64)
		for w := range odd[i] {
			odd[i][w] = r.Uint64()
		}
	}
	left, w := 0, &windows{}
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SampledFrom(views).Draw(t, "view")
		q := index.TextQuery{BM25: index.BM25{
			K1: rapid.SampledFrom([]float64{0, .9, 1.2}).Draw(t, "k1"), B: rapid.SampledFrom([]float64{0, .75, 1, 1.5}).Draw(t, "b"), Title: 3,
		}}
		for _, n := range rapid.SliceOfN(rapid.IntRange(0, 60), 1, 12).Draw(t, "terms") {
			weight := rapid.SampledFrom([]float64{1, 2, .01, .3, 1, 2, .01, .3, 0}).Draw(t, "weight")
			q.Terms = append(q.Terms, index.Term{Weight: weight, Forms: []index.Form{{Language: "en", Text: fmt.Sprint(n)}, {Language: "de", Text: "x"}}})
		}
		k := rapid.SampledFrom([]int{1, 3, 10, 200, 20_000}).Draw(t, "k")
		terms, err := v.weightedLists(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for i := range w.scores {
			w.scores[i] = math.NaN()
		}
		rows, pass := [][]uint64(nil), v.readable.rows
		switch rapid.IntRange(0, 2).Draw(t, "filter") {
		case 1:
			rows = v.readable.rows // all pass, said in another way
		case 2:
			rows, pass = odd, odd
		}
		want := scoreAll(t, v, q, pass, k)
		got, err := w.searchAll(t.Context(), v, q.BM25, terms, rows, k)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%d hits, want %d:\n%v\n%v", len(got), len(want), got[:min(5, len(got))], want[:min(5, len(want))])
		}
		for i, sum := range w.sums {
			if v == views[0] && sum > 0 && math.IsNaN(w.scores[i]) { // its last window is a whole one
				left++
			}
		}
	})
	if left == 0 {
		t.Error("no chunk was ever left out: the test shows nothing")
	}
}

func TestSeek(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := slices.Compact(slices.Sorted(slices.Values(rapid.SliceOf(rapid.Uint32Range(0, 300)).Draw(t, "rows"))))
		row, from := rapid.Uint32Range(0, 320).Draw(t, "row"), rapid.IntRange(0, len(rows)).Draw(t, "from")
		want := from
		for want < len(rows) && rows[want] < row {
			want++
		}
		if got := seek(rows, from, row); got != want {
			t.Fatalf("seek(%v, %d, %d) = %d, want %d", rows, from, row, got, want)
		}
	})
}
