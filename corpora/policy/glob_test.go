package policy

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestGlob(t *testing.T) {
	tests := []struct {
		pattern string
		yes, no []string
	}{
		{"a.md", []string{"a.md"}, []string{"A.md", "a.mdx", "b/a.md", "a.md/b"}},
		{"*.md", []string{"a.md", ".md", "a.b.md"}, []string{"a/b.md", "a.txt"}},
		{"?.md", []string{"a.md", "é.md", "日.md", "*.md"}, []string{".md", "ab.md", "/.md"}},
		{"a/*", []string{"a/b", "a/.b"}, []string{"a", "a/b/c"}},
		{"a/**", []string{"a/b", "a/b/c"}, []string{"ab/c", "b/a/c"}},
		{"**", []string{"a", "a/b", "a/b/c"}, nil},
		{"**/x", []string{"x", "a/x", "a/b/x"}, []string{"ax", "x/a"}},
		{"**/*.md", []string{"a.md", "a/b.md"}, []string{"a.txt", "a.md/b"}},
		{"a/**/z", []string{"a/z", "a/b/z", "a/b/c/z"}, []string{"a/b", "z"}},
		{"a/**/**/z", []string{"a/z", "a/b/z"}, []string{"az"}},
		{"**/a/**/b", []string{"a/b", "a/a/b", "x/a/y/b"}, []string{"b/a"}},
		{"2026-*-minutes.*", []string{"2026-01-minutes.md"}, []string{"2026-minutes.md"}},
		{"a*b*c", []string{"abc", "aXbYc", "abbcbc"}, []string{"acb", "abcd"}},
		{"b\u00fc.md", []string{"b\u00fc.md"}, []string{"bu\u0308.md"}}, // byte for byte
	}
	for _, tt := range tests {
		g, problem := parseGlob(tt.pattern)
		if problem != "" {
			t.Fatalf("%s: %s", tt.pattern, problem)
		}
		for _, p := range tt.yes {
			if !g.match(p) {
				t.Errorf("%s does not match %s", tt.pattern, p)
			}
		}
		for _, p := range tt.no {
			if g.match(p) {
				t.Errorf("%s matches %s", tt.pattern, p)
			}
		}
	}
}

// oracle says the same with a regular expression over whole paths.
func oracle(segments []string) *regexp.Regexp {
	var b strings.Builder
	for i, s := range segments {
		switch {
		case s == "**" && i == len(segments)-1:
			b.WriteString(`(/[^/]*)*`)
			continue
		case s == "**":
			b.WriteString(`(/[^/]*)*`)
			continue
		}
		s = regexp.QuoteMeta(s)
		s = strings.ReplaceAll(s, `\*`, `[^/]*`)
		s = strings.ReplaceAll(s, `\?`, `[^/]`)
		b.WriteString("/" + s)
	}
	return regexp.MustCompile("^" + b.String() + "$")
}

func TestGlobIsItsRegexp(t *testing.T) {
	segment := rapid.StringOfN(rapid.SampledFrom([]rune("ab*?é.")), 1, 5, -1)
	pattern := rapid.SliceOfN(rapid.OneOf(rapid.Just("**"), segment), 1, 5)
	name := rapid.StringOfN(rapid.SampledFrom([]rune("abé.")), 1, 5, -1)
	rapid.Check(t, func(t *rapid.T) {
		g, problem := parseGlob(strings.Join(pattern.Draw(t, "pattern"), "/"))
		if problem != "" {
			t.Skip(problem)
		}
		path := strings.Join(rapid.SliceOfN(name, 1, 5).Draw(t, "path"), "/")
		if got, want := g.match(path), oracle(g.segments).MatchString("/"+path); got != want {
			t.Fatalf("%s matches %s: %v, want %v", g.text, path, got, want)
		}
	})
}

// A matcher that tries every split would not end here.
func TestGlobIsNotExponential(t *testing.T) {
	g, problem := parseGlob(strings.Repeat("**/a*a*a*a*a*b/", 50) + "x")
	if problem != "" {
		t.Fatal(problem)
	}
	if g.match(strings.Repeat(strings.Repeat("a", 80)+"/", 100) + "x") {
		t.Error("it matches")
	}
}
