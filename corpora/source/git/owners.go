package git

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/object"

	"ken/corpora/acl"
	"ken/corpora/policy"
)

// owners are the lines of a CODEOWNERS file. The last one that matches counts.
type owners []ownersLine

type ownersLine struct {
	path *regexp.Regexp
	who  []acl.Grant
}

// of returns what the file says of a path in the repository. A line without
// owners says that nobody reads; no line at all says nothing.
func (o owners) of(path string) policy.Statement {
	for i := len(o) - 1; i >= 0; i-- {
		if o[i].path.MatchString(path) {
			return policy.Statement{States: true, Allow: o[i].who}
		}
	}
	return policy.Statement{}
}

// places are where CODEOWNERS may stand; the first one that exists counts.
var places = []string{".github/CODEOWNERS", ".gitlab/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"}

// readOwners reads the file. That there is none is an error: whoever asked for
// it believes that it protects something.
func readOwners(top *object.Tree) (owners, error) {
	for _, p := range places {
		f, err := top.File(p)
		if errors.Is(err, object.ErrFileNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", p, err)
		}
		if f.Size > maxOwners {
			return nil, fmt.Errorf("%s has %d bytes, the limit is %d", p, f.Size, maxOwners)
		}
		text, err := f.Contents()
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", p, err)
		}
		o, err := parseOwners(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p, err)
		}
		return o, nil
	}
	return nil, fmt.Errorf("there is no CODEOWNERS in %s", strings.Join(places, ", "))
}

const maxOwners = 3 << 20

// parseOwners reads the lines "PATTERN @user @org/team mail@example.com". What
// it does not know, such as GitLab's sections, is an error.
func parseOwners(text string) (owners, error) {
	var out owners
	n := 0
	for line := range strings.Lines(text) {
		n++
		fields := ownersFields(line)
		if len(fields) == 0 {
			continue
		}
		l, err := parseOwnersLine(fields)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		out = append(out, l)
	}
	return out, nil
}

// ownersFields cuts a line at spaces that no backslash stands before, up to a comment.
func ownersFields(line string) []string {
	var fields []string
	const space = "\x00"
	for _, f := range strings.Fields(strings.ReplaceAll(line, `\ `, space)) {
		if strings.HasPrefix(f, "#") {
			break
		}
		fields = append(fields, strings.ReplaceAll(f, space, " "))
	}
	return fields
}

func parseOwnersLine(fields []string) (ownersLine, error) {
	pattern := fields[0]
	if strings.ContainsAny(pattern, `[]!\`) || strings.HasPrefix(pattern, "^") {
		return ownersLine{}, fmt.Errorf("%q is not read: want a path pattern with * and **", pattern)
	}
	l := ownersLine{path: ownersPattern(pattern)}
	for _, name := range fields[1:] {
		s, err := ownerSubject(name)
		if err != nil {
			return ownersLine{}, err
		}
		l.who = append(l.who, acl.Grants(s)...)
	}
	return l, nil
}

// ownerSubject reads @org/team as a group, @user and an e-mail address as a user.
func ownerSubject(name string) (acl.Subject, error) {
	handle, ok := strings.CutPrefix(name, "@")
	switch {
	case ok && strings.Contains(handle, "/"):
		return acl.ParseSubject(string(acl.Group(handle)))
	case ok, strings.Contains(name, "@"):
		return acl.ParseSubject(string(acl.User(handle)))
	}
	return "", fmt.Errorf("%q is no owner: want @user, @org/team or an e-mail address", name)
}

// ownersPattern translates a pattern: a slash at the beginning or in the middle
// ties it to the top, one at the end means all below, * stays within a folder
// and ** does not. A name without wildcard at its end means a folder as well.
func ownersPattern(p string) *regexp.Regexp {
	inner := strings.TrimSuffix(strings.TrimPrefix(p, "/"), "/")
	var b strings.Builder
	b.WriteString("^")
	if !strings.HasPrefix(p, "/") && !strings.Contains(inner, "/") {
		b.WriteString("(?:.*/)?")
	}
	segments := strings.Split(inner, "/")
	for i, s := range segments {
		last := i == len(segments)-1
		switch {
		case s == "**" && last:
			b.WriteString(".*")
		case s == "**":
			b.WriteString("(?:.*/)?")
			continue
		default:
			b.WriteString(ownersSegment(s))
		}
		if !last {
			b.WriteString("/")
		}
	}
	final := segments[len(segments)-1]
	switch {
	case final == "**":
	case strings.HasSuffix(p, "/"):
		b.WriteString("/.*")
	case !strings.ContainsAny(final, "*?") || len(segments) == 1 && !strings.HasPrefix(p, "/"):
		b.WriteString("(?:/.*)?")
	}
	return regexp.MustCompile(b.String() + "$")
}

// ownersSegment translates what stands between slashes.
func ownersSegment(s string) string {
	s = strings.ReplaceAll(regexp.QuoteMeta(s), `\*\*`, `\*`)
	return strings.NewReplacer(`\*`, `[^/]*`, `\?`, `[^/]`).Replace(s)
}
