package judge

import (
	"maps"
	"slices"

	"ken/eval/stats"
)

// Outcome is what became of one question of one person.
type Outcome struct {
	Query      string   `json:"query"`
	Persona    string   `json:"persona,omitempty"`
	Text       string   `json:"text"`
	Answerable bool     `json:"answerable"` // by what the person may read
	Answer     string   `json:"answer,omitempty"`
	Abstained  bool     `json:"abstained,omitempty"` // the model said that the passages do not hold it
	Correct    bool     `json:"correct"`             // by the majority; an unanswerable question is correct if abstained from
	Faithful   bool     `json:"faithful,omitempty"`  // by the majority, of judged answers
	Judged     int      `json:"judged,omitempty"`    // judgements
	Agreement  float64  `json:"agreement,omitempty"` // share of the judgements that are the majority's, of judged answers
	Reasons    []string `json:"reasons,omitempty"`
	Failed     string   `json:"failed,omitempty"` // why there is no outcome; the rest is then empty or partial
}

// Rate is a share of questions with its 95 % bootstrap interval. The unit is the
// question: several people's outcomes are one mean first.
type Rate struct {
	Mean      float64        `json:"mean"`
	Interval  stats.Interval `json:"interval"`
	Questions int            `json:"questions"`
}

// Report is the outcome of a run. Asked = Failed + what the rates are of.
type Report struct {
	Model      string    `json:"model"`
	JudgeModel string    `json:"judge_model"`
	Prompts    string    `json:"prompts"`
	Times      int       `json:"times"`
	Asked      int       `json:"asked"`
	Failed     int       `json:"failed"`
	Correct    Rate      `json:"correct"`   // of all that did not fail
	Answered   Rate      `json:"answered"`  // correct ones of the answerable
	Abstained  Rate      `json:"abstained"` // abstained from, of the unanswerable
	Faithful   Rate      `json:"faithful"`  // of the judged answers
	Agreement  float64   `json:"agreement"` // mean over judged answers
	Unanimous  float64   `json:"unanimous"` // share of them on which all judgements agree
	Usage      Usage     `json:"usage"`
	Outcomes   []Outcome `json:"outcomes"`
}

func (a *asker) report(outcomes []Outcome) Report {
	r := Report{Model: a.Model, JudgeModel: a.JudgeModel, Prompts: Prompts, Times: a.Times, Asked: len(outcomes), Outcomes: outcomes, Usage: a.usage}
	r.Usage.Cost = (float64(r.Usage.PromptTokens)*a.PromptPrice + float64(r.Usage.CompletionTokens)*a.CompletionPrice) / 1e6
	judged := 0
	for _, o := range outcomes {
		if o.Failed != "" {
			r.Failed++
		} else if o.Judged > 0 {
			judged++
			r.Agreement += o.Agreement
			r.Unanimous += float64(number(o.Agreement == 1))
		}
	}
	if judged > 0 {
		r.Agreement, r.Unanimous = r.Agreement/float64(judged), r.Unanimous/float64(judged)
	}
	r.Correct = rate(outcomes, func(o Outcome) (bool, bool) { return true, o.Correct })
	r.Answered = rate(outcomes, func(o Outcome) (bool, bool) { return o.Answerable, o.Correct })
	r.Abstained = rate(outcomes, func(o Outcome) (bool, bool) { return !o.Answerable, o.Abstained })
	r.Faithful = rate(outcomes, func(o Outcome) (bool, bool) { return o.Judged > 0, o.Faithful })
	return r
}

// rate is over the outcomes that did not fail and that count.
func rate(outcomes []Outcome, of func(Outcome) (counts, is bool)) Rate {
	type sum struct{ is, n float64 }
	byQuery := make(map[string]sum)
	for _, o := range outcomes {
		counts, is := of(o)
		if o.Failed == "" && counts {
			s := byQuery[o.Query]
			byQuery[o.Query] = sum{s.is + float64(number(is)), s.n + 1}
		}
	}
	var means []float64
	for _, query := range slices.Sorted(maps.Keys(byQuery)) {
		means = append(means, byQuery[query].is/byQuery[query].n)
	}
	return Rate{stats.Mean(means), stats.Bootstrap(means, stats.Seed), len(means)}
}
