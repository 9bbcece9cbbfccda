package lexical

import (
	"context"
	"errors"
	"testing"
	"time"

	"ken/index/embedded/blocks"
)

// walk reads everything of a segment.
func walk(s *Segment) error {
	if err := s.CheckAll(context.Background(), nil); err != nil {
		return err
	}
	rows := make([]uint64, (s.Len()+63)/64)
	for i := range s.Len() {
		rows[i/64] |= 1 << (i % 64)
		s.row(i)
		s.Find(s.Ordinal(i))
	}
	for key := range s.Terms() {
		p := s.Term(key.Language, key.Stem)
		if _, err := p.Within(rows, nil); err != nil {
			return err
		}
	}
	for _, k := range []string{"s:x", "t:y", "none", ""} {
		p := s.Keyword(k)
		for p.Next() {
		}
		if p.Err() != nil {
			return p.Err()
		}
	}
	_, err := Merge(context.Background(), Part{s, func(int) bool { return true }}, Part{s, func(int) bool { return false }})
	return err
}

// FuzzBehindChecksums damages a section and seals it anew: what a checksum cannot
// tell must be an error or harmless, and never a crash.
func FuzzBehindChecksums(f *testing.F) {
	keys := []TermKey{{"en", "leav"}, {"en", "polici"}, {"de", "urlaub"}}
	var v Inverter
	v.Document("en", time.Time{}, []string{"s:x"})
	v.Chunk([16]byte{1}, []uint32{0}, []uint32{0, 1, 0})
	v.Document("de", time.Time{}, []string{"s:x", "t:y"})
	v.Chunk([16]byte{2}, nil, []uint32{2})
	data, err := Build([]uint32{3, 9}, v.Done(func(n uint32) TermKey { return keys[n] }))
	if err != nil {
		f.Fatal(err)
	}
	file, err := blocks.Open(data, nil)
	if err != nil {
		f.Fatal(err)
	}
	h, at, err := disassemble(file.Body())
	if err != nil {
		f.Fatal(err)
	}
	var sound [sectionCount][]byte
	for s := range sound {
		sound[s] = at.of(file.Body(), section(s))
	}
	for s := range sound {
		for at := range sound[s] {
			f.Add(2, s, at, []byte{0xff})
			f.Add(2, s, at, []byte{sound[s][at] ^ 1})
			f.Add(2, s, at, []byte{})
		}
	}
	f.Fuzz(func(t *testing.T, chunks, s, at int, with []byte) {
		if s < 0 || s >= int(sectionCount) || at < 0 || at > len(sound[s]) || chunks < 0 || chunks > 1<<20 {
			return
		}
		parts := sound
		parts[s] = append(append([]byte{}, sound[s][:at]...), with...)
		if len(with) > 0 && at+len(with) < len(sound[s]) { // else it is cut
			parts[s] = append(parts[s], sound[s][at+len(with):]...)
		}
		changed := h
		changed.chunks = chunks
		opened, err := Open(assemble(changed, parts))
		if err == nil {
			err = walk(opened)
		}
		if err != nil && !errors.Is(err, ErrCorrupt) {
			t.Errorf("error %v does not wrap ErrCorrupt", err)
		}
	})
}
