package suite

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"

	"ken/eval"
	"ken/retrieval"
)

// Suite is what is measured together.
type Suite struct {
	Name       string
	Sets       []Set
	Metrics    []string // ranking metrics besides the usual ones
	Canaries   bool     // add documents that nobody may read and that repeat the questions
	Baseline   bool     // measure plain RAG beside ken
	Calibrate  string   // the set whose first half gives the threshold for abstaining; "" is the first set
	Thresholds []Threshold
}

// Set is a data set of a suite.
type Set struct {
	Name     string
	Path     string           // of its folder, from the suite's file
	Personas []string         // who asks; nil is all
	Modes    []retrieval.Mode // nil is hybrid; the first is the one that headlines are of
}

// Threshold bounds a figure of a Result.
type Threshold struct {
	Metric  string
	Set     string // "" is every set that has the metric
	Mode    string // "" is the set's first mode
	Persona string // "" is all together
	Min     *float64
	Max     *float64
}

// maxSize bounds a suite's file in bytes.
const maxSize = 1 << 20

type file struct {
	Version    scalar           `yaml:"version"`
	Name       scalar           `yaml:"name"`
	Sets       []setEntry       `yaml:"sets"`
	Metrics    []scalar         `yaml:"metrics"`
	Baseline   scalar           `yaml:"baseline"`
	Canaries   scalar           `yaml:"canaries"`
	Calibrate  scalar           `yaml:"calibrate"`
	Thresholds []thresholdEntry `yaml:"thresholds"`
}

type setEntry struct {
	Name     scalar   `yaml:"name"`
	Path     scalar   `yaml:"path"`
	Personas []scalar `yaml:"personas"`
	Modes    []scalar `yaml:"modes"`
}

type thresholdEntry struct {
	Metric  scalar `yaml:"metric"`
	Set     scalar `yaml:"set"`
	Mode    scalar `yaml:"mode"`
	Persona scalar `yaml:"persona"`
	Min     scalar `yaml:"min"`
	Max     scalar `yaml:"max"`
}

// scalar is a text with its place in the file.
type scalar struct {
	text         string
	line, column int
}

func (s *scalar) UnmarshalYAML(node ast.Node) error {
	s.line, s.column = node.GetToken().Position.Line, node.GetToken().Position.Column
	switch v := node.(type) {
	case *ast.StringNode:
		s.text = v.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		s.text = node.GetToken().Value
	default:
		return placed(s.line, s.column, "want a text or a number")
	}
	return nil
}

func (s scalar) errorf(format string, args ...any) error {
	return placed(max(s.line, 1), max(s.column, 1), format, args...)
}

type placeError struct {
	line, column int
	text         string
}

func (e *placeError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.line, e.column, e.text)
}

func placed(line, column int, format string, args ...any) error {
	return &placeError{line, column, fmt.Sprintf(format, args...)}
}

// Parse reads a suite. Unknown keys, and values that are out of range, are
// refused with their line and column.
func Parse(data []byte) (Suite, error) {
	if len(data) > maxSize {
		return Suite{}, fmt.Errorf("the suite has %d bytes, more than %d", len(data), maxSize)
	}
	if bytes.ContainsAny(data, "&*") {
		return Suite{}, errors.New("anchors and aliases (& and *) are not read: write the value out")
	}
	f, err := decode(data)
	if err != nil {
		return Suite{}, readable(err)
	}
	return f.suite()
}

// decode turns a panic of the YAML library, which broken tags bring about, into
// an error: nothing of ours runs below it but UnmarshalYAML.
func decode(data []byte) (f file, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the suite cannot be read as YAML: %v", r)
		}
	}()
	return f, yaml.UnmarshalWithOptions(data, &f, yaml.Strict())
}

// readable gives the parser's errors the form of ours.
func readable(err error) error {
	if own, ok := errors.AsType[*placeError](err); ok {
		return own
	}
	if e, ok := errors.AsType[yaml.Error](err); ok && e.GetToken() != nil {
		at := e.GetToken().Position
		return placed(at.Line, at.Column, "%s", e.GetMessage())
	}
	return err
}

func (f file) suite() (Suite, error) {
	s := Suite{Name: f.Name.text, Calibrate: f.Calibrate.text, Baseline: f.Baseline.text == "true", Canaries: f.Canaries.text == "true"}
	if f.Version.text != "1" {
		return s, f.Version.errorf("version %q: want version: 1", f.Version.text)
	}
	if s.Name == "" {
		return s, f.Name.errorf("the suite has no name")
	}
	if b := f.Baseline.text; b != "" && b != "true" && b != "false" {
		return s, f.Baseline.errorf("baseline %q: want true or false", b)
	}
	if c := f.Canaries.text; c != "" && c != "true" && c != "false" {
		return s, f.Canaries.errorf("canaries %q: want true or false", c)
	}
	for _, m := range f.Metrics {
		if err := eval.CheckMetric(m.text); err != nil {
			return s, m.errorf("%v", err)
		}
		s.Metrics = append(s.Metrics, m.text)
	}
	if err := f.sets(&s); err != nil {
		return s, err
	}
	if s.Calibrate != "" && !s.has(s.Calibrate) {
		return s, f.Calibrate.errorf("calibrate: there is no set %q", s.Calibrate)
	}
	return s, f.thresholds(&s)
}

func (f file) sets(s *Suite) error {
	if len(f.Sets) == 0 {
		return placed(1, 1, "the suite has no sets")
	}
	for _, e := range f.Sets {
		set := Set{Name: e.Name.text, Path: e.Path.text, Personas: texts(e.Personas)}
		if set.Path == "" {
			return e.Name.errorf("set %q has no path", set.Name)
		}
		if set.Name == "" {
			set.Name = set.Path[strings.LastIndex(set.Path, "/")+1:]
		}
		if s.has(set.Name) {
			return e.Path.errorf("two sets are named %q: give one of them a name", set.Name)
		}
		for _, m := range e.Modes {
			mode := retrieval.Mode(m.text)
			if mode != retrieval.Hybrid && mode != retrieval.Lexical && mode != retrieval.Vector {
				return m.errorf("mode %q: want hybrid, lexical or vector", m.text)
			}
			set.Modes = append(set.Modes, mode)
		}
		if set.Modes == nil {
			set.Modes = []retrieval.Mode{retrieval.Hybrid}
		}
		s.Sets = append(s.Sets, set)
	}
	return nil
}

func (f file) thresholds(s *Suite) error {
	for _, e := range f.Thresholds {
		t := Threshold{Metric: e.Metric.text, Set: e.Set.text, Mode: e.Mode.text, Persona: e.Persona.text}
		if t.Metric == "" {
			return e.Set.errorf("a threshold without a metric")
		}
		if t.Set != "" && !s.has(t.Set) {
			return e.Set.errorf("there is no set %q", t.Set)
		}
		for _, limit := range []struct {
			from scalar
			to   **float64
		}{{e.Min, &t.Min}, {e.Max, &t.Max}} {
			if limit.from.text == "" {
				continue
			}
			x, err := strconv.ParseFloat(limit.from.text, 64)
			if err != nil || x != x {
				return limit.from.errorf("%q is not a number", limit.from.text)
			}
			*limit.to = &x
		}
		if t.Min == nil && t.Max == nil {
			return e.Metric.errorf("the threshold of %s has neither min nor max", t.Metric)
		}
		s.Thresholds = append(s.Thresholds, t)
	}
	return nil
}

func (s Suite) has(name string) bool {
	return slices.ContainsFunc(s.Sets, func(set Set) bool { return set.Name == name })
}

func texts(scalars []scalar) []string {
	var out []string
	for _, s := range scalars {
		out = append(out, s.text)
	}
	return out
}
