package twin_test

import (
	"testing"

	"ken/corpora/internal/twin"
)

func TestKey(t *testing.T) {
	for _, pair := range [][2]string{
		{"People", "people"}, {"caf\u00e9", "cafe\u0301"}, {"Stra\u00dfe", "STRASSE"}, {"\uff50eople", "people"}, {"peo\u200bple", "people"},
		{"a\uff0fb", "a/b"}, {"a\u00a0b", "a b"}, {"\ufb01le", "file"}, {"\u212aelvin", "kelvin"}, {"A\u030a", "\u212b"},
	} {
		if a, b := twin.Key(pair[0]), twin.Key(pair[1]); a != b {
			t.Errorf("Key(%q) = %q, Key(%q) = %q", pair[0], a, pair[1], b)
		}
	}
	for _, pair := range [][2]string{{"a", "b"}, {"a-b", "ab"}, {"cafe", "caf\u00e9"}, {"a b", "ab"}, {"a.md", "a_md"}} {
		if twin.Key(pair[0]) == twin.Key(pair[1]) {
			t.Errorf("%q and %q are no twins", pair[0], pair[1])
		}
	}
}
