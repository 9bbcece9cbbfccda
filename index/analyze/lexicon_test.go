package analyze

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// plainTerms is Append without a memory and without a path of its own for ASCII.
func plainTerms(lang, text string) (out []string) {
	s := scanner{slow: true, emit: func(token []byte, k kind) {
		if t := rulesOf(lang).term(token, k); t != "" {
			out = append(out, t)
		}
	}}
	s.scan(text)
	return out
}

func TestLexiconRemembersWhatIsTrue(t *testing.T) {
	texts := rapid.OneOf(
		rapid.String(),
		rapid.StringMatching(`([a-cA-C.]{1,3} ?){0,20}`), // words, initials and stop words again and again
		rapid.StringMatching(`([a-zA-Zäßé0-9.,'_@+#漢仮ท้-]{1,20} ?){0,9}`),
		rapid.StringMatching(`[a-z0-9é_]{100,300}`), // at and beyond the longest term
	)
	langs := rapid.SampledFrom([]string{"en", "en-GB", "de", "tr", "fr", "zh", "xx", Und})
	rapid.Check(t, func(t *rapid.T) {
		l := NewLexicon()
		defer l.Free()
		number := map[Term]uint32{}
		for range rapid.IntRange(1, 4).Draw(t, "texts") {
			lang, text := langs.Draw(t, "lang"), texts.Draw(t, "text")
			var got []string
			for _, n := range l.Append(nil, lang, text) {
				term := l.Term(n)
				if term.Language != lang || int(n) >= l.Len() {
					t.Fatalf("%q: number %d of %d is of %q", lang, n, l.Len(), term.Language)
				}
				if first, ok := number[term]; ok && first != n {
					t.Fatalf("%v has numbers %d and %d", term, first, n)
				}
				number[term] = n
				got = append(got, term.Text)
			}
			if want := plainTerms(lang, text); !slices.Equal(got, want) {
				t.Fatalf("%s %q\n got %q\nwant %q", lang, text, got, want)
			}
		}
	})
}

// Numbers hold while words are added, however many.
func TestLexiconGrows(t *testing.T) {
	l := NewLexicon()
	defer l.Free()
	var text strings.Builder
	for i := range 3 * minSeen {
		fmt.Fprintf(&text, "sameword%d %s%d ", i, strings.Repeat("long", 5), i)
	}
	first := l.Append(nil, Und, text.String())
	if len(first) != 6*minSeen || len(slices.Compact(slices.Sorted(slices.Values(first)))) != len(first) {
		t.Fatalf("%d numbers of %d words", len(first), 6*minSeen)
	}
	if !slices.Equal(l.Append(nil, Und, text.String()), first) {
		t.Fatal("the same words have other numbers")
	}
	for i := range 3 * minSeen {
		lang := fmt.Sprint("x", i)
		if got := l.Term(l.Append(nil, lang, "word")[0]); got != (Term{lang, "word"}) {
			t.Fatalf("the word in the language %s is %v", lang, got)
		}
	}
}
