// Package feedback keeps what people say of passages, and makes an evaluation
// set of it.
//
//	feedback tool ── Record ──> Log (a file, one line each) ── Read ──> WriteSet ──> ken eval run --set
//
// A record holds no text of a document, since whoever gave it may lose the right
// to read it: only its id, version and span. The question is a hash unless the
// operator keeps questions. Feedback never changes a ranking.
package feedback
