package lexical_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ken/index/embedded/lexical"
)

var day = time.Date(2026, 3, 4, 5, 6, 7, 8, time.UTC)

// chunk is what a segment stores of a chunk, terms as words.
type chunk struct {
	Ordinal  uint32
	Language string
	Key      [16]byte
	Modified time.Time
	Title    []string
	Body     []string
	Keywords []string
}

// buildOf builds a segment of the chunks, of parts that begin at the given chunks.
func buildOf(chunks []chunk, begins ...int) ([]byte, error) {
	var keys []lexical.TermKey
	number := func(language string, words []string) (out []uint32) {
		for _, w := range words {
			key := lexical.TermKey{Language: language, Stem: w}
			i := slices.Index(keys, key)
			if i < 0 {
				i = len(keys)
				keys = append(keys, key)
			}
			out = append(out, uint32(i))
		}
		return out
	}
	var ordinals []uint32
	var parts []*lexical.Inverted
	var v lexical.Inverter
	done := func() { parts = append(parts, v.Done(func(n uint32) lexical.TermKey { return keys[n] })) }
	for i, c := range chunks {
		if slices.Contains(begins, i) {
			done()
		}
		ordinals = append(ordinals, c.Ordinal)
		v.Document(c.Language, c.Modified, c.Keywords)
		v.Chunk(c.Key, number(c.Language, c.Title), number(c.Language, c.Body))
	}
	done()
	return lexical.Build(ordinals, parts...)
}

// genChunks draws chunks with ascending ordinals, gaps between them.
func genChunks(from uint32) *rapid.Generator[[]chunk] {
	word := rapid.SampledFrom([]string{"a", "b", "leav", "polici", "育儿", "", "with\x00nul"})
	return rapid.Custom(func(t *rapid.T) []chunk {
		out := make([]chunk, rapid.SampledFrom([]int{0, 1, 5, 20, 20, 20, 150}).Draw(t, "chunks"))
		for i := range out {
			from += rapid.Uint32Range(1, 200).Draw(t, "gap")
			out[i] = chunk{
				Ordinal:  from,
				Language: rapid.SampledFrom([]string{"en", "de", ""}).Draw(t, "language"),
				Key:      [16]byte{byte(i), 7},
				Modified: rapid.SampledFrom([]time.Time{{}, day, day.Add(time.Hour)}).Draw(t, "modified"),
				Title:    rapid.SliceOfN(word, 0, 3).Draw(t, "title"),
				Body:     rapid.SliceOfN(word, 0, 200).Draw(t, "body"),
				Keywords: rapid.SliceOfN(rapid.SampledFrom([]string{"s:x", "t:y", "t:z"}), 0, 3).Draw(t, "keywords"),
			}
		}
		return out
	})
}

// verify compares a segment with the chunks that must be in it.
func verify(t *rapid.T, s *lexical.Segment, want []chunk) {
	if s.Len() != len(want) {
		t.Fatalf("%d chunks, want %d", s.Len(), len(want))
	}
	terms := map[lexical.TermKey][]lexical.Posting{}
	exact := map[string][]uint32{}
	for i, c := range want {
		title, body := s.Lengths(i)
		got := fmt.Sprint(s.Ordinal(i), s.Language(i), s.Key(i), s.Modified(i), title, body)
		if w := fmt.Sprint(c.Ordinal, c.Language, c.Key, c.Modified, len(c.Title), len(c.Body)); got != w {
			t.Fatalf("chunk %d is %s, want %s", i, got, w)
		}
		if at, ok := s.Find(c.Ordinal); !ok || at != i {
			t.Fatalf("ordinal %d found at %d, %v", c.Ordinal, at, ok)
		}
		for _, word := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(c.Title, c.Body)))) {
			p := lexical.Posting{Chunk: uint32(i), Title: count(c.Title, word), Body: count(c.Body, word)}
			key := lexical.TermKey{Language: c.Language, Stem: word}
			terms[key] = append(terms[key], p)
		}
		for _, k := range slices.Compact(slices.Sorted(slices.Values(c.Keywords))) {
			exact[k] = append(exact[k], uint32(i))
		}
	}
	for key, list := range terms {
		if got := read(t, s.Term(key.Language, key.Stem)); !slices.Equal(got, list) {
			t.Fatalf("term %q: %v, want %v", key, got, list)
		}
	}
	for key, p := range s.Terms() {
		if got := read(t, p); !slices.Equal(got, terms[key]) {
			t.Fatalf("dictionary has %q: %v, want %v", key, got, terms[key])
		}
		delete(terms, key)
	}
	if len(terms) > 0 {
		t.Fatalf("the dictionary lacks %v", terms)
	}
	for _, k := range []string{"s:x", "t:y", "t:z", "none"} {
		var got []uint32
		for _, p := range read(t, s.Keyword(k)) {
			got = append(got, p.Chunk)
		}
		if !slices.Equal(got, exact[k]) {
			t.Fatalf("keyword %q: %v, want %v", k, got, exact[k])
		}
	}
	if _, ok := s.Find(^uint32(0)); ok || len(read(t, s.Term("fr", "a"))) > 0 {
		t.Fatal("found what is not there")
	}
}

func count(words []string, word string) (n uint32) {
	for _, w := range words {
		if w == word {
			n++
		}
	}
	return n
}

func read(t *rapid.T, p lexical.Postings) []lexical.Posting {
	var out []lexical.Posting
	for p.Next() {
		out = append(out, p.Posting)
	}
	if p.Err() != nil {
		t.Fatal(p.Err())
	}
	return out
}

func build(t *rapid.T, chunks []chunk) *lexical.Segment {
	data, err := buildOf(chunks)
	if err != nil {
		t.Fatal(err)
	}
	s, err := lexical.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What was built is read back, chunk by chunk and term by term.
func TestBuildReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		chunks := genChunks(0).Draw(t, "chunks")
		verify(t, build(t, chunks), chunks)
	})
}

// Merging segments is building one from the chunks that stay.
func TestMergeIsBuild(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var parts []lexical.Part
		var all, stay []chunk
		for range rapid.IntRange(1, 4).Draw(t, "parts") {
			from := uint32(0)
			if len(all) > 0 {
				from = all[len(all)-1].Ordinal
			}
			chunks := genChunks(from).Draw(t, "chunks")
			keep := rapid.SliceOfN(rapid.Bool(), len(chunks), len(chunks)).Draw(t, "keep")
			for i, c := range chunks {
				all = append(all, c)
				if keep[i] {
					stay = append(stay, c)
				}
			}
			parts = append(parts, lexical.Part{Segment: build(t, chunks), Keep: func(i int) bool { return keep[i] }})
		}
		data, err := lexical.Merge(t.Context(), parts...)
		if err != nil {
			t.Fatal(err)
		}
		merged, err := lexical.Open(data)
		if err != nil {
			t.Fatal(err)
		}
		verify(t, merged, stay)
	})
}

// The same chunks give the same bytes, in however many parts.
func TestBuildIsDeterministic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		chunks := genChunks(0).Draw(t, "chunks")
		a, errA := buildOf(chunks)
		b, errB := buildOf(chunks, rapid.SliceOfN(rapid.IntRange(0, len(chunks)), 0, 5).Draw(t, "begins")...)
		if errA != nil || errB != nil || !slices.Equal(a, b) {
			t.Fatal("two builds differ", errA, errB)
		}
	})
}

func TestBuildRefuses(t *testing.T) {
	for name, chunks := range map[string][]chunk{
		"ordinals that do not ascend": {{Ordinal: 2}, {Ordinal: 2}},
		"a language with a NUL":       {{Language: "e\x00n"}},
	} {
		if _, err := buildOf(chunks); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	var v lexical.Inverter
	v.Chunk([16]byte{}, nil, nil)
	if _, err := lexical.Build(nil, v.Done(nil)); err == nil {
		t.Error("a chunk without an ordinal: no error")
	}
}

func sample(t testing.TB) []byte {
	t.Helper()
	data, err := buildOf([]chunk{
		{Ordinal: 3, Language: "en", Modified: day, Title: []string{"leav"}, Body: []string{"leav", "polici", "leav"}, Keywords: []string{"s:x"}},
		{Ordinal: 9, Language: "de", Body: []string{"urlaub"}, Keywords: []string{"s:x", "t:y"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// told is what a segment says when all of it is asked, each part checked before.
func told(s *lexical.Segment) (out []string, err error) {
	all := func(yield func(uint32) bool) {
		for i := range s.Len() {
			if !yield(uint32(i)) {
				return
			}
		}
	}
	if err := s.CheckRows(all); err != nil {
		return nil, err
	}
	for i := range s.Len() {
		title, body := s.Lengths(i)
		out = append(out, fmt.Sprint(s.Ordinal(i), s.Language(i), title, body, s.Key(i), s.Modified(i)))
	}
	lists := []lexical.Postings{s.Keyword("s:x"), s.Keyword("t:y"), s.Term("en", "leav"), s.Term("en", "polici"), s.Term("de", "urlaub"), s.Term("x", "y")}
	for _, p := range lists {
		for p.Next() {
			out = append(out, fmt.Sprint(p.Posting))
		}
		if p.Err() != nil {
			return nil, p.Err()
		}
	}
	for key, p := range s.Terms() {
		if p.Err() != nil {
			return nil, p.Err()
		}
		out = append(out, fmt.Sprint(key))
	}
	return out, nil
}

// Every truncation is an error when the file is opened; every flipped bit is then
// an error or when it is used.
func TestDamageIsFound(t *testing.T) {
	for name, data := range map[string][]byte{"small": sample(t), "of many blocks": largeSample(t)} {
		t.Run(name, func(t *testing.T) {
			sound, err := lexical.Open(data)
			if err != nil {
				t.Fatal(err)
			}
			want, err := told(sound)
			if err != nil {
				t.Fatal(err)
			}
			step := max(1, len(data)/1500)
			for n := 0; n < len(data); n += step {
				if _, err := lexical.Open(data[:n]); !errors.Is(err, lexical.ErrCorrupt) {
					t.Errorf("cut at %d: %v", n, err)
				}
				damaged := slices.Clone(data)
				damaged[n] ^= 1 << (n % 8)
				s, err := lexical.Open(damaged)
				if err == nil {
					var got []string
					if got, err = told(s); err == nil && !slices.Equal(got, want) {
						t.Errorf("byte %d flipped: another answer", n)
					}
					if all := s.CheckAll(t.Context(), nil); !errors.Is(all, lexical.ErrCorrupt) {
						t.Errorf("byte %d flipped: the whole is said to be sound: %v", n, all)
					}
				}
				if err != nil && !errors.Is(err, lexical.ErrCorrupt) {
					t.Errorf("byte %d flipped: %v", n, err)
				}
			}
			if _, err := lexical.Open(append(slices.Clone(data), 0)); !errors.Is(err, lexical.ErrCorrupt) {
				t.Errorf("a byte too many: %v", err)
			}
		})
	}
}

// largeSample has lists and columns of many blocks, and ordinals with holes.
func largeSample(t testing.TB) []byte {
	t.Helper()
	var chunks []chunk
	for i := range uint32(3000) {
		c := chunk{Ordinal: i + i/1000, Language: "en", Body: []string{"leav", fmt.Sprint("w", i%700)}, Keywords: []string{"s:x"}}
		if i%3 == 0 {
			c.Title = []string{"polici"}
		}
		chunks = append(chunks, c)
	}
	data, err := buildOf(chunks)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func FuzzOpen(f *testing.F) {
	f.Add(sample(f))
	f.Add([]byte("kenlex\x00\x02"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := lexical.Open(data)
		if err != nil {
			if !errors.Is(err, lexical.ErrCorrupt) {
				t.Errorf("error %v does not wrap ErrCorrupt", err)
			}
			return
		}
		if _, err := told(s); err != nil && !errors.Is(err, lexical.ErrCorrupt) {
			t.Errorf("error %v does not wrap ErrCorrupt", err)
		}
	})
}

func ExampleBuild() {
	words := []string{"leav", "parent", "sick"}
	var v lexical.Inverter
	v.Document("en", time.Time{}, nil)
	v.Chunk([16]byte{1}, []uint32{0}, []uint32{1, 0, 0})
	v.Chunk([16]byte{2}, nil, []uint32{2, 0})
	part := v.Done(func(number uint32) lexical.TermKey { return lexical.TermKey{Language: "en", Stem: words[number]} })
	data, err := lexical.Build([]uint32{40, 41}, part)
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := lexical.Open(data)
	if err != nil {
		fmt.Println(err)
		return
	}
	for p := s.Term("en", "leav"); p.Next(); {
		fmt.Printf("chunk %d: title %d, body %d\n", s.Ordinal(int(p.Chunk)), p.Title, p.Body)
	}
	// Output:
	// chunk 40: title 1, body 2
	// chunk 41: title 0, body 1
}
