package web

import (
	"bytes"
	"compress/gzip"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/temoto/robotstxt"

	"ken/corpora"
	"ken/corpora/source/remote"
	"ken/corpora/source/safenet"
)

const (
	maxRobots   = 500 << 10 // what RFC 9309 asks for at least
	maxSitemap  = 50 << 20  // what sitemaps.org allows
	maxSitemaps = 100
)

// robots is what a site allows us; nil allows all.
type robots struct{ group *robotstxt.Group }

func (r robots) allow(u *url.URL) bool { return r.group == nil || r.group.Test(u.RequestURI()) }

// readRobots reads robots.txt. If it cannot be reached, nothing is allowed (RFC
// 9309, 2.3.1.4).
func (c *crawl) readRobots() error {
	a, err := c.get("/robots.txt", maxRobots)
	if errors.Is(err, corpora.ErrGone) || errors.Is(err, remote.ErrDenied) {
		return nil // there is none
	}
	if err != nil {
		return fmt.Errorf("without robots.txt it is not known what may be read: %w", err)
	}
	data, err := robotstxt.FromStatusAndBytes(http.StatusOK, a.Body)
	if err != nil {
		return fmt.Errorf("robots.txt is not understood: %w", err)
	}
	c.robots.group = data.FindGroup(c.source.options.Agent)
	if delay := c.robots.group.CrawlDelay; delay > 0 {
		o := c.source.options.Calls
		if asked := 1 / delay.Seconds(); o.Rate == 0 || asked < o.Rate {
			o.Rate = asked
		}
		c.calls = remote.New(o)
	}
	for _, u := range c.source.starts {
		if !c.robots.allow(u) {
			return fmt.Errorf("robots.txt does not allow %s to read %s", c.source.options.Agent, u.Path)
		}
	}
	c.maps = data.Sitemaps
	return nil
}

func (c *crawl) get(ref string, limit int64) (remote.Answer, error) {
	u, err := c.source.starts[0].Parse(ref)
	if err != nil {
		return remote.Answer{}, err
	}
	return c.calls.Fetch(c.ctx, c.source.options.Client, remote.Request{URL: u.String(), Limit: limit})
}

// sitemaps returns the pages that the site's sitemaps name. Those of other
// sites are passed over.
func (c *crawl) sitemaps() ([]*url.URL, error) {
	queue := c.maps
	if len(queue) == 0 {
		queue = []string{"/sitemap.xml"}
	}
	var out []*url.URL
	read := map[string]bool{}
	for len(queue) > 0 {
		u, err := c.source.starts[0].Parse(queue[0])
		queue = queue[1:]
		if err != nil || safenet.Origin(u) != safenet.Origin(c.source.starts[0]) || read[u.String()] {
			continue
		}
		if read[u.String()] = true; len(read) > maxSitemaps {
			return nil, fmt.Errorf("there are more than %d sitemaps", maxSitemaps)
		}
		pages, more, err := c.sitemap(u)
		if err != nil {
			return nil, fmt.Errorf("sitemap %s: %w", u.Path, err)
		}
		out, queue = append(out, pages...), append(queue, more...)
		if len(out) > c.source.options.MaxPages {
			return nil, fmt.Errorf("the sitemaps name more than %d pages: raise max_pages", c.source.options.MaxPages)
		}
	}
	return out, nil
}

// sitemap reads one, which names pages or further ones.
func (c *crawl) sitemap(u *url.URL) (pages []*url.URL, more []string, err error) {
	a, err := c.get(u.String(), maxSitemap)
	if errors.Is(err, corpora.ErrGone) || errors.Is(err, remote.ErrDenied) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	body, err := unzip(a.Body)
	if err != nil {
		return nil, nil, err
	}
	var m struct {
		XMLName xml.Name
		Pages   []string `xml:"url>loc"`
		More    []string `xml:"sitemap>loc"`
	}
	if strings.Contains(a.Header.Get("Content-Type"), "html") {
		return nil, nil, nil // a page that says that there is none
	}
	if err := xml.Unmarshal(body, &m); err != nil {
		return nil, nil, fmt.Errorf("it is not understood: %w", err)
	}
	for _, l := range m.Pages {
		if p, err := u.Parse(strings.TrimSpace(l)); err == nil {
			pages = append(pages, p)
		}
	}
	for _, l := range m.More {
		more = append(more, strings.TrimSpace(l))
	}
	return pages, more, nil
}

func unzip(data []byte) ([]byte, error) {
	if !bytes.HasPrefix(data, []byte("\x1f\x8b")) {
		return data, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return safenet.ReadBody(z, maxSitemap)
}
