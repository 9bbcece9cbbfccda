package web

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"

	"ken/corpora"
	"ken/corpora/source/remote"
)

// crawl is one listing.
type crawl struct {
	source   *Source
	ctx      context.Context
	calls    *remote.Caller
	robots   robots
	maps     []string // sitemaps that robots.txt names
	before   memory
	now      memory
	seen     map[string]bool // URLs that were asked for
	pages    []*page
	held     int64   // bytes of bodies that are kept
	problems []error // what makes the listing incomplete
}

// page is one that was fetched.
type page struct {
	url *url.URL
	record
	body []byte // nil: not kept
	err  error  // why it cannot be read
}

const (
	// maxHeld bounds the bodies that are kept until they are loaded; others are
	// fetched again.
	maxHeld = 64 << 20
	// atOnce is how many pages are fetched at the same time.
	atOnce = 4
)

func (c *crawl) all() error {
	if err := c.readRobots(); err != nil {
		return err
	}
	level := slices.Clone(c.source.starts)
	listed, err := c.sitemaps()
	if err != nil {
		return err
	}
	level = append(level, listed...)
	for depth := 0; len(level) > 0; depth++ {
		next, err := c.level(level, depth == 0)
		if err != nil {
			return err
		}
		if depth >= c.source.options.Depth {
			return nil
		}
		level = next
	}
	return nil
}

// level fetches the pages of one distance from the start and returns what they
// link to. The outcome does not depend on which answers first.
func (c *crawl) level(urls []*url.URL, start bool) ([]*url.URL, error) {
	var todo []*url.URL
	for _, u := range urls {
		u = canonical(u)
		if !c.seen[u.String()] && c.source.inScope(u) && c.robots.allow(u) {
			c.seen[u.String()] = true
			todo = append(todo, u)
		}
	}
	if len(c.pages)+len(todo) > c.source.options.MaxPages {
		return nil, fmt.Errorf("the site has more than %d pages: raise max_pages, or start further below", c.source.options.MaxPages)
	}
	got := make([]*page, len(todo))
	slots := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	for i, u := range todo {
		slots <- struct{}{}
		wg.Go(func() { got[i] = c.fetch(u); <-slots })
	}
	wg.Wait()
	var next []*url.URL
	for i, p := range got {
		links, err := c.take(p, start && i < len(c.source.starts))
		if err != nil {
			return nil, err
		}
		next = append(next, links...)
	}
	return next, c.ctx.Err()
}

// take enters a fetched page and returns what it links to.
func (c *crawl) take(p *page, start bool) ([]*url.URL, error) {
	switch {
	case p.err != nil && start:
		return nil, p.err // what hangs on a start page is not known
	case errors.Is(p.err, corpora.ErrGone):
		return nil, nil // a broken link
	case p.err != nil:
		if errors.Is(p.err, corpora.ErrUnavailable) {
			c.problems = append(c.problems, p.err)
		}
		c.pages = append(c.pages, p)
		return nil, nil
	case !c.source.inScope(p.url) || c.now[p.url.String()] != nil:
		return nil, nil // a redirect led elsewhere, or where we were
	}
	c.now[p.url.String()] = &p.record
	if c.held += int64(len(p.body)); c.held > maxHeld {
		c.held -= int64(len(p.body))
		p.body = nil
	}
	c.pages = append(c.pages, p)
	var out []*url.URL
	for _, l := range append(p.Links, p.Canonical) {
		if u, err := url.Parse(l); err == nil && l != "" {
			out = append(out, u)
		}
	}
	return out, nil
}

// fetch asks for a page, or whether it changed.
func (c *crawl) fetch(u *url.URL) *page {
	q := remote.Request{URL: u.String(), Limit: c.source.options.MaxBytes, Header: accept()}
	old := c.before[u.String()]
	if old != nil {
		old.validate(q.Header)
	}
	a, err := c.calls.Fetch(c.ctx, c.source.options.Client, q)
	switch {
	case err != nil:
		return &page{url: u, err: err}
	case a.Status == http.StatusNotModified && old != nil:
		return &page{url: u, record: *old}
	case a.Status == http.StatusNotModified:
		return &page{url: u, err: fmt.Errorf("the server says that a page did not change that we do not have")}
	}
	p := &page{url: canonical(a.URL), body: a.Body}
	p.record = record{Type: a.Header.Get("Content-Type"), ETag: a.Header.Get("ETag"), Modified: a.Header.Get("Last-Modified"), Digest: digest(a.Body)}
	p.NoIndex = forbids(strings.Join(a.Header.Values("X-Robots-Tag"), ","), "noindex")
	if t, _, err := mime.ParseMediaType(p.Type); err == nil && (t == "text/html" || t == "application/xhtml+xml") {
		p.read(a.URL, a.Body)
	}
	return p
}

func digest(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// documents returns the pages that are documents, by URL: not those that do not
// want to be found, and not those that say that they are another one that we have.
func (c *crawl) documents() []*page {
	out := slices.DeleteFunc(slices.Clone(c.pages), func(p *page) bool {
		other := c.now[p.Canonical]
		alias := other != nil && p.Canonical != p.url.String() && (other.Canonical == "" || other.Canonical == p.Canonical)
		return p.err == nil && (p.NoIndex || alias || ignored(p.Type))
	})
	slices.SortFunc(out, func(a, b *page) int { return cmp.Compare(c.source.name(a.url), c.source.name(b.url)) })
	return out
}

// ignored reports whether a media type is of what pages are made with.
func ignored(mediaType string) bool {
	kind, _, _ := strings.Cut(mediaType, "/")
	t, _, _ := strings.Cut(mediaType, ";")
	return slices.Contains([]string{"image", "video", "audio", "font"}, kind) ||
		slices.Contains([]string{"text/css", "text/javascript", "application/javascript", "application/rss+xml", "application/atom+xml"}, strings.TrimSpace(t))
}
