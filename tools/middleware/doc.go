// Package middleware bounds what one HTTP request may cost and reach.
//
// Each function wraps an http.Handler with one rule; package tools stacks them,
// outermost first:
//
//	Headers ─> RequestID ─> Recover ─> Host ─> Origin ─> (who asks) ─> Share ─> Body ─> Limit ─> JSON ─> handler
//	no-store   X-Request-Id  500        403     403       401           429      413     503      400
//
// A [Gate] is the bound behind [Limit]; it also serves work that is not HTTP.
// Nothing here writes a header value, a body or a URL to the log: a log line
// names the request by its id.
package middleware
