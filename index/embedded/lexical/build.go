package lexical

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
	"unsafe"
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
		for _, k := range c.Keywords {
			if list := exact[k]; len(list) == 0 || list[len(list)-1] != uint32(i) {
				exact[k] = append(list, uint32(i))
			}
		}
	}
	if err := joinLists(invert(chunks), w.addTerm); err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(exact)) {
		if err := w.addKeyword(key, exact[key]); err != nil {
			return nil, err
		}
	}
	return w.finish()
}

// termsAtOnce is how many terms are written before searches get their turn.
const termsAtOnce = 256

// perProcessor is how many chunks are worth a processor of their own.
const perProcessor = 64

// invert gathers the postings of each term, of consecutive parts of the chunks on
// all processors. The lists of each part are in byte order of their keys.
func invert(chunks []Chunk) [][]termList {
	n := min(runtime.GOMAXPROCS(0), len(chunks)/perProcessor+1)
	parts := make([][]termList, n)
	var workers sync.WaitGroup
	for p := range parts {
		workers.Go(func() {
			v := inverter{ids: map[string]map[string]int{}, recent: make([]recentTerm, recentTerms)}
			for i := p * len(chunks) / n; i < (p+1)*len(chunks)/n; i++ {
				v.add(uint32(i), chunks[i])
				runtime.Gosched() // to searches; see embedded.giveWay
			}
			parts[p] = v.sorted()
		})
	}
	workers.Wait()
	return parts
}

// joinLists hands out the lists of all terms in byte order of their keys, those of
// one term joined in the order of the parts.
func joinLists(parts [][]termList, add func(key string, list []Posting) error) error {
	var joined []Posting
	for n := 1; ; n++ {
		if n%termsAtOnce == 0 {
			runtime.Gosched()
		}
		key, found := leastTerm(parts)
		if !found {
			return nil
		}
		joined = joined[:0]
		for p, lists := range parts {
			if len(lists) > 0 && lists[0].key == key {
				joined = append(joined, lists[0].postings...)
				parts[p] = lists[1:]
			}
		}
		if err := add(key, joined); err != nil {
			return err
		}
	}
}

func leastTerm(parts [][]termList) (key string, found bool) {
	for _, lists := range parts {
		if len(lists) > 0 && (!found || lists[0].key < key) {
			key, found = lists[0].key, true
		}
	}
	return key, found
}

// inverter gathers the postings of each term.
type inverter struct {
	ids    map[string]map[string]int // by language and stem: place in lists
	lists  []termList
	recent []recentTerm
}

type termList struct {
	key      string
	postings []Posting
}

// recentTerm is a term that was looked up. Analysis hands out the same string for
// the same word again and again, so that nearly always comparing where the bytes
// lie saves hashing them.
type recentTerm struct {
	language, term string
	id             int
}

const recentTerms = 1 << 12

// add adds the terms of chunk i, which is greater than those before.
func (v *inverter) add(i uint32, c Chunk) {
	for _, t := range c.Title {
		v.posting(i, c.Language, t).Title++
	}
	for _, t := range c.Body {
		v.posting(i, c.Language, t).Body++
	}
}

func (v *inverter) posting(i uint32, language, term string) *Posting {
	l := &v.lists[v.id(language, term)]
	if n := len(l.postings); n == 0 || l.postings[n-1].Chunk != i {
		l.postings = append(l.postings, Posting{Chunk: i})
	}
	return &l.postings[len(l.postings)-1]
}

// id returns the place of the term's list.
func (v *inverter) id(language, term string) int {
	at := unsafe.StringData(term)
	r := &v.recent[uintptr(unsafe.Pointer(at))>>3%recentTerms]
	if len(term) > 0 && unsafe.StringData(r.term) == at && len(r.term) == len(term) && r.language == language {
		return r.id
	}
	ids := v.ids[language]
	if ids == nil {
		ids = map[string]int{}
		v.ids[language] = ids
	}
	id, ok := ids[term]
	if !ok {
		id = len(v.lists)
		ids[term] = id
		v.lists = append(v.lists, termList{key: termKey(language, term)})
	}
	*r = recentTerm{language, term, id}
	return id
}

// sorted returns the lists in byte order of their keys.
func (v *inverter) sorted() []termList {
	slices.SortFunc(v.lists, func(a, b termList) int { return strings.Compare(a.key, b.key) })
	return v.lists
}

func termKey(language, stem string) string { return language + "\x00" + stem }
