// Package retrieval turns a question into passages that the asking person may read.
package retrieval
