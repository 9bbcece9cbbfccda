package frontmatter

import (
	"cmp"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"

	"ken/corpora"
	"ken/corpora/extract/visible"
	"ken/corpora/internal/strictyaml"
	"ken/corpora/policy"
)

// Meta is what a document says of itself. The zero Meta says nothing.
type Meta struct {
	Title        string
	Tags         []string // sorted, without duplicates
	Language     string   // primary language subtag, "en"
	Status       corpora.Status
	SupersededBy string    // path of the newer document from the folder's top
	Modified     time.Time // day or instant
	Class        string
	URL          string // absolute, http or https
	ACL          policy.Statement
}

// Parse returns the metadata of a Markdown file and the text after it. name is
// the file's path from the folder's top, which superseded_by may be relative
// to. An error tells line and column in the file and wraps [ErrMalformed].
func Parse(name string, data []byte) (Meta, []byte, error) {
	block, body, err := Split(data)
	if err != nil {
		return Meta{}, nil, malformed(err)
	}
	if block == nil {
		return Meta{}, body, nil
	}
	m, err := parseBlock(name, block)
	if err != nil {
		return Meta{}, nil, malformed(err)
	}
	return m, body, nil
}

func parseBlock(name string, block []byte) (Meta, error) {
	root, err := strictyaml.Parse(block, strictyaml.Options{MaxBytes: maxBytes, FirstLine: 2})
	if err != nil || root.IsNull() {
		return Meta{}, err
	}
	if !root.IsMapping() {
		return Meta{}, root.Errorf("the front matter is not a mapping (key: value); if --- is meant as a line across the page, write ***")
	}
	pairs, err := root.Mapping()
	if err != nil {
		return Meta{}, err
	}
	if err := checkInner(block, pairs); err != nil {
		return Meta{}, err
	}
	m := Meta{}
	for _, p := range pairs {
		if err := m.read(name, p); err != nil {
			return Meta{}, err
		}
	}
	if m.SupersededBy != "" {
		m.Status = cmp.Or(m.Status, corpora.Superseded)
	}
	return m, nil
}

func (m *Meta) read(name string, p strictyaml.Pair) (err error) {
	switch p.Name {
	case "acl":
		m.ACL, err = policy.Read(p.Value)
	case "class":
		m.Class, err = readClass(p.Value)
	case "title":
		m.Title = line(p.Value)
	case "tags":
		m.Tags = readTags(p.Value)
	case "language", "lang":
		m.Language = cmp.Or(Language(line(p.Value)), m.Language)
	case "status":
		m.Status = corpora.Status(strings.ToLower(line(p.Value)))
	case "superseded_by":
		m.SupersededBy = resolve(name, line(p.Value))
	case "updated":
		m.Modified = cmp.Or(readTime(line(p.Value)), m.Modified)
	case "date":
		m.Modified = cmp.Or(m.Modified, readTime(line(p.Value)))
	case "url":
		m.URL = readURL(line(p.Value))
	default:
		if readsAsACL(p.Name) {
			return p.Key.Errorf("%q would not be read: write acl", p.Name)
		}
	}
	return err
}

// line is the text of a scalar, "" for anything else.
func line(n strictyaml.Node) string {
	text, err := n.Text()
	if err != nil {
		return ""
	}
	return visible.Line(text)
}

func readClass(n strictyaml.Node) (string, error) {
	text, err := n.Text()
	if err != nil {
		return "", err
	}
	class := strings.ToLower(visible.Line(text))
	if class == "" {
		return "", n.Errorf("the class is empty: write public, internal, confidential or restricted, or remove it")
	}
	return class, nil
}

func readTags(n strictyaml.Node) []string {
	var tags []string
	items, err := n.Items()
	for _, item := range items {
		tags = append(tags, line(item))
	}
	if err != nil {
		for tag := range strings.SplitSeq(line(n), ",") {
			tags = append(tags, strings.TrimSpace(tag))
		}
	}
	slices.Sort(tags)
	tags = slices.Compact(tags)
	return slices.DeleteFunc(tags, func(t string) bool { return t == "" })
}

// Language returns the primary language of a BCP 47 tag ("de" of "de-CH"), ""
// if it is none or undetermined.
func Language(tag string) string {
	t, err := language.Parse(tag)
	if err != nil || t.IsRoot() {
		return ""
	}
	base, _ := t.Base()
	return base.String()
}

// resolve returns the path from the folder's top, "" if it leads outside.
func resolve(name, to string) string {
	if to == "" {
		return ""
	}
	if strings.HasPrefix(to, "./") || strings.HasPrefix(to, "../") {
		to = path.Join(path.Dir(name), to)
	}
	to = path.Clean(strings.TrimPrefix(to, "/"))
	if to == "." || to == ".." || strings.HasPrefix(to, "../") {
		return ""
	}
	return to
}

// readTime reads the spellings of dates that tools for Markdown write; without
// a zone it is UTC. What is none of them gives the zero time.
func readTime(text string) time.Time {
	for _, layout := range []string{time.DateOnly, time.RFC3339, time.DateTime, "2006-01-02 15:04:05 -0700", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

func readURL(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return ""
	}
	return u.String()
}
