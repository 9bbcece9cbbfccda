package lexical

import "testing"

// Lists are read without trust even behind a checksum: whatever the bytes are,
// chunks ascend and stay below the segment's number of chunks.
func FuzzPostings(f *testing.F) {
	f.Add([]byte{2, 0, 3, 1, 1, 2}, uint16(5), false)
	f.Add([]byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 1, 0}, uint16(3), true)
	f.Fuzz(func(t *testing.T, lists []byte, chunks uint16, bare bool) {
		s := &Segment{header: header{chunks: int(chunks)}}
		p := s.listAt(&index{lists: lists}, 0, bare)
		last, n := -1, 0
		for p.Next() {
			if int(p.Chunk) <= last || int(p.Chunk) >= int(chunks) {
				t.Fatalf("chunk %d after %d of %d", p.Chunk, last, chunks)
			}
			last = int(p.Chunk)
			n++
		}
		if n > int(chunks) {
			t.Fatalf("%d postings in %d chunks", n, chunks)
		}
		whole := s.listAt(&index{lists: lists}, 0, bare)
		r, err := whole.run()
		if (err == nil) != (p.Err() == nil) || err == nil && (r.n != n || n > 0 && int(r.last) != last) {
			t.Fatalf("as one run: %d postings to chunk %d, %v; one by one: %d to %d, %v", r.n, r.last, err, n, last, p.Err())
		}
	})
}
