package eval

import "slices"

// Abstention is how well a threshold on confidence tells the questions that
// cannot be answered from those that can. Precision, Recall and F1 are of
// abstaining; without a question that cannot be answered they are 0.
type Abstention struct {
	Threshold    float64 `json:"threshold"`
	Questions    int     `json:"questions"`
	Unanswerable int     `json:"unanswerable"`
	Precision    float64 `json:"precision"`
	Recall       float64 `json:"recall"`
	F1           float64 `json:"f1"`

	// Accuracy is (answerable questions with the gold answer within
	// AccuracyBudget tokens + unanswerable ones abstained from) / all. An
	// answerable question that was abstained from is Refused; it keeps its
	// packed answer here and is wrong in Strict.
	Accuracy float64 `json:"accuracy"`
	Strict   float64 `json:"accuracy_strict"` // as Accuracy, and the answerable one was not abstained from
	Refused  int     `json:"refused"`
}

// Abstain applies the threshold to every outcome that has an Answer.
func Abstain(outcomes []Outcome, threshold float64) Abstention {
	a := Abstention{Threshold: threshold}
	var abstained, rightly, correct, strict int
	for _, o := range outcomes {
		if o.Answer == nil {
			continue
		}
		a.Questions++
		silent := o.Answer.Confidence < threshold
		if silent {
			abstained++
		}
		switch {
		case !o.Answer.Answerable:
			a.Unanswerable++
			if silent {
				rightly, correct, strict = rightly+1, correct+1, strict+1
			}
		case silent:
			a.Refused++
			if o.Answer.InContext {
				correct++
			}
		case o.Answer.InContext:
			correct, strict = correct+1, strict+1
		}
	}
	a.Precision, a.Recall = share(rightly, abstained), share(rightly, a.Unanswerable)
	a.F1 = share(2*rightly, abstained+a.Unanswerable)
	a.Accuracy, a.Strict = share(correct, a.Questions), share(strict, a.Questions)
	return a
}

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// Calibrate returns the threshold with the best F1 on the outcomes: halfway
// between two confidences that occur, and of equally good ones the lowest.
func Calibrate(outcomes []Outcome) float64 {
	var levels []float64
	for _, o := range outcomes {
		if o.Answer != nil {
			levels = append(levels, o.Answer.Confidence)
		}
	}
	slices.Sort(levels)
	levels = slices.Compact(levels)
	best, threshold := Abstain(outcomes, 0).F1, 0.0
	for i := 1; i < len(levels); i++ {
		t := (levels[i-1] + levels[i]) / 2
		if f1 := Abstain(outcomes, t).F1; f1 > best {
			best, threshold = f1, t
		}
	}
	return threshold
}

// Halves parts the outcomes by question, every second question of those that
// have an Answer to each half, so that no question is in both.
func Halves(outcomes []Outcome) (first, second []Outcome) {
	half := make(map[string]int)
	for _, o := range outcomes {
		if o.Answer == nil {
			continue
		}
		if _, ok := half[o.Query]; !ok {
			half[o.Query] = len(half) % 2
		}
		if half[o.Query] == 0 {
			first = append(first, o)
		} else {
			second = append(second, o)
		}
	}
	return first, second
}
