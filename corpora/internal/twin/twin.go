package twin

import (
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"ken/corpora/extract/visible"
)

// Key returns a text that is equal for twins. It is no name: nothing is looked
// up by it.
func Key(name string) string {
	if lower, ok := lowerASCII(name); ok {
		return lower
	}
	folded := cases.Fold().String(norm.NFKC.String(visible.Line(name)))
	return norm.NFKC.String(folded)
}

// lowerASCII is the key of names that have printable ASCII only and no spaces.
func lowerASCII(name string) (string, bool) {
	for i := range len(name) {
		if name[i] <= ' ' || name[i] >= 0x7f {
			return "", false
		}
	}
	return strings.ToLower(name), true
}
