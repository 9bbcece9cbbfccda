package analyze_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ken/index/analyze"
)

func TestTokens(t *testing.T) {
	for _, c := range []struct{ lang, text, want string }{
		{"en", "The managers’ leave", "0 -[The] 1 manag[managers] 2 leav[leave]"},
		{"en", "an e-mail to", "0 -[an] 1 e[e] 2 email[e] 2 mail[mail] 3 -[to]"},
		{"en", "set user_id now", "0 set[set] 1 user_id[user_id] 1 user[user_id] 2 id[user_id] 3 now[now]"},
		{"en", "C++, U.S. 1,000", "0 c++[C++] 1 us[U.S] 2 1000[1,000]"},
		{"zh", "育儿假 x", "0 育儿[育儿] 1 儿假[儿假] 3 x[x]"},
		{"zh", "休", "0 休[休]"},
		{"en", "ﬁle ＡＢＣ a\u0301b", "0 file[ﬁle] 1 abc[ＡＢＣ] 2 ab[a\u0301b]"},
		{"ko", "a ㈀ b", "0 a[a] 1 ᄀ[㈀] 2 b[b]"}, // three characters of one
		{"en", "", ""},
	} {
		var got []string
		for _, tok := range analyze.Tokens(c.lang, c.text) {
			term := tok.Term
			if term == "" {
				term = "-"
			}
			got = append(got, fmt.Sprintf("%d %s[%s]", tok.Pos, term, c.text[tok.Start:tok.End]))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("Tokens(%q, %q)\n got %s\nwant %s", c.lang, c.text, strings.Join(got, " "), c.want)
		}
	}
}

// Tokens are the terms with their places: in order, inside the text, of whole characters.
func TestTokensAreTheTerms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`([a-zA-Zäßé0-9.,'_@漢仮ท้ﬁ１-]{1,8} ?){0,9}`)).Draw(t, "text")
		lang := rapid.SampledFrom(append(analyze.Languages(), analyze.Und)).Draw(t, "lang")
		var terms []string
		last := 0
		for _, tok := range analyze.Tokens(lang, text) {
			if tok.Term != "" {
				terms = append(terms, tok.Term)
			}
			if tok.Pos < last || tok.Start < 0 || tok.Start >= tok.End || tok.End > len(text) {
				t.Fatalf("%q: %+v after position %d", text, tok, last)
			}
			last = tok.Pos
		}
		if want := analyze.Terms(lang, text); !slices.Equal(terms, want) {
			t.Fatalf("tokens %q, terms %q", terms, want)
		}
	})
}

// What is found is what stands among all tokens, also if the lexicon learns of it
// only from the text.
func TestFind(t *testing.T) {
	if got := analyze.Find(analyze.Und, "the neverseenword, again", []string{"neverseenword"}); len(got) != 1 || got[0].Start != 4 {
		t.Fatalf("a word that is new is found at %+v", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`([a-eäßé0-9.,'_@漢仮字ท้ﬁ１-]{1,4} ?){0,9}(e-mail user_id 育儿假)?`).Draw(t, "text")
		lang := rapid.SampledFrom(append(analyze.Languages(), analyze.Und)).Draw(t, "lang")
		terms := append(analyze.Terms(lang, text), "absent", rapid.StringMatching(`[a-z]{3}`).Draw(t, "other"))
		terms = rapid.SliceOfNDistinct(rapid.SampledFrom(terms), 0, 3, rapid.ID).Draw(t, "terms")
		got := analyze.Find(lang, text, terms)
		var want []analyze.Token
		for _, tok := range analyze.Tokens(lang, text) {
			if tok.Term != "" && slices.Contains(terms, tok.Term) {
				tok.Word = ""
				want = append(want, tok)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%s %q in %q\n got %+v\nwant %+v", lang, terms, text, got, want)
		}
	})
}

func TestPhrase(t *testing.T) {
	const en = "Parental leaves of absence. The e-mail address in user_id is U.S. only"
	for _, c := range []struct {
		lang, phrase, text, want string // the places, joined by |
	}{
		{"en", "parental leave", en, "Parental leaves"},
		{"en", "leave parental", en, ""},
		{"en", "leave absence", en, ""},
		{"en", "leave of absence", en, "leaves of absence"},
		{"en", "leave in absence", en, ""},
		{"en", "leave", en, "leaves"},
		{"en", "absence the", en, "absence. The"},
		{"en", "of", en, "of"},
		{"en", "the of", en, ""},
		{"en", "email address", en, "e-mail address"},
		{"en", "e-mail address", en, "e-mail address"},
		{"en", "mail address", en, "mail address"},
		{"en", "in user_id is US", en, "in user_id is U.S"},
		{"en", "user id", en, "user_id"},
		{"en", "leave leave", "leave leave leave", "leave leave|leave leave"},
		{"en", "—", en, ""},
		{"zh", "育儿假", "关于育儿假期", "育儿假"},
		{"zh", "儿假", "育儿假", "儿假"},
		{"zh", "育儿假", "育儿，儿假", ""},
		{"zh", "育儿 假期", "育儿 假期", "育儿 假期"},
		{"de", "neue Straße", "die neuen Strassen", "neuen Strassen"},
	} {
		p, tokens := analyze.NewPhrase(c.lang, c.phrase), analyze.Tokens(c.lang, c.text)
		var got []string
		for _, at := range p.Find(tokens) {
			got = append(got, c.text[at[0]:at[1]])
		}
		if strings.Join(got, "|") != c.want {
			t.Errorf("%q in %q: %q, want %q", c.phrase, c.text, got, c.want)
		}
		if p.Len() > 0 && p.In(tokens) != (len(got) > 0) {
			t.Errorf("%q in %q: In and Find do not agree", c.phrase, c.text)
		}
	}
	if empty := analyze.NewPhrase("en", " — "); !empty.In(nil) || empty.Len() != 0 {
		t.Error("a phrase without words does not stand everywhere")
	}
}

func TestPrefix(t *testing.T) {
	for _, c := range []struct{ lang, prefix, text, want string }{
		{"en", "contract", "a contract, contracting contractors; contact", "contract contracting contractors"},
		{"en", "contracti", "a contract, contracting contractors", "contracting"},
		{"en", "leave", "leaves leaving left leaf cleave", "leaves leaving"},
		{"en", "policy", "policies policy policyholder police", "policies policy policyholder"},
		{"en", "vacatio", "vacate vacations vacation", "vacations vacation"},
		{"en", "organizationa", "organ organize organizational", "organizational"},
		{"en", "th", "the theory of this", "theory"},
		{"en", "user_i", "user_id user", "user_id"},
		{"en", "v1.2", "v1.2.3 v1.3", "v1.2.3"},
		{"en", "20", "2026 1,000 20", "2026 20"},
		{"en", "Caf", "café cafés", "café cafés"},
		{"de", "Größ", "Groesse Größen gross", "Groesse Größen gross"},
		{"zh", "育", "关于育儿假", "育儿"},
	} {
		p, ok := analyze.NewPrefix(c.lang, c.prefix)
		if !ok {
			t.Fatalf("%q is no prefix", c.prefix)
		}
		var got []string
		for _, tok := range analyze.Tokens(c.lang, c.text) {
			if word := c.text[tok.Start:tok.End]; p.Matches(tok) && !slices.Contains(got, word) {
				got = append(got, word)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s* in %q: %q, want %q", c.prefix, c.text, got, c.want)
		}
	}
}

// What an index is asked for finds every term that matches: those that begin with
// the text, the stem, and those in doubt.
func TestPrefixTermsAreComplete(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lang := rapid.SampledFrom(append(analyze.Languages(), analyze.Und)).Draw(t, "lang")
		text := rapid.StringMatching(`([a-zäéyßА-я漢]{1,12}(ing|ational|ies|s)? ){1,6}`).Draw(t, "text")
		word := rapid.SampledFrom(strings.Fields(text)).Draw(t, "word")
		runes := []rune(word)
		p, ok := analyze.NewPrefix(lang, string(runes[:rapid.IntRange(1, len(runes)).Draw(t, "length")]))
		if !ok {
			return
		}
		for _, tok := range analyze.Tokens(lang, text) {
			found := strings.HasPrefix(tok.Term, p.Text()) || tok.Term == p.Stem() || slices.Contains(p.Doubtful(), tok.Term)
			if p.Matches(tok) && (tok.Term == "" || !found) {
				t.Fatalf("%q matches %+v, which no index would be asked for", p.Text(), tok)
			}
		}
	})
}

func TestSplitPrefix(t *testing.T) {
	for _, c := range []struct {
		text, before, prefix string
		ok                   bool
	}{
		{"contract", "", "contract", true},
		{"hr-Contract", "hr-", "contract", true},
		{"育", "", "育", true},
		{"a", "a", "", false},
		{"—", "—", "", false},
		{"", "", "", false},
	} {
		before, prefix, ok := analyze.SplitPrefix(c.text)
		if before != c.before || prefix != c.prefix || ok != c.ok {
			t.Errorf("SplitPrefix(%q) = %q, %q, %v", c.text, before, prefix, ok)
		}
	}
	if got := analyze.QueryPrefix("contract", []string{"de", "en"}); len(got.Forms) != 2 || !got.Forms[1].Prefix || got.Forms[1].Text != "contract" {
		t.Errorf("QueryPrefix = %+v", got)
	}
}

func ExamplePhrase() {
	p := analyze.NewPhrase("en", "leave of absence")
	fmt.Println(p.In(analyze.Tokens("en", "Leaves of absence are unpaid.")), p.In(analyze.Tokens("en", "Absence and leave.")))
	// Output: true false
}
