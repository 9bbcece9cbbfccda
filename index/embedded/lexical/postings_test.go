package lexical

import (
	"slices"
	"testing"
)

// Lists are read without trust even behind a checksum: whatever the bytes are,
// chunks ascend and stay below the segment's number of chunks.
func FuzzPostings(f *testing.F) {
	f.Add([]byte{2, 0, 3, 1, 1, 2}, uint16(5), false)
	f.Add([]byte{6, 0, 2, 1, 4, 1, 3, 1, 1, 2, 2, 6, 200, 1, 9}, uint16(300), false)
	f.Add([]byte{3, 1, 2, 0, 2, 1, 2}, uint16(5), false)
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0}, uint16(3), true)
	f.Fuzz(func(t *testing.T, lists []byte, chunks uint16, bare bool) {
		s := &Segment{header: header{chunks: int(chunks)}}
		p := s.listAt(&index{lists: lists}, 0, bare)
		last, n := -1, 0
		rows, within := make([]uint64, int(chunks)/64+1), []Posting(nil)
		for w := range rows {
			rows[w] = 0x9249249249249249 << (w % 3)
		}
		for p.Next() {
			if rows[p.Chunk/64]>>(p.Chunk%64)&1 != 0 {
				within = append(within, p.Posting)
			}
			if int(p.Chunk) <= last || int(p.Chunk) >= int(chunks) {
				t.Fatalf("chunk %d after %d of %d", p.Chunk, last, chunks)
			}
			last = int(p.Chunk)
			n++
		}
		if n > int(chunks) {
			t.Fatalf("%d postings in %d chunks", n, chunks)
		}
		for _, room := range []int{1, 3, 1 << 10} {
			some, got := s.listAt(&index{lists: lists}, 0, bare), []Posting(nil)
			for {
				found := some.Some(rows, make([]Posting, 0, room))
				if len(found) == 0 {
					break
				}
				got = append(got, found...)
			}
			if !slices.Equal(got, within) || (some.Err() == nil) != (p.Err() == nil) {
				t.Fatalf("%d at a time: %v, %v; one by one: %v, %v", room, got, some.Err(), within, p.Err())
			}
		}
		whole := s.listAt(&index{lists: lists}, 0, bare)
		r, err := whole.run()
		if (err == nil) != (p.Err() == nil) || err == nil && (r.n != n || n > 0 && int(r.last) != last) {
			t.Fatalf("as one run: %d postings to chunk %d, %v; one by one: %d to %d, %v", r.n, r.last, err, n, last, p.Err())
		}
	})
}
