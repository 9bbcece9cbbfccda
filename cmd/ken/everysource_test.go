package main

import (
	"context"
	dbsql "database/sql"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"ken/corpora/source/spool"
	"ken/corpora/source/sql"
	"ken/corpora/source/webhook"
	"ken/eval/evaldata"
)

// TestEverySourceGivesTheSameDocuments ingests a real handbook from every kind of
// place, with one command, and compares the exports: relative id, title, text,
// spans and readers are the same, whatever the place.
func TestEverySourceGivesTheSameDocuments(t *testing.T) {
	if testing.Short() {
		t.Skip("slow under the race detector, and a test of one goroutine: make test runs it")
	}
	dir := t.TempDir()
	untar(t, filepath.Join(evaldata.Dir(t, "handbook-18f"), "tree.tar.gz"), filepath.Join(mkdir(t, dir, "h")))
	folder := filepath.Join(dir, "h")
	put(t, filepath.Join(folder, ".ken", "acl.yaml"), handbookPolicy)
	pages := pagesOf(t, folder)

	lines := []string{"version: 1", "sources:"}
	add := func(name, rest string, args ...any) {
		lines = append(lines, "  - {name: "+name+", owner: user:me, "+fmt.Sprintf(rest, args...)+"}")
	}
	here := "policy: h/.ken/acl.yaml, allow_private: [127.0.0.1], "
	add("folder", "url: h")
	repo := repository(t, folder)
	add("repository", "url: %q", "git+file://"+repo)
	if host := sshServer(t); host != "" {
		keys := os.Getenv("KEN_TEST_SSH_KEYS")
		add("ssh", "allow_private: [127.0.0.1], url: %q, git: {known_hosts: %q}, secret: {file: %q}", "git+"+host+repo, keys+"/known_hosts", keys+"/key")
	}
	add("directory", "url: %q", "file://"+folder)
	columns := "sql: {table: %s, key: path, text: [body], updated: version, allow: readers}"
	for name, u := range rows(t, dir, pages) {
		add(name, "url: %q, "+columns, u.url, u.table)
	}
	add("site", here+"url: %q", site(t, pages))
	add("api", here+"url: %q, api: {items: pages, id: path, text: body, updated: version, param: page}", pagedAPI(t, pages))
	add("mcp", here+"url: %q", "mcp+"+resources(t, pages))
	for name, u := range clouds(t, folder, pages) {
		add(name, "allow_private: [127.0.0.1], url: %q", u)
	}
	data := filepath.Join(dir, "data")
	add("crm", here+"url: %q", "webhook://")
	pushPages(t, mkdir(t, data, "spool", "crm"), pages)
	for name, u := range brokers(t, data, pages) {
		add(name, here+"url: %q", u)
	}
	file := filepath.Join(dir, "ken.yaml")
	put(t, file, strings.Join(lines, "\n")+"\n")

	start := time.Now()
	var report struct {
		Sources []struct {
			Source             string
			Added, Quarantined json.RawMessage
			Seconds            float64
		}
	}
	if err := json.Unmarshal([]byte(mustRun(t, ken(t, data, "ingest", "--config", file))), &report); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d sources in %.1f s", len(report.Sources), time.Since(start).Seconds())
	want := exported(t, data, "folder")
	if len(want) != len(pages) {
		t.Fatalf("%d documents of the folder, want %d", len(want), len(pages))
	}
	for _, s := range report.Sources {
		got := exported(t, data, s.Source)
		differ := 0
		for _, id := range slices.Sorted(maps.Keys(want)) {
			if got[id] != want[id] {
				if differ++; differ <= 2 {
					t.Errorf("%s: %s\n got  %.600s\n want %.600s", s.Source, id, got[id], want[id])
				}
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: %d documents, want %d", s.Source, len(got), len(want))
		}
		t.Logf("%-10s %3d documents, %d differ, %.2f s", s.Source, len(got), differ, s.Seconds)
	}
	again := mustRun(t, ken(t, data, "ingest", "--config", file))
	if n := strings.Count(again, fmt.Sprintf(`"unchanged": %d`, len(pages))); n != len(report.Sources) {
		t.Errorf("a second run finds %d of %d sources unchanged", n, len(report.Sources))
	}
}

// exported returns what an export says of each document, by its id in the source,
// without source, times and versions.
func exported(t *testing.T, data, source string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for line := range strings.Lines(mustRun(t, ken(t, data, "export", "--source", source, "--no-vectors", "-"))) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		d, ok := entry["document"].(map[string]any)
		if !ok {
			continue
		}
		id := strings.TrimPrefix(d["id"].(string), source+"/")
		if by, ok := d["superseded_by"].(string); ok {
			d["superseded_by"] = strings.TrimPrefix(by, source+"/")
		}
		for _, k := range []string{"id", "source", "url", "modified", "stamp", "version"} {
			delete(d, k)
		}
		text, err := json.Marshal(entry)
		if err != nil {
			t.Fatal(err)
		}
		out[id] = string(text)
	}
	return out
}

func mkdir(t *testing.T, parts ...string) string {
	t.Helper()
	dir := filepath.Join(parts...)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func put(t *testing.T, file, text string) {
	t.Helper()
	mkdir(t, filepath.Dir(file))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// pagesOf reads the pages of the handbook by path.
func pagesOf(t *testing.T, folder string) map[string]string {
	t.Helper()
	out := map[string]string{}
	root := os.DirFS(folder)
	err := fs.WalkDir(root, ".", func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || strings.HasPrefix(p, ".") {
			return err
		}
		data, err := fs.ReadFile(root, p)
		out[p] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// readersOf is handbookPolicy as a column.
func readersOf(path string) string {
	switch below := strings.TrimPrefix(path, "handbook-18f/pages/"); {
	case strings.HasPrefix(below, "18f/"):
		return "group:18f"
	case strings.HasPrefix(below, "supervisor-resources/"), below == "performance-management/supervisor-resources.md":
		return "group:supervisors"
	}
	return "everyone"
}

func repository(t *testing.T, folder string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(folder)); err != nil {
		t.Fatal(err)
	}
	r, err := gogit.PlainInit(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	w, err := r.Worktree()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.AddGlob("."); err != nil {
		t.Fatal(err)
	}
	who := &object.Signature{Name: "ann", Email: "ann@example.com", When: time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)}
	if _, err := w.Commit("the handbook", &gogit.CommitOptions{Author: who}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// sshServer is the URL of the SSH server that .ci/services starts.
func sshServer(t *testing.T) string {
	t.Helper()
	host := os.Getenv("KEN_TEST_SSH")
	switch {
	case host == "" && os.Getenv("CI") != "":
		t.Fatal("KEN_TEST_SSH names no server: run .ci/services")
	case host == "":
		t.Log("SKIPPED: ssh: KEN_TEST_SSH names no server")
	}
	return host
}

type table struct{ url, table string }

// rows puts the pages into every database that there is.
func rows(t *testing.T, dir string, pages map[string]string) map[string]table {
	t.Helper()
	out := map[string]table{"sqlite": {"sqlite://" + filepath.Join(dir, "h.db"), "pages"}}
	db, err := dbsql.Open("sqlite", filepath.Join(dir, "h.db"))
	if err != nil {
		t.Fatal(err)
	}
	fill(t, db, "pages", "?", pages)
	for name, variable := range map[string]string{"postgres": "KEN_TEST_POSTGRES", "mariadb": "KEN_TEST_MARIADB"} {
		text := os.Getenv(variable)
		if text == "" {
			if os.Getenv("CI") != "" {
				t.Fatalf("%s names no server: run .ci/services", variable)
			}
			t.Logf("SKIPPED: %s: %s names no server", name, variable)
			continue
		}
		u, err := url.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		db, dialect, err := sql.Open(u, "")
		if err != nil {
			t.Fatal(err)
		}
		table := table{text, fmt.Sprintf("handbook_%d", time.Now().UnixNano())}
		fill(t, db, table.table, map[sql.Dialect]string{sql.Postgres: "$", sql.MySQL: "?"}[dialect], pages)
		out[name] = table
	}
	return out
}

func fill(t *testing.T, db *dbsql.DB, table, mark string, pages map[string]string) {
	t.Helper()
	t.Cleanup(func() { _, _ = db.Exec("DROP TABLE " + table); db.Close() })
	if _, err := db.Exec("CREATE TABLE " + table + " (path VARCHAR(200) PRIMARY KEY, body TEXT, readers TEXT, version INTEGER)"); err != nil {
		t.Fatal(err)
	}
	marks := []string{mark, mark, mark, mark}
	for i := range marks {
		if mark == "$" {
			marks[i] += strconv.Itoa(i + 1)
		}
	}
	for path, text := range pages {
		if _, err := db.Exec("INSERT INTO "+table+" VALUES ("+strings.Join(marks, ", ")+")", path, text, readersOf(path), 1); err != nil {
			t.Fatal(err)
		}
	}
}

// site is a web site that has the pages as they are, and names them in a sitemap.
func site(t *testing.T, pages map[string]string) string {
	t.Helper()
	var s *httptest.Server
	s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := pages[strings.TrimPrefix(r.URL.Path, "/")]
		switch {
		case ok:
			w.Header().Set("Content-Type", "text/markdown")
			fmt.Fprint(w, text)
		case r.URL.Path == "/":
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, `<meta name="robots" content="noindex">`)
		case r.URL.Path == "/sitemap.xml":
			w.Header().Set("Content-Type", "application/xml")
			fmt.Fprint(w, "<urlset>")
			for p := range pages {
				fmt.Fprintf(w, "<url><loc>%s/%s</loc></url>", s.URL, (&url.URL{Path: p}).EscapedPath())
			}
			fmt.Fprint(w, "</urlset>")
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL + "/"
}

// messages are the pages as an application pushes them.
func messages(t *testing.T, pages map[string]string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for path, text := range pages {
		m, err := json.Marshal(map[string]any{"id": path, "version": 1, "text": text})
		if err != nil {
			t.Fatal(err)
		}
		out[path] = m
	}
	return out
}

// pushPages pushes the pages to the webhook of a spool.
func pushPages(t *testing.T, dir string, pages map[string]string) {
	t.Helper()
	kept, err := spool.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	h, err := webhook.New(time.Now, slog.New(slog.DiscardHandler), webhook.Hook{Source: "crm", Secret: []byte(pushSecret), Apply: kept.Apply})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(h)
	defer s.Close()
	for path, m := range messages(t, pages) {
		if status := push(t, s.URL+webhook.Path, string(m)); status != http.StatusOK {
			t.Fatalf("%s: status %d", path, status)
		}
	}
}

// pagedAPI lists the pages, ten at a time.
func pagedAPI(t *testing.T, pages map[string]string) string {
	t.Helper()
	names := slices.Sorted(maps.Keys(pages))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Query().Get("page"))
		list := []any{}
		for _, p := range names[min(10*n, len(names)):min(10*n+10, len(names))] {
			list = append(list, map[string]any{"path": p, "body": pages[p], "version": 1})
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"pages": list})
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// resources is another MCP server that has the pages.
func resources(t *testing.T, pages map[string]string) string {
	t.Helper()
	server := mcp.NewServer(&mcp.Implementation{Name: "pages", Version: "1"}, nil)
	for path, text := range pages {
		server.AddResource(&mcp.Resource{URI: "pages://" + (&url.URL{Path: path}).EscapedPath(), Name: path, MIMEType: "text/markdown"},
			func(_ context.Context, q *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
				return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{{URI: q.Params.URI, MIMEType: "text/markdown", Text: text}}}, nil
			})
	}
	s := httptest.NewServer(mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server }, &mcp.StreamableHTTPOptions{Stateless: true, JSONResponse: true}))
	t.Cleanup(s.Close)
	return s.URL
}
