package item_test

import (
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/policy"
	"ken/corpora/source/item"
)

// escapes are keys that would lead out of a source, or to another document's place,
// if somebody took them for paths.
func escapes() []string {
	steps := []string{"..", ".", "", "...//..", "..\\..", "\\..\\", "a/../..", "./.."}
	var out []string
	for _, s := range steps {
		for _, shape := range []string{"%", "%/", "/%", "%/etc/passwd", "a/%/b", "a/b/%", "%/%/%/x", "/%/x", "a/%//b", "%\\x"} {
			if key := strings.ReplaceAll(shape, "%", s); key != "a/" || s != "" {
				out = append(out, key)
			}
		}
	}
	for _, c := range []string{"\x00", "\n", "\r", "\t", "\x1b", "\x7f", "\u0085", "\xff", "\xc0\xaf", "\xed\xa0\x80"} {
		out = append(out, c, "a"+c+"b", c+"/a", "a/"+c)
	}
	return append(out, strings.Repeat("a/", 600)+"a", strings.Repeat("a", 1025), "C:\\Windows\\x", "\\\\host\\share", "a\\b")
}

func TestPathEscapes(t *testing.T) {
	all, let := escapes(), 0
	o := item.Options{Name: "s"}
	for _, key := range all {
		if err := item.CheckPath(key); !errors.Is(err, item.ErrPath) {
			let++
			t.Errorf("%q: %v", key, err)
		}
		id := string(o.ID(key))
		if inner := strings.TrimPrefix(id, "s/"); inner == id || !strings.HasPrefix(inner, `"`) {
			t.Errorf("%q has the id %s, which could be a document's", key, id)
		}
	}
	t.Logf("%d keys, %d escapes", len(all), let)
}

func FuzzCheckPath(f *testing.F) {
	for _, k := range escapes() {
		f.Add(k)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if item.CheckPath(key) == nil && (!fs.ValidPath(key) || !filepath.IsLocal(filepath.FromSlash(key))) {
			t.Errorf("%q leads out", key)
		}
	})
}

// Who may read, from all places that say something.
func TestReaders(t *testing.T) {
	rules, err := policy.Parse([]byte("version: 1\ndefault: {allow: [group:staff], deny: [user:mallory]}\nrules:\n  - {path: pay/**, allow: [group:hr]}\nclearance: required\n"))
	if err != nil {
		t.Fatal(err)
	}
	hr := policy.Statement{States: true, Allow: acl.Grants("group:hr")}
	nobody := policy.Statement{States: true}
	for _, c := range []struct {
		name, path, text, class string
		rules                   *policy.Policy
		says                    policy.Statement
		want                    acl.List
	}{
		{"the owner", "a.md", "text", "public", nil, policy.Statement{}, acl.Allow("user:me")},
		{"the service before the owner", "a.md", "text", "public", nil, hr, acl.Allow("group:hr")},
		{"the service says nobody", "a.md", "text", "public", nil, nobody, acl.List{}},
		{"the policy's default", "a.md", "text", "public", rules, policy.Statement{}, acl.NewList(acl.Grants("group:staff"), acl.Grants("user:mallory"))},
		{"the policy's rule", "pay/a.md", "text", "public", rules, policy.Statement{}, acl.NewList(acl.Grants("group:hr"), acl.Grants("user:mallory"))},
		{"the class", "a.md", "text", "secret", rules, hr, acl.NewList(acl.Grants("group:hr"), acl.Grants("user:mallory")).Classified("secret")},
		{"the class in the text", "a.md", "---\nclass: secret\n---\n", "", rules, hr, acl.NewList(acl.Grants("group:hr"), acl.Grants("user:mallory")).Classified("secret")},
		{"the text opens nothing", "a.md", "---\nacl: [everyone]\n---\n", "public", nil, hr, acl.Allow("group:hr")},
		{"the text narrows", "a.md", "---\nacl: [user:ann]\n---\n", "public", nil, policy.Statement{States: true, Allow: acl.Grants("everyone")}, acl.Allow("user:ann")},
	} {
		o := item.Options{Name: "s", Owner: "user:me", Policy: c.rules}.WithDefaults()
		d, _, err := o.Document(item.Item{Path: c.path, Class: c.class, Says: c.says, Data: []byte(c.text)}, "1")
		if err != nil || d.ACL.Key() != c.want.Key() {
			t.Errorf("%s: %s, %v; want %s", c.name, d.ACL.Key(), err, c.want.Key())
		}
	}
	var zero item.Options
	if d, _, err := zero.Document(item.Item{Path: "a.md"}, "1"); err == nil && d.ACL.Key() != (acl.List{}).Key() {
		t.Errorf("the zero options give %s", d.ACL.Key())
	}
}

func TestWhatIsRefused(t *testing.T) {
	o := item.Options{Name: "s", MaxBytes: 10}.WithDefaults()
	for name, it := range map[string]item.Item{
		"too long":              {Path: "a.md", Data: []byte("12345678901")},
		"binary":                {Path: "a", Data: []byte("a\x00b")},
		"a type that is none":   {Path: "a", MediaType: "text/", Data: nil},
		"front matter in doubt": {Path: "a.md", Data: []byte("---\nacl")},
	} {
		if d, data, err := o.Document(it, "1"); err == nil || data != nil || d.ID != "" || !strings.Contains(err.Error(), "s/a") {
			t.Errorf("%s: %v, %q, %v", name, d.ID, data, err)
		}
	}
	if _, err := o.Put("../a.md", "1", nil); err == nil {
		t.Error("a path that leads out is listed")
	}
	if c, err := o.Put("a.md", "1", nil); err != nil || c.ID != corpora.DocID("s/a.md") {
		t.Errorf("%v, %v", c.ID, err)
	}
}
