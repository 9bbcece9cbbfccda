package folder_test

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"ken/corpora/policy"
	"ken/corpora/source/folder"
)

// What was meant to protect a document and would not must close it: without
// that the wide default decides.
func TestMisdirectedProtectionCloses(t *testing.T) {
	for name, tt := range map[string]struct {
		rules string
		files []string
		errs  []string
		want  error
		stay  []string
	}{
		"sidecar in another case":    {files: []string{"leave.md", "x", "Leave.md.acl.yaml", "[user:a]"}, errs: []string{"Leave.md.acl.yaml", "leave.md"}, want: folder.ErrSidecar},
		"sidecar in another form":    {files: []string{"caf\u00e9.md", "x", "cafe\u0301.md.acl.yaml", "[user:a]"}, errs: []string{"cafe\u0301.md.acl.yaml", "caf\u00e9.md"}, want: folder.ErrSidecar},
		"sidecar with a wide suffix": {files: []string{"a.md", "x", "a.md.\uff41cl.yaml", "[user:a]"}, errs: []string{"a.md"}, want: folder.ErrSidecar},
		"no extension":               {files: []string{"leave.md", "x", "leave.html", "x", "leave.acl.yaml", "[user:a]"}, errs: []string{"leave.acl.yaml", "leave.html", "leave.md"}, want: folder.ErrSidecar},
		"of a folder":                {files: []string{"people/a.md", "x", "people.acl.yaml", "[user:a]"}, errs: []string{"people", "people.acl.yaml"}, want: folder.ErrSidecar},
		"as JSON":                    {files: []string{"a.md", "x", "a.md.acl.json", "[]"}, errs: []string{"a.md"}, want: folder.ErrSidecar},
		"as plain acl":               {files: []string{"a.md", "x", "a.md.acl", "[]"}, errs: []string{"a.md"}, want: folder.ErrSidecar},
		"two spellings":              {files: []string{"a.md", "x", "a.md.ACL.yaml", "[]", "a.md.acl.yaml", "[everyone]"}, errs: []string{"a.md"}, want: folder.ErrSidecar},
		"twins with a sidecar each":  {files: []string{"A.md", "x", "A.md.acl.yaml", "[]", "a.md", "x", "a.md.acl.yaml", "[]"}, stay: []string{"A.md", "a.md"}},
		"a twin's sidecar":           {files: []string{"A.md", "x", "A.md.acl.yaml", "[]", "a.md", "x"}, stay: []string{"A.md", "a.md"}},
		"stem with a sidecar":        {files: []string{"a", "x", "a.acl.yaml", "[]", "a.md", "x"}, stay: []string{"a", "a.md"}},
		"rule in another case":       {rules: "rules: [{path: 'People/**', allow: []}]", files: []string{"people/a.md", "x"}, errs: []string{"people/a.md"}, want: policy.ErrDoubt},
		"rule for a folder":          {rules: "rules: [{path: 'people', allow: []}]", files: []string{"people/a.md", "x"}, errs: []string{"people"}, want: policy.ErrDoubt},
	} {
		t.Run(name, func(t *testing.T) {
			all := append([]string{".ken/acl.yaml", "version: 1\ndefault: {allow: [everyone]}\n" + tt.rules + "\n", "zz.md", "x"}, tt.files...)
			r := read(t, newSource(t, files(all...), folder.Options{}))
			if got := slices.Sorted(maps.Keys(r.errs)); !slices.Equal(got, tt.errs) || !r.complete {
				t.Errorf("errors %v, want for %v; complete %v", r.errs, tt.errs, r.complete)
			}
			for _, err := range r.errs {
				if !errors.Is(err, tt.want) {
					t.Errorf("error %v, want %v", err, tt.want)
				}
			}
			if want := append(tt.stay, "zz.md"); !slices.Equal(r.order, want) {
				t.Errorf("documents %v, want %v", r.order, want)
			}
		})
	}
}
