// Package rerank asks an HTTP endpoint how well texts answer a query.
//
// Two request shapes are in use, and one client speaks both:
//
//	Documents  POST {"model", "query", "documents", "top_n"}   Cohere, Jina, vLLM, llama.cpp, Infinity
//	Texts      POST {"query", "texts"}                         Text Embeddings Inference
//
// The answers are {"results": [{"index", "relevance_score"}]} and
// [{"index", "score"}]; either is understood whatever the request was.
package rerank
