package frontmatter_test

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/frontmatter"
	"ken/corpora/policy"
)

func TestParse(t *testing.T) {
	day := time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)
	hr := policy.Statement{States: true, Allow: acl.Grants("group:hr")}
	tests := []struct {
		name, block string
		want        frontmatter.Meta
	}{
		{"all", "title: Bands\ntags: [pay, bands, pay]\nlanguage: en\nstatus: Superseded\nsuperseded_by: people/new.md\ndate: 2026-01-31\nclass: Restricted\nurl: https://example.com/a b\nacl: [group:hr]\n",
			frontmatter.Meta{Title: "Bands", Tags: []string{"bands", "pay"}, Language: "en", Status: corpora.Superseded, SupersededBy: "people/new.md", Modified: day, Class: "restricted", URL: "https://example.com/a%20b", ACL: hr}},
		{"nothing", "", frontmatter.Meta{}},
		{"a comment", "# later\n", frontmatter.Meta{}},
		{"unknown keys", "layout: page\nsidebar:\n  navigation: {a: [b]}\nx: &a 1\ny: *a\nkeywords: pay\ntitle: T\n", frontmatter.Meta{Title: "T"}},
		{"a number as title", "title: 2026\n", frontmatter.Meta{Title: "2026"}},
		{"invisible characters in a title", "title: \"Ba\\u200bnds\\u202e  2026\"\n", frontmatter.Meta{Title: "Bands 2026"}},
		{"a folded title", "title: >\n  Bands\n  2026\n", frontmatter.Meta{Title: "Bands 2026"}},
		{"tags with commas", "tags: pay, bands ,\n", frontmatter.Meta{Tags: []string{"bands", "pay"}}},
		{"tags in lines", "tags:\n  - pay\n  - 2026\n", frontmatter.Meta{Tags: []string{"2026", "pay"}}},
		{"lang with region", "lang: de-CH\n", frontmatter.Meta{Language: "de"}},
		{"no language", "lang: klingonish-x\n", frontmatter.Meta{}},
		{"a newer document makes it superseded", "superseded_by: ./new.md\n", frontmatter.Meta{SupersededBy: "people/old/new.md", Status: corpora.Superseded}},
		{"relative to the document", "superseded_by: ../new.md\n", frontmatter.Meta{SupersededBy: "people/new.md", Status: corpora.Superseded}},
		{"from the top", "superseded_by: /new.md\n", frontmatter.Meta{SupersededBy: "new.md", Status: corpora.Superseded}},
		{"out of the folder", "superseded_by: ../../../new.md\n", frontmatter.Meta{}},
		{"out of the folder from the top", "superseded_by: a/../../new.md\n", frontmatter.Meta{}},
		{"updated wins over date", "updated: 2026-01-31\ndate: 2020-01-01\n", frontmatter.Meta{Modified: day}},
		{"in either order", "date: 2020-01-01\nupdated: 2026-01-31\n", frontmatter.Meta{Modified: day}},
		{"date with time and zone", "date: 2026-01-31 02:00:00 +0200\n", frontmatter.Meta{Modified: day}},
		{"a useless date", "date: next week\n", frontmatter.Meta{}},
		{"a URL that is a script", "url: 'javascript:alert(1)'\n", frontmatter.Meta{}},
		{"a URL that is a path", "url: /about/\n", frontmatter.Meta{}},
		{"deny alone", "acl: {deny: [user:eve]}\n", frontmatter.Meta{ACL: policy.Statement{Deny: acl.Grants("user:eve")}}},
		{"nobody", "acl: []\n", frontmatter.Meta{ACL: policy.Statement{States: true, Allow: []acl.Grant{}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, body, err := frontmatter.Parse("people/old/bands.md", []byte("---\n"+tt.block+"---\n# Body\n"))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
			if string(body) != "# Body\n" {
				t.Errorf("body %q", body)
			}
		})
	}
}

func TestSplit(t *testing.T) {
	tests := []struct{ name, text, block, body string }{
		{"plain", "---\na: 1\n---\nbody\n", "a: 1\n", "body\n"},
		{"CRLF", "---\r\na: 1\r\n---\r\nbody\r\n", "a: 1\r\n", "body\r\n"},
		{"BOM", "\ufeff---\na: 1\n---\nbody", "a: 1\n", "body"},
		{"dots close", "---\na: 1\n...\nbody", "a: 1\n", "body"},
		{"spaces after the fences", "---  \na: 1\n--- \t\nbody", "a: 1\n", "body"},
		{"end of file closes", "---\na: 1\n---", "a: 1\n", ""},
		{"empty", "---\n---\nbody", "", "body"},
		{"a second block is body", "---\na: 1\n---\n---\nb: 2\n---\n", "a: 1\n", "---\nb: 2\n---\n"},
		{"none", "# body\n---\na: 1\n---\n", "", "# body\n---\na: 1\n---\n"},
		{"no closing fence", "---\na: 1\n", "", "---\na: 1\n"},
		{"four dashes", "----\na: 1\n---\n", "", "----\na: 1\n---\n"},
		{"a line across the page at the end", "---", "", "---"},
		{"TOML is left as it is", "+++\na = 1\n+++\nbody", "", "+++\na = 1\n+++\nbody"},
		{"nothing", "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			block, body, err := frontmatter.Split([]byte(tt.text))
			if err != nil || string(block) != tt.block || string(body) != tt.body {
				t.Errorf("block %q, body %q, %v\nwant  %q and  %q", block, body, err, tt.block, tt.body)
			}
		})
	}
}

// Whoever cannot be sure what the document says of its readers must not guess.
func TestParseFailsClosed(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"malformed YAML", "---\ntitle: a: b\n---\n", "front matter: line 2, column 8: not valid YAML: mapping value is not allowed in this context"},
		{"no mapping", "---\nSome prose.\n---\n", "front matter: line 2, column 1: the front matter is not a mapping (key: value); if --- is meant as a line across the page, write ***"},
		{"duplicate key", "---\nacl: [group:hr]\nacl: [everyone]\n---\n", "front matter: line 3, column 1: not valid YAML: mapping key"},
		{"bad subject", "---\ntitle: T\nacl: [group:hr, hr]\n---\n", `front matter: line 3, column 17: malformed subject "hr"`},
		{"bad subject after CRLF", "---\r\ntitle: T\r\nacl: [group:hr, hr]\r\n---\r\n", `front matter: line 3, column 17: malformed subject "hr"`},
		{"typo in acl", "---\nacl: {alow: [group:hr]}\n---\n", `front matter: line 2, column 7: unknown key "alow": did you mean "allow"?`},
		{"empty acl", "---\nacl:\n---\n", "front matter: line 2, column 6: nothing is said"},
		{"acl is a text", "---\nacl: group:hr\n---\n", "front matter: line 2, column 6: want a list such as [group:hr]"},
		{"acl by alias", "---\nx: &a [everyone]\nacl: *a\n---\n", "front matter: line 3, column 6: want a list such as"},
		{"acl by merge", "---\nx: &a {acl: [group:hr]}\n<<: *a\n---\n", "front matter: line 3, column 1: anchors, aliases and merge keys are not read"},
		{"acl in capitals", "---\nACL: [group:hr]\n---\n", `front matter: line 2, column 1: "ACL" would not be read: write acl`},
		{"empty class", "---\nclass: ''\n---\n", "front matter: line 2, column 8: the class is empty"},
		{"class of the wrong type", "---\nclass: [a]\n---\n", "front matter: line 2, column 8: want a text, got a list"},
		{"acl in a block that does not end", "---\nacl: [group:hr]\n# Body\n", "front matter: line 1, column 1: the block that begins here and sets acl does not end"},
		{"acl in TOML", "+++\nacl = ['group:hr']\n+++\n", "front matter: line 1, column 1: acl in TOML front matter is not read"},
		{"acl as a TOML table", "+++\n[acl]\nallow = []\n+++\n", "front matter: line 1, column 1: acl in TOML front matter is not read"},
		{"acl after an empty line", "\n---\nacl: [group:hr]\n---\n", "front matter: line 1, column 1: a block that sets acl is not read here"},
		{"acl after an invisible character", "\u200b---\nacl: [group:hr]\n---\n", "front matter: line 1, column 1: a block that sets acl is not read here"},
		{"acl with old Mac line ends", "---\racl: [group:hr]\r---\rbody", "front matter: line 1, column 1: a block that sets acl is not read here"},
		{"acl under a fence that says more", "--- # meta\nacl: [group:hr]\n---\n", "front matter: line 1, column 1: a block that sets acl is not read here"},
		{"invalid UTF-8", "---\ntitle: \xff\n---\n", "front matter: line 2, column 8: byte 0xff is not valid UTF-8"},
		{"huge", "---\ntitle: " + strings.Repeat("x", 64<<10) + "\n---\n", "front matter: line 1, column 1: the front matter has 65544 bytes, the limit is 65536"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, body, err := frontmatter.Parse("a.md", []byte(tt.text))
			if !errors.Is(err, frontmatter.ErrMalformed) || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("error %v\nwant  %s", err, tt.want)
			}
			if body != nil || !reflect.DeepEqual(m, frontmatter.Meta{}) {
				t.Errorf("an error came with %+v, %q", m, body)
			}
		})
	}
}

func TestRefuse(t *testing.T) {
	for text, want := range map[string]bool{
		"---\nacl: [group:hr]\n---\n<p>x": true,
		"---\nacl: [group:hr]\n":          true,
		"---\ntitle: x\n---\n<p>x":        false,
		"<p>acl: x":                       false,
		"":                                false,
	} {
		if err := frontmatter.Refuse([]byte(text)); (err != nil) != want {
			t.Errorf("%q: error %v, want one: %v", text, err, want)
		}
	}
}

func ExampleParse() {
	meta, body, err := frontmatter.Parse("people/leave.md", []byte("---\ntitle: Leave\nacl: [group:staff]\n---\nThirty days.\n"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(meta.Title, meta.ACL.Allow[0].Subject)
	fmt.Print(string(body))
	// Output:
	// Leave group:staff
	// Thirty days.
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"---\ntitle: T\nacl: [group:hr]\n---\nbody", "\ufeff---\r\ntags: a, b\r\n...\r\nbody", "+++\nacl=1\n+++\n", "---\nacl: {allow: [user:a], deny: []}\n---", " ---\nacl: x"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, body, err := frontmatter.Parse("a/b.md", data)
		switch {
		case err != nil && !errors.Is(err, frontmatter.ErrMalformed):
			t.Fatalf("error without kind: %v", err)
		case err != nil && (body != nil || !reflect.DeepEqual(m, frontmatter.Meta{})):
			t.Fatal("an error came with a result")
		case !strings.HasSuffix(string(data), string(body)):
			t.Fatal("the body is not the end of the file")
		case strings.HasPrefix(m.SupersededBy, "..") || strings.HasPrefix(m.SupersededBy, "/"):
			t.Fatalf("superseded by %q, out of the folder", m.SupersededBy)
		}
	})
}
