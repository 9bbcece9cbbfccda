package web_test

import (
	"crypto/sha256"
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/policy"
	"ken/corpora/source/item"
	"ken/corpora/source/remote"
	"ken/corpora/source/safenet"
	"ken/corpora/source/web"
	"ken/corpora/sourcetest"
)

// site is a small web server whose pages a test changes.
type site struct {
	*httptest.Server
	mu     sync.Mutex
	pages  map[string]string // by path
	status map[string]int
	asked  map[string]int // answers other than 304
	header map[string]http.Header
}

func newSite(t *testing.T, pages map[string]string) *site {
	t.Helper()
	s := &site{pages: maps.Clone(pages), status: map[string]int{}, asked: map[string]int{}, header: map[string]http.Header{}}
	if s.pages == nil {
		s.pages = map[string]string{}
	}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := r.URL.Path
	if r.URL.RawQuery != "" {
		key += "?" + r.URL.RawQuery
	}
	if code := s.status[key]; code != 0 {
		s.asked[key]++
		w.WriteHeader(code)
		return
	}
	for k, v := range s.header[key] {
		w.Header()[k] = v
	}
	if to := w.Header().Get("Location"); to != "" {
		w.WriteHeader(http.StatusFound)
		return
	}
	text, ok := s.pages[key]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	text = strings.ReplaceAll(text, "SITE", s.URL)
	if strings.HasSuffix(key, ".xml") {
		w.Header().Set("Content-Type", "application/xml")
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", map[bool]string{true: "text/markdown", false: "text/html; charset=utf-8"}[strings.HasSuffix(r.URL.Path, ".md")])
	}
	tag := fmt.Sprintf("%q", fmt.Sprintf("%x", sha256.Sum256([]byte(text))))
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	s.asked[key]++
	fmt.Fprint(w, text)
}

func (s *site) set(path, text string) { s.mu.Lock(); s.pages[path] = text; s.mu.Unlock() }

func (s *site) fail(path string, code int) { s.mu.Lock(); s.status[path] = code; s.mu.Unlock() }

// index is a start page that links to all pages and is none itself.
func (s *site) index() {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	b.WriteString(`<meta name="robots" content="noindex">`)
	for p := range s.pages {
		fmt.Fprintf(&b, "<a href=%q>x</a>", html.EscapeString(p))
	}
	s.pages["/"] = b.String()
}

func source(t *testing.T, s *site, o web.Options) *web.Source {
	t.Helper()
	rules, err := safenet.Parse([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	client, err := safenet.NewClient(safenet.Options{Rules: rules})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.CloseIdleConnections)
	o.Name, o.Client, o.Calls = "site", client, remote.Options{Backoff: time.Millisecond}
	if o.Start == nil {
		o.Start = []string{s.URL + "/"}
	}
	w, err := web.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestConformance(t *testing.T) {
	for name, keep := range map[string]bool{"without memory": false, "with memory": true} {
		t.Run(name, func(t *testing.T) {
			sourcetest.Run(t, func(t *testing.T) sourcetest.Fixture { return fixture(t, keep) })
		})
	}
}

func fixture(t *testing.T, keep bool) sourcetest.Fixture {
	s := newSite(t, nil)
	s.index()
	rules := new(policy.Policy)
	o := web.Options{Options: item.Options{Policy: rules}}
	if keep {
		o.Keep = t.TempDir()
	}
	return sourcetest.Fixture{
		Source: source(t, s, o),
		Put:    func(name, text string) { s.set("/"+name, text); s.index() },
		Remove: func(name string) { s.mu.Lock(); delete(s.pages, "/"+name); s.mu.Unlock(); s.index() },
		SetACL: func(name string, who ...acl.Subject) {
			names := make([]string, len(who))
			for i, w := range who {
				names[i] = string(w)
			}
			p, err := policy.Parse([]byte("version: 1\nrules: [{path: " + name + ", allow: [" + strings.Join(names, ", ") + "]}]\n"))
			if err != nil {
				t.Fatal(err)
			}
			*rules = *p
		},
		Spoil: func(name string) { s.fail("/"+name, http.StatusForbidden) },
		Break: func() { s.fail("/", http.StatusInternalServerError) },
	}
}

// crawl returns the paths of the listed documents, those with errors, and the
// error of the source.
func crawl(t *testing.T, s corpora.Source) (listed []string, refused map[corpora.DocID]error, failed error) {
	t.Helper()
	refused = map[corpora.DocID]error{}
	for c, err := range s.Changes(t.Context(), "") {
		switch {
		case err != nil && c.ID == "":
			failed = err
		case err != nil:
			refused[c.ID] = err
		case c.Op == corpora.Put:
			listed = append(listed, strings.TrimPrefix(string(c.ID), "site/"))
		}
	}
	return listed, refused, failed
}

func want(t *testing.T, s corpora.Source, paths ...string) {
	t.Helper()
	listed, refused, err := crawl(t, s)
	if err != nil || len(refused) > 0 || !slices.Equal(listed, paths) {
		t.Errorf("listed %q, refused %v, %v; want %q", listed, refused, err, paths)
	}
}

// What is followed, what is not, and what pages are called.
func TestScope(t *testing.T) {
	s := newSite(t, map[string]string{
		"/docs/":       `<a href="a.html">a</a><a href="/docs/b.html#part">b</a><a href="../private/x.html">x</a><a href="https://elsewhere.invalid/docs/">e</a><a href="mailto:me@example.com">m</a><a href="javascript:alert(1)">j</a><a href="file:///etc/passwd">f</a><a href="SITE/docs/q.html?b=2&utm_source=x&a=1">q</a><a rel="nofollow" href="n.html">n</a><a href="draft/d.html">d</a><a href="r.html">r</a><a href="out.html">o</a>`,
		"/docs/a.html": `<base href="/docs/deep/"><a href="c.html">c</a><a href="/docs/./deep/../a.html">a</a>`, "/docs/b.html": "b", "/docs/n.html": "n",
		"/docs/deep/c.html": `<link rel="canonical" href="/docs/b.html">`, "/docs/q.html?a=1&b=2": "q", "/docs/draft/d.html": "d",
		"/docs/hidden.html": `<meta name="robots" content="none">`, "/private/x.html": "x", "/docs/alone.html": "in the sitemap", "/docs/target.html": "target",
		"/robots.txt":  "User-agent: *\nDisallow: /docs/secret\nSitemap: SITE/maps.xml\nSitemap: https://elsewhere.invalid/sitemap.xml\n",
		"/maps.xml":    `<sitemapindex><sitemap><loc>SITE/map.xml</loc></sitemap></sitemapindex>`,
		"/map.xml":     `<urlset><url><loc>SITE/docs/alone.html</loc></url><url><loc>SITE/docs/secret.html</loc></url><url><loc>SITE/docs/hidden.html</loc></url></urlset>`,
		"/docs/logo.x": "x",
	})
	s.header["/docs/r.html"] = http.Header{"Location": {"/docs/target.html"}}
	s.header["/docs/out.html"] = http.Header{"Location": {"/private/x.html"}}
	start := []string{s.URL + "/docs/"}
	want(t, source(t, s, web.Options{Start: start, Exclude: []string{"draft/"}}), "a.html", "alone.html", "b.html", "index", "q.html?a=1&b=2", "target.html")
	want(t, source(t, s, web.Options{Start: start, Depth: -1}), "alone.html", "index")
	if s.asked["/private/x.html"] != 1 { // by the redirect, which is followed and not taken
		t.Errorf("what lies outside was asked for %d times", s.asked["/private/x.html"])
	}
}

// The second listing of a site that did not change transfers no page.
func TestConditional(t *testing.T) {
	s := newSite(t, map[string]string{"/a.md": "a", "/b.md": "b"})
	s.index()
	keep := t.TempDir()
	want(t, source(t, s, web.Options{Keep: keep}), "a.md", "b.md")
	s.asked = map[string]int{}
	want(t, source(t, s, web.Options{Keep: keep}), "a.md", "b.md")
	if s.asked["/"] != 0 || s.asked["/a.md"] != 0 {
		t.Errorf("pages that did not change were sent: %v", s.asked)
	}
	s.set("/a.md", "new")
	want(t, source(t, s, web.Options{Keep: keep}), "a.md", "b.md")
	if s.asked["/a.md"] != 1 || s.asked["/b.md"] != 0 {
		t.Errorf("after a change: %v", s.asked)
	}
}

// Half a site is never taken for all of it.
func TestHalfASite(t *testing.T) {
	pages := map[string]string{"/a.md": "a", "/b.md": "b", "/c.md": "c"}
	for name, spoil := range map[string]func(*site){
		"a page is down":         func(s *site) { s.fail("/b.md", 503) },
		"robots.txt is down":     func(s *site) { s.fail("/robots.txt", 500) },
		"the sitemap is down":    func(s *site) { s.fail("/sitemap.xml", 502) },
		"the sitemap is broken":  func(s *site) { s.set("/sitemap.xml", "<urlset><url>") },
		"the start is forbidden": func(s *site) { s.fail("/", 403) },
		"the start is gone":      func(s *site) { s.fail("/", 404) },
		"robots.txt forbids":     func(s *site) { s.set("/robots.txt", "User-agent: ken\nDisallow: /\n") },
		"the start leads round":  func(s *site) { s.header["/"] = http.Header{"Location": {"/"}} },
	} {
		s := newSite(t, pages)
		s.index()
		spoil(s)
		if _, _, err := crawl(t, source(t, s, web.Options{})); err == nil {
			t.Errorf("%s: the listing is complete", name)
		}
	}
	s := newSite(t, pages)
	s.index()
	if _, _, err := crawl(t, source(t, s, web.Options{MaxPages: 3})); err == nil {
		t.Error("more pages than the limit: the listing is complete")
	}
	s.fail("/b.md", 401)
	if listed, refused, err := crawl(t, source(t, s, web.Options{})); err != nil || len(listed) != 2 || refused["site/b.md"] == nil {
		t.Errorf("a page that is refused: %v, %v, %v", listed, refused, err)
	}
	s.fail("/b.md", 404)
	want(t, source(t, s, web.Options{}), "a.md", "c.md")
}

// Two pages that say of each other that they are the other one are both kept.
func TestCanonicalRing(t *testing.T) {
	s := newSite(t, map[string]string{
		"/":  `<a href="/a">a</a><a href="/b">b</a>`,
		"/a": `<link rel="canonical" href="/b">`, "/b": `<link rel="canonical" href="/a">`,
	})
	want(t, source(t, s, web.Options{}), "a", "b", "index")
}
