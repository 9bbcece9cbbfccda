package analyze

import (
	"slices"
	"strings"
	"sync"

	"github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/analysis/lang/ar"
	"github.com/blevesearch/bleve/v2/analysis/lang/bg"
	"github.com/blevesearch/bleve/v2/analysis/lang/cs"
	"github.com/blevesearch/bleve/v2/analysis/lang/da"
	"github.com/blevesearch/bleve/v2/analysis/lang/de"
	"github.com/blevesearch/bleve/v2/analysis/lang/el"
	"github.com/blevesearch/bleve/v2/analysis/lang/en"
	"github.com/blevesearch/bleve/v2/analysis/lang/es"
	"github.com/blevesearch/bleve/v2/analysis/lang/fa"
	"github.com/blevesearch/bleve/v2/analysis/lang/fi"
	"github.com/blevesearch/bleve/v2/analysis/lang/fr"
	"github.com/blevesearch/bleve/v2/analysis/lang/hi"
	"github.com/blevesearch/bleve/v2/analysis/lang/hr"
	"github.com/blevesearch/bleve/v2/analysis/lang/hu"
	"github.com/blevesearch/bleve/v2/analysis/lang/id"
	"github.com/blevesearch/bleve/v2/analysis/lang/in"
	"github.com/blevesearch/bleve/v2/analysis/lang/it"
	"github.com/blevesearch/bleve/v2/analysis/lang/nl"
	"github.com/blevesearch/bleve/v2/analysis/lang/no"
	"github.com/blevesearch/bleve/v2/analysis/lang/pl"
	"github.com/blevesearch/bleve/v2/analysis/lang/pt"
	"github.com/blevesearch/bleve/v2/analysis/lang/ro"
	"github.com/blevesearch/bleve/v2/analysis/lang/ru"
	"github.com/blevesearch/bleve/v2/analysis/lang/sv"
	"github.com/blevesearch/bleve/v2/analysis/lang/tr"
	"github.com/blevesearch/snowballstem"
	"github.com/blevesearch/snowballstem/danish"
	"github.com/blevesearch/snowballstem/dutch"
	"github.com/blevesearch/snowballstem/english"
	"github.com/blevesearch/snowballstem/finnish"
	"github.com/blevesearch/snowballstem/french"
	"github.com/blevesearch/snowballstem/german"
	"github.com/blevesearch/snowballstem/hungarian"
	"github.com/blevesearch/snowballstem/italian"
	"github.com/blevesearch/snowballstem/norwegian"
	"github.com/blevesearch/snowballstem/portuguese"
	"github.com/blevesearch/snowballstem/romanian"
	"github.com/blevesearch/snowballstem/russian"
	"github.com/blevesearch/snowballstem/spanish"
	"github.com/blevesearch/snowballstem/swedish"
	"github.com/blevesearch/snowballstem/turkish"
)

// rules are what a language does to a folded word. The zero rules leave it.
type rules struct {
	stop  map[string]bool
	stem  func(string) string
	latin func(string) string // stem of Latin words, if the language has another script
	fold  bool                // accents of Latin letters do not matter
	comma bool                // the decimal sign is a comma
	elide bool                // what stands before an apostrophe is an article: l'eau
	dots  bool                // the dot of i is lost in small letters made of capitals
	clip  bool                // what stands after an apostrophe is an ending: Ankara'da
	// spell, if set, gives one spelling to words that are written in two, before
	// they are stemmed; respell afterwards.
	spell, respell func(string) string
}

// language is an entry of the list of languages. Its rules are made when they
// are first needed.
type language struct {
	code  string
	stops []byte
	words []string // stop words besides
	stem  func() func(string) string
	rules rules
}

// languages returns the languages with rules of their own, in order of their codes.
func languages() []language {
	foreign := rules{latin: snowball(english.Stem)()}
	return []language{
		{code: "ar", stops: ar.ArabicStopWords, stem: arabic, rules: foreign},
		{code: "bg", stops: bg.BulgarianStopWords, rules: foreign},
		{code: "cs", stops: cs.CzechStopWords, rules: rules{comma: true}},
		{code: "da", stops: da.DanishStopWords, stem: snowball(danish.Stem), rules: rules{comma: true}},
		{code: "de", stops: de.GermanStopWords, stem: snowball(german.Stem), rules: rules{comma: true, fold: true, respell: umlauts}},
		{code: "el", stops: el.GreekStopWords, rules: rules{latin: foreign.latin, spell: greek}},
		{code: "en", stops: en.EnglishStopWords, stem: snowball(english.Stem), rules: rules{fold: true}},
		{code: "es", stops: es.SpanishStopWords, stem: snowball(spanish.Stem), rules: rules{comma: true, fold: true}},
		{code: "fa", stops: fa.PersianStopWords, stem: persian, rules: foreign},
		{code: "fi", stops: fi.FinnishStopWords, stem: snowball(finnish.Stem), rules: rules{comma: true}},
		{code: "fr", stops: fr.FrenchStopWords, stem: snowball(french.Stem), rules: rules{comma: true, fold: true, elide: true}},
		{code: "he", rules: foreign},
		{code: "hi", stops: hi.HindiStopWords, stem: hindi, rules: foreign},
		{code: "hr", stops: hr.CroatianStopWords, stem: croatian, rules: rules{comma: true}},
		{code: "hu", stops: hu.HungarianStopWords, stem: snowball(hungarian.Stem), rules: rules{comma: true}},
		{code: "id", stops: id.IndonesianStopWords, rules: rules{comma: true, fold: true}},
		{code: "it", stops: it.ItalianStopWords, stem: snowball(italian.Stem), rules: rules{comma: true, fold: true, elide: true}},
		{code: "ja", rules: foreign},
		{code: "km", rules: foreign},
		{code: "ko", rules: foreign},
		{code: "lo", rules: foreign},
		{code: "my", rules: foreign},
		{code: "nl", stops: nl.DutchStopWords, stem: snowball(dutch.Stem), rules: rules{comma: true, fold: true}},
		{code: "no", stops: no.NorwegianStopWords, stem: snowball(norwegian.Stem), rules: rules{comma: true}},
		{code: "pl", stops: pl.PolishStopWords, stem: polish, rules: rules{comma: true}},
		{code: "pt", stops: pt.PortugueseStopWords, stem: snowball(portuguese.Stem), rules: rules{comma: true, fold: true}},
		{code: "ro", stops: ro.RomanianStopWords, stem: snowball(romanian.Stem), rules: rules{comma: true, fold: true}},
		{code: "ru", stops: ru.RussianStopWords, stem: snowball(russian.Stem), rules: rules{latin: foreign.latin, spell: yo}},
		{code: "sv", stops: sv.SwedishStopWords, stem: snowball(swedish.Stem), rules: rules{comma: true}},
		{code: "th", rules: foreign},
		{code: "tr", stops: tr.TurkishStopWords, stem: snowball(turkish.Stem), rules: rules{comma: true, clip: true, dots: true}},
		{code: "uk", rules: foreign},
		{code: "vi", rules: rules{comma: true}},
		{code: "zh", rules: foreign},
	}
}

// table holds the rules by language. It is made once and then read only.
var table = sync.OnceValue(func() map[string]func() *rules {
	out := map[string]func() *rules{}
	for _, l := range languages() {
		out[l.code] = sync.OnceValue(l.build)
	}
	out[Und] = sync.OnceValue(func() *rules { return &rules{fold: true} })
	return out
})

func (l language) build() *rules {
	r := l.rules
	if l.stem != nil {
		r.stem = l.stem()
	}
	r.stop = stopWords(l.stops, l.words)
	return &r
}

// stopWords reads a list in the format of Snowball and adds words to it.
func stopWords(list []byte, words []string) map[string]bool {
	m := analysis.NewTokenMap()
	if err := m.LoadBytes(list); err != nil { // reads memory: cannot fail
		panic("analyze: stop words: " + err.Error())
	}
	for _, w := range words {
		m.AddToken(w)
	}
	return m
}

// rulesOf returns the rules of a language code, those of [Und] if it has none.
// Regions and case do not matter: "en-GB" is "en".
func rulesOf(lang string) *rules {
	t := table()
	if r, ok := t[lang]; ok {
		return r()
	}
	primary, _, _ := strings.Cut(strings.ToLower(lang), "-")
	switch primary {
	case "nb", "nn":
		primary = "no"
	}
	if r, ok := t[primary]; ok {
		return r()
	}
	return t[Und]()
}

// Languages returns the codes of the languages with rules of their own, sorted.
// Every other code is analysed like [Und].
func Languages() []string {
	var out []string
	for _, l := range languages() {
		out = append(out, l.code)
	}
	slices.Sort(out)
	return out
}

// snowball adapts a stemmer of the Snowball project.
func snowball(stem func(*snowballstem.Env) bool) func() func(string) string {
	return func() func(string) string {
		return func(w string) string {
			env := snowballstem.NewEnv(w)
			stem(env)
			return env.Current()
		}
	}
}

// filters adapts token filters of bleve that look at one token at a time.
func filters(fs ...analysis.TokenFilter) func(string) string {
	return func(w string) string {
		stream := analysis.TokenStream{{Term: []byte(w)}}
		for _, f := range fs {
			stream = f.Filter(stream)
		}
		if len(stream) == 0 {
			return ""
		}
		return string(stream[0].Term)
	}
}

func arabic() func(string) string {
	return filters(ar.NewArabicNormalizeFilter(), ar.NewArabicStemmerFilter())
}

func persian() func(string) string {
	return filters(ar.NewArabicNormalizeFilter(), fa.NewPersianNormalizeFilter())
}

func hindi() func(string) string {
	return filters(in.NewIndicNormalizeFilter(), hi.NewHindiNormalizeFilter(), hi.NewHindiStemmerFilter())
}

func croatian() func(string) string {
	return filters(hr.NewSuffixTransformationFilter(), hr.NewCroatianStemmerFilter())
}

// polish returns the Stempel stemmer; its table is part of the program, and
// without it words stay whole.
func polish() func(string) string {
	f, err := pl.NewPolishStemmerFilter()
	if err != nil {
		return nil
	}
	return filters(f)
}
