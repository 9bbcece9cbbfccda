package tools

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// arguments reads a tool's arguments one by one and remembers the first thing
// that is wrong. What has not been asked for by the time of [arguments.done]
// is an unknown argument. Names are compared exactly, unlike encoding/json's
// struct fields, which fold case.
type arguments struct {
	values map[string]json.RawMessage
	known  []string
	err    error
}

// readArguments splits the JSON object. An argument that stands there twice is
// refused: two readers could otherwise see two different calls.
func readArguments(raw json.RawMessage) (*arguments, error) {
	a := &arguments{values: map[string]json.RawMessage{}}
	if len(raw) == 0 || string(raw) == "null" {
		return a, nil
	}
	if !utf8.Valid(raw) {
		return nil, &argumentError{problem: "the arguments are not valid UTF-8"}
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, &argumentError{problem: "the arguments are not a JSON object"}
	}
	for d.More() {
		t, err := d.Token()
		name, _ := t.(string)
		var value json.RawMessage
		if err == nil {
			err = d.Decode(&value)
		}
		if err != nil {
			return nil, &argumentError{problem: "the arguments are not valid JSON"}
		}
		if _, twice := a.values[name]; twice {
			return nil, &argumentError{line(name), "is there twice"}
		}
		a.values[name] = value
	}
	if _, err := d.Token(); err != nil {
		return nil, &argumentError{problem: "the arguments are not valid JSON"}
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, &argumentError{problem: "something follows the arguments"}
	}
	return a, nil
}

// done returns the first error, or refuses the first argument that nobody asked for.
func (a *arguments) done() error {
	if a.err != nil {
		return a.err
	}
	names := make([]string, 0, len(a.values))
	for name := range a.values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if !slices.Contains(a.known, name) {
			return &argumentError{line(name), "is unknown; known are " + strings.Join(a.known, ", ")}
		}
	}
	return nil
}

func (a *arguments) fail(name, format string, args ...any) {
	if a.err == nil {
		a.err = &argumentError{name, fmt.Sprintf(format, args...)}
	}
}

// take decodes an argument into v; false if it is missing or of another type.
// An explicit null is a missing argument.
func (a *arguments) take(name, want string, v any) bool {
	a.known = append(a.known, name)
	raw, ok := a.values[name]
	if !ok || string(raw) == "null" {
		return false
	}
	if err := json.Unmarshal(raw, v); err != nil {
		a.fail(name, "want %s", want)
		return false
	}
	return true
}

// text is a string of at most max bytes.
func (a *arguments) text(name string, max int) string {
	var s string
	if a.take(name, "a string", &s) {
		a.checkText(name, s, max)
	}
	return s
}

// required is a text that is there and not blank.
func (a *arguments) required(name string, max int) string {
	s := a.text(name, max)
	if strings.TrimSpace(s) == "" {
		a.fail(name, "is required and must not be empty")
	}
	return s
}

func (a *arguments) checkText(name, s string, max int) {
	if len(s) > max {
		a.fail(name, "has %d bytes, more than %d", len(s), max)
	}
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) }) {
		a.fail(name, "has a control character")
	}
}

// number is an integer from low to high, or otherwise if it is missing.
func (a *arguments) number(name string, low, high, otherwise int) int {
	var f float64
	if !a.take(name, fmt.Sprintf("an integer from %d to %d", low, high), &f) {
		return otherwise
	}
	if f != math.Trunc(f) || f < float64(low) || f > float64(high) {
		a.fail(name, "want an integer from %d to %d", low, high)
		return otherwise
	}
	return int(f)
}

func (a *arguments) flag(name string) bool {
	var b bool
	a.take(name, "true or false", &b)
	return b
}

// choice is one of the words, or "" if it is missing.
func (a *arguments) choice(name string, words ...string) string {
	var s string
	if a.take(name, "one of "+strings.Join(words, ", "), &s) && !slices.Contains(words, s) {
		a.fail(name, "want one of %s", strings.Join(words, ", "))
	}
	return s
}

// Limits of a filter field, as in the schema.
const (
	maxValues = 20
	maxValue  = 512 // bytes
)

// texts is a list of strings.
func (a *arguments) texts(name string) []string {
	var list []string
	if !a.take(name, "a list of strings", &list) {
		return nil
	}
	if len(list) > maxValues {
		a.fail(name, "has %d values, more than %d", len(list), maxValues)
	}
	for _, s := range list {
		a.checkText(name, s, maxValue)
		if s == "" {
			a.fail(name, "has an empty value")
		}
	}
	return list
}

// date is a day (which begins at midnight UTC) or an instant.
func (a *arguments) date(name string) time.Time {
	var s string
	const want = "a date such as 2026-03-31 or 2026-03-31T12:00:00Z"
	if !a.take(name, want, &s) {
		return time.Time{}
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	a.fail(name, "want %s", want)
	return time.Time{}
}
