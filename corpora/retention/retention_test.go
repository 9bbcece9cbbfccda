package retention_test

import (
	"strings"
	"testing"
	"time"

	"ken/corpora"
	"ken/corpora/retention"
)

const rules = `version: 1
rules:
  - {class: restricted, source: legal, keep: forever}
  - {class: restricted, keep: 365d}
  - {source: chat, keep: 30d}
`

var now = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

func TestExpired(t *testing.T) {
	r, err := retention.Parse([]byte(rules))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		class, source string
		age           int // days
		want          bool
	}{
		{"restricted", "legal", 5000, false},
		{"restricted", "wiki", 364, false},
		{"restricted", "wiki", 366, true},
		{"restricted", "chat", 31, false}, // the first rule that matches decides
		{"internal", "chat", 31, true},
		{"internal", "chat", 29, false},
		{"internal", "wiki", 5000, false},
		{"", "wiki", 5000, false},
	} {
		d := corpora.Document{Class: c.class, Source: c.source, Modified: now.AddDate(0, 0, -c.age)}
		if got := r.Expired(d, now); got != c.want {
			t.Errorf("%+v: expired %v", c, got)
		}
		d.Modified = time.Time{}
		if r.Expired(d, now) {
			t.Errorf("%+v: expired without a date", c)
		}
	}
	if (retention.Rules{}).Expired(corpora.Document{Class: "restricted", Modified: now.AddDate(-50, 0, 0)}, now) {
		t.Error("without rules a document expires")
	}
}

func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "empty",
		"rules: []":                          "begin the file with",
		"version: 2":                         "has to be 1",
		"version: 1\nrules:\n  - {keep: 3d}": "line 3, column 5: a rule names a class",
		"version: 1\nrules:\n  - {class: x}": "a rule says how long",
		"version: 1\nrules:\n  - {class: x, keep: 0d}":                "neither a number of days",
		"version: 1\nrules:\n  - {class: x, keep: 1y}":                "neither a number of days",
		"version: 1\nrules:\n  - {class: x, keep: -1d}":               "neither a number of days",
		"version: 1\nrules:\n  - {class: x, keep: 9999999999999999d}": "neither a number of days",
		"version: 1\nrules:\n  - {clas: x, keep: 3d}":                 "class",
		"version: 1\nrules:\n  - {class: '', keep: 3d}":               "empty",
		"version: 1\nrules: 3":                                        "line 2",
	} {
		if _, err := retention.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(rules))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := retention.Parse(data)
		if err == nil {
			r.Expired(corpora.Document{Class: "restricted", Modified: now}, now)
		}
	})
}
