// Package openai embeds texts through any endpoint that speaks OpenAI's
// embeddings API: OpenAI, Azure OpenAI, Ollama, vLLM, Text Embeddings
// Inference, llama.cpp.
//
//	texts ── prefix, cut ──> batches ──> [ breaker ── request ── check ] ──> unit vectors
//	                                     └──── retry, backoff ────┘
//
// Nothing that comes back is trusted: vectors are put in order, counted,
// measured and scaled. Nothing that goes wrong is repeated to the caller word
// for word: an [Error] says what kind of failure it was, and holds no body, no
// URL and no key. Redirects are not followed, so texts and the key go to the
// configured endpoint only.
//
// Passages and queries have a circuit breaker each, so that an ingest that
// meets a failing endpoint does not switch off the vector half of searches.
package openai
