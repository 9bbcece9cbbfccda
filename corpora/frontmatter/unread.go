package frontmatter

import (
	"bytes"
	"regexp"
	"strings"

	"golang.org/x/text/unicode/norm"

	"ken/corpora/extract/visible"
	"ken/corpora/internal/strictyaml"
)

var (
	// aclKey finds a line that sets acl, in YAML, TOML or JSON, in any case.
	aclKey = regexp.MustCompile(`(?mi)^[ \t]*[\[{"', \t-]*(?:[\w-]+\.)*["']?acl["'\]]*[ \t]*(?:[:=.]|$)`)
	// aclList finds one in text without fences: the key with what only a list of
	// subjects begins with. "acl: who may read" is a sentence.
	aclList = regexp.MustCompile(`(?mi)^[ \t]*[{"' \t]*acl["']?[ \t]*[:=][ \t]*(?:\n[ \t]*-[ \t]|[\[{]|["']?(?:user|group):|everyone|authenticated)`)
	// fence finds what people, and programs that mend their typing, write for ---.
	fence   = regexp.MustCompile(`^(?:[-\x{2010}-\x{2015}\x{2212}]{2,}.*|\+\+\++[ \t]*|;;;+[ \t]*|===+[ \t]*)$`)
	comment = regexp.MustCompile(`^(?s:<!--.*?-->)`)
)

// setsACL reports whether a line of the block sets acl, as a person sees it.
func setsACL(block []byte) bool { return aclKey.MatchString(seen(block)) }

// seen is the beginning of a text as a person sees it: without invisible
// characters, every kind of line end one. Extraction gives the text this way.
func seen(text []byte) string {
	return visible.Text(strings.ReplaceAll(string(text[:min(len(text), maxBytes)]), "\u0085", "\n"))
}

// checkUnread refuses text that begins with what a person takes for front matter
// that sets acl, and that is not read as such: it does not begin at once, has
// other fences or none, is TOML or JSON, or comes after the front matter. line
// is that of the text in its file.
func checkUnread(text []byte, line int) error {
	s := strings.TrimSpace(comment.ReplaceAllString(strings.TrimSpace(seen(text)), ""))
	first, rest, _ := strings.Cut(s, "\n")
	paragraph, _, _ := strings.Cut(s, "\n\n")
	isCode := strings.HasPrefix(s, "```") || strings.HasPrefix(s, "~~~")
	switch {
	case strings.HasPrefix(first, "+++") && aclKey.MatchString(fenced(rest)):
		return at(line, "acl in TOML front matter is not read: use YAML front matter (---) or a sidecar file")
	case fence.MatchString(first) && aclKey.MatchString(fenced(rest)), !isCode && aclList.MatchString(paragraph):
		return at(line, "a block that sets acl is not read here: front matter is YAML and begins with --- alone in the first line; or use a sidecar file")
	}
	return nil
}

// fenced is the text up to the next fence, or up to an empty line if there is
// none.
func fenced(text string) string {
	at := 0
	for line := range strings.Lines(text) {
		if fence.MatchString(strings.TrimRight(line, " \t\n")) {
			return text[:at]
		}
		at += len(line)
	}
	paragraph, _, _ := strings.Cut(text, "\n\n")
	return paragraph
}

// lookalikes are letters that are drawn like those of acl.
var lookalikes = strings.NewReplacer("\u0430", "a", "\u0410", "a", "\u03b1", "a", "\u0441", "c", "\u0421", "c", "\u03f2", "c",
	"\u04cf", "l", "\u04c0", "l", "\u0406", "l", "\u0399", "l", "I", "l")

// readsAsACL reports whether a person takes the key for acl.
func readsAsACL(key string) bool {
	return strings.EqualFold(lookalikes.Replace(visible.Line(norm.NFKC.String(key))), "acl")
}

// checkInner refuses keys that read as acl anywhere but at the top, and lines
// of the block that only a person sees as lines.
func checkInner(block []byte, pairs []strictyaml.Pair) error {
	for _, p := range pairs {
		if err := checkNested(p.Value); err != nil {
			return err
		}
	}
	if s := seen(block); len(aclKey.FindAllString(s, -1)) > len(aclKey.FindAll(bytes.ReplaceAll(block, []byte("\r\n"), []byte("\n")), -1)) {
		return at(2, "a line that sets acl does not begin after a line end: write it on a line of its own")
	}
	return nil
}

func checkNested(n strictyaml.Node) error {
	if n.IsSequence() {
		items, err := n.Items()
		for _, item := range items {
			if err == nil {
				err = checkNested(item)
			}
		}
		return err
	}
	if !n.IsMapping() {
		return nil
	}
	pairs, err := n.Mapping()
	if err != nil {
		return nil // not read by anybody here
	}
	for _, p := range pairs {
		if readsAsACL(p.Name) {
			return p.Key.Errorf("acl is not read within another key: write it at the beginning of a line")
		}
		if err := checkNested(p.Value); err != nil {
			return err
		}
	}
	return nil
}
