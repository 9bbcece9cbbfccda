package lexical

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
)

// Build returns the segment of the parts, whose chunks have the ordinals. These
// must ascend.
func Build(ordinals []uint32, parts ...*Inverted) ([]byte, error) {
	var room room
	for _, p := range parts {
		room.rows += len(p.rows)
		room.terms += sizeOf(p.terms)
		room.keywords += sizeOf(p.keywords)
	}
	w, err := newWriter(room)
	if err != nil {
		return nil, err
	}
	bases, terms, keywords := make([]uint32, len(parts)), make([][]list, len(parts)), make([][]list, len(parts))
	for i, p := range parts {
		bases[i], terms[i], keywords[i] = uint32(w.rows), p.terms, p.keywords
		for _, r := range p.rows {
			if w.rows == len(ordinals) {
				return nil, fmt.Errorf("%d ordinals are less than the chunks", len(ordinals))
			}
			r.ordinal = ordinals[w.rows]
			if err := w.addRow(r); err != nil {
				return nil, err
			}
		}
	}
	if i := slices.IndexFunc(w.names, func(name string) bool { return strings.ContainsRune(name, 0) }); i >= 0 {
		return nil, fmt.Errorf("language %q holds a NUL", w.names[i])
	}
	if err := joinLists(terms, bases, w.terms.add); err != nil {
		return nil, err
	}
	if err := joinLists(keywords, bases, w.keywords.add); err != nil {
		return nil, err
	}
	return w.finish()
}

// sizeOf is about how many bytes the lists take.
func sizeOf(lists []list) (n int) {
	for _, l := range lists {
		n += len(l.rest) + 3
	}
	return n
}

// termsAtOnce is how many terms are written before searches get their turn; see
// embedded.giveWay.
const termsAtOnce = 256

// joinLists hands out the lists of all terms in byte order of their keys, those of
// one term in the order of the parts. Chunk 0 of a part is number bases[part].
func joinLists(parts [][]list, bases []uint32, add func(key []byte, runs []run) error) error {
	var h heap
	for part, lists := range parts {
		if len(lists) > 0 {
			h = append(h, source{part, lists})
		}
	}
	for i := len(h)/2 - 1; i >= 0; i-- {
		h.sink(i)
	}
	var runs []run
	var key []byte
	for n := 1; len(h) > 0; n++ {
		if n%termsAtOnce == 0 {
			runtime.Gosched()
		}
		least := h[0].lists[0].key
		runs, key = runs[:0], append(key[:0], least...)
		for len(h) > 0 && h[0].lists[0].key == least {
			r := h[0].lists[0].run
			r.first, r.last = r.first+bases[h[0].part], r.last+bases[h[0].part]
			runs = append(runs, r)
			h = h.next()
		}
		if err := add(key, runs); err != nil {
			return err
		}
	}
	return nil
}

// source is the lists of a part that were not handed out yet.
type source struct {
	part  int
	lists []list
}

// heap has the source whose list is next at its root.
type heap []source

func (h heap) less(i, j int) bool {
	c := strings.Compare(h[i].lists[0].key, h[j].lists[0].key)
	return c < 0 || c == 0 && h[i].part < h[j].part
}

// next takes the list at the root away.
func (h heap) next() heap {
	if h[0].lists = h[0].lists[1:]; len(h[0].lists) == 0 {
		h[0] = h[len(h)-1]
		h = h[:len(h)-1]
	}
	h.sink(0)
	return h
}

func (h heap) sink(i int) {
	for {
		least := i
		for _, child := range [2]int{2*i + 1, 2*i + 2} {
			if child < len(h) && h.less(child, least) {
				least = child
			}
		}
		if least == i {
			return
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
}
