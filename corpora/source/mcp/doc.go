// Package mcp is the source of documents that are the resources of another MCP
// server.
//
//	resources/list, page by page ─> all resources with their stamps ─> Put, …, Complete
//	                                 └ Load: resources/read
//
// A resource is named by its URI without the scheme. One that tells when it was
// last modified is read only when that changes; any other is read by every listing,
// to see whether it did. A resource may say who may read it, in its metadata
// "ken/acl": {"allow": ["group:hr"], "deny": []}; the server itself says nothing of
// people, so else the policy decides.
package mcp
