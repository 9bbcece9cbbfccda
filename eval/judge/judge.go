package judge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"ken/eval"
)

// Options of a run. URL and Model are needed, except that a replay needs no URL.
type Options struct {
	URL        string // up to and without "/chat/completions"
	Key        string // sent as a bearer token
	Model      string // that answers
	JudgeModel string // that judges; "" is Model
	Times      int    // judgements of every answer; 0 is 3
	Workers    int    // questions at once; 0 is 4

	Recordings Recordings
	Replay     bool // ask recordings only

	Timeout time.Duration // of one request; 0 is 60 s
	Retries int           // after a failed request; 0 is 4, below 0 is none
	Backoff time.Duration // before the first retry, doubled for each later one; 0 is 500 ms
	MaxWait time.Duration // the longest wait, also of a Retry-After; 0 is 60 s

	PromptPrice     float64 // of a million prompt tokens
	CompletionPrice float64 // of a million completion tokens

	Transport http.RoundTripper // nil is one of its own without a proxy
	Progress  func(done, of int)
}

func (o Options) withDefaults() Options {
	o.JudgeModel = cmp.Or(o.JudgeModel, o.Model)
	o.Times, o.Workers = cmp.Or(o.Times, 3), cmp.Or(o.Workers, 4)
	o.Timeout, o.Backoff, o.MaxWait = cmp.Or(o.Timeout, time.Minute), cmp.Or(o.Backoff, 500*time.Millisecond), cmp.Or(o.MaxWait, time.Minute)
	o.Retries = max(0, cmp.Or(o.Retries, 4))
	return o
}

func (o Options) validate() error {
	u, err := url.Parse(o.URL)
	switch {
	case o.Model == "":
		return errors.New("no model is named")
	case o.Replay && o.Recordings.Dir == "":
		return errors.New("a replay needs recordings")
	case !o.Replay && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https"):
		return errors.New("the endpoint is no http or https URL")
	case !o.Replay && (u.User != nil || u.RawQuery != ""):
		return errors.New("the endpoint's URL holds a secret or a query: give the key apart")
	case o.Times < 1 || o.Workers < 1 || o.Timeout < 0 || o.Backoff < 0 || o.MaxWait < 0 || o.PromptPrice < 0 || o.CompletionPrice < 0:
		return errors.New("a number is below what makes sense")
	}
	return nil
}

// Run has every case answered and judged. What fails is told in its Outcome,
// and is no error of the run; a context that ends is.
func Run(ctx context.Context, cases []eval.Case, o Options) (Report, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return Report{}, fmt.Errorf("judge: %w", err)
	}
	a := newAsker(o)
	outcomes := make([]Outcome, len(cases))
	work := make(chan int)
	var done sync.WaitGroup
	var told progress
	for range o.Workers {
		done.Go(func() {
			for i := range work {
				outcomes[i] = a.question(ctx, cases[i])
				told.one(o.Progress, len(cases))
			}
		})
	}
	for i := range cases {
		work <- i
	}
	close(work)
	done.Wait()
	if err := ctx.Err(); err != nil {
		return Report{}, fmt.Errorf("judge: %w", err)
	}
	return a.report(outcomes), nil
}

type progress struct {
	mu   sync.Mutex
	done int
}

func (p *progress) one(tell func(done, of int), of int) {
	if tell == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done++
	tell(p.done, of)
}

// question has one case answered and judged.
func (a *asker) question(ctx context.Context, c eval.Case) Outcome {
	o := Outcome{Query: c.Query, Persona: c.Persona, Text: c.Text, Answerable: c.Answerable}
	q := request{Prompts: Prompts, Model: a.Model, System: answerPrompt, User: askAnswer(c), Name: "answer", Schema: answeredSchema}
	said, err := ask(ctx, a, q, parseAnswered)
	if err != nil {
		o.Failed = err.Error()
		return o
	}
	o.Abstained, o.Answer = !said.Answerable, said.Answer
	if o.Abstained || !c.Answerable {
		o.Correct = o.Abstained && !c.Answerable // nothing to read: the set says which it is
		return o
	}
	return a.verdicts(ctx, c, said, o)
}

// verdicts asks the judge Times times and takes the majority; a tie is not correct.
func (a *asker) verdicts(ctx context.Context, c eval.Case, said answered, o Outcome) Outcome {
	correct, faithful := 0, 0
	for try := range a.Times {
		q := request{Prompts: Prompts, Model: a.JudgeModel, System: judgePrompt, User: askVerdict(c, said), Name: "verdict", Schema: verdictSchema, Try: try}
		v, err := ask(ctx, a, q, parseVerdict)
		if err != nil {
			o.Failed = err.Error()
			return o
		}
		o.Reasons = append(o.Reasons, v.Reason)
		correct, faithful = correct+number(v.Correct), faithful+number(v.Faithful)
	}
	o.Judged = a.Times
	o.Correct, o.Faithful = 2*correct > a.Times, 2*faithful > a.Times
	o.Agreement = float64(max(correct, a.Times-correct)) / float64(a.Times)
	return o
}

func number(is bool) int {
	if is {
		return 1
	}
	return 0
}
