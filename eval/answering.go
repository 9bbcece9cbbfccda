package eval

import (
	"context"
	"fmt"
	"slices"

	"ken/corpora"
	"ken/retrieval"
)

// AccuracyBudget is the tokens within which the gold answer must stand for a
// question to count as answered.
const AccuracyBudget = 1_000

// Answering is what decides whether a question was answered well, but for the
// threshold below which no answer is given.
type Answering struct {
	Answerable bool    `json:"answerable"` // by a document that the persona may read
	Confidence float64 `json:"confidence"` // that the packed passages speak of what was asked, 0 to 1
	InContext  bool    `json:"in_context"` // the gold answer stands in them, within AccuracyBudget
}

// scoreGold packs the question's passages at every budget and looks for the
// gold answer in them. Questions of which the set does not say whether they have
// an answer are not counted.
func (r *runner) scoreGold(ctx context.Context, persona Persona, scope *scope, q Query, first retrieval.Response, ranking []corpora.DocID, o *Outcome) error {
	gold := q.goldFor(persona.Name)
	if !gold.Known {
		return nil
	}
	o.Answer = &Answering{Answerable: scope.answerable(gold, q)}
	for _, budget := range r.Budgets {
		response, err := r.pack(ctx, persona, scope, q, first, budget, o)
		if err != nil {
			return err
		}
		if o.Answer.Answerable {
			o.Metrics[fmt.Sprintf("answer@%d", budget)] = one(inContext(response, gold.Answers))
		}
		if budget == AccuracyBudget {
			scope.scoreBest(gold, q, response, o)
			r.handOver(persona, gold, q, response, *o)
		}
	}
	scope.scoreOutdated(q, ranking, o)
	return nil
}

func (r *runner) handOver(persona Persona, gold Gold, q Query, response retrieval.Response, o Outcome) {
	if r.Case != nil {
		r.Case(Case{q.ID, persona.Name, q.Text, o.Answer.Answerable, gold.Answers, response})
	}
}

// pack asks again with the budget, or returns the first answer if that was its
// budget.
func (r *runner) pack(ctx context.Context, persona Persona, scope *scope, q Query, first retrieval.Response, budget int, o *Outcome) (retrieval.Response, error) {
	if budget == retrieval.DefaultBudget {
		return first, nil
	}
	response, _, err := r.searcher.Explain(ctx, persona.Principal, retrieval.Request{Query: q.Text, Mode: r.Mode, Budget: budget, Literal: true})
	o.Leaks += scope.leaksOf(nil, response)
	return response, err
}

// scoreBest measures what an answerer without a model does with the answer: it
// cites one passage, and says the line of it that covers the question best.
func (s *scope) scoreBest(gold Gold, q Query, r retrieval.Response, o *Outcome) {
	passage, confidence := s.cited(q.Text, r)
	o.Answer.Confidence = confidence
	o.Answer.InContext = inContext(r, gold.Answers)
	if !o.Answer.Answerable {
		return
	}
	o.Metrics["citation_precision"] = one(containsAny(passage.Text, gold.Answers))
	said := s.bestLine(q.Text, passage.Text)
	o.Metrics["extract_em"], o.Metrics["extract_f1"] = agreement(said, gold.Answers)
}

// scoreOutdated measures whether a superseded page stands above every page that
// is in force, where the persona may read both.
func (s *scope) scoreOutdated(q Query, ranking []corpora.DocID, o *Outcome) {
	if !o.Answer.Answerable || len(o.Expected) == 0 || !slices.ContainsFunc(q.Outdated, func(id corpora.DocID) bool { return s.readable[id] }) {
		return
	}
	old := slices.IndexFunc(ranking, func(id corpora.DocID) bool { return slices.Contains(q.Outdated, id) })
	inForce := slices.IndexFunc(ranking, func(id corpora.DocID) bool { return slices.Contains(o.Expected, id) })
	o.Metrics["superseded_error"] = one(old >= 0 && (inForce < 0 || old < inForce))
}

// answerable reports whether the persona may read a document with the answer.
func (s *scope) answerable(g Gold, q Query) bool {
	if !g.Answerable {
		return false
	}
	for _, id := range g.Supporting {
		if s.readable[id] {
			return true
		}
	}
	if len(g.Supporting) > 0 {
		return false
	}
	return len(s.expected(q.Relevant)) > 0 || len(q.Relevant) == 0 && s.holds(g.Answers)
}

// holds reports whether a readable document holds an answer, for sets that name
// no documents.
func (s *scope) holds(answers []string) bool {
	for id := range s.readable {
		if containsAny(s.docs[id].text, answers) {
			return true
		}
	}
	return false
}

func one(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
