// Package ingest carries documents from sources into a store.
package ingest
