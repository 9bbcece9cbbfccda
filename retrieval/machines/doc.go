// Package machines holds one test: every machine finds the same, with the same
// scores to the bit. make test-arm64 runs it on another one.
package machines
