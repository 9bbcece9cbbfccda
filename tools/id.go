package tools

import (
	"fmt"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"ken/corpora"
)

// showID is a document's id as clients see it: the id itself, except that
// bytes which nobody would see (and a "%" that would read like one of them)
// stand as %XX. An id is a file's name more often than not, and must not carry
// a hidden message.
func showID(id corpora.DocID) string {
	s := string(id)
	if isPlain(s) && !strings.ContainsAny(s, "%\n\t\r") {
		return s
	}
	var b strings.Builder
	var last rune // last rune that was shown
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if showable(last, r, n) && !isEscape(s[i:]) {
			b.WriteString(s[i : i+n])
			last = r
		} else {
			for _, c := range []byte(s[i : i+n]) {
				fmt.Fprintf(&b, "%%%02X", c)
			}
			last = '0'
		}
		i += n
	}
	return b.String()
}

// showable is false for invalid bytes too: they decode to one byte of U+FFFD.
func showable(last, r rune, n int) bool {
	return !(r == utf8.RuneError && n <= 1) && keep(last, r) && (r == ' ' || !unicode.IsSpace(r))
}

func isEscape(s string) bool {
	return len(s) >= 3 && s[0] == '%' && isHex(s[1]) && isHex(s[2])
}

func isHex(c byte) bool { return strings.IndexByte("0123456789abcdefABCDEF", c) >= 0 }

// readID undoes showID. It reports false for a text that showID does not make,
// so that a document has one name.
func readID(shown string) (corpora.DocID, bool) {
	var b strings.Builder
	for i := 0; i < len(shown); {
		if isEscape(shown[i:]) {
			c, err := url.PathUnescape(shown[i : i+3])
			if err != nil {
				return "", false
			}
			b.WriteString(c)
			i += 3
			continue
		}
		b.WriteByte(shown[i])
		i++
	}
	id := corpora.DocID(b.String())
	return id, id != "" && showID(id) == shown
}

// resourcePrefix begins the URI of every document.
const resourcePrefix = "ken://doc/"

func resourceURI(id corpora.DocID) string { return resourcePrefix + escape(showID(id)) }

// readResourceURI undoes resourceURI. Clients may escape more or less than we
// do, but a slash or dot segment must come escaped, once, and no query or
// fragment may follow.
func readResourceURI(uri string) (corpora.DocID, bool) {
	rest, ok := strings.CutPrefix(uri, resourcePrefix)
	if !ok || strings.ContainsAny(rest, "/?#\\") {
		return "", false
	}
	shown, err := url.PathUnescape(rest)
	if err != nil {
		return "", false
	}
	return readID(shown)
}

// escape encodes all but the unreserved characters of RFC 3986, as a simple
// expansion of a URI template (RFC 6570) does.
func escape(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}
