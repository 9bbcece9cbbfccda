// Package ingest carries documents from a source into a store.
//
//	list ──> load, extract, detect, chunk ──> embed ──> Store.Replace
//	  │      (workers, in parallel)           (in order, a batch at a time)
//	  └──> what was not listed any more ──────────────> Store.Delete
//
// A run is incremental: a document whose stamp is the stored one is not read, and
// a chunk that reads as it did is not embedded again. It is resumable: a
// batch is committed or it is not, and the next run begins where this one ended.
// It fails closed: a document that can no longer be read, or whose permissions
// can no longer be understood, is readable by nobody until it can. (A fault that
// passes, such as a time-out, leaves it as it is.) Permissions and deletions wait
// for no embedder: while that is down, they are taken in and texts are not.
//
// A document that moved has another id: it is a deletion and an addition, and
// costs its embedding again.
package ingest
