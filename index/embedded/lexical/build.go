package lexical

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Chunk is what a segment stores of a chunk.
type Chunk struct {
	Ordinal  uint32
	Language string    // of the terms; must not hold a NUL
	Key      [16]byte  // breaks ties
	Modified time.Time // zero if unknown
	Title    []string  // analysed terms of the title, repetitions included
	Body     []string  // analysed terms of the body, repetitions included
	Keywords []string  // exact terms for filters, in any order
}

// Build returns the segment of the chunks, which must come in ascending order
// of their ordinals.
func Build(chunks []Chunk) ([]byte, error) {
	w, err := newWriter()
	if err != nil {
		return nil, err
	}
	inverted := make(map[string][]Posting)
	exact := make(map[string][]uint32)
	for i, c := range chunks {
		if strings.ContainsRune(c.Language, 0) {
			return nil, fmt.Errorf("chunk %d: language %q holds a NUL", c.Ordinal, c.Language)
		}
		r := row{ordinal: c.Ordinal, language: c.Language, key: c.Key, title: uint32(len(c.Title)), body: uint32(len(c.Body))}
		r.seconds, r.nanos = splitTime(c.Modified)
		if err := w.addRow(r); err != nil {
			return nil, err
		}
		invert(inverted, uint32(i), c)
		for _, k := range c.Keywords {
			if list := exact[k]; len(list) == 0 || list[len(list)-1] != uint32(i) {
				exact[k] = append(list, uint32(i))
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(inverted)) {
		if err := w.addTerm(key, inverted[key]); err != nil {
			return nil, err
		}
	}
	for _, key := range slices.Sorted(maps.Keys(exact)) {
		if err := w.addKeyword(key, exact[key]); err != nil {
			return nil, err
		}
	}
	return w.finish()
}

// invert adds the terms of chunk i to the lists.
func invert(lists map[string][]Posting, i uint32, c Chunk) {
	count := func(terms []string, add func(*Posting)) {
		for _, t := range terms {
			key := termKey(c.Language, t)
			list := lists[key]
			if len(list) == 0 || list[len(list)-1].Chunk != i {
				list = append(list, Posting{Chunk: i})
				lists[key] = list
			}
			add(&list[len(list)-1])
		}
	}
	count(c.Title, func(p *Posting) { p.Title++ })
	count(c.Body, func(p *Posting) { p.Body++ })
}

func termKey(language, stem string) string { return language + "\x00" + stem }
