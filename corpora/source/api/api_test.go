package api_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/corpora/source/api"
	"ken/corpora/source/remote"
	"ken/corpora/source/safenet"
	"ken/corpora/sourcetest"
)

// wiki is a small API whose articles a test changes.
type wiki struct {
	*httptest.Server
	mu       sync.Mutex
	articles map[string]map[string]any
	version  int
	broken   bool
	style    string // how pages follow each other
	size     int
}

func newWiki(t *testing.T, style string) *wiki {
	t.Helper()
	w := &wiki{articles: map[string]map[string]any{}, style: style, size: 2}
	w.Server = httptest.NewServer(w)
	t.Cleanup(w.Close)
	return w
}

func (w *wiki) put(name, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.version++
	w.articles[name] = map[string]any{"key": name, "body": map[string]any{"md": text}, "rev": w.version}
}

func (w *wiki) set(name string, readers any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.version++
	w.articles[name]["readers"], w.articles[name]["rev"] = readers, w.version
}

func (w *wiki) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if name, ok := strings.CutPrefix(r.URL.Path, "/article/"); ok {
		if a, ok := w.articles[name]; ok {
			_ = json.NewEncoder(out).Encode(a)
			return
		}
		out.WriteHeader(http.StatusNotFound)
		return
	}
	n, _ := strconv.Atoi(r.URL.Query().Get("p"))
	if w.broken && n > 0 || w.broken && len(w.articles) <= w.size {
		out.WriteHeader(http.StatusBadGateway)
		return
	}
	names := slices.Sorted(maps.Keys(w.articles))
	from := min(n*w.size, len(names))
	to := min(from+w.size, len(names))
	page := map[string]any{"articles": []any{}}
	for _, name := range names[from:to] {
		page["articles"] = append(page["articles"].([]any), w.articles[name])
	}
	if to < len(names) {
		switch w.style {
		case "url":
			page["more"] = fmt.Sprintf("?p=%d", n+1)
		case "cursor":
			page["more"] = n + 1
		case "link":
			out.Header().Add("Link", `</?p=0>; rel="first"`)
			out.Header().Add("Link", fmt.Sprintf(`</?p=%d>; rel="next"`, n+1))
		}
	}
	_ = json.NewEncoder(out).Encode(page)
}

func (w *wiki) shape(detail bool) api.Shape {
	s := api.Shape{Items: "articles", ID: "key", Text: "body.md", Updated: "rev", Allow: "readers"}
	switch w.style {
	case "url":
		s.Next = "more"
	case "cursor":
		s.Cursor, s.Param = "more", "p"
	case "number":
		s.Param = "p"
	}
	if detail {
		s.Detail = "/article/{id}"
	}
	return s
}

func source(t *testing.T, url string, shape api.Shape) *api.Source {
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
	o := api.Options{URL: url, Client: client, Shape: shape, Calls: remote.Options{Backoff: time.Millisecond}}
	o.Name = "wiki"
	s, err := api.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) {
	for _, style := range []string{"url", "cursor", "link", "number"} {
		for name, detail := range map[string]bool{"listed": false, "detail": true} {
			t.Run(style+" "+name, func(t *testing.T) {
				sourcetest.Run(t, func(t *testing.T) sourcetest.Fixture { return fixture(t, style, detail) })
			})
		}
	}
}

func fixture(t *testing.T, style string, detail bool) sourcetest.Fixture {
	w := newWiki(t, style)
	return sourcetest.Fixture{
		Source: source(t, w.URL, w.shape(detail)), Snapshot: !detail,
		Put:    w.put,
		Remove: func(name string) { w.mu.Lock(); delete(w.articles, name); w.mu.Unlock() },
		SetACL: func(name string, who ...acl.Subject) { w.set(name, who) },
		Spoil:  func(name string) { w.set(name, map[string]any{"who": "ann"}) },
		Break:  func() { w.mu.Lock(); w.broken = true; w.mu.Unlock() },
	}
}

// Lists that do not end as they should are errors of the source, also after pages
// that were in order.
func TestHalfAList(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"articles":[]}`) }))
	defer other.Close()
	for name, answer := range map[string]func(n int) string{
		"round in a ring":   func(int) string { return `{"articles":[{"key":"a"}],"more":"/"}` },
		"to another site":   func(int) string { return `{"articles":[{"key":"a"}],"more":"` + other.URL + `"}` },
		"to another scheme": func(int) string { return `{"articles":[{"key":"a"}],"more":"file:///etc/passwd"}` },
		"without end":       func(n int) string { return fmt.Sprintf(`{"articles":[{"key":"a%d"}],"more":"?n=%d"}`, n, n) },
		"no list":           func(int) string { return `{"error":"maintenance"}` },
		"null":              func(int) string { return `null` },
		"no id":             func(int) string { return `{"articles":[{"title":"a"}]}` },
		"half of the JSON":  func(int) string { return `{"articles":[{"key":"a"}` },
		"two values":        func(int) string { return `{"articles":[]} {"articles":[]}` },
		"a page of HTML":    func(int) string { return `<html>please log in</html>` },
	} {
		n := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { n++; fmt.Fprint(w, answer(n)) }))
		s := source(t, server.URL, api.Shape{Items: "articles", ID: "key", Next: "more"})
		var failed error
		for c, err := range s.Changes(t.Context(), "") {
			if c.Op == corpora.Complete {
				t.Errorf("%s: the listing is complete", name)
			}
			failed = err
		}
		if failed == nil {
			t.Errorf("%s: no error", name)
		}
		server.Close()
	}
}

// An id goes into the detail's URL as one segment, whatever is in it.
func TestIDsStayInTheirPlace(t *testing.T) {
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.RequestURI, "/list") {
			fmt.Fprint(w, `[{"key":"../admin"},{"key":"a?x=1#y"},{"key":"a/../../admin"},{"key":"@127.0.0.2"}]`)
			return
		}
		asked = append(asked, r.RequestURI)
		fmt.Fprint(w, `{}`)
	}))
	defer server.Close()
	for c, err := range source(t, server.URL+"/list", api.Shape{ID: "key", Detail: "/item/{id}"}).Changes(t.Context(), "") {
		if err == nil && c.Load != nil {
			_, _, _ = c.Load(t.Context())
		}
	}
	if want := []string{"/item/@127.0.0.2", "/item/a%3Fx=1%23y"}; !slices.Equal(asked, want) {
		t.Errorf("asked for %q, want %q", asked, want)
	}
}

func TestTheItemAsJSON(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `[{"key":12345678901234567890,"name":"Leave","at":"2026-03-01T10:00:00.000+0100"}]`)
	}))
	defer server.Close()
	for c, err := range source(t, server.URL, api.Shape{ID: "key", Title: "name", Updated: "at"}).Changes(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if c.Op == corpora.Complete {
			continue
		}
		d, data, err := c.Load(t.Context())
		if err != nil || d.Path != "12345678901234567890" || d.Title != "Leave" || !d.Modified.Equal(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)) || !strings.Contains(string(data), `"name": "Leave"`) {
			t.Errorf("%+v, %s, %v", d, data, err)
		}
	}
}
