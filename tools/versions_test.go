package tools

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed/hashed"
)

// A person is told of the versions that the document and the version both admit
// the person to, and fetch reads each of them.
func TestListVersions(t *testing.T) {
	w := newWorld(t)
	w.store.KeepVersions(5)
	embedder, err := hashed.New(hashed.Options{})
	must(t, err)
	d := library[0]
	for _, v := range []struct {
		text string
		list acl.List
	}{
		{"The first text.", acl.Allow(acl.Everyone)}, {"The second text is closed.", acl.Allow("group:hr")}, {"The third text of it is open.", acl.Allow(acl.Everyone)},
	} {
		d.ACL = v.list
		w.putText(embedder, d, v.text)
	}
	s := w.server(Options{})
	// The library's own text was there first; it was replaced while everyone might read it.
	for _, c := range []struct {
		who  acl.Principal
		want []string // beginnings of the texts, the newest first
	}{
		{bob, []string{"The third", "The first", "# Parental"}},
		{ann, []string{"The third", "The second", "The first", "# Parental"}},
	} {
		session := dialPipe(t, s, c.who, "")
		var answer versionsAnswer
		data := encode(call(t, session, toolVersions, map[string]any{"id": string(d.ID)}).StructuredContent)
		must(t, json.Unmarshal(data, &answer))
		if len(answer.Versions) != len(c.want) {
			t.Fatalf("%v is told of %s", c.who.Subjects(), data)
		}
		for i, v := range answer.Versions {
			if v.Current != (i == 0) {
				t.Errorf("version %d: current is %v", i, v.Current)
			}
			page := string(encode(call(t, session, toolFetch, map[string]any{"id": string(d.ID), "version": v.Version}).StructuredContent))
			if !strings.Contains(page, `"text":"`+c.want[i]) {
				t.Errorf("version %d is %s, want %q", i, page, c.want[i])
			}
		}
	}
}

func TestVersionsOfForbiddenAreUnknown(t *testing.T) {
	w := newWorld(t)
	w.store.KeepVersions(5)
	session := dialPipe(t, w.server(Options{}), bob, "")
	ask := func(id corpora.DocID) *mcp.CallToolResult {
		return call(t, session, toolVersions, map[string]any{"id": string(id)})
	}
	hidden, unknown := ask(secretID), ask("hr/severance.mx")
	if a, b := string(encode(hidden)), string(encode(unknown)); a != b || !hidden.IsError {
		t.Errorf("forbidden %s\nunknown   %s", a, b)
	}
	if r := call(t, session, toolVersions, map[string]any{"id": "a", "version": "b"}); !r.IsError {
		t.Error("an unknown argument is taken")
	}
}
