// Package embed turns text into vectors.
//
// An [Embedder] belongs to a [Model]; vectors of two models are never compared,
// so an index remembers the model of its vectors and another model means that
// everything is embedded again. An embedder may be fitted to public text only,
// never to the documents of the index: a model fitted to them would make one
// reader's vectors depend on documents that this reader may not see.
package embed
