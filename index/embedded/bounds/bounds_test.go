package bounds

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// What the machine adds is what the definition says: a table per step and code.
func TestAdd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := Align * rapid.IntRange(0, 5).Draw(t, "n")
		table := [256]uint16(rapid.SliceOfN(rapid.OneOf(rapid.Uint16(), rapid.Uint16Range(0, 300)), 256, 256).Draw(t, "table"))
		codes := rapid.SliceOfN(rapid.Byte(), n/2, n/2).Draw(t, "codes")
		steps := rapid.SliceOfN(rapid.Map(rapid.ByteRange(0, 15), func(s byte) byte { return s << 4 }), n, n).Draw(t, "steps")
		sums := rapid.SliceOfN(rapid.OneOf(rapid.Uint16(), rapid.Just[uint16](65500)), n, n).Draw(t, "sums")
		want, twin := slices.Clone(sums), slices.Clone(sums)
		for i := range want {
			code := codes[i/2] >> (i % 2 * 4) & 15
			want[i] = uint16(min(int(want[i])+int(table[steps[i]+code]), 65535))
		}
		if n > 0 {
			addGo(twin, codes, steps, &table)
		}
		if Add(sums, codes, steps, &table); !slices.Equal(sums, want) || !slices.Equal(twin, want) {
			t.Fatalf("sums %v and in plain Go %v, want %v", sums, twin, want)
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	sums, codes, steps, table := make([]uint16, 4096), make([]byte, 2048), make([]byte, 4096), [256]uint16{}
	for name, f := range map[string]func([]uint16, []byte, []byte, *[256]uint16){"machine": Add, "plain": addGo} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				f(sums, codes, steps, &table)
			}
		})
	}
}
