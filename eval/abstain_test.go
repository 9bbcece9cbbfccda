package eval

import (
	"fmt"
	"math"
	"testing"
)

func asked(query int, answerable, inContext bool, confidence float64) Outcome {
	return Outcome{Query: fmt.Sprint("q", query), Answer: &Answering{Answerable: answerable, InContext: inContext, Confidence: confidence}}
}

// Two of three abstentions are right, of three questions without an answer.
func TestAbstain(t *testing.T) {
	got := Abstain([]Outcome{
		asked(1, false, false, .1), asked(2, false, false, .2), asked(3, false, false, .9),
		asked(4, true, true, .3), // abstained from, though its answer was there
		asked(5, true, true, .8), asked(6, true, false, .8),
		{Query: "q7"}, // the set does not say
	}, .4)
	want := Abstention{Threshold: .4, Questions: 6, Unanswerable: 3, Precision: 2. / 3, Recall: 2. / 3, F1: 2. / 3, Accuracy: 4. / 6, Strict: 3. / 6, Refused: 1}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if none := Abstain(nil, .5); none.F1 != 0 || math.IsNaN(none.Accuracy) {
		t.Errorf("of nothing %+v", none)
	}
}

func TestCalibrate(t *testing.T) {
	outcomes := []Outcome{asked(1, false, false, .1), asked(2, false, false, .3), asked(3, true, true, .5), asked(4, true, true, .9), asked(5, false, false, .6)}
	// Below .4 two are right and none is wrong (F1 .8); below .75 three right, one wrong (.857).
	if got := Calibrate(outcomes); math.Abs(got-.75) > 1e-12 {
		t.Errorf("threshold %v, want .75", got)
	}
	if got := Calibrate(nil); got != 0 {
		t.Errorf("threshold of nothing %v", got)
	}
}

// A question is in one half, whoever asks it.
func TestHalves(t *testing.T) {
	var all []Outcome
	for range 2 { // two people
		for q := range 5 {
			all = append(all, asked(q, true, true, .5))
		}
	}
	first, second := Halves(append(all, Outcome{Query: "q9"}))
	if len(first) != 6 || len(second) != 4 {
		t.Errorf("%d and %d", len(first), len(second))
	}
	in := make(map[string]bool)
	for _, o := range first {
		in[o.Query] = true
	}
	for _, o := range second {
		if in[o.Query] {
			t.Errorf("%s is in both", o.Query)
		}
	}
}
