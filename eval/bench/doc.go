// Command bench measures the embedded engine beside the libraries that it is
// compared with: bleve with the permissions as a conjunct, chromem-go with a where,
// and a scan of all vectors. All of them hold the same chunks, and each query is
// put to all of them in turn, so that what else the machine does meets them alike.
//
//	go run ./eval/bench -chunks 100000 -json bench.json -text - -html bench.html
//
// Texts are made of words that follow Zipf's law, in documents of ten chunks of a
// hundred words. Queries that warm caches are others than those that are measured.
// Query vectors are made before the clock starts, since an embedder is not what is
// measured.
package main
