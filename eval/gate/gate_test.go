package gate_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"ken/eval"
	"ken/eval/gate"
	"ken/eval/suite"
)

// result has one run of n questions by two people, with these scores.
func result(n int, score func(q int) float64, ms float64) suite.Result {
	run := suite.Run{System: suite.Ken, Mode: "hybrid", Report: eval.Report{
		Set: "set", LatencyMS: eval.Latency{P50: ms}, StagesMS: map[string]eval.Latency{"vector": {P50: ms - 1}, "lexical": {P50: 1}},
	}}
	for q := range n {
		for _, who := range []string{"ann", "bob"} {
			run.Outcomes = append(run.Outcomes, eval.Outcome{
				Query: fmt.Sprintf("q%02d", q), Persona: who, LatencyMS: ms + float64(q)/100, Metrics: eval.Metrics{"ndcg@10": score(q)},
			})
		}
	}
	return suite.Result{Suite: "s", Runs: []suite.Run{run}}
}

func level(x float64) func(int) float64 { return func(int) float64 { return x } }

func failed(gates []suite.Gate) []suite.Gate {
	return slices.DeleteFunc(gates, func(g suite.Gate) bool { return g.Passed })
}

func TestTheSameResultPasses(t *testing.T) {
	r := result(20, level(.8), 4)
	if bad := failed(gate.Check(r, r, gate.Options{})); len(bad) > 0 {
		t.Errorf("failed %+v", bad)
	}
}

func TestALossFailsAndNamesTheWorst(t *testing.T) {
	now := result(20, func(q int) float64 { return .8 - float64(q)/50 }, 4)
	bad := failed(gate.Check(result(20, level(.8), 4), now, gate.Options{}))
	if len(bad) != 1 || bad[0].Kind != suite.KindRegression || bad[0].Name != "set, hybrid: ndcg@10" {
		t.Fatalf("failed %+v", bad)
	}
	if len(bad[0].Worst) != 5 || bad[0].Worst[0] != "q19 (0.800 -> 0.420)" {
		t.Errorf("worst %q", bad[0].Worst)
	}
}

// Gains, and losses that chance explains, pass.
func TestWhatPasses(t *testing.T) {
	for name, score := range map[string]func(int) float64{
		"better":      level(.9),
		"three worse": func(q int) float64 { return .8 - max(0, float64(q-16))/10 },
		"up and down": func(q int) float64 { return .8 + .1*float64(1-2*(q%2)) },
	} {
		if bad := failed(gate.Check(result(20, level(.8), 4), result(20, score, 4), gate.Options{})); len(bad) > 0 {
			t.Errorf("%s: failed %+v", name, bad)
		}
	}
}

func TestLatency(t *testing.T) {
	before := result(20, level(.8), 4)
	bad := failed(gate.Check(before, result(20, level(.8), 24), gate.Options{}))
	if len(bad) != 1 || bad[0].Name != "set, hybrid: latency_ms" || !strings.Contains(bad[0].Message, "stage vector +20.00 ms") {
		t.Errorf("20 ms more: %+v", bad)
	}
	if bad := failed(gate.Check(before, result(20, level(.8), 8), gate.Options{})); len(bad) > 0 {
		t.Errorf("4 ms more may be the machine: %+v", bad)
	}
	if bad := failed(gate.Check(before, result(20, level(.8), 8), gate.Options{LatencyMS: 2})); len(bad) != 1 {
		t.Errorf("4 ms more, and 2 are too many: %+v", bad)
	}
}

// A set or a question that is no longer measured fails.
func TestMissing(t *testing.T) {
	before := result(20, level(.8), 4)
	if bad := failed(gate.Check(before, suite.Result{}, gate.Options{})); len(bad) != 1 || bad[0].Kind != suite.KindMissing {
		t.Errorf("no run: %+v", bad)
	}
	bad := failed(gate.Check(before, result(19, level(.8), 4), gate.Options{}))
	if len(bad) != 1 || !strings.Contains(bad[0].Message, "2 questions") || bad[0].Worst[0] != "q19 as ann" {
		t.Errorf("one question less: %+v", bad)
	}
}

// The gates of the result itself are kept: its leaks and thresholds.
func TestOwnGatesStay(t *testing.T) {
	now := result(20, level(.8), 4)
	now.Gates = []suite.Gate{{Kind: suite.KindLeak, Name: "leaks"}}
	if bad := failed(gate.Check(now, now, gate.Options{})); len(bad) != 1 || bad[0].Kind != suite.KindLeak {
		t.Errorf("failed %+v", bad)
	}
}

// A question is one unit, however many ask it.
func TestCompareCountsQuestions(t *testing.T) {
	d := gate.Compare(result(4, level(.5), 1), result(4, level(.25), 1), []string{"ndcg@10", "map"}, 1)
	if len(d) != 1 || d[0].Questions != 4 || d[0].Losses != 4 || d[0].Change != -.25 || d[0].P != 2./16 {
		t.Errorf("difference %+v", d)
	}
}

// A threshold that is missed names what lost since the baseline, not what
// always was low.
func TestThresholdNamesWhatLost(t *testing.T) {
	before := result(4, func(q int) float64 { return float64(q) / 4 }, 4)
	now := result(4, func(q int) float64 { return float64(q) / 4 * float64(1-q/3) }, 4) // q03 falls from .75 to 0
	now.Gates = []suite.Gate{{Kind: suite.KindThreshold, Set: "set", Mode: "hybrid", Metric: "ndcg@10", Worst: []string{"q00"}}}
	bad := failed(gate.Check(before, now, gate.Options{}))
	if len(bad) != 1 || !slices.Equal(bad[0].Worst, []string{"q03 (0.750 -> 0.000)"}) {
		t.Errorf("failed %+v", bad)
	}
}
