// Package retrieval turns a question into passages that the asking person may read.
//
// A [Searcher] takes one view of the store per call, for one principal, and
// everything after that is a function of what the view shows:
//
//	query ──> BM25F ──> RM3 feedback ──> 4-gram rescoring ─┐
//	   └────> embedder ──> vector search ──────────────────┴─> fuse ─> [rerank]
//	      ─> fold near-duplicates ─> quota ─> pack to a token budget ─> cite
//
// [Searcher.Rank] stops after fusion and is what evaluation measures;
// [Searcher.Search] goes to the end and is what an assistant reads.
//
// Nothing is dropped silently: a leg that did not answer is named in
// Degraded, what did not fit the budget is counted in Cut, and a document that
// was folded is listed with the one it was folded into.
//
// The same documents, principal, request and parameters give the same bytes:
// no map is iterated where order matters, sums are taken in an order that the
// readable documents alone decide, and every sort ends in a content key.
package retrieval
