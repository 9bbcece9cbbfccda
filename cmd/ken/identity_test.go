package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"ken/corpora/acl"
	"ken/retrieval"
	"ken/tools"
)

// asked is a searcher that keeps who asked it last.
type asked struct {
	tools.Searcher
	who acl.Principal
}

func (a *asked) Search(_ context.Context, p acl.Principal, _ retrieval.Request) (retrieval.Response, error) {
	a.who = p
	return retrieval.Response{}, nil
}

// TestGroupsAreResolvedAtEachQuestion: groups.yaml counts as it is when somebody asks, and
// nobody asks in its absence once it was there.
func TestGroupsAreResolvedAtEachQuestion(t *testing.T) {
	dir := t.TempDir()
	p := &program{data: dir, stderr: io.Discard}
	inner := &asked{}
	if s, err := p.withGroups(inner); err != nil || s != tools.Searcher(inner) {
		t.Fatalf("without a file: %v, %v", s, err)
	}
	path := filepath.Join(dir, groupsFile)
	write := func(text string) {
		t.Helper()
		if err := errors.Join(os.WriteFile(path+".next", []byte(text), 0o600), os.Rename(path+".next", path)); err != nil {
			t.Fatal(err)
		}
	}
	write("version: 1\ngroups: {hr: [user:ann]}\n")
	s, err := p.withGroups(inner)
	if err != nil {
		t.Fatal(err)
	}
	ann := acl.NewPrincipal("user:ann")
	ask := func() (bool, error) {
		inner.who = acl.Principal{}
		_, err := s.Search(t.Context(), ann, retrieval.Request{Query: "x"})
		return inner.who.Holds("group:hr"), err
	}
	if in, err := ask(); !in || err != nil {
		t.Errorf("in the group: %v, %v", in, err)
	}
	write("version: 1\ngroups: {hr: [user:bob]}\n")
	if in, err := ask(); in || err != nil {
		t.Errorf("taken out: %v, %v", in, err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := ask(); !errors.Is(err, acl.ErrMembership) || !inner.who.IsZero() {
		t.Errorf("the file is gone: %v", err)
	}
}
