// Package eval measures what a person would get.
//
// A [Set] is documents, questions, judgements of which documents answer which
// question and, if it has permissions, the personas who ask. [Run] puts the
// documents into an index of its own, asks every judged question once as every
// persona through package retrieval, and reports ranking metrics, latency, and
// leaks: what a persona was shown of documents that it may not read.
//
//	Set ── Source ──> Build (a new, empty index) ──> retrieval.Searcher
//	  └─── queries × personas ──> Explain ──> ranking: metrics over relevant ∩ readable
//	                                     └──> answer: leaks, latency, answers in context
//
// Metrics follow trec_eval: unjudged documents are not relevant, gains are
// linear in the grade, the ideal ranking is over all that was judged. Unlike
// trec_eval, which sorts documents of equal score by name, the order is the
// product's own, since that is what its users see.
package eval
