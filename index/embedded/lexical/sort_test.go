package lexical

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Terms are in byte order of their keys, few or many, whatever they have in common.
func TestSortNamed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		begin := rapid.SampledFrom([]string{"", "en\x00", "en\x00samebeginning"}).Draw(t, "begin")
		key := rapid.StringMatching(`(en\x00|de\x00)?[a-cé]{0,10}[\x00\x01]?`)
		n := rapid.SampledFrom([]int{0, 1, 5, few - 1, few, 2 * few}).Draw(t, "keys")
		keys := rapid.SliceOfN(rapid.Map(key, func(s string) string { return begin + s }), n, n).Draw(t, "keys")
		all := make([]named, len(keys))
		for i, k := range keys {
			all[i] = named{key: k, number: uint32(i)}
		}
		var got []string
		for _, n := range sortNamed(all) {
			if keys[n.number] != n.key {
				t.Fatalf("%q has the number of %q", n.key, keys[n.number])
			}
			got = append(got, n.key)
		}
		if slices.Sort(keys); !slices.Equal(got, keys) {
			t.Fatalf("%q", strings.Join(got, " "))
		}
	})
}
