package middleware

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"unicode"
)

// maxDepth is how deep the JSON of a request may be nested.
const maxDepth = 64

// JSON refuses (400) a body that two readers could read differently: one in
// which a name stands twice in an object, also in another case, which
// encoding/json takes for the same; one that is nested deeper than 64; and one
// with something behind its end. It stands behind [Body], which has read it.
func JSON(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			next.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "the request body did not arrive", http.StatusBadRequest)
			return
		}
		if err := unambiguous(body); err != nil {
			http.Error(w, "malformed payload: "+err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

// unambiguous reports why a body is not.
func unambiguous(body []byte) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := value(d, 0, true); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the message")
	}
	return nil
}

// errSyntax says that the body is no JSON, with a library's words for it that
// are not passed on.
var errSyntax = errors.New("not valid JSON")

// value reads one value; with once, a name may stand once in each object.
func value(d *json.Decoder, depth int, once bool) error {
	t, err := d.Token()
	if err != nil {
		return errSyntax
	}
	opened, ok := t.(json.Delim)
	if !ok {
		return nil
	}
	if depth++; depth > maxDepth {
		return errors.New("nested too deep")
	}
	var seen map[string]bool
	if opened == '{' {
		seen = map[string]bool{}
	}
	for d.More() {
		inner := once
		if seen != nil {
			n, err := name(d)
			if err != nil {
				return err
			}
			folded := fold(n)
			if once && seen[folded] {
				return errors.New("a name stands twice in one object")
			}
			seen[folded] = true
			inner = once && n != arguments
		}
		if err := value(d, depth, inner); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return errSyntax
	}
	return nil
}

// arguments are a tool's, which reads them as strictly, and can tell which is wrong.
const arguments = "arguments"

// name reads an object's next name.
func name(d *json.Decoder) (string, error) {
	t, err := d.Token()
	if err != nil {
		return "", errSyntax
	}
	text, _ := t.(string)
	return text, nil
}

// smallest is the first of the characters that differ from r in case only.
func smallest(r rune) rune {
	low := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		low = min(low, next)
	}
	return low
}

// fold is equal for names that differ in case only, as [strings.EqualFold] sees it.
func fold(s string) string {
	return strings.Map(smallest, s)
}
