package tools

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/embed/hashed"
	"ken/index"
)

// scribe writes into the store of a world, under hr/ alone.
type scribe struct {
	w        *world
	embedder embed.Embedder

	mu     sync.Mutex
	drafts map[corpora.DocID]Draft
}

func (s *scribe) Create(ctx context.Context, d Draft, reads func(context.Context) (bool, error)) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !strings.HasPrefix(string(d.ID), "hr/") {
		return "", ErrPlace
	}
	if now, err := s.w.store.Lookup(ctx, d.ID); err == nil {
		was := s.drafts[d.ID]
		if may, err := reads(ctx); err != nil || was.Text != d.Text || !may && was.By != d.By {
			return "", errors.Join(ErrTaken, err)
		}
		return now.Version, nil
	}
	return s.put(ctx, d)
}

func (s *scribe) Update(ctx context.Context, e Edit) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, err := s.w.store.Lookup(ctx, e.ID)
	d, ours := s.drafts[e.ID]
	switch {
	case err != nil:
		return "", err
	case !ours:
		return "", ErrPlace
	case now.Version != e.IfVersion:
		return "", fmt.Errorf("%w: not %s", ErrVersion, now.Version)
	}
	if e.Text != nil {
		d.Text = *e.Text
	}
	if e.Title != nil {
		d.Title = *e.Title
	}
	return s.put(ctx, d)
}

func (s *scribe) put(ctx context.Context, d Draft) (string, error) {
	s.drafts[d.ID] = d
	s.w.putText(s.embedder, corpora.Document{ID: d.ID, Title: d.Title, MediaType: d.MediaType, Language: "en", ACL: acl.NewList(acl.Grants(d.Allow...), acl.Grants(d.Deny...))}, d.Text)
	now, err := s.w.store.Lookup(ctx, d.ID)
	return now.Version, err
}

func written(t *testing.T, w *world) Options {
	t.Helper()
	e, err := hashed.New(hashed.Options{})
	must(t, err)
	o := stewarded(t, w)
	o.Writer = &scribe{w: w, embedder: e, drafts: map[corpora.DocID]Draft{}}
	return o
}

// Nobody writes unless a role says so, and without a Writer there is nothing to write with.
func TestWritersArePerPerson(t *testing.T) {
	w := newWorld(t)
	base := w.serveHTTP(w.server(written(t, w)), HTTPOptions{})
	for who, want := range map[acl.Subject]string{
		"user:bob": "fetch search", "user:kim": "create_document delete_document fetch list_versions search set_acl update_document",
	} {
		if got := toolsOf(t, dialHTTP(t, base, w.key(acl.NewPrincipal(who)), "2026-07-28")); got != want {
			t.Errorf("%s: %q, want %q", who, got, want)
		}
	}
	o := written(t, w)
	o.Authority = nil
	if got := toolsOf(t, dialPipe(t, w.server(o), kim, "")); strings.Contains(got, "create") || strings.Contains(got, "update") {
		t.Errorf("without a file of roles there is %q", got)
	}
}

// What may be told of a document to whom, by the answers to those who would write it.
func TestWritingTellsNothing(t *testing.T) {
	w := newWorld(t)
	var a told
	o := written(t, w)
	o.Audit = a.audit
	base := w.serveHTTP(w.server(o), HTTPOptions{})
	for _, version := range versions {
		t.Run(version, func(t *testing.T) {
			k := dialHTTP(t, base, w.key(kim), version)
			id := "hr/" + version + ".md"
			draft := map[string]any{"id": id, "text": "Otters sleep afloat.", "title": "Otters", "allow": []string{"user:ann"}}
			created := callTool(t, k, toolCreate, draft)
			if !strings.HasPrefix(created, `{"id":"`+id+`","version":"`) || !strings.HasSuffix(created, `","done":"created"}`) {
				t.Fatalf("created: %s", created)
			}
			now, err := w.store.Lookup(t.Context(), corpora.DocID(id))
			must(t, err)
			if got, want := a.last("tools/call"), fmt.Sprintf(`user:kim create_document  map[allow:["user:ann"] id:%q text:(22 bytes) title:(8 bytes)]: %s 32 0`, id, id); got != want {
				t.Errorf("written down:\n%s\nwant\n%s", got, want)
			}
			// Who wrote it does not read it, and gets its answer again.
			if got := callTool(t, k, toolCreate, draft); got != created {
				t.Errorf("again: %s", got)
			}
			draft["text"] = "Otters sleep ashore."
			conflict := callTool(t, k, toolCreate, draft)
			if !strings.Contains(conflict, kindConflict) || strings.Contains(conflict, now.Version) {
				t.Errorf("a conflict with what one may not read: %s", conflict)
			}
			// A document that is hidden answers like one that is not there, whatever is sent.
			absent := callTool(t, k, toolUpdate, map[string]any{"id": "hr/none.md", "if_version": "x", "text": "x"})
			if !strings.Contains(absent, kindNotFound) {
				t.Errorf("absent: %s", absent)
			}
			for _, hidden := range []string{id, string(secretID), "wiki/evil.md", "wiki/none.md"} {
				for _, v := range []string{now.Version, "x"} {
					if got := callTool(t, k, toolUpdate, map[string]any{"id": hidden, "if_version": v, "text": "x"}); got != absent {
						t.Errorf("update of %s: %s, want %s", hidden, got, absent)
					}
				}
			}
			place := callTool(t, k, toolCreate, map[string]any{"id": "mars/a.md", "text": "x"})
			for _, out := range []string{"wiki/evil.md", "wiki/none.md", "handbook/leave.md", "handbook/none.md", "%zz"} {
				if got := callTool(t, k, toolCreate, map[string]any{"id": out, "text": "x"}); got != place || !strings.Contains(got, `"field":"id"`) {
					t.Errorf("create at %s: %s, want %s", out, got, place)
				}
			}
			// Who reads it is told the version, and that is written down.
			must(t, w.store.SetACL(t.Context(), corpora.DocID(id), acl.Allow("user:kim")))
			stale := callTool(t, k, toolUpdate, map[string]any{"id": id, "if_version": "x", "text": "y"})
			if !strings.Contains(stale, kindConflict) || !strings.Contains(stale, `"version":"`+now.Version+`"`) || !strings.Contains(a.last("tools/call"), " "+id+" 32 0") {
				t.Errorf("a stale update: %s; written down: %s", stale, a.last("tools/call"))
			}
			if got := callTool(t, k, toolUpdate, map[string]any{"id": id, "if_version": now.Version, "title": "Otter"}); !strings.Contains(got, `"done":"updated"`) {
				t.Errorf("an update: %s", got)
			}
			if got := callTool(t, k, toolUpdate, map[string]any{"id": "handbook/leave.md", "if_version": "x", "text": "y"}); got != place {
				t.Errorf("an update of what cannot be written: %s", got)
			}
		})
	}
}

// A person is asked where the role wants it, with who may read it.
func TestWritingIsApproved(t *testing.T) {
	for _, version := range versions {
		for _, action := range []string{"accept", "decline"} {
			w := newWorld(t)
			base := w.serveHTTP(w.server(written(t, w)), HTTPOptions{})
			var asked []string
			s := dialAsking(t, base, w.key(lea), version, action, &asked)
			got := callTool(t, s, toolCreate, map[string]any{"id": "hr/new.md", "text": "four", "allow": []string{"everyone"}, "deny": []string{"user:bob"}})
			if want := "Create the document hr/new.md (4 bytes), and let everyone, but not user:bob, read it?"; len(asked) != 1 || asked[0] != want {
				t.Errorf("%s: asked %q", version, asked)
			}
			_, err := w.store.Lookup(t.Context(), "hr/new.md")
			if done := err == nil; done != (action == "accept") || done == strings.Contains(got, kindNotApproved) || !done && !errors.Is(err, index.ErrNotFound) {
				t.Errorf("%s %s: %s, %v", version, action, got, err)
			}
			callTool(t, s, toolUpdate, map[string]any{"id": "hr/new.md", "if_version": "x", "text": "y"})
			if asks := len(asked) == 2; asks != (action == "accept") {
				t.Errorf("%s %s: asked %q", version, action, asked)
			}
		}
	}
}

// The definitions say what is taken, and answers are as they promise.
func TestWritingMatchesItsSchemas(t *testing.T) {
	w := newWorld(t)
	c := dialPipe(t, w.server(written(t, w)), kim, "")
	list, err := c.ListTools(t.Context(), nil)
	must(t, err)
	for _, tool := range list.Tools {
		a := tool.Annotations
		if tool.Name == toolCreate && (*a.DestructiveHint || !a.IdempotentHint || a.ReadOnlyHint) || tool.Name == toolUpdate && (!*a.DestructiveHint || a.IdempotentHint || a.ReadOnlyHint) {
			t.Errorf("%s has hints %+v", tool.Name, a)
		}
	}
	create := map[string]any{"id": "hr/s.md", "text": "x", "title": "t", "media_type": "text/plain", "class": "internal", "tags": []any{"b"}, "allow": []any{"user:kim"}, "deny": []any{}}
	must(t, resolved(t, createInput).Validate(create))
	res := call(t, c, toolCreate, create)
	must(t, resolved(t, writtenOutput).Validate(res.StructuredContent))
	change := map[string]any{"id": "hr/s.md", "if_version": res.StructuredContent.(map[string]any)["version"], "tags": []any{"c"}}
	must(t, resolved(t, updateInput).Validate(change))
	must(t, resolved(t, writtenOutput).Validate(call(t, c, toolUpdate, change).StructuredContent))
	for _, wrong := range []map[string]any{
		{}, {"id": "hr/x.md"}, {"id": "hr/x.md", "text": "\n"}, {"id": "hr/x.md", "text": strings.Repeat("a", maxText+1)}, {"id": "hr/x.md", "text": "x", "media_type": "text/x"},
		{"id": "hr/x.md", "text": "x", "title": "a\nb"}, {"id": "hr/x.md", "text": "x", "tags": []string{"a\tb"}}, {"id": "hr/x.md", "text": "x", "allow": []string{"ann"}},
		{"id": "hr/x.md", "text": "---\nacl: [everyone]\n---\nx"}, {"id": "hr/x.md", "text": "x", "if_version": "1"},
	} {
		if got := callTool(t, c, toolCreate, wrong); !strings.Contains(got, kindArgument) || strings.Contains(got, "no document can be") {
			t.Errorf("create %.80v: %s", wrong, got)
		}
	}
	for _, wrong := range []map[string]any{
		{"id": "hr/s.md", "text": "y"}, {"id": "hr/s.md", "if_version": "x"}, {"id": "hr/s.md", "if_version": "x", "text": ""}, {"id": "hr/s.md", "if_version": "x", "text": "y", "allow": []string{"everyone"}},
		{"id": "hr/s.md", "if_version": "x", "text": "y", "class": "public"}, {"id": "hr/s.md", "if_version": "x", "text": "---\nacl: [everyone]\n---\nx"},
	} {
		if got := callTool(t, c, toolUpdate, wrong); !strings.Contains(got, kindArgument) {
			t.Errorf("update %v: %s", wrong, got)
		}
	}
}

// slowScribe writes when it is let.
type slowScribe struct {
	*scribe
	let chan struct{}
}

func (s slowScribe) Create(ctx context.Context, d Draft, reads func(context.Context) (bool, error)) (string, error) {
	select {
	case <-s.let:
		return s.scribe.Create(ctx, d, reads)
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// Writers that wait for each other take the places of those who read from nobody.
func TestWritersLeaveRoomToReaders(t *testing.T) {
	w := newWorld(t)
	o := written(t, w)
	slow := slowScribe{o.Writer.(*scribe), make(chan struct{})}
	o.Writer, o.Concurrency = slow, 4
	c := dialPipe(t, w.server(o), kim, "")
	const writers, in = 8, 2 // one writes and one waits
	answers := make(chan string, writers)
	for i := range writers {
		go func() {
			r, err := c.CallTool(t.Context(), &mcp.CallToolParams{Name: toolCreate, Arguments: map[string]any{"id": fmt.Sprintf("hr/w%d.md", i), "text": "x"}})
			if err != nil {
				answers <- err.Error()
				return
			}
			answers <- r.Content[0].(*mcp.TextContent).Text
		}()
	}
	for range writers - in {
		if got := <-answers; !strings.Contains(got, `"kind":"`+kindBusy) {
			t.Errorf("one writer too many: %s", got)
		}
	}
	if got := callTool(t, c, toolSearch, map[string]any{"query": "leave"}); strings.Contains(got, `"error"`) {
		t.Errorf("a reader: %s", got)
	}
	close(slow.let)
	for range in {
		if got := <-answers; !strings.Contains(got, `"done":"created"`) {
			t.Errorf("a writer that waited: %s", got)
		}
	}
}
