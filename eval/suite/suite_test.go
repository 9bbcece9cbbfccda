package suite_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"ken/eval"
	"ken/eval/suite"
)

const good = `version: 1
name: two
sets:
  - name: one
    path: data/one
    personas: ["user:ann"]
    modes: [lexical, hybrid]
  - path: data/other
metrics: [ndcg@3, mrr]
baseline: true
calibrate: other
thresholds:
  - {metric: ndcg@3, set: one, min: .5}
  - metric: leaks
    max: 0
`

func TestParse(t *testing.T) {
	s, err := suite.Parse([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Sets) != 2 || s.Sets[0].Modes[0] != "lexical" || s.Sets[0].Personas[0] != "user:ann" || s.Sets[1].Name != "other" || s.Sets[1].Modes[0] != "hybrid" {
		t.Errorf("sets %+v", s.Sets)
	}
	if !s.Baseline || s.Calibrate != "other" || len(s.Metrics) != 2 || *s.Thresholds[0].Min != .5 || *s.Thresholds[1].Max != 0 {
		t.Errorf("suite %+v", s)
	}
}

// Every mistake is told with its place.
func TestParseRefuses(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"a misspelled key":      {"baseline: true", "basline: true", `line 10, column 1: unknown field "basline"`},
		"a misspelled set key":  {"    path: data/one", "    pathe: data/one", `line 5, column 5: unknown field "pathe"`},
		"a key twice":           {"baseline: true", "name: again", `line 10, column 1: mapping key "name" already defined`},
		"an unknown metric":     {"ndcg@3, mrr", "ndcg@3, bleu", `line 9, column 19: metric "bleu"`},
		"an unknown mode":       {"[lexical, hybrid]", "[lexical, magic]", `line 7, column 22: mode "magic"`},
		"a bound in words":      {"min: .5", "min: half", `line 13, column 37: "half" is not a number`},
		"a bound not a number":  {"min: .5", "min: nan", `"nan" is not a number`},
		"no bound":              {", min: .5", "", "line 13, column 14: the threshold of ndcg@3 has neither min nor max"},
		"an unknown set":        {"set: one", "set: none", `line 13, column 27: there is no set "none"`},
		"an unknown calibrate":  {"calibrate: other", "calibrate: none", `line 11, column 12: calibrate: there is no set "none"`},
		"a set twice":           {"path: data/other", "path: data/one", `line 8, column 11: two sets are named "one"`},
		"another version":       {"version: 1", "version: 2", `line 1, column 10: version "2"`},
		"a list for a name":     {"name: two", "name: [two]", "line 2, column 7: want a text or a number"},
		"baseline perhaps":      {"baseline: true", "baseline: perhaps", `line 10, column 11: baseline "perhaps"`},
		"an alias":              {"name: two", "name: *two", "anchors and aliases"},
		"no sets":               {good[strings.Index(good, "sets:"):], "", "the suite has no sets"},
		"a mapping cut in half": {"baseline: true", "baseline: {", "line "},
	} {
		_, err := suite.Parse([]byte(strings.Replace(good, c.old, c.new, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("version: [\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if s, err := suite.Parse(data); err == nil && len(s.Sets) == 0 {
			t.Error("a suite without sets")
		}
	})
}

func TestBundledSuiteCanBeRead(t *testing.T) {
	data, err := os.ReadFile("../suites/bundled.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := suite.Parse(data); err != nil {
		t.Error(err)
	}
}

func TestFailCounts(t *testing.T) {
	var r suite.Result
	r.Fail(suite.Gate{Passed: true}, suite.Gate{})
	r.Fail(suite.Gate{})
	if r.GatesFailed != 2 || len(r.Gates) != 3 {
		t.Errorf("%d of %d failed", r.GatesFailed, len(r.Gates))
	}
}

// What eval.json holds is read back as it was.
func TestResultSurvivesJSON(t *testing.T) {
	in := suite.Result{Suite: "s", Runs: []suite.Run{{System: suite.Ken, Mode: "hybrid", Report: eval.Report{
		Set: "a", Metrics: eval.Metrics{"ndcg@10": .5},
		Outcomes: []eval.Outcome{{Query: "q", Metrics: eval.Metrics{"ndcg@10": .5}, LatencyMS: 1, Answer: &eval.Answering{Answerable: true, Confidence: .25}}},
	}}}}
	data, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{`"accuracy"`, `"leaks"`, `"abstention_f1"`, `"gates_failed"`} {
		if !strings.Contains(string(data), key) {
			t.Errorf("no %s", key)
		}
	}
	var out suite.Result
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	o := out.Runs[0].Outcomes[0]
	if out.Runs[0].Name() != "a, hybrid" || o.LatencyMS != 1 || o.Answer.Confidence != .25 || o.Metrics["ndcg@10"] != .5 {
		t.Errorf("read back %+v", out.Runs[0])
	}
}
