// Package judge is the tier of evaluation with a model: it has answers written
// from packed passages alone, and has them judged against the gold answers.
//
//	Case (question, passages, gold) ──> answer ──> judged n times ──> majority, agreement
//	                     every reply ──> Recordings: a rerun is free, CI replays without a network
//
// Any OpenAI-compatible endpoint serves. A question is never lost: it is judged,
// or it is counted as failed with the reason, and the next run asks it again.
package judge
