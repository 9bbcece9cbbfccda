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
	inverted := inverter{ids: map[string]map[string]int{}}
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
		inverted.add(uint32(i), c)
		for _, k := range c.Keywords {
			if list := exact[k]; len(list) == 0 || list[len(list)-1] != uint32(i) {
				exact[k] = append(list, uint32(i))
			}
		}
	}
	for _, l := range inverted.sorted() {
		if err := w.addTerm(l.key, l.postings); err != nil {
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

// inverter gathers the postings of each term.
type inverter struct {
	ids   map[string]map[string]int // by language and stem: place in lists
	lists []termList
}

type termList struct {
	key      string
	postings []Posting
}

// add adds the terms of chunk i, which is greater than those before.
func (v *inverter) add(i uint32, c Chunk) {
	ids := v.ids[c.Language]
	if ids == nil {
		ids = map[string]int{}
		v.ids[c.Language] = ids
	}
	for _, t := range c.Title {
		v.posting(ids, i, c.Language, t).Title++
	}
	for _, t := range c.Body {
		v.posting(ids, i, c.Language, t).Body++
	}
}

func (v *inverter) posting(ids map[string]int, i uint32, language, term string) *Posting {
	id, ok := ids[term]
	if !ok {
		id = len(v.lists)
		ids[term] = id
		v.lists = append(v.lists, termList{key: termKey(language, term)})
	}
	l := &v.lists[id]
	if n := len(l.postings); n == 0 || l.postings[n-1].Chunk != i {
		l.postings = append(l.postings, Posting{Chunk: i})
	}
	return &l.postings[len(l.postings)-1]
}

// sorted returns the lists in byte order of their keys.
func (v *inverter) sorted() []termList {
	slices.SortFunc(v.lists, func(a, b termList) int { return strings.Compare(a.key, b.key) })
	return v.lists
}

func termKey(language, stem string) string { return language + "\x00" + stem }
