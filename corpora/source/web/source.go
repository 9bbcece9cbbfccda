package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"path"
	"strings"

	"ken/corpora"
	"ken/corpora/source/item"
	"ken/corpora/source/remote"
	"ken/corpora/source/safenet"
)

// Options of a site. Start and Client are needed.
type Options struct {
	item.Options
	Start    []string     // URLs of one origin; what lies below the folder of one of them counts
	Client   *http.Client // see safenet.NewClient
	Agent    string       // as robots.txt names us; "" is "ken"
	Depth    int          // links from a start page or sitemap; 0 is 10, below 0 none are followed
	MaxPages int          // more is an error; 0 is 20,000
	Exclude  []string     // paths (path.Match patterns, or folders that end in /) that do not count
	// Keep is a directory in which ETags, digests and links are kept, so that the
	// next listing can ask for changes only; "" asks for every page anew.
	Keep  string
	Calls remote.Options
}

func (o Options) withDefaults() Options {
	o.Options = o.Options.WithDefaults()
	o.Agent = cmp.Or(o.Agent, "ken")
	o.Depth = cmp.Or(o.Depth, 10)
	o.MaxPages = cmp.Or(o.MaxPages, 20_000)
	return o
}

// Source is a web site. It is safe for concurrent use, but for two listings at once.
type Source struct {
	options Options
	starts  []*url.URL
	calls   *remote.Caller
}

var _ corpora.Source = (*Source)(nil)

// New returns the source of a site. Nothing is fetched before it is listed.
func New(o Options) (*Source, error) {
	o = o.withDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if o.Client == nil || len(o.Start) == 0 {
		return nil, fmt.Errorf("web %s: want a client and a URL to start from", o.Name)
	}
	s := &Source{options: o, calls: remote.New(o.Calls)}
	for _, text := range o.Start {
		u, err := url.Parse(text)
		if err == nil {
			err = safenet.CheckURL(u)
		}
		if err != nil {
			return nil, fmt.Errorf("web %s: the start is not understood: %w", o.Name, err)
		}
		u = canonical(u)
		s.starts = append(s.starts, u)
		if safenet.Origin(u) != safenet.Origin(s.starts[0]) {
			return nil, fmt.Errorf("web %s: the starts are of several sites: make a source of each", o.Name)
		}
	}
	for _, p := range o.Exclude {
		if _, err := path.Match(p, ""); err != nil {
			return nil, fmt.Errorf("web %s: exclude %q: %w", o.Name, p, err)
		}
	}
	return s, nil
}

// Name returns the source's name.
func (s *Source) Name() string { return s.options.Name }

// Changes lists the whole site; the cursor is not looked at.
func (s *Source) Changes(ctx context.Context, _ corpora.Cursor) iter.Seq2[corpora.Change, error] {
	return func(yield func(corpora.Change, error) bool) {
		c := &crawl{source: s, ctx: ctx, calls: s.calls, before: readMemory(s.options.Keep), now: memory{}, seen: map[string]bool{}}
		err := c.all()
		for _, p := range c.documents() {
			if !yield(s.put(c, p)) {
				return
			}
		}
		if err == nil {
			err = errors.Join(c.problems...)
		}
		if err == nil {
			err = c.now.write(s.options.Keep)
		}
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		if err != nil {
			yield(corpora.Change{}, fmt.Errorf("web %s: the listing is not complete: %w", s.Name(), err))
			return
		}
		yield(corpora.Change{Op: corpora.Complete}, nil)
	}
}

// put returns the change of a page, or its error.
func (s *Source) put(c *crawl, p *page) (corpora.Change, error) {
	name := s.name(p.url)
	if p.err != nil {
		id := s.options.ID(name)
		return corpora.Change{Op: corpora.Put, ID: id}, fmt.Errorf("document %s: %w", id, p.err)
	}
	load := func(ctx context.Context) (item.Item, error) { return s.load(ctx, c.calls, p) }
	return s.options.Put(name, s.options.Stamp(name, p.Digest, p.Type), load)
}

// load fetches a page, or what the listing has of it if that is still so.
func (s *Source) load(ctx context.Context, calls *remote.Caller, p *page) (item.Item, error) {
	q := remote.Request{URL: p.url.String(), Limit: s.options.MaxBytes, Header: accept()}
	if p.body != nil {
		p.validate(q.Header)
	}
	a, err := calls.Fetch(ctx, s.options.Client, q)
	if err != nil {
		return item.Item{}, err
	}
	it := item.Item{Path: s.name(p.url), URL: p.url.String(), MediaType: p.Type, Data: p.body}
	if a.Status != http.StatusNotModified {
		if canonical(a.URL).String() != p.url.String() {
			return item.Item{}, fmt.Errorf("%w: the page leads elsewhere now", corpora.ErrGone)
		}
		it.MediaType, it.Data = a.Header.Get("Content-Type"), a.Body
	}
	if t, err := http.ParseTime(a.Header.Get("Last-Modified")); err == nil {
		it.Modified = t
	}
	return it, nil
}

// name is a page's path within the source.
func (s *Source) name(u *url.URL) string {
	p := u.Path
	for _, start := range s.starts {
		if below, ok := strings.CutPrefix(p, folderOf(start)); ok {
			p = below
			break
		}
	}
	if p = strings.TrimPrefix(p, "/"); p == "" || strings.HasSuffix(p, "/") {
		p += "index"
	}
	if u.RawQuery != "" {
		p += "?" + u.RawQuery
	}
	return p
}

// inScope reports whether a page belongs to the source.
func (s *Source) inScope(u *url.URL) bool {
	if safenet.CheckURL(u) != nil || safenet.Origin(u) != safenet.Origin(s.starts[0]) {
		return false
	}
	for _, p := range s.options.Exclude {
		name := s.name(u)
		if ok, _ := path.Match(p, name); ok || strings.HasSuffix(p, "/") && strings.HasPrefix(name, p) {
			return false
		}
	}
	for _, start := range s.starts {
		if strings.HasPrefix(u.Path, folderOf(start)) {
			return true
		}
	}
	return false
}

// folderOf is the part of a start's path that all of its pages share.
func folderOf(u *url.URL) string { return u.Path[:strings.LastIndexByte(u.Path, '/')+1] }

func accept() http.Header {
	return http.Header{"Accept": {"text/html, text/markdown, text/plain;q=0.9, */*;q=0.5"}}
}
