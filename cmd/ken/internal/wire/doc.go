// Package wire puts the parts of ken together: it is where an embedder, a store
// and a format are chosen by name.
package wire
