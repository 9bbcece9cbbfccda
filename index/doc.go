// Package index says what is stored and what is found: chunks, hits, queries.
//
// The words here are shared by the stores (index/embedded and others), the
// pipeline that fills them (index/ingest) and the searches over them (package
// retrieval). It holds shapes only.
package index
