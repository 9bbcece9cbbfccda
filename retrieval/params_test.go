package retrieval

import (
	"reflect"
	"strings"
	"testing"
)

func TestParamsSet(t *testing.T) {
	for assignment, want := range map[string]func(*Params){
		"k1=0.9":         func(p *Params) { p.K1 = .9 },
		"b=.4":           func(p *Params) { p.B = .4 },
		"title=1":        func(p *Params) { p.Title = 1 },
		"rm3_docs=5":     func(p *Params) { p.FeedbackChunks = 5 },
		"rm3_terms=0":    func(p *Params) { p.FeedbackTerms = 0 },
		"rm3_weight=1":   func(p *Params) { p.FeedbackWeight = 1 },
		"gram_weight=0":  func(p *Params) { p.GramWeight = 0 },
		"depth=100":      func(p *Params) { p.Depth = 100 },
		"fusion=rrf":     func(p *Params) { p.Fusion = RRF },
		"alpha=.5":       func(p *Params) { p.Alpha = .5 },
		"alpha=model":    func(p *Params) {},
		"superseded=1":   func(p *Params) { p.Superseded = 1 },
		"draft=1":        func(p *Params) { p.Draft = 1 },
		"fold=2":         func(p *Params) { p.Fold = 2 },
		"rerank=10":      func(p *Params) { p.Rerank = 10 },
		"rm3_weight=0.8": func(p *Params) {},
	} {
		got, expected := DefaultParams(), DefaultParams()
		want(&expected)
		if err := got.Set(assignment); err != nil || got != expected {
			t.Errorf("%s: %+v, error %v", assignment, got, err)
		}
	}
}

func TestParamsRefuse(t *testing.T) {
	for assignment, want := range map[string]string{
		"k1":              `"k1": want name=value`,
		"k2=1":            `"k2": no such name; there are alpha, b, depth, draft, fold, fusion, gram_weight, k1,`,
		"k1=":             "k1=: want a number from 0 to 10",
		"k1=fast":         "k1=fast: want a number",
		"k1=-1":           "k1=-1: want a number",
		"k1=NaN":          "k1=NaN: want a number",
		"k1=Inf":          "k1=Inf: want a number",
		"b=1.1":           "b=1.1: want a number from 0 to 1",
		"rm3_terms=2.5":   "rm3_terms=2.5: want a whole number from 0 to 200",
		"depth=0":         "depth=0: want a whole number from 1 to 10000",
		"fusion=magic":    "fusion=magic: want convex or rrf",
		"alpha=-1":        "alpha=-1: want a number from 0 to 1",
		"gram_weight=1.5": "gram_weight=1.5",
	} {
		p := DefaultParams()
		if err := p.Set(assignment); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", assignment, err, want)
		}
		if p != DefaultParams() {
			t.Errorf("%s: was refused and changed %+v", assignment, p)
		}
	}
}

// Every parameter can be set by name, is reported by name, and has a default in its range.
func TestParamsAreAllNamed(t *testing.T) {
	p := DefaultParams()
	if err := p.validate(); err != nil {
		t.Error(err)
	}
	if n := reflect.TypeFor[Params]().NumField(); len(p.names()) != n || len(p.Settings()) != n {
		t.Errorf("%d fields, %d names, %d settings", n, len(p.names()), len(p.Settings()))
	}
	if s := p.Settings(); s["k1"] != 1.2 || s["rm3_docs"] != 3 || s["alpha"] != "model" || s["fusion"] != "convex" {
		t.Errorf("settings %v", s)
	}
}

func FuzzParamsSet(f *testing.F) {
	f.Add("k1=0.9")
	f.Add("alpha=model")
	f.Fuzz(func(t *testing.T, assignment string) {
		p := DefaultParams()
		if p.Set(assignment) == nil && p.validate() != nil {
			t.Errorf("%q was taken and is not valid", assignment)
		}
	})
}
