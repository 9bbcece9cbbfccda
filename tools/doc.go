// Package tools is the MCP surface: what an assistant can ask.
//
//	search   {query, filters, limit, max_tokens}  passages with citations
//	fetch    {id, offset, max_tokens}             a document's text, page by page
//	ken://doc/{id}                                the same text as a resource
//	answer_with_citations                         a prompt
//
// A [Server] is one surface over one [Searcher]. It is served on stdio for one
// fixed principal, or over HTTP for the principal of each request:
//
//	HTTP ─> middleware ─> auth ─┬─ 2026-07-28: no session ──┬─> receive ─> tool ─> Searcher
//	                            └─ older: owned session ────┘   recover, who asks,
//	stdio ──────────────────────────────────────────────────┘   time-out, gate, errors
//
// The principal always comes with the request and never from a session. What
// documents say is data: before it leaves, [clean] takes invisible characters
// out, and passages that look like instructions are labelled. Errors leave
// through one table ([explain]) and hold nothing internal.
package tools
