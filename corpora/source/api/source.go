package api

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ken/corpora"
	"ken/corpora/source/item"
	"ken/corpora/source/remote"
	"ken/corpora/source/safenet"
)

// Options of an API. URL, Client and Shape.ID are needed.
type Options struct {
	item.Options
	URL      string       // of the first page of the list
	Client   *http.Client // see safenet.NewClient; it holds the credential
	Shape    Shape
	MaxPages int // more is an error; 0 is 10,000
	Calls    remote.Options
}

// Source is an API. It is safe for concurrent use.
type Source struct {
	options Options
	start   *url.URL
	calls   *remote.Caller
}

var _ corpora.Source = (*Source)(nil)

// New returns the source of an API's items. Nothing is asked before it is listed.
func New(o Options) (*Source, error) {
	o.Options = o.Options.WithDefaults()
	o.MaxPages = cmp.Or(o.MaxPages, 10_000)
	o.Shape.Format = cmp.Or(o.Shape.Format, "text/markdown")
	if err := o.Validate(); err != nil {
		return nil, err
	}
	u, err := url.Parse(o.URL)
	if err == nil {
		err = safenet.CheckURL(u)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("api %s: the URL is not understood: %w", o.Name, err)
	case o.Client == nil || o.Shape.ID == "":
		return nil, fmt.Errorf("api %s: want a client and where the id of an item is", o.Name)
	case o.Shape.Cursor != "" && o.Shape.Param == "":
		return nil, fmt.Errorf("api %s: name the parameter that takes the cursor", o.Name)
	case o.Shape.Detail != "" && !strings.Contains(o.Shape.Detail, "{id}"):
		return nil, fmt.Errorf("api %s: the detail's URL has no {id} in it", o.Name)
	}
	return &Source{options: o, start: u, calls: remote.New(o.Calls)}, nil
}

// Name returns the source's name.
func (s *Source) Name() string { return s.options.Name }

// listed is an item of a listing.
type listed struct {
	id    string
	mark  string
	value any // nil if it has a detail
}

// Changes lists all items in the byte order of their ids; the cursor is not
// looked at.
func (s *Source) Changes(ctx context.Context, _ corpora.Cursor) iter.Seq2[corpora.Change, error] {
	return func(yield func(corpora.Change, error) bool) {
		items, err := s.list(ctx)
		if err != nil {
			yield(corpora.Change{}, fmt.Errorf("api %s: the listing is not complete: %w", s.Name(), err))
			return
		}
		for _, l := range items {
			load := func(ctx context.Context) (item.Item, error) { return s.load(ctx, l) }
			if !yield(s.options.Put(l.id, s.options.Stamp(l.id, l.mark), load)) {
				return
			}
		}
		yield(corpora.Change{Op: corpora.Complete}, nil)
	}
}

func (s *Source) list(ctx context.Context) ([]listed, error) {
	var out []listed
	at, number, seen := s.first(), s.options.Shape.First, map[string]bool{}
	for at != nil {
		if err := s.check(at, seen); err != nil {
			return nil, err
		}
		page, header, err := s.get(ctx, at.String())
		if err != nil {
			return nil, err
		}
		items, err := s.items(page)
		if err != nil {
			return nil, err
		}
		out = append(out, items...)
		number++
		if at, err = s.next(at, page, header, number, len(items)); err != nil {
			return nil, err
		}
	}
	slices.SortFunc(out, func(a, b listed) int { return strings.Compare(a.id, b.id) })
	return out, ctx.Err()
}

// check refuses a page that would lead elsewhere or round in a ring.
func (s *Source) check(u *url.URL, seen map[string]bool) error {
	switch {
	case safenet.CheckURL(u) != nil || safenet.Origin(u) != safenet.Origin(s.start):
		return fmt.Errorf("%w: the next page is on another site", safenet.ErrRefused)
	case seen[u.String()]:
		return errors.New("the next page is one that was there already")
	case len(seen) >= s.options.MaxPages:
		return fmt.Errorf("there are more than %d pages: raise max_pages", s.options.MaxPages)
	}
	seen[u.String()] = true
	return nil
}

// get asks for JSON. Numbers keep their digits.
func (s *Source) get(ctx context.Context, u string) (any, http.Header, error) {
	a, err := s.calls.Fetch(ctx, s.options.Client, remote.Request{URL: u, Limit: s.options.MaxBytes, Header: http.Header{"Accept": {"application/json"}}})
	if err != nil {
		return nil, nil, err
	}
	var v any
	d := json.NewDecoder(bytes.NewReader(a.Body))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, nil, fmt.Errorf("the answer is no JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, nil, errors.New("the answer is more than one JSON value")
	}
	return v, a.Header, nil
}

func (s *Source) items(page any) ([]listed, error) {
	found, ok := at(page, s.options.Shape.Items)
	list, isList := found.([]any)
	if !ok || !isList {
		return nil, fmt.Errorf("a page has no list %q", s.options.Shape.Items)
	}
	out := make([]listed, len(list))
	for i, v := range list {
		id := text(v, s.options.Shape.ID)
		if id == "" {
			return nil, fmt.Errorf("item %d of a page has no %q", i, s.options.Shape.ID)
		}
		out[i] = listed{id: id, mark: s.mark(v), value: v}
		if s.options.Shape.Detail != "" {
			out[i].value = nil
		}
	}
	return out, nil
}

// mark is what changes with an item: its update and its readers, or all of it.
func (s *Source) mark(v any) string {
	sh := s.options.Shape
	if u := text(v, sh.Updated); u != "" {
		return fmt.Sprintf("%q %q %q", u, text(v, sh.Allow), text(v, sh.Deny))
	}
	b, _ := json.Marshal(v) // it came from JSON; keys are sorted
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// first is the first page.
func (s *Source) first() *url.URL {
	u := *s.start
	if s.numbered() {
		s.set(&u, strconv.Itoa(s.options.Shape.First))
	}
	return &u
}

func (s *Source) numbered() bool {
	sh := s.options.Shape
	return sh.Param != "" && sh.Cursor == "" && sh.Next == ""
}

func (s *Source) set(u *url.URL, value string) {
	q := u.Query()
	q.Set(s.options.Shape.Param, value)
	u.RawQuery = q.Encode()
}

var nextLink = regexp.MustCompile(`<([^>]*)>\s*;[^,]*\brel="?next"?`)

// next is the page after one with so many items, nil after the last.
func (s *Source) next(at *url.URL, page any, header http.Header, number, items int) (*url.URL, error) {
	sh, ref := s.options.Shape, ""
	u := *at
	switch {
	case s.numbered():
		if items == 0 {
			return nil, nil
		}
		s.set(&u, strconv.Itoa(number))
		return &u, nil
	case sh.Cursor != "":
		c := text(page, sh.Cursor)
		if c == "" {
			return nil, nil
		}
		s.set(&u, c)
		return &u, nil
	case sh.Next != "":
		ref = text(page, sh.Next)
	default:
		if m := nextLink.FindStringSubmatch(strings.Join(header.Values("Link"), ",")); m != nil {
			ref = m[1]
		}
	}
	if ref == "" {
		return nil, nil
	}
	next, err := at.Parse(ref)
	if err != nil {
		return nil, fmt.Errorf("%w: the next page's URL is malformed", safenet.ErrRefused)
	}
	return next, nil
}

// load returns an item as it was listed, or its detail as it is now.
func (s *Source) load(ctx context.Context, l listed) (item.Item, error) {
	v := l.value
	if s.options.Shape.Detail != "" {
		u, err := s.start.Parse(strings.ReplaceAll(s.options.Shape.Detail, "{id}", url.PathEscape(l.id)))
		if err != nil || safenet.Origin(u) != safenet.Origin(s.start) {
			return item.Item{}, fmt.Errorf("%w: the detail is on another site", safenet.ErrRefused)
		}
		if v, _, err = s.get(ctx, u.String()); err != nil {
			return item.Item{}, err
		}
	}
	return s.options.Shape.item(l.id, v)
}
