package extract_test

import (
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"ken/corpora/acl"
	"ken/corpora/extract"
	"ken/corpora/frontmatter"
	"ken/corpora/policy"
)

// What a person takes for permission and is not read as such is an error: the
// document is then closed, while without an error it would be left to the
// folder's rules, which may be wider.
func TestUnclearPermissionIsAnError(t *testing.T) {
	utf32 := []byte{0xff, 0xfe, 0, 0}
	for _, c := range "---\nacl: [group:hr]\n---\ntext" {
		utf32 = binary.LittleEndian.AppendUint32(utf32, uint32(c))
	}
	const end = "\n---\ntext\n"
	for name, text := range map[string]string{
		"null":                      "---\nacl: null" + end,
		"nothing":                   "---\nacl:" + end,
		"tilde":                     "---\nacl: ~" + end,
		"a scalar":                  "---\nacl: everyone" + end,
		"a boolean of YAML 1.1":     "---\nacl: yes" + end,
		"a list with a boolean":     "---\nacl: [yes]" + end,
		"a list with null":          "---\nacl: [group:hr, null]" + end,
		"a list in a list":          "---\nacl: [[group:hr]]" + end,
		"an empty subject":          "---\nacl: [\"\"]" + end,
		"an empty mapping":          "---\nacl: {}" + end,
		"allow null":                "---\nacl: {allow: null, deny: [user:x]}" + end,
		"deny null":                 "---\nacl: {allow: [everyone], deny: null}" + end,
		"an unknown key":            "---\nacl: {allow: [everyone], denied: [user:x]}" + end,
		"a key in capitals":         "---\nacl: {allow: [everyone], Deny: [user:x]}" + end,
		"capitals":                  "---\nACL: [group:hr]" + end,
		"a key twice":               "---\nacl: [everyone]\nacl: [group:hr]" + end,
		"a key twice, quoted":       "---\nacl: [everyone]\n\"acl\": [group:hr]" + end,
		"a key twice, explicit":     "---\nacl: [everyone]\n? acl\n: [group:hr]" + end,
		"an explicit key":           "---\n? acl\n: [group:hr]" + end,
		"an escaped key twice":      "---\nacl: [everyone]\n\"\\u0061cl\": [group:hr]" + end,
		"an anchor":                 "---\nacl: &a [group:hr]" + end,
		"an alias":                  "---\nx: &a [group:hr]\nacl: *a" + end,
		"a merge key":               "---\nx: &a {acl: [group:hr]}\n<<: *a" + end,
		"a merge key, inline":       "---\n<<: {acl: [group:hr]}" + end,
		"a tag":                     "---\nacl: !!seq [group:hr]" + end,
		"a tagged key":              "---\n!!str acl: [group:hr]" + end,
		"an anchored key":           "---\n&k acl: [group:hr]" + end,
		"a key that is an alias":    "---\nx: &k acl\n*k : [group:hr]" + end,
		"nested":                    "---\nken:\n  acl: [group:hr]" + end,
		"nested inline":             "---\nken: {acl: [group:hr]}" + end,
		"nested in a list":          "---\nken:\n  - acl: [group:hr]" + end,
		"a list of pairs":           "---\n- acl: [group:hr]" + end,
		"an invisible character":    "---\nacl\u200b: [group:hr]" + end,
		"wide letters":              "---\nａｃｌ: [group:hr]" + end,
		"letters of another script": "---\n\u0430\u0441l: [group:hr]" + end,
		"a subject that is wrong":   "---\nacl: [hr]" + end,
		"a subject with no width":   "---\nacl: [\"group:h\u200br\"]" + end,
		"two documents":             "---\ntitle: a\n---\n---\nacl: [group:hr]" + end,
		"two blocks":                "---\ntitle: a\n---\n\n---\nacl: [group:hr]" + end,
		"an empty block first":      "---\n---\nacl: [group:hr]" + end,
		"a blank line first":        "\n---\nacl: [group:hr]" + end,
		"spaces first":              "  ---\nacl: [group:hr]" + end,
		"a mark and a blank line":   "\ufeff\r\n---\nacl: [group:hr]" + end,
		"a filler first":            "\u3164---\nacl: [group:hr]" + end,
		"a control character first": "\x01---\nacl: [group:hr]" + end,
		"a selector first":          "\ufe0f---\nacl: [group:hr]" + end,
		"a comment first":           "<!-- x -->\n---\nacl: [group:hr]" + end,
		"no end":                    "---\nacl: [group:hr]\n\ntext\n",
		"a blank line, no end":      "\n---\nacl: [group:hr]\n\ntext\n",
		"old line ends":             "---\racl: [group:hr]\r---\rtext",
		"line separators":           "---\u2028acl: [group:hr]\u2028---\u2028text",
		"next lines":                "---\u0085acl: [group:hr]\u0085---\u0085text",
		"form feeds":                "---\facl: [group:hr]\f---\ftext",
		"one separator":             "---\u2028acl: [group:hr]\n---\ntext",
		"a separator inside":        "---\ntitle: a\u2028acl: [group:hr]\n---\ntext",
		"four dashes":               "----\nacl: [group:hr]\n----\ntext",
		"dashes that are none":      "—-\nacl: [group:hr]\n—-\ntext",
		"no fence":                  "acl: [group:hr]\n\ntext",
		"no fence, a mapping":       "title: x\nacl: {allow: [group:hr]}\n\ntext",
		"no fence, a block":         "title: x\nacl:\n  - group:hr\n\ntext",
		"JSON":                      "{\n  \"title\": \"x\",\n  \"acl\": [\"group:hr\"]\n}\n\ntext",
		"JSON on a line":            "{\"acl\": [\"group:hr\"]}\ntext",
		"semicolons":                ";;;\n\"acl\": [\"group:hr\"]\n;;;\ntext",
		"TOML":                      "+++\nacl = [\"group:hr\"]\n+++\ntext",
		"a TOML table":              "+++\ntitle = \"x\"\n[acl]\nallow = [\"group:hr\"]\n+++\ntext",
		"TOML, a dotted key":        "+++\nken.acl = [\"group:hr\"]\n+++\ntext",
		"TOML after a blank line":   "\n+++\nacl = [\"group:hr\"]\n+++\ntext",
		"UTF-32":                    string(utf32),
		"a later document marker":   "---\ntitle: x\n...\nacl: [group:hr]\n---\ntext",
	} {
		m, err := extract.Metadata(extract.Input{Path: "a.md", MediaType: extract.Markdown, Data: []byte(text)})
		if !errors.Is(err, frontmatter.ErrMalformed) && !errors.Is(err, extract.ErrUnsupported) {
			t.Errorf("%s: %q gives %+v and error %v", name, text, m.ACL, err)
		}
	}
}

func TestClearPermissionIsRead(t *testing.T) {
	hr := acl.Allow("group:hr").Key()
	for text, want := range map[string]string{
		"---\nacl: [group:hr]\n---\nx":                  hr,
		"\ufeff---\nacl: [group:hr]\n---\nx":            hr,
		"---\r\nacl: [group:hr]\r\n---\r\nx":            hr,
		"---\nacl: []\n---\nx":                          acl.List{}.Key(),
		"---\n\"acl\": {\"allow\": [group:hr]}\n---\nx": hr,
		"\ufeff\ufeff---\nacl: [group:hr]\n---\nx":      hr,
	} {
		m, err := extract.Metadata(extract.Input{MediaType: extract.Markdown, Data: []byte(text)})
		if err != nil || !m.ACL.States || policy.Combine(m.ACL).Key() != want {
			t.Errorf("%q: %+v, %v", text, m.ACL, err)
		}
	}
}

// Text about permissions is no permission.
func TestTextAboutPermissionsIsNoError(t *testing.T) {
	for _, text := range []string{
		"# ACL\n\nacl: a list of who may read\n", "ACL\n===\n\nAn acl is a list.\n", "acl: who may read\n", "- acl: a list\n",
		"Text.\n\n```yaml\nacl: [group:hr]\n```\n", "---\ntitle: ACLs\n---\n\n```yaml\n---\nacl: [group:hr]\n---\n```\n",
		"# How to\n\n---\nacl: [group:hr]\n---\n", "---\ntags: [acl]\n---\nacl = access control list\n",
		strings.Repeat("acl ", 1000),
	} {
		for _, mediaType := range []string{extract.Markdown, extract.Plain} {
			if _, err := extract.Metadata(extract.Input{MediaType: mediaType, Data: []byte(text)}); err != nil {
				t.Errorf("%s %q: %v", mediaType, text, err)
			}
		}
	}
}
