package policy

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"ken/corpora/extract/visible"
)

// glob is a pattern of a policy file.
type glob struct {
	pattern
	twin pattern // matches the keys of paths that the pattern seems to be meant for
}

// pattern is a pattern over slash-separated paths.
type pattern struct {
	text     string
	segments []string
}

// parseGlob returns the pattern, or what is wrong with it. It refuses what
// other tools give a meaning that this one does not have: a rule that silently
// matches nothing leaves its documents to the next, often wider, rule.
func parseGlob(text string) (g glob, problem string) {
	switch {
	case text == "":
		return glob{}, "it is empty: write ** for every document"
	case len(text) > 4096:
		return glob{}, "it is longer than 4096 bytes"
	case visible.Text(text) != text || strings.ContainsFunc(text, unicode.IsControl):
		return glob{}, "it has a control or invisible character, or invalid UTF-8"
	case strings.TrimSpace(text) != text:
		return glob{}, "it begins or ends with a space"
	case strings.HasPrefix(text, "/"):
		return glob{}, "paths are relative to the folder: drop the slash at the beginning"
	case strings.HasPrefix(text, "!"):
		return glob{}, "there is no negation: put a rule for the exception first"
	case strings.Contains(text, `\`):
		return glob{}, "segments are separated by / and nothing is escaped: drop the \\"
	case strings.ContainsAny(text, "[]{}"):
		return glob{}, "only *, ? and ** are special: write one rule per alternative, and ? for a bracket in a name"
	case strings.HasSuffix(text, "/"):
		return glob{}, "a rule matches documents, not folders: write " + strings.TrimRight(text, "/") + "/**"
	}
	segments := strings.Split(text, "/")
	for _, s := range segments {
		switch {
		case s == "" || s == "." || s == "..":
			return glob{}, "it has a segment that is empty, . or .."
		case s != "**" && strings.Contains(s, "**"):
			return glob{}, "** must be a whole segment, as in people/**/*.md"
		}
	}
	segments = slices.CompactFunc(segments, func(a, b string) bool { return a == "**" && b == "**" })
	g = glob{pattern: pattern{text, segments}}
	g.twin = g.twins()
	return g, ""
}

// match reports whether the pattern covers the whole path. Going back to the
// last ** alone is enough, as for one *: an earlier one could only have taken
// less. So the cost is at most the product of the two lengths.
func (g pattern) match(path string) bool {
	names := strings.Split(path, "/")
	return wild(len(g.segments), len(names),
		func(i int) bool { return g.segments[i] == "**" },
		func(i, j int) bool { return matchSegment(g.segments[i], names[j]) })
}

// matchSegment matches *, ? and plain bytes. A ? is one character, or one byte
// where the name is not valid UTF-8.
func matchSegment(pattern, name string) bool {
	p, n := characters(pattern), characters(name)
	return wild(len(p), len(n),
		func(i int) bool { return p[i] == "*" },
		func(i, j int) bool { return p[i] == "?" || p[i] == n[j] })
}

func characters(s string) []string {
	out := make([]string, 0, len(s))
	for len(s) > 0 {
		_, n := utf8.DecodeRuneInString(s)
		out, s = append(out, s[:n]), s[n:]
	}
	return out
}

// wild matches a pattern of length p, whose elements are stars (any run, also
// none) or equal to exactly one element, with a sequence of length n.
func wild(p, n int, star func(i int) bool, equal func(i, j int) bool) bool {
	i, j := 0, 0
	afterStar, resume := -1, 0
	for j < n {
		switch {
		case i < p && star(i):
			i++
			afterStar, resume = i, j
		case i < p && equal(i, j):
			i, j = i+1, j+1
		case afterStar >= 0:
			resume++
			i, j = afterStar, resume
		default:
			return false
		}
	}
	for i < p && star(i) {
		i++
	}
	return i == p
}
