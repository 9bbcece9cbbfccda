package web

import (
	"bytes"
	"net/url"
	"strings"

	"golang.org/x/net/html"
)

// maxLinks bounds what one page links to.
const maxLinks = 20_000

// read finds links, the canonical URL and what the page says to robots.
func (p *page) read(base *url.URL, body []byte) {
	z := html.NewTokenizer(bytes.NewReader(body))
	seen := map[string]bool{}
	for {
		t := z.Next()
		if t == html.ErrorToken {
			return
		}
		if t != html.StartTagToken && t != html.SelfClosingTagToken {
			continue
		}
		name, more := z.TagName()
		tag, attr := string(name), map[string]string{}
		for more {
			var k, v []byte
			k, v, more = z.TagAttr()
			attr[string(k)] = strings.TrimSpace(string(v))
		}
		to := resolve(base, attr["href"])
		switch {
		case tag == "base" && to != nil:
			base = to
		case tag == "a" && to != nil && !forbids(attr["rel"], "nofollow") && !seen[to.String()] && len(p.Links) < maxLinks:
			seen[to.String()] = true
			p.Links = append(p.Links, to.String())
		case tag == "link" && to != nil && strings.EqualFold(attr["rel"], "canonical"):
			p.Canonical = canonical(to).String()
		case tag == "meta" && strings.EqualFold(attr["name"], "robots") && forbids(attr["content"], "noindex"):
			p.NoIndex = true
		}
	}
}

func resolve(base *url.URL, href string) *url.URL {
	u, err := base.Parse(href)
	if href == "" || err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil
	}
	u.Fragment, u.RawFragment = "", ""
	return u
}

// forbids reports whether a list of directives holds one, or "none".
func forbids(list, what string) bool {
	for f := range strings.FieldsFuncSeq(strings.ToLower(list), func(r rune) bool { return r == ',' || r == ' ' }) {
		if f == what || f == "none" {
			return true
		}
	}
	return false
}
