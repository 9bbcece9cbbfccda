package acl_test

import (
	"encoding/json"
	"testing"

	"pgregory.net/rapid"

	"ken/corpora/acl"
)

func TestClassified(t *testing.T) {
	everyone := acl.Allow(acl.Everyone)
	tests := []struct {
		name, class string
		subjects    []acl.Subject
		want        bool
	}{
		{"public needs no clearance", "public", nil, true},
		{"no clearance", "internal", []acl.Subject{"user:ann"}, false},
		{"the class's own", "internal", []acl.Subject{"clearance:internal"}, true},
		{"a higher one", "internal", []acl.Subject{"clearance:restricted"}, true},
		{"a lower one", "confidential", []acl.Subject{"clearance:internal"}, false},
		{"no class needs the highest", "", []acl.Subject{"clearance:confidential"}, false},
		{"no class, highest", "", []acl.Subject{"clearance:restricted"}, true},
		{"a class of its own is under none", "pii", []acl.Subject{"clearance:restricted"}, false},
		{"a class of its own", "pii", []acl.Subject{"clearance:pii"}, true},
		{"a group of the clearance's name", "internal", []acl.Subject{"group:internal"}, false},
		{"case counts", "Internal", []acl.Subject{"clearance:internal"}, false},
		{"a class that is no name", "a\x00b", []acl.Subject{"clearance:restricted"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := everyone.Classified(tt.class).Admits(acl.NewPrincipal(tt.subjects...), jun); got != tt.want {
				t.Errorf("class %q admits %v: %v, want %v", tt.class, tt.subjects, got, tt.want)
			}
		})
	}
	if (acl.List{}).Classified("public").Admits(acl.NewPrincipal("user:ann", "clearance:restricted"), jun) {
		t.Error("a clearance alone opened the zero list")
	}
}

// TestClassifiedNarrows: a class never admits somebody whom the list alone does not,
// and the list survives being written and read.
func TestClassifiedNarrows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plain, l := acl.NewList(grants().Draw(t, "allow"), grants().Draw(t, "deny")), lists().Draw(t, "list")
		p, at := principals().Draw(t, "p"), instants().Draw(t, "at")
		class := rapid.SampledFrom([]string{"", "public", "internal", "restricted", "pii"}).Draw(t, "class")
		if plain.Classified(class).Admits(p, at) && !plain.Admits(p, at) {
			t.Fatal("a class admitted somebody")
		}
		if acl.Both(plain, l).Admits(p, at) && !l.Admits(p, at) {
			t.Fatal("Both forgot what is required")
		}
		text, err := json.Marshal(l)
		var again acl.List
		if err != nil || json.Unmarshal(text, &again) != nil || again.Key() != l.Key() {
			t.Fatalf("%s became %s (%v)", l.Key(), again.Key(), err)
		}
	})
}

// TestExplainAgrees: the lines that count give the decision.
func TestExplainAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l, p, at := lists().Draw(t, "list"), principals().Draw(t, "p"), instants().Draw(t, "at")
		counts := map[string]bool{}
		for _, f := range l.Explain(p, at) {
			counts[f.Says] = counts[f.Says] || f.Counts()
		}
		if got := counts["allow"] && !counts["deny"] && !counts["require"]; got != l.Admits(p, at) {
			t.Fatalf("explained as %v: %v", got, l.Explain(p, at))
		}
		if !l.Admits(p, at) && l.With(nil, grants().Draw(t, "deny")).Admits(p, at) {
			t.Fatal("With more denies admitted somebody")
		}
		if len(l.Requires()) > 0 && l.Instead(acl.Grants(acl.Everyone), nil).Admits(acl.NewPrincipal("user:new"), at) {
			t.Fatal("Instead forgot what is required")
		}
	})
}
