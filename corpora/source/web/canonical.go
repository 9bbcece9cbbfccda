package web

import (
	"net/url"
	"path"
	"strings"

	"ken/corpora/source/safenet"
)

// canonical spells a URL in one way.
func canonical(u *url.URL) *url.URL {
	out := &url.URL{Path: u.Path}
	out.Scheme, out.Host, _ = strings.Cut(safenet.Origin(u), "://")
	for scheme, port := range map[string]string{"http": ":80", "https": ":443"} {
		if out.Scheme == scheme {
			out.Host = strings.TrimSuffix(out.Host, port)
		}
	}
	slash := strings.HasSuffix(out.Path, "/") || out.Path == ""
	if out.Path = path.Clean("/" + out.Path); slash && out.Path != "/" {
		out.Path += "/"
	}
	q := u.Query()
	for k := range q {
		if strings.HasPrefix(k, "utm_") || k == "gclid" || k == "fbclid" {
			q.Del(k)
		}
	}
	out.RawQuery = q.Encode() // sorted
	return out
}
