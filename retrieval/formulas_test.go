package retrieval

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ken/index"
	"ken/index/analyze"
)

func near6(a, b float64) bool { return math.Abs(a-b) < 1e-6 }

// hit makes a hit of chunk id; its key orders ties by id.
func hit(id index.ChunkID, score float64) index.Hit {
	return index.Hit{ID: id, Score: score, Key: index.Key{byte(id)}}
}

func TestFuse(t *testing.T) {
	words := []index.Hit{hit(1, 30), hit(2, 20), hit(3, 10)} // scaled: 1, .5, 0
	vectors := []index.Hit{hit(3, .9), hit(4, .7), hit(1, .5)}
	for name, c := range map[string]struct {
		fusion Fusion
		alpha  float64
		order  []index.ChunkID
		scores []float64
	}{
		"a quarter of vectors": {Convex, .25, []index.ChunkID{1, 2, 3, 4}, []float64{.75, .375, .25, .125}},
		"half of vectors":      {Convex, .5, []index.ChunkID{1, 3, 2, 4}, []float64{.5, .5, .25, .25}},
		"words alone":          {Convex, 0, []index.ChunkID{1, 2, 3, 4}, []float64{1, .5, 0, 0}},
		"vectors alone":        {Convex, 1, []index.ChunkID{3, 4, 1, 2}, []float64{1, .5, 0, 0}},
		"ranks": {RRF, .5, []index.ChunkID{1, 3, 2, 4}, []float64{
			61. / 61 / 2 * (1 + 61./63), 61. / 61 / 2 * (61./63 + 1), 61. / 62 / 2, 61. / 62 / 2,
		}},
		"ranks of one leg": {RRF, 0, []index.ChunkID{1, 2, 3, 4}, []float64{1, .5, 0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			got := fuse(c.fusion, c.alpha, words, vectors)
			for i, r := range got {
				if r.ID != c.order[i] || !near6(r.Score, c.scores[i]) {
					t.Errorf("place %d: chunk %d with %v, want %d with %v", i, r.ID, r.Score, c.order[i], c.scores[i])
				}
			}
			if len(got) != len(c.order) {
				t.Errorf("%d chunks, want %d", len(got), len(c.order))
			}
		})
	}
}

func TestFuseShowsTheParts(t *testing.T) {
	got := fuse(Convex, .25, []index.Hit{hit(1, 5), hit(2, 3)}, []index.Hit{hit(2, .4)})
	if got[0].Lexical != 1 || got[0].Vector != 0 || got[1].Lexical != 0 || got[1].Vector != 1 {
		t.Errorf("parts %+v", got)
	}
	if fuse(Convex, .5, nil, nil) == nil || len(fuse(RRF, .5, nil, nil)) != 0 {
		t.Error("two empty legs are an empty ranking")
	}
}

// Fused scores lie in 0..1, whatever the legs' scores are, and every chunk is there once.
func TestFuseProperties(t *testing.T) {
	leg := rapid.Custom(func(t *rapid.T) []index.Hit {
		ids := rapid.SliceOfDistinct(rapid.Uint64Range(0, 20), rapid.ID).Draw(t, "ids")
		var out []index.Hit
		for _, id := range ids {
			out = append(out, hit(index.ChunkID(id), rapid.Float64Range(-1e9, 1e9).Draw(t, "score")))
		}
		slices.SortFunc(out, index.Compare)
		return out
	})
	rapid.Check(t, func(t *rapid.T) {
		fusion := rapid.SampledFrom([]Fusion{Convex, RRF}).Draw(t, "fusion")
		seen := make(map[index.ChunkID]bool)
		got := fuse(fusion, rapid.Float64Range(0, 1).Draw(t, "alpha"), leg.Draw(t, "words"), leg.Draw(t, "vectors"))
		for _, r := range got {
			if r.Score < 0 || r.Score > 1+1e-12 || seen[r.ID] {
				t.Fatalf("chunk %d: score %v, seen %v", r.ID, r.Score, seen[r.ID])
			}
			seen[r.ID] = true
		}
		if !slices.IsSortedFunc(got, func(a, b Ranked) int { return index.Compare(a.Hit, b.Hit) }) {
			t.Fatal("not sorted")
		}
	})
}

// Two chunks feed back: "x x y" with score 4 and "y z" with score 2, so that the
// second has (2/4)^12 = 1/4096 of the first one's say.
//
//	x  2/3                = .666667
//	y  1/3 + 1/4096 · 1/2 = .333455
//	z  1/4096 · 1/2       = .000122
func TestRelevanceModel(t *testing.T) {
	sources := []feedSource{{4, "en", []string{"x", "x", "y"}}, {2, "en", []string{"y", "z"}}}
	sum := .666667 + .333455
	got := relevanceModel(sources, 2)
	if len(got) != 2 || got[0].Text != "x" || got[1].Text != "y" || !near6(got[0].weight, .666667/sum) || !near6(got[1].weight, .333455/sum) {
		t.Errorf("model %v", got)
	}
	if all := relevanceModel(sources, 20); len(all) != 3 || !near6(all[2].weight, .000122/(sum+.000122)) {
		t.Errorf("whole model %v", all)
	}
	if len(relevanceModel(nil, 20)) != 0 {
		t.Error("no chunk feeds nothing back")
	}
}

func TestRelevanceModelTies(t *testing.T) {
	got := relevanceModel([]feedSource{{1, "en", []string{"b", "a"}}, {1, "de", []string{"b", "a"}}}, 3)
	want := []index.Form{{Language: "de", Text: "a"}, {Language: "de", Text: "b"}, {Language: "en", Text: "a"}}
	for i, w := range got {
		if w.Form != want[i] {
			t.Errorf("place %d: %v, want %v", i, w.Form, want[i])
		}
	}
}

// The query "x w w" weighs 1 and 2; four fifths of it stay.
func TestInterpolate(t *testing.T) {
	en := func(text string) index.Form { return index.Form{Language: "en", Text: text} }
	query := []index.Term{{Forms: []index.Form{{Language: "de", Text: "x"}, en("x")}, Weight: 1}, {Forms: []index.Form{en("w")}, Weight: 2}}
	got := interpolate(query, []weighted{{en("x"), .75}, {en("y"), .25}}, .8)
	for i, want := range []float64{.8/3 + .2*.75, .8 * 2 / 3, .2 * .25} {
		if !near6(got[i].Weight, want) {
			t.Errorf("term %d %v: weight %v, want %v", i, got[i].Forms, got[i].Weight, want)
		}
	}
	if len(got) != 3 || len(got[0].Forms) != 2 {
		t.Errorf("terms %v: a fed term that the query has is not a term of its own", got)
	}
	if query[0].Weight != 1 {
		t.Error("the query itself was changed")
	}
	if same := interpolate(query, nil, .8); same[1].Weight != 2 {
		t.Errorf("without feedback the query stays: %v", same)
	}
}

// "ab" has the one gram "·ab·". Of two texts one has it, once, and both are one
// gram long: idf = ln(1 + 1.5/1.5), tf part = 2.2/2.2.
func TestGramScores(t *testing.T) {
	got := gramScores("ab", gramsOf("ab", "cd"))
	if !near6(got[0], math.Ln2) || got[1] != 0 {
		t.Errorf("scores %v, want ln 2 and 0", got)
	}
	got = gramScores("Kündigungsfrist", gramsOf("die Kündigungsfristen", "die Kundigungsfrist", "der Urlaub"))
	if got[0] <= got[2] || got[1] <= got[2] || got[2] != 0 {
		t.Errorf("inflected %v, without accent %v, other %v", got[0], got[1], got[2])
	}
	if got := gramScores("?!", gramsOf("ab")); got[0] != 0 {
		t.Errorf("a query without letters scores %v", got)
	}
}

func TestSpelledShare(t *testing.T) {
	for query, want := range map[string]float64{"leave 18": 1, "育儿假": 0, "Heron 育儿假育儿": .5, "?!": 0, "ลาคลอด": 1} {
		if got := spelledShare(query); got != want {
			t.Errorf("%q: %v, want %v", query, got, want)
		}
	}
}

func TestShingles(t *testing.T) {
	base := "Staff may work from another country for up to 20 days in a year, after asking the people team."
	for name, c := range map[string]struct {
		other string
		want  bool
	}{
		"the same":                {base, true},
		"signs and case":          {"STAFF may work from another country for up to 20 days in a year after asking the people team!", true},
		"another number":          {"Staff may work from another country for up to 30 days in a year, after asking the people team.", false},
		"no number":               {"Staff may work from another country for up to some days in a year, after asking the people team.", false},
		"another text":            {"The canteen opens at 20 past eleven.", false},
		"a part":                  {"Staff may work from another country for up to 20 days.", false},
		"one word more in twenty": {base + " Thanks", true},
	} {
		if got := near(shingle(base), shingle(c.other), .9); got != c.want {
			t.Errorf("%s: %v, jaccard %v", name, got, jaccard(shingle(base).distinct(), shingle(c.other).distinct()))
		}
	}
	if jaccard([]uint64{1, 2, 3}, []uint64{2, 3, 4, 5}) != .4 {
		t.Error("jaccard of 2 common in 5")
	}
	if !near(shingle(""), shingle(""), .9) || near(shingle(""), shingle("a"), .9) {
		t.Error("empty texts are alike and like no other")
	}
	if near(shingle("远程办公政策说明"), shingle("年度休假政策说明"), .5) || !near(shingle("远程办公政策说明"), shingle("远程办公政策说明。"), .9) {
		t.Error("scripts without spaces are compared by characters")
	}
}

func TestQueryTermsDropStopWordsOfTheQuerysLanguage(t *testing.T) {
	texts := func(query string, languages ...string) []string {
		var out []string
		for _, term := range queryTerms(query, languages) {
			out = append(out, term.Forms[0].Text)
		}
		return out
	}
	for _, c := range []struct {
		query     string
		languages []string
		want      []string
	}{
		{"what is the policy", []string{"en"}, []string{"polici"}},
		{"what is the policy", []string{"en", "und"}, []string{"polici"}},
		{"what is the policy", []string{"de", "en", "und"}, []string{"policy"}},
		{"was ist die Regel", []string{"de", "en", "und"}, []string{"regel"}},
		{"policy", []string{"en", "und"}, []string{"polici"}},
		{"the who", []string{"en", "und"}, []string{"the", "who"}}, // nothing else to search for
		{"what is the policy", []string{"und"}, []string{"what", "is", "the", "policy"}},
	} {
		if got := texts(c.query, c.languages...); !slices.Equal(got, c.want) {
			t.Errorf("%q in %v: %q, want %q", c.query, c.languages, got, c.want)
		}
	}
}

func TestPages(t *testing.T) {
	text := "añb" // ñ is the bytes 1 and 2
	for _, c := range []struct{ offset, limit, start, end int }{
		{0, 4, 0, 4}, {0, 2, 0, 1}, {1, 2, 1, 3}, {2, 9, 1, 4}, {4, 9, 4, 4},
	} {
		if got := pageSpan(text, c.offset, c.limit); got != (index.Span{Start: c.start, End: c.end}) {
			t.Errorf("offset %d, limit %d: %v", c.offset, c.limit, got)
		}
	}
}

// The sketch says of no two sets that they are apart which are near.
func TestSketchesMissNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.SampledFrom(strings.Fields("a b c d e f g h")), 1, 60).Draw(t, "words")
		other := slices.Clone(words)
		for range rapid.IntRange(0, 5).Draw(t, "changes") {
			other[rapid.IntRange(0, len(other)-1).Draw(t, "place")] = "x"
		}
		a, b := shingle(strings.Join(words, " ")), shingle(strings.Join(other, " "))
		similar := jaccard(shingle(strings.Join(words, " ")).distinct(), shingle(strings.Join(other, " ")).distinct())
		for _, threshold := range []float64{similar, rapid.Float64Range(0, 2).Draw(t, "threshold")} {
			if got := near(a, b, threshold); got != (similar >= threshold) {
				t.Fatalf("near %v with threshold %v and similarity %v", got, threshold, similar)
			}
		}
	})
}

func gramsOf(texts ...string) []index.Grams {
	out := make([]index.Grams, len(texts))
	for i, t := range texts {
		out[i] = index.NewGrams(analyze.Grams(t))
	}
	return out
}
