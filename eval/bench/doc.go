// Command bench measures the embedded engine beside the libraries that it is
// compared with: bleve with the permissions as a conjunct, chromem-go with a where,
// and a scan of all vectors. All of them hold the same chunks, and each query is
// put to all of them in turn, so that what else the machine does meets them alike.
//
//	go run ./eval/bench -chunks 100000,1000000 -json bench.json -text - -html bench.html
//
// Made texts are of words that follow Zipf's law, in documents of ten chunks of a
// hundred words. Where KEN_EVAL_DATA names the folder of the evaluation data, the
// same is measured with abstracts, each repeated with variation, hashed vectors of
// them, and 10,000 ACLs. Queries that warm caches are others than those that are
// measured. Query vectors are made before the clock starts, since an embedder is
// not what is measured.
//
// Memory, cold start, several callers, searches over HTTP and searches during
// writing are measured in a process of their own, in which ken is alone.
package main
