package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestLoadParams(t *testing.T) {
	for text, want := range map[string][]string{
		"version: 1\nparams:\n  title: 2\n  alpha: 0.3\n  fusion: rrf\n": {"alpha=0.3", "fusion=rrf", "title=2"},
		"version: 1\n": nil,
	} {
		if got, err := LoadParams(written(t, text)); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"params: {title: 2}":                  "version 0",
		"version: 2":                          "version 2",
		"version: 1\nparam: {title: 2}":       "unknown field",
		"version: 1\nparams: {title: [1, 2]}": "title is no number",
		"version: 1\nparams: &a {title: 1}":   "anchors",
		"{":                                   "",
	} {
		if got, err := LoadParams(written(t, text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %q, %v; want an error about %q", text, got, err, want)
		}
	}
}

func written(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "params.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
