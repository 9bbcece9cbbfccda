package embedded

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"ken/index/embedded/flat"
)

func BenchmarkFlatLeg(b *testing.B) {
	const n = 100_000
	all := cloud(n+64, 384, 0, rand.New(rand.NewPCG(1, 2)))
	s := segmentOf(b, all[:n])
	v := &view{state: &state{segments: []*segment{s}, kept: &remembered{}}}
	for _, k := range []int{10, 200} {
		b.Run(fmt.Sprint(k), func(b *testing.B) {
			rows, i := [][]uint64{allRows(n)}, 0
			for b.Loop() {
				i++
				if _, err := (flatLeg{exact: exactRows}).candidates(context.Background(), v, all[n+i%64], rows, k, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("10000 rows", func(b *testing.B) {
		rows, i := allRows(n), 0
		for w := range rows {
			rows[w] &= 0x0101010101010101 << (w % 8)
		}
		for b.Loop() {
			i++
			if _, err := (flatLeg{exact: exactRows}).candidates(context.Background(), v, all[n+i%64], [][]uint64{rows}, 200, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Coarse", func(b *testing.B) {
		q, rows, sums, out := flat.NewQuery(all[n]), make([]uint32, n), make([]int32, n), make(flat.Grades, n)
		setRows(allRows(n), rows)
		for b.Loop() {
			s.vec.Coarse(q, rows, sums, out)
		}
	})
}
