package git

import "testing"

// The patterns of the forge's manual, and what people write beside them.
func TestOwnersPattern(t *testing.T) {
	for _, c := range []struct {
		pattern string
		yes, no []string
	}{
		{"*", []string{"a.md", "x/y/a.md"}, nil},
		{"*.md", []string{"a.md", "x/y/a.md"}, []string{"a.txt", "a.md.txt"}},
		{"/build/logs/", []string{"build/logs/a", "build/logs/x/a"}, []string{"x/build/logs/a", "build/logs"}},
		{"docs/*", []string{"docs/a.md"}, []string{"docs/x/a.md", "x/docs/a.md"}},
		{"apps/", []string{"apps/a", "x/apps/y/a"}, []string{"apps", "myapps/a"}},
		{"/docs/", []string{"docs/a", "docs/x/a"}, []string{"x/docs/a"}},
		{"/docs", []string{"docs", "docs/a"}, []string{"x/docs/a", "docs2/a"}},
		{"**/logs", []string{"logs/a", "x/y/logs/a", "logs"}, []string{"xlogs/a"}},
		{"/x/**/a.md", []string{"x/a.md", "x/y/z/a.md"}, []string{"a.md"}},
		{"/x/**", []string{"x/a", "x/y/a"}, []string{"x", "xy/a"}},
		{"a?.md", []string{"ab.md"}, []string{"a/.md", "abc.md"}},
		{"a b.md", []string{"a b.md"}, []string{"a.md"}},
		{"a+(b).md", []string{"a+(b).md"}, []string{"aab.md"}},
	} {
		re := ownersPattern(c.pattern)
		for _, p := range c.yes {
			if !re.MatchString(p) {
				t.Errorf("%q does not match %q (%s)", c.pattern, p, re)
			}
		}
		for _, p := range c.no {
			if re.MatchString(p) {
				t.Errorf("%q matches %q (%s)", c.pattern, p, re)
			}
		}
	}
}

func FuzzParseOwners(f *testing.F) {
	f.Add("* @a/b\n/x/ y@example.com # c\n")
	f.Add("\\ \\\x00**[")
	f.Fuzz(func(t *testing.T, text string) {
		o, err := parseOwners(text)
		if err == nil {
			o.of("a/b.md")
		}
	})
}
