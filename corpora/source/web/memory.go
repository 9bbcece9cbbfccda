package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"ken/internal/atomicfile"
)

// record is what is kept of a page: nothing of its text.
type record struct {
	Type      string   `json:"type"`
	ETag      string   `json:"etag,omitempty"`
	Modified  string   `json:"modified,omitempty"`
	Digest    string   `json:"digest"`
	Canonical string   `json:"canonical,omitempty"`
	NoIndex   bool     `json:"noindex,omitempty"`
	Links     []string `json:"links,omitempty"`
}

// validate makes a request one for changes.
func (r record) validate(h http.Header) {
	if r.ETag != "" {
		h.Set("If-None-Match", r.ETag)
	}
	if r.Modified != "" {
		h.Set("If-Modified-Since", r.Modified)
	}
}

// memory is the pages of the last whole listing by URL.
type memory map[string]*record

const memoryFile = "pages.json"

// readMemory returns what was kept. It only saves requests, so what cannot be
// read is as if it were not there.
func readMemory(dir string) memory {
	m := memory{}
	if dir == "" {
		return m
	}
	data, err := os.ReadFile(filepath.Join(dir, memoryFile))
	if err != nil || json.Unmarshal(data, &m) != nil {
		return memory{}
	}
	return m
}

func (m memory) write(dir string) error {
	if dir == "" {
		return nil
	}
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("remember pages: %w", err)
	}
	if err := atomicfile.Write(filepath.Join(dir, memoryFile), data); err != nil {
		return fmt.Errorf("remember pages: %w", err)
	}
	return nil
}
