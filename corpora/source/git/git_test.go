package git_test

import (
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/source/git"
	"ken/corpora/source/remote"
	"ken/corpora/source/safenet"
	"ken/corpora/sourcetest"
)

// repo is a repository with a work tree, made for a test.
type repo struct {
	t   *testing.T
	dir string
	r   *gogit.Repository
	now time.Time
}

func newRepo(t *testing.T) *repo {
	t.Helper()
	dir := t.TempDir()
	r, err := gogit.PlainInitWithOptions(dir, &gogit.PlainInitOptions{InitOptions: gogit.InitOptions{DefaultBranch: "refs/heads/main"}})
	if err != nil {
		t.Fatal(err)
	}
	out := &repo{t: t, dir: dir, r: r, now: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)}
	out.commit("begin")
	return out
}

func (r *repo) commit(message string) plumbing.Hash {
	r.t.Helper()
	w, err := r.r.Worktree()
	if err != nil {
		r.t.Fatal(err)
	}
	if err := w.AddGlob("."); err != nil && err != gogit.ErrGlobNoMatches {
		r.t.Fatal(err)
	}
	r.now = r.now.Add(time.Hour)
	h, err := w.Commit(message, &gogit.CommitOptions{All: true, AllowEmptyCommits: true, Author: &object.Signature{Name: "ann", Email: "ann@example.com", When: r.now}})
	if err != nil {
		r.t.Fatal(err)
	}
	return h
}

func (r *repo) write(name, text string) {
	r.t.Helper()
	file := filepath.Join(r.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

func (r *repo) put(name, text string) { r.t.Helper(); r.write(name, text); r.commit("write " + name) }

func (r *repo) remove(name string) {
	r.t.Helper()
	if err := os.Remove(filepath.Join(r.dir, filepath.FromSlash(name))); err != nil {
		r.t.Fatal(err)
	}
	r.commit("remove " + name)
}

func (r *repo) fixture(s corpora.Source) sourcetest.Fixture {
	return sourcetest.Fixture{
		Source: s, Snapshot: true,
		Put:    r.put,
		Remove: r.remove,
		SetACL: func(name string, who ...acl.Subject) { r.put(name+".acl.yaml", list(who)) },
		Spoil:  func(name string) { r.put(name+".acl.yaml", "alow: [user:ann]\n") },
		Break: func() {
			if err := r.r.Storer.RemoveReference("refs/heads/main"); err != nil {
				r.t.Fatal(err)
			}
		},
	}
}

func list(who []acl.Subject) string {
	out := make([]string, len(who))
	for i, s := range who {
		out[i] = string(s)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func source(t *testing.T, o git.Options) *git.Source {
	t.Helper()
	o.Name = "repo"
	s, err := git.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) {
	t.Run("local", func(t *testing.T) {
		sourcetest.Run(t, func(t *testing.T) sourcetest.Fixture {
			r := newRepo(t)
			return r.fixture(source(t, git.Options{Dir: r.dir}))
		})
	})
	t.Run("remote", func(t *testing.T) {
		sourcetest.Run(t, func(t *testing.T) sourcetest.Fixture {
			r := newRepo(t)
			return r.fixture(source(t, remoteOptions(t, serve(t, r, nil))))
		})
	})
}

// serve is Git's own server over HTTP.
func serve(t *testing.T, r *repo, watch func(*http.Request, http.ResponseWriter) bool) string {
	t.Helper()
	path, err := exec.LookPath("git")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("no git on this machine")
		}
		t.Skip("SKIPPED: no git on this machine, so no server to fetch from")
	}
	backend := &cgi.Handler{Path: path, Args: []string{"http-backend"}, Env: []string{"GIT_PROJECT_ROOT=" + r.dir, "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if watch == nil || watch(q, w) {
			backend.ServeHTTP(w, q)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL + "/.git"
}

func remoteOptions(t *testing.T, url string) git.Options {
	t.Helper()
	return git.Options{URL: url, Client: client(t, safenet.Options{}), Keep: t.TempDir(), Calls: remote.Options{Backoff: time.Millisecond}}
}

func client(t *testing.T, o safenet.Options) *http.Client {
	t.Helper()
	var err error
	if o.Rules, err = safenet.Parse([]string{"127.0.0.1"}); err != nil {
		t.Fatal(err)
	}
	c, err := safenet.NewClient(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// read returns the documents of a whole listing by path.
func read(t *testing.T, s corpora.Source) map[string]corpora.Document {
	t.Helper()
	out := map[string]corpora.Document{}
	complete := false
	for c, err := range s.Changes(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if complete = c.Op == corpora.Complete; complete {
			break
		}
		d, _, err := c.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		out[d.Path] = d
	}
	if !complete {
		t.Fatal("the listing is not complete")
	}
	return out
}

// A file's time is that of the last commit that changed it, whatever came after,
// also over a merge and in a folder of the repository.
func TestModifiedComesFromTheHistory(t *testing.T) {
	r := newRepo(t)
	r.put("docs/a.md", "one")
	first := r.now
	r.put("docs/deep/b.md", "one")
	second := r.now
	r.put("other/c.md", "one")
	r.put("docs/a.md", "two")
	third := r.now
	r.put("other/c.md", "two")
	for path, o := range map[string]git.Options{"": {Dir: r.dir}, "docs": {Dir: r.dir, Path: "docs"}} {
		docs := read(t, source(t, o))
		prefix := "docs/"
		if path != "" {
			prefix = ""
		}
		if got := docs[prefix+"a.md"].Modified; !got.Equal(third) {
			t.Errorf("%q: a.md changed %s, want %s (not %s)", path, got, third, first)
		}
		if got := docs[prefix+"deep/b.md"].Modified; !got.Equal(second) {
			t.Errorf("%q: b.md changed %s, want %s", path, got, second)
		}
	}
	if got := read(t, source(t, git.Options{Dir: r.dir, MaxHistory: 1}))["docs/a.md"].Modified; !got.IsZero() {
		t.Errorf("with a past of one commit a.md changed %s, want unknown", got)
	}
}

func TestRefs(t *testing.T) {
	r := newRepo(t)
	r.put("a.md", "on main")
	first := r.commit("tagged")
	if _, err := r.r.CreateTag("v1", first, nil); err != nil {
		t.Fatal(err)
	}
	r.put("b.md", "later")
	url := serve(t, r, nil)
	for ref, want := range map[string]int{"": 2, "main": 2, "refs/heads/main": 2, "v1": 1} {
		local, far := git.Options{Dir: r.dir, Ref: ref}, remoteOptions(t, url)
		far.Ref = ref
		for _, o := range []git.Options{local, far} {
			if got := len(read(t, source(t, o))); got != want {
				t.Errorf("ref %q of %q%q: %d documents, want %d", ref, o.Dir, o.URL, got, want)
			}
		}
	}
	for _, o := range []git.Options{{Dir: r.dir, Ref: "gone"}, {Dir: r.dir, Path: "gone"}} {
		for c, err := range source(t, o).Changes(t.Context(), "") {
			if err == nil {
				t.Errorf("%+v: lists %s", o, c.ID)
			}
		}
	}
}

// The second fetch brings what is new, and none if nothing is.
func TestFetchIsIncremental(t *testing.T) {
	r := newRepo(t)
	r.put("big.md", strings.Repeat("some text that does not compress to nothing 0123456789 ", 2000))
	var packs atomic.Int64
	o := remoteOptions(t, serve(t, r, func(q *http.Request, _ http.ResponseWriter) bool {
		if strings.HasSuffix(q.URL.Path, "git-upload-pack") {
			packs.Add(1)
		}
		return true
	}))
	read(t, source(t, o))
	read(t, source(t, o)) // another process with the same Keep
	if packs.Load() != 1 {
		t.Errorf("%d packs for one state", packs.Load())
	}
	r.put("small.md", "text")
	if got := len(read(t, source(t, o))); got != 2 || packs.Load() != 2 {
		t.Errorf("%d documents after %d packs, want 2 and 2", got, packs.Load())
	}
}

// A server that is down for a moment is asked again; one that refuses is not.
func TestServerFaults(t *testing.T) {
	r := newRepo(t)
	r.put("a.md", "text")
	var asked atomic.Int64
	fail := func(status int, times int64) string {
		asked.Store(0)
		return serve(t, r, func(_ *http.Request, w http.ResponseWriter) bool {
			if n := asked.Add(1); n <= times {
				w.WriteHeader(status)
				return false
			}
			return true
		})
	}
	if got := len(read(t, source(t, remoteOptions(t, fail(503, 2))))); got != 1 {
		t.Errorf("%d documents after two 503, want 1", got)
	}
	for status, tries := range map[int]int64{401: 1, 403: 1, 404: 1, 503: 4} {
		for c, err := range source(t, remoteOptions(t, fail(status, 1000))).Changes(t.Context(), "") {
			if err == nil || c.ID != "" {
				t.Errorf("status %d: %v, %v; want an error of the source", status, c, err)
			}
		}
		if asked.Load() != tries {
			t.Errorf("status %d: asked %d times, want %d", status, asked.Load(), tries)
		}
	}
}

// A credential goes where it belongs and is in no URL.
func TestCredential(t *testing.T) {
	r := newRepo(t)
	r.put("a.md", "text")
	url := serve(t, r, func(q *http.Request, w http.ResponseWriter) bool {
		if _, secret, _ := q.BasicAuth(); secret == "s3cret" {
			return true
		}
		w.WriteHeader(http.StatusUnauthorized)
		return false
	})
	o := remoteOptions(t, url)
	o.Client = client(t, safenet.Options{Home: url, Header: "Authorization", Credential: "Basic " + "eDpzM2NyZXQ="})
	if got := len(read(t, source(t, o))); got != 1 {
		t.Errorf("%d documents, want 1", got)
	}
	o.URL = strings.Replace(url, "http://", "http://x:s3cret@", 1)
	for _, err := range source(t, o).Changes(t.Context(), "") {
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("credentials in the URL: %v", err)
		}
	}
}

func TestLimitOfAPack(t *testing.T) {
	r := newRepo(t)
	r.put("a.md", "text")
	o := remoteOptions(t, serve(t, r, nil))
	o.MaxPack = 64
	for _, err := range source(t, o).Changes(t.Context(), "") {
		if err == nil || !strings.Contains(err.Error(), "too long") {
			t.Errorf("a pack over the limit: %v", err)
		}
	}
}

// Links are not followed, and a submodule is another repository.
func TestLinksAreNotFollowed(t *testing.T) {
	r := newRepo(t)
	r.write("a.md", "text")
	if err := os.Symlink("/etc/passwd", filepath.Join(r.dir, "b.md")); err != nil {
		t.Fatal(err)
	}
	r.commit("link")
	var refused []corpora.DocID
	for c, err := range source(t, git.Options{Dir: r.dir}).Changes(t.Context(), "") {
		if err != nil {
			refused = append(refused, c.ID)
		}
	}
	if !slices.Equal(refused, []corpora.DocID{"repo/b.md"}) {
		t.Errorf("refused %v, want the link", refused)
	}
}

func TestCodeowners(t *testing.T) {
	r := newRepo(t)
	r.write("CODEOWNERS", "* @acme/staff\n/pay/ @acme/hr boss@example.com # pay\n/pay/open.md\n")
	r.write(".ken/acl.yaml", "version: 1\nrules:\n  - {path: rules/**, allow: [user:admin]}\n")
	for _, p := range []string{"a.md", "pay/bands.md", "pay/open.md", "rules/a.md"} {
		r.write(p, "text")
	}
	r.commit("files")
	docs := read(t, source(t, git.Options{Dir: r.dir, Codeowners: true, Owner: "user:me"}))
	for path, want := range map[string]acl.List{
		"a.md":         acl.Allow("group:acme/staff"),
		"pay/bands.md": acl.Allow("group:acme/hr", "user:boss@example.com"),
		"pay/open.md":  {}, // a line without owners
		"rules/a.md":   acl.Allow("user:admin"),
	} {
		if got := docs[path].ACL; got.Key() != want.Key() {
			t.Errorf("%s: %s, want %s", path, got.Key(), want.Key())
		}
	}
	stamp := docs["a.md"].Stamp
	r.put("CODEOWNERS", "* @acme/others\n")
	if read(t, source(t, git.Options{Dir: r.dir, Codeowners: true}))["a.md"].Stamp == stamp {
		t.Error("the stamp does not tell that there are other owners")
	}
	r.put("CODEOWNERS", "[Section] @acme/staff\n* @acme/staff\n")
	for _, err := range source(t, git.Options{Dir: r.dir, Codeowners: true}).Changes(t.Context(), "") {
		if err == nil || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("a section: %v", err)
		}
	}
}
