package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	neturl "net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"ken/cmd/ken/internal/wire"
	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/source/spool"
	"ken/index"
	"ken/tools"
)

// writing is a served knowledge base in which people write.
type writing struct {
	t    *testing.T
	p    *program
	dir  string
	conf string
	kb   *wire.Base
	out  bytes.Buffer
}

const writingRoles = `version: 1
roles:
  reader: {members: [everyone], allowed_tools: [search, fetch, list_versions]}
  author: {members: [user:kim, user:lea], allowed_tools: [create_document, update_document, delete_document, set_acl], documents: ["notes/**", "docs/**"]}
`

// newWriting serves a folder and two sources to write to.
func newWriting(t *testing.T, flags ...string) *writing {
	t.Helper()
	dir := t.TempDir()
	w := &writing{t: t, dir: filepath.Join(dir, "data"), conf: filepath.Join(dir, "ken.yaml")}
	put(t, filepath.Join(mkdir(t, dir, "docs"), "a.md"), "# Otters\n\nAn otter lives here.\n")
	put(t, filepath.Join(mkdir(t, dir, "docs", ".ken"), "acl.yaml"), "version: 1\ndefault: {allow: [everyone]}\n")
	put(t, w.conf, "version: 1\nsources:\n  - {name: docs, url: docs}\n  - {name: notes, url: 'tools://'}\n  - {name: diary, url: 'tools://'}\n")
	w.p = &program{
		stdin: strings.NewReader(""), stdout: &w.out, stderr: &w.out, now: time.Now, data: w.dir,
		getenv: func(string) string { return "" },
	}
	w.ken(append([]string{"ingest", "--config", w.conf, "--keep-versions", "5"}, flags...)...)
	put(t, filepath.Join(w.dir, rolesFile), writingRoles)
	var err error
	if w.kb, err = w.p.open(t.Context(), searchFlags{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.kb.Close() })
	return w
}

// ken runs a command, on the open index if there is one.
func (w *writing) ken(args ...string) {
	w.t.Helper()
	p := &program{stdin: w.p.stdin, stdout: &w.out, stderr: &w.out, getenv: w.p.getenv, now: time.Now, dir: "."}
	if w.kb != nil {
		book, err := w.p.overrides()
		if err != nil {
			w.t.Fatal(err)
		}
		p.host = &host{dir: w.dir, base: w.kb, book: book}
	}
	var out bytes.Buffer
	p.stdout, p.stderr = &out, &out
	if code := p.run(w.t.Context(), append([]string{"--data", w.dir}, args...)); code != exitOK {
		w.t.Fatalf("ken %s: exit code %d\n%s", strings.Join(args, " "), code, out.String())
	}
}

func (w *writing) writer() writer { return writer{w.p, w.dir, w.kb} }

// as connects a client as a person.
func (w *writing) as(who acl.Subject) *mcp.ClientSession {
	w.t.Helper()
	server, log, err := w.p.surface(w.t.Context(), w.kb, serveOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	ours, theirs := mcp.NewInMemoryTransports()
	ctx, cancel := context.WithCancel(context.WithoutCancel(w.t.Context()))
	served := make(chan error, 1)
	go func() { served <- server.Run(ctx, acl.NewPrincipal(who), theirs) }()
	session, err := mcp.NewClient(&mcp.Implementation{Name: "writing", Version: "1"}, nil).Connect(w.t.Context(), ours, nil)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() {
		session.Close()
		cancel()
		<-served
		_ = log.Close()
	})
	return session
}

// say calls a tool and returns what it says, short.
func say(t *testing.T, s *mcp.ClientSession, tool string, arguments map[string]any) string {
	t.Helper()
	r, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: tool, Arguments: arguments})
	if err != nil {
		return err.Error()
	}
	return r.Content[0].(*mcp.TextContent).Text
}

// versionOf is the version that an answer tells.
func versionOf(t *testing.T, answer string) string {
	t.Helper()
	_, v, _ := strings.Cut(answer, `"version":"`)
	v, _, ok := strings.Cut(v, `"`)
	if !ok {
		t.Fatalf("no version in %s", answer)
	}
	return v
}

func with(a map[string]any, more ...any) map[string]any {
	a = maps.Clone(a)
	for i := 0; i < len(more); i += 2 {
		a[more[i].(string)] = more[i+1]
	}
	return a
}

// TestWrite is a document's life by tools.
func TestWrite(t *testing.T) {
	w := newWriting(t)
	kim, lea, bob := w.as("user:kim"), w.as("user:lea"), w.as("user:bob")
	note := map[string]any{"id": "notes/plan.md", "text": "# Plan\n\nBuy a kayak.\n", "allow": []string{"user:kim", "user:bob"}, "tags": []string{"b", "a"}}

	created := say(t, kim, "create_document", note)
	version := versionOf(t, created)
	if created != fmt.Sprintf(`{"id":"notes/plan.md","version":%q,"done":"created"}`, version) {
		t.Errorf("created: %s", created)
	}
	if got := say(t, bob, "search", map[string]any{"query": "kayak"}); !strings.Contains(got, "Buy a kayak") {
		t.Errorf("a reader finds %s", got)
	}
	if got := say(t, lea, "search", map[string]any{"query": "kayak"}); strings.Contains(got, "plan.md") {
		t.Errorf("another author finds %s", got)
	}
	stats, _ := w.kb.Store.Stats()
	if again := say(t, kim, "create_document", note); again != created {
		t.Errorf("again: %s, was %s", again, created)
	}
	if now, _ := w.kb.Store.Stats(); now.Revision != stats.Revision {
		t.Error("the same document again was written")
	}

	// Another content is a conflict, whose version is told to whoever reads the document.
	conflict := say(t, kim, "create_document", with(note, "text", "Buy a canoe."))
	if !strings.Contains(conflict, `"kind":"conflict"`) || !strings.Contains(conflict, version) {
		t.Errorf("a reader's conflict: %s", conflict)
	}
	for what, a := range map[string]map[string]any{"the same": note, "another": with(note, "text", "Buy a canoe.")} {
		if got := say(t, lea, "create_document", a); !strings.Contains(got, `"kind":"conflict"`) || strings.Contains(got, version) || got != strings.ReplaceAll(conflict, `,"version":"`+version+`"`, "") {
			t.Errorf("%s by one who does not read it: %s", what, got)
		}
	}

	// An update needs the version that is there, and a reader.
	absent := say(t, kim, "update_document", map[string]any{"id": "notes/none.md", "if_version": version, "text": "x"})
	if got := say(t, lea, "update_document", map[string]any{"id": "notes/plan.md", "if_version": version, "text": "x"}); got != absent || !strings.Contains(got, "not_found") {
		t.Errorf("an update by one who does not read it: %s, want %s", got, absent)
	}
	change := map[string]any{"id": "notes/plan.md", "if_version": version, "text": "# Plan\n\nBuy a canoe.\n"}
	updated := say(t, kim, "update_document", change)
	next := versionOf(t, updated)
	if next == version || !strings.Contains(updated, `"done":"updated"`) {
		t.Errorf("updated: %s", updated)
	}
	if got := say(t, kim, "update_document", change); !strings.Contains(got, `"kind":"conflict"`) || versionOf(t, got) != next {
		t.Errorf("a stale update: %s", got)
	}
	if got := say(t, kim, "update_document", with(change, "if_version", next)); versionOf(t, got) != next {
		t.Errorf("an update that changes nothing: %s", got)
	}
	if got := say(t, bob, "fetch", map[string]any{"id": "notes/plan.md"}); !strings.Contains(got, "canoe") || !strings.Contains(got, `"tags":"a, b"`) {
		t.Errorf("a reader fetches %s", got)
	}
	if got := say(t, bob, "list_versions", map[string]any{"id": "notes/plan.md"}); !strings.Contains(got, version) || !strings.Contains(got, next) {
		t.Errorf("versions: %s", got)
	}

	// Ingests of this source and of others leave it, and so does what set_acl said.
	say(t, kim, "set_acl", map[string]any{"id": "notes/plan.md", "allow": []string{"user:kim"}})
	w.ken("ingest", "--config", w.conf)
	if got := say(t, kim, "update_document", map[string]any{"id": "notes/plan.md", "if_version": next, "title": "The plan"}); !strings.Contains(got, "updated") {
		t.Errorf("a new title: %s", got)
	}
	if got := say(t, bob, "fetch", map[string]any{"id": "notes/plan.md"}); !strings.Contains(got, "not_found") {
		t.Errorf("the update opened it again: %s", got)
	}
	if got := say(t, kim, "fetch", map[string]any{"id": "notes/plan.md"}); !strings.Contains(got, "The plan") || !strings.Contains(got, "canoe") {
		t.Errorf("after a new title: %s", got)
	}

	// What was deleted stays out, and its bytes are not in the spool.
	if got := say(t, kim, "delete_document", map[string]any{"id": "notes/plan.md"}); !strings.Contains(got, "deleted") {
		t.Fatal(got)
	}
	if got := say(t, kim, "create_document", note); !strings.Contains(got, `"kind":"conflict"`) {
		t.Errorf("created after its deletion: %s", got)
	}
	if found := holding(t, spoolsOf(w.dir), "canoe"); len(found) > 0 {
		t.Errorf("deleted and still in %v", found)
	}
	w.ken("ingest", "--config", w.conf)
	if _, err := w.kb.Store.Lookup(t.Context(), "notes/plan.md"); !errors.Is(err, index.ErrNotFound) {
		t.Errorf("an ingest brought it back: %v", err)
	}
	w.ken("delete", "--allow-again", "notes/plan.md")
	if got := say(t, kim, "create_document", note); !strings.Contains(got, "created") {
		t.Errorf("allowed again: %s", got)
	}
}

// Nothing is written outside of the sources for it and of the author's reach, and
// the answer is one.
func TestWriteOutOfReach(t *testing.T) {
	w := newWriting(t)
	kim, bob := w.as("user:kim"), w.as("user:bob")
	if got := say(t, bob, "create_document", map[string]any{"id": "notes/a.md", "text": "x"}); !strings.Contains(got, `unknown tool "create_document"`) {
		t.Errorf("one without the role: %s", got)
	}
	want := say(t, kim, "create_document", map[string]any{"id": "nowhere/a.md", "text": "x"})
	if !strings.Contains(want, "no document can be written under this id") {
		t.Errorf("out of reach: %s", want)
	}
	for _, id := range []string{"docs/a.md", "docs/new.md", "diary/a.md", "notes", "notes/", "notes/../docs/b.md", "notes//a", "/etc/passwd", "Notes/a.md", "notes/%2e%2e/a"} {
		if got := say(t, kim, "create_document", map[string]any{"id": id, "text": "x"}); got != want {
			t.Errorf("create %s: %s", id, got)
		}
	}
	a, err := w.kb.Store.Lookup(t.Context(), "docs/a.md")
	if err != nil {
		t.Fatal(err)
	}
	if got := say(t, kim, "update_document", map[string]any{"id": "docs/a.md", "if_version": a.Version, "text": "x"}); got != want {
		t.Errorf("update of a folder's document: %s", got)
	}
	for what, a := range map[string]map[string]any{
		"closed by its text": {"text": "---\nacl: [user:x]\n---\ntext"}, "empty": {"text": " "}, "two lines": {"text": "x", "title": "a\nb"}, "other format": {"text": "x", "media_type": "application/pdf"},
		"clearance": {"text": "x", "allow": []string{"clearance:restricted"}}, "unknown": {"text": "x", "version": 1}, "broken front matter": {"text": "---\ntitle: [\n---\nx"},
	} {
		if got := say(t, kim, "create_document", with(a, "id", "notes/wrong.md")); !strings.Contains(got, `"kind":"invalid_argument"`) {
			t.Errorf("%s: %s", what, got)
		}
	}
	if n := len(exportedBy(t, w)); n != 1 {
		t.Errorf("%d documents, want that of the folder", n)
	}
}

func exportedBy(t *testing.T, w *writing) (ids []corpora.DocID) {
	t.Helper()
	for d, err := range w.kb.Store.Documents(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, d.ID)
	}
	return ids
}

// Of many who create one id, and of many who change one version, one wins; what
// the winner wrote is there, also while the source is ingested.
func TestConcurrentWriters(t *testing.T) {
	w := newWriting(t)
	const writers = 8
	nobody := func(context.Context) (bool, error) { return false, nil }
	race := func(write func(i int) (string, error), refusal error) (winner int, version string) {
		t.Helper()
		var mu sync.Mutex
		var wg sync.WaitGroup
		winner = -1
		for i := range writers {
			wg.Go(func() {
				v, err := write(i)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil && winner < 0:
					winner, version = i, v
				case err == nil:
					t.Errorf("%d and %d won", winner, i)
				case !errors.Is(err, refusal):
					t.Errorf("%d: %v", i, err)
				}
			})
		}
		wg.Wait()
		if winner < 0 {
			t.Fatal("nobody won")
		}
		return winner, version
	}
	text := func(round, i int) string { return fmt.Sprintf("round %d, writer %d", round, i) }
	_, version := race(func(i int) (string, error) {
		return w.writer().Create(t.Context(), tools.Draft{ID: "notes/a.md", Text: text(0, i), MediaType: "text/markdown", Allow: []acl.Subject{"user:ann"}}, nobody)
	}, tools.ErrTaken)
	for round := 1; round <= 4; round++ {
		var ingests sync.WaitGroup
		ingests.Go(func() { w.ken("ingest", "notes", "--config", w.conf) })
		was := version
		winner, now := race(func(i int) (string, error) {
			next := text(round, i)
			return w.writer().Update(t.Context(), tools.Edit{ID: "notes/a.md", IfVersion: was, Text: &next})
		}, tools.ErrVersion)
		version = now
		ingests.Wait()
		page, err := w.kb.Fetch(t.Context(), acl.NewPrincipal("user:ann"), "notes/a.md", 0, 1000)
		if err != nil || strings.TrimSpace(page.Text) != text(round, winner) || page.Document.Version != version {
			t.Errorf("round %d: %q in version %s, %v; %d won with version %s", round, page.Text, page.Document.Version, err, winner, version)
		}
	}
}

// What a crash left between the spool and the index is brought in before anything is
// compared with it.
func TestWriteAfterACrash(t *testing.T) {
	w := newWriting(t)
	nobody := func(context.Context) (bool, error) { return false, nil }
	first := tools.Draft{ID: "notes/a.md", Text: "one", MediaType: "text/markdown", Allow: []acl.Subject{"user:ann"}, By: "user:kim"}
	version, err := w.writer().Create(t.Context(), first, nobody)
	if err != nil {
		t.Fatal(err)
	}
	s, err := spool.Open(wire.SpoolOf(spoolsOf(w.dir), "notes"))
	if err != nil {
		t.Fatal(err)
	}
	kept, err := s.Kept("a.md")
	if err != nil {
		t.Fatal(err)
	}
	kept.Version, kept.Data, kept.Updated = 2, []byte("two"), time.Now().UTC()
	if _, err := s.ApplyBy(kept.Message, "user:kim"); err != nil { // and no more
		t.Fatal(err)
	}
	text := "three"
	if _, err := w.writer().Update(t.Context(), tools.Edit{ID: "notes/a.md", IfVersion: version, Text: &text}); !errors.Is(err, tools.ErrVersion) {
		t.Errorf("an update of the version before: %v", err)
	}
	page, err := w.kb.Fetch(t.Context(), acl.NewPrincipal("user:ann"), "notes/a.md", 0, 1000)
	if err != nil || strings.TrimSpace(page.Text) != "two" {
		t.Errorf("%q, %v", page.Text, err)
	}
}

// What cannot be taken in changes nothing: neither the index nor the spool.
func TestWriteThatFails(t *testing.T) {
	url, down := switchedEmbedder(t)
	w := newWriting(t, "--embedder", "openai", "--embed-url", url, "--embed-model", "m")
	nobody := func(context.Context) (bool, error) { return false, nil }
	draft := tools.Draft{ID: "notes/a.md", Text: "one", MediaType: "text/markdown", Allow: []acl.Subject{"user:ann"}, By: "user:kim"}
	down.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := w.writer().Create(ctx, draft, nobody); !errors.Is(err, tools.ErrClosed) {
		t.Fatalf("with the embedder down: %v", err)
	}
	if got := exportedBy(t, w); len(got) != 1 || len(holding(t, spoolsOf(w.dir), "one")) != 0 {
		t.Errorf("it left %v, and in the spool %v", got, holding(t, spoolsOf(w.dir), "one"))
	}
	down.Store(false)
	version, err := w.writer().Create(t.Context(), draft, nobody)
	if err != nil {
		t.Fatal(err)
	}
	for what, c := range map[string]struct {
		text string
		want error
	}{"embedder": {"two words", tools.ErrClosed}, "format": {"---\nacl: {\n---\n", tools.ErrRefused}} {
		down.Store(what == "embedder")
		if _, err := w.writer().Update(ctx, tools.Edit{ID: "notes/a.md", IfVersion: version, Text: &c.text}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", what, err, c.want)
		}
		down.Store(false)
		w.ken("ingest", "notes", "--config", w.conf)
		page, err := w.kb.Fetch(t.Context(), acl.NewPrincipal("user:ann"), "notes/a.md", 0, 1000)
		if err != nil || strings.TrimSpace(page.Text) != "one" || page.Document.Version != version {
			t.Errorf("%s: %q, %v", what, page.Text, err)
		}
	}
}

// switchedEmbedder is an embedder that can be turned off.
func switchedEmbedder(t *testing.T) (url string, down *atomic.Bool) {
	t.Helper()
	down = &atomic.Bool{}
	behind, err := neturl.Parse(strings.TrimSuffix(fakeEmbedder(t, false), "/v1"))
	if err != nil {
		t.Fatal(err)
	}
	forward := httputil.NewSingleHostReverseProxy(behind)
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if down.Load() {
			http.Error(rw, "{}", http.StatusBadRequest)
			return
		}
		forward.ServeHTTP(rw, r)
	}))
	t.Cleanup(s.Close)
	return s.URL + "/v1", down
}

func ptr[T any](v T) *T { return &v }

// What a rule protects is protected in what is written, and the class that a document
// has stays though its text would give it none.
func TestWriteIsProtected(t *testing.T) {
	w := newWriting(t)
	put(t, filepath.Join(w.dir, protectFile), "version: 1\nprotect:\n  - {find: email, do: redact, class: confidential}\n")
	nobody := func(context.Context) (bool, error) { return false, nil }
	create := func(id corpora.DocID, text string) (string, error) {
		return w.writer().Create(t.Context(), tools.Draft{ID: id, Text: text, MediaType: "text/markdown", Allow: []acl.Subject{"user:ann"}}, nobody)
	}
	version, err := create("notes/a.md", "Write to kim@example.com soon.")
	if err != nil {
		t.Fatal(err)
	}
	ann := acl.NewPrincipal("user:ann")
	page, err := w.kb.Fetch(t.Context(), ann, "notes/a.md", 0, 1000)
	if err != nil || strings.Contains(page.Text, "kim@") || page.Document.Class != "confidential" {
		t.Errorf("%q of class %q, %v", page.Text, page.Document.Class, err)
	}
	if _, err := w.writer().Update(t.Context(), tools.Edit{ID: "notes/a.md", IfVersion: version, Text: ptr("No address.")}); err != nil {
		t.Fatal(err)
	}
	if page, err = w.kb.Fetch(t.Context(), ann, "notes/a.md", 0, 1000); err != nil || page.Document.Class != "confidential" {
		t.Errorf("after the update of class %q, %v", page.Document.Class, err)
	}
	if _, err := create("notes/kim@example.com.md", "text"); !errors.Is(err, tools.ErrPlace) {
		t.Errorf("an id that holds an address: %v", err)
	}
	if _, err := os.Stat(filepath.Join(w.dir, "spool", "docs")); err == nil {
		t.Error("a folder got a spool")
	}
}
