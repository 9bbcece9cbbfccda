package eval_test

import (
	"encoding/json"
	"io/fs"
	"math"
	"slices"
	"strings"
	"testing"

	"ken/corpora"
	"ken/corpora/sample"
	"ken/eval"
	"ken/retrieval"
)

// withGold is small with three people: bob and cy read the pay page, ann does not.
func withGold() map[string]string {
	set := withACL()
	set["answers.jsonl"] = `{"_id": "q1", "answers": ["18 weeks"], "supporting": ["leave"], "answerability": "ANSWERABLE", "by_user": {"ann": {"answers": [], "supporting": [], "answerability": "UNANSWERABLE"}}}
{"_id": "q2", "answers": ["91,000 euros"], "supporting": ["pay"], "answerability": "ANSWERABLE", "outdated": {"documents": ["leave"]}}
{"_id": "q3", "answers": [], "supporting": [], "answerability": "UNANSWERABLE"}
`
	return set
}

func TestLoadGold(t *testing.T) {
	set := load(t, withGold())
	q1, q2, q3 := set.Queries[0], set.Queries[1], set.Queries[2]
	if !q1.Known || !q1.Answerable || !q1.ByPersona["ann"].Known || q1.ByPersona["ann"].Answerable {
		t.Errorf("q1 %+v", q1)
	}
	if !slices.Equal(q2.Supporting, []corpora.DocID{"pay"}) || !slices.Equal(q2.Outdated, []corpora.DocID{"leave"}) {
		t.Errorf("q2 %+v", q2)
	}
	if !q3.Known || q3.Answerable {
		t.Errorf("q3 %+v", q3)
	}
	old := load(t, withACL()) // answers, and no word on answerability
	if old.Queries[0].Known {
		t.Error("the set does not say whether q1 has an answer")
	}
}

// Whether a question can be answered depends on who asks.
func TestOutcomes(t *testing.T) {
	report := run(t, eval.Options{Set: load(t, withGold()), Build: build(t), Retrieval: retrieval.Options{Embedder: embedder(t)}})
	got := make(map[string]eval.Outcome)
	for _, o := range report.Outcomes {
		got[o.Persona+" "+o.Query] = o
	}
	if len(got) != 9 {
		t.Fatalf("%d outcomes, want 3 questions of 3 people", len(got))
	}
	for key, answerable := range map[string]bool{
		"ann q1": false, "bob q1": true, "user:cy q1": true,
		"ann q2": false, "bob q2": true, "user:cy q2": true,
		"ann q3": false, "bob q3": false, "user:cy q3": false,
	} {
		a := got[key].Answer
		if a == nil || a.Answerable != answerable || a.InContext != answerable {
			t.Errorf("%s: %+v, want answerable %v and its answer in context", key, a, answerable)
		}
	}
	bob := got["bob q2"]
	for name, want := range map[string]float64{
		"ndcg@10": 1, "answer@500": 1, "answer@1000": 1, "answer@2000": 1, "answer@4000": 1,
		"citation_precision": 1, "superseded_error": 0, "extract_em": 0,
	} {
		if bob.Metrics[name] != want {
			t.Errorf("bob q2: %s = %v, want %v", name, bob.Metrics[name], want)
		}
	}
	// said: 14 tokens without "the" and "a", among them the gold's 2.
	if f1 := bob.Metrics["extract_f1"]; math.Abs(f1-2*2./(12+2)) > 1e-9 {
		t.Errorf("extract_f1 = %v", f1)
	}
	if bob.Top[0].Document != "pay" || !slices.Equal(bob.Expected, []corpora.DocID{"pay"}) {
		t.Errorf("bob q2: expected %v, top %v", bob.Expected, bob.Top)
	}
	if _, has := got["ann q2"].Metrics["answer@500"]; has {
		t.Error("ann's q2 has no answer to pack")
	}
	if bob.Answer.Confidence <= got["ann q2"].Answer.Confidence {
		t.Errorf("confidence %v where the page can be read, %v where not", bob.Answer.Confidence, got["ann q2"].Answer.Confidence)
	}
	for _, stage := range []string{eval.StageEmbed, eval.StageView, eval.StageLexical, eval.StageVector, eval.StageGate, eval.StageRest} {
		if _, has := bob.StagesMS[stage]; !has {
			t.Errorf("stage %s was not timed", stage)
		}
	}
}

// What a person's confidence is does not depend on what this person may not read.
func TestConfidenceDependsOnReadableDocumentsOnly(t *testing.T) {
	of := func(files map[string]string) map[string]float64 {
		out := make(map[string]float64)
		for _, o := range run(t, eval.Options{Set: load(t, files), Build: build(t), Mode: retrieval.Lexical, Personas: []string{"ann"}}).Outcomes {
			out[o.Query] = o.Answer.Confidence
		}
		return out
	}
	with := withGold()
	without := withGold()
	hidden := strings.Repeat("Weeks of leave, weeks of salary, weeks of lunch. ", 3)
	for i := range 5 {
		with["corpus.jsonl"] += `{"_id": "hidden` + string(rune('0'+i)) + `", "title": "Weeks", "text": "` + hidden + `"}` + "\n"
	}
	a, b := of(with), of(without)
	for q, c := range b {
		if a[q] != c || c == 0 && q == "q1" {
			t.Errorf("%s: confidence %v with hidden documents, %v without", q, a[q], c)
		}
	}
}

func TestSupersededPageThatWins(t *testing.T) {
	set := withGold()
	set["answers.jsonl"] = strings.ReplaceAll(set["answers.jsonl"], `"supporting": ["pay"], "answerability": "ANSWERABLE", "outdated": {"documents": ["leave"]}`, `"supporting": ["leave"], "answerability": "ANSWERABLE", "outdated": {"documents": ["pay"]}`)
	set["qrels.tsv"] = "q1\tleave\t2\nq2\tleave\t1\n"
	for _, o := range run(t, eval.Options{Set: load(t, set), Build: build(t), Mode: retrieval.Lexical, Personas: []string{"bob"}}).Outcomes {
		if o.Query == "q2" && o.Metrics["superseded_error"] != 1 {
			t.Errorf("the superseded page stands first, and superseded_error is %v", o.Metrics["superseded_error"])
		}
	}
}

func TestRunRefusesUnknownPersonasAndMetrics(t *testing.T) {
	for want, o := range map[string]eval.Options{
		`persona "zoe": the set has ann, bob, user:cy`: {Set: load(t, withGold()), Build: build(t), Personas: []string{"zoe"}},
		`persona "ann": the set has none`:              {Set: load(t, small()), Build: build(t), Personas: []string{"ann"}},
		`metric "bleu"`:                                {Set: load(t, small()), Build: build(t), Metrics: []string{"bleu"}},
	} {
		if _, err := eval.Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

// The sample says who may read an answer; the run finds it out from the lists.
func TestSampleReadersAgree(t *testing.T) {
	set, err := eval.LoadFS(sample.Set(), sample.Name)
	if err != nil {
		t.Fatal(err)
	}
	report := run(t, eval.Options{Set: set, Build: build(t), Mode: retrieval.Lexical, Budgets: []int{eval.AccuracyBudget}})
	readers := sampleReaders(t)
	for _, o := range report.Outcomes {
		if want, told := readers[o.Query][o.Persona]; told && o.Answer.Answerable != want {
			t.Errorf("%s as %s: answerable %v, answers.jsonl says %v", o.Query, o.Persona, o.Answer.Answerable, want)
		}
	}
}

func sampleReaders(t *testing.T) map[string]map[string]bool {
	t.Helper()
	data, err := fs.ReadFile(sample.Set(), "answers.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string]map[string]bool)
	for line := range strings.Lines(string(data)) {
		var l struct {
			ID      string `json:"_id"`
			Readers []string
			ByUser  map[string]struct{ Answerability string } `json:"by_user"`
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		people, err := sample.People()
		if err != nil {
			t.Fatal(err)
		}
		out[l.ID] = make(map[string]bool)
		for _, p := range people {
			out[l.ID][string(p.ID)] = slices.Contains(l.Readers, string(p.ID))
		}
		for user, g := range l.ByUser {
			out[l.ID][user] = g.Answerability == "ANSWERABLE"
		}
	}
	return out
}
