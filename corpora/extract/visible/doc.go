// Package visible removes from text what a reader cannot see.
//
// Invisible characters carry orders to a model that no person who approved the
// page has read, break words apart for a search, and let two names look the
// same. [Text] is the one place that says which characters those are.
package visible
