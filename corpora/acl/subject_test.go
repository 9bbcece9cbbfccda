package acl_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"ken/corpora/acl"
)

func TestParseSubject(t *testing.T) {
	good := []string{
		"everyone", "authenticated", "user:ann", "group:hr", "user:ann@example.com",
		"user:Ann Lee", "group:a:b", "group:日本", "user:zo\u00eb", "user:" + strings.Repeat("a", 507),
	}
	for _, text := range good {
		s, err := acl.ParseSubject(text)
		if err != nil || string(s) != text {
			t.Errorf("ParseSubject(%q) = %q, %v; want it unchanged", text, s, err)
		}
	}
	bad := map[string]string{
		"":                                 "want user:NAME",
		"ann":                              "want user:NAME",
		"Everyone":                         "want user:NAME",
		"everyone ":                        "want user:NAME",
		"users:ann":                        "want user:NAME",
		"USER:ann":                         "want user:NAME",
		"user:":                            "the name is empty",
		"group:":                           "the name is empty",
		"user: ann":                        "begins or ends with a space",
		"user:ann ":                        "begins or ends with a space",
		"user:ann\n":                       "begins or ends with a space",
		"user:an\x00n":                     "invisible",
		"user:an\nn":                       "invisible",
		"user:an\u200bn":                   "invisible", // zero-width space
		"user:an\u202en":                   "invisible", // right-to-left override
		"user:an\u00a0n":                   "invisible", // no-break space
		"user:an\u3164n":                   "invisible", // Hangul filler
		"user:an\ufe0fn":                   "invisible", // variation selector
		"user:an\U000e0041n":               "invisible", // tag
		"user:an\ufffdn":                   "invisible",
		"user:an\xffn":                     "not valid UTF-8",
		"user:" + strings.Repeat("a", 508): "longer than 512 bytes",
	}
	for text, want := range bad {
		s, err := acl.ParseSubject(text)
		if !errors.Is(err, acl.ErrSubject) || s != "" || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseSubject(%q) = %q, %v; want an error that says %q", text, s, err, want)
		}
	}
}

func TestParseSubjects(t *testing.T) {
	got, err := acl.ParseSubjects("user:ann, group:hr")
	if want := []acl.Subject{"user:ann", "group:hr"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	for _, text := range []string{"", "user:ann,", "user:ann,hr"} {
		if got, err := acl.ParseSubjects(text); !errors.Is(err, acl.ErrSubject) || got != nil {
			t.Errorf("ParseSubjects(%q) = %v, %v; want an error", text, got, err)
		}
	}
}

func TestPrincipal(t *testing.T) {
	p := acl.NewPrincipal("group:hr", "user:ann", "user:ann")
	want := []acl.Subject{"authenticated", "everyone", "group:hr", "user:ann"}
	if got := p.Subjects(); !slices.Equal(got, want) {
		t.Errorf("subjects %v, want %v", got, want)
	}
	if p.User() != "user:ann" || acl.NewPrincipal("group:hr").User() != "" {
		t.Error("User is the user subject, or empty")
	}
	if p.IsZero() || acl.NewPrincipal().IsZero() || !(acl.Principal{}).IsZero() {
		t.Error("only the zero principal is zero")
	}
}

// A subject with the separator of Key in it would make two principals share
// what is cached under their key.
func TestPrincipalsDoNotShareKeys(t *testing.T) {
	one := acl.NewPrincipal("user:ann", "group:hr")
	for _, other := range []acl.Principal{
		acl.NewPrincipal("user:ann"),
		acl.NewPrincipal("group:hr\x00user:ann"),
		acl.NewPrincipal("group:hr", "user:ann\x00"),
		acl.NewPrincipal(),
		{},
	} {
		if one.Key() == other.Key() {
			t.Errorf("%v has the key of %v", other.Subjects(), one.Subjects())
		}
	}
	if one.Key() != acl.NewPrincipal("group:hr", "user:ann").Key() {
		t.Error("the order of subjects changed the key")
	}
}

func TestPrincipalLeavesOutMalformedSubjects(t *testing.T) {
	p := acl.NewPrincipal("", "user:", "ann", "group:a\x00b", "user:\xff")
	if got, want := p.Subjects(), []acl.Subject{acl.Everyone}; !slices.Equal(got, want) {
		t.Errorf("subjects %q, want %q", got, want)
	}
}
