package embedded

import (
	"maps"
	"testing"

	"pgregory.net/rapid"
)

// A layered is a map, and editing a copy changes no older one.
func TestLayeredIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.Uint16Range(0, 400)
		base := rapid.MapOfN(keys, rapid.IntRange(1, 9), 0, 300).Draw(t, "base")
		l, want := layer(maps.Clone(base), func(v int) bool { return v == 0 }), maps.Clone(base)
		for range rapid.IntRange(1, 6).Draw(t, "edits") {
			before, was := l, maps.Clone(want)
			l = l.edit()
			for key, v := range rapid.MapOfN(keys, rapid.IntRange(0, 3), 0, 60).Draw(t, "set") {
				l.set(key, v)
				if want[key] = v; v == 0 {
					delete(want, key)
				}
			}
			for what, c := range map[string]struct {
				got  layered[uint16, int]
				want map[uint16]int
			}{"edited": {l, want}, "before": {before, was}} {
				if got := maps.Collect(c.got.all()); !maps.Equal(got, c.want) || c.got.len() != len(c.want) {
					t.Fatalf("%s: %d keys, %v, want %v", what, c.got.len(), got, c.want)
				}
				for key := range uint16(401) {
					if c.got.get(key) != c.want[key] {
						t.Fatalf("%s: %d is %d, want %d", what, key, c.got.get(key), c.want[key])
					}
				}
			}
		}
	})
}
