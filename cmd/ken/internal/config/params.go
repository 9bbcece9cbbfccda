package config

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/goccy/go-yaml"
)

// paramsFile is a file of ranking parameters.
type paramsFile struct {
	Version int            `yaml:"version"`
	Params  map[string]any `yaml:"params"`
}

// maxParams bounds a file of parameters in bytes.
const maxParams = 64 << 10

// LoadParams reads a file of ranking parameters and returns them as name=value,
// by name. What the names mean is retrieval's.
//
//	version: 1
//	params:
//	  title: 2
//	  alpha: 0.3
func LoadParams(file string) ([]string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read parameters: %w", err)
	}
	f, err := parseParams(data)
	if err != nil {
		return nil, fmt.Errorf("parameters in %s: %w", file, err)
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(f.Params)) {
		switch v := f.Params[name].(type) {
		case string, bool, int, int64, uint64, float64:
			out = append(out, fmt.Sprintf("%s=%v", name, v))
		default:
			return nil, fmt.Errorf("parameters in %s: %s is no number and no word", file, name)
		}
	}
	return out, nil
}

// parseParams turns a panic of the YAML library, which broken tags bring about,
// into an error.
func parseParams(data []byte) (f paramsFile, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("not YAML: %v", r)
		}
	}()
	switch {
	case len(data) > maxParams:
		return f, fmt.Errorf("%d bytes are more than %d", len(data), maxParams)
	case bytes.ContainsAny(data, "&*"):
		return f, fmt.Errorf("anchors and aliases (& and *) are not read: write the value out")
	}
	if err := yaml.UnmarshalWithOptions(data, &f, yaml.Strict()); err != nil {
		return f, err
	}
	if f.Version != 1 {
		return f, fmt.Errorf("version %d: want version: 1", f.Version)
	}
	return f, nil
}
