// Package webhook takes documents that are pushed over HTTP into spools.
//
//	POST /webhooks/NAME
//	Content-Type: application/json
//	Ken-Timestamp: 1767225600
//	Ken-Signature: v1=hex(HMAC-SHA256(secret, "v1\nNAME\n1767225600\n" + body))
//
// A request is signed for one source and five minutes. Within them it can be
// sent again, which changes nothing: its document has a version. 200 comes after
// the document is durable, and never else.
package webhook
