package lexical

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/blevesearch/vellum"
)

// row is what the columns hold of a chunk.
type row struct {
	ordinal     uint32
	language    string
	title, body uint32
	key         [16]byte
	seconds     int64
	nanos       uint32
}

// writer takes rows in order of their ordinals and then the lists in byte order
// of their terms.
type writer struct {
	rows     int
	last     uint32
	names    []string // languages
	ordinals []byte
	columns  []byte
	terms    dictionary
	keywords dictionary
}

// dictionary is an FST over terms and the lists that it points into.
type dictionary struct {
	fst     bytes.Buffer
	builder *vellum.Builder
	lists   []byte
}

// room is what a writer will hold, about: chunks, and bytes of lists.
type room struct{ rows, terms, keywords int }

func newWriter(r room) (*writer, error) {
	w := &writer{ordinals: make([]byte, 0, 4*r.rows), columns: make([]byte, 0, columnSize*r.rows)}
	w.terms.lists, w.keywords.lists = make([]byte, 0, r.terms), make([]byte, 0, r.keywords)
	for _, d := range []*dictionary{&w.terms, &w.keywords} {
		var err error
		if d.builder, err = vellum.New(&d.fst, nil); err != nil {
			return nil, fmt.Errorf("build dictionary: %w", err)
		}
	}
	return w, nil
}

func (w *writer) addRow(r row) error {
	if w.rows > 0 && r.ordinal <= w.last {
		return fmt.Errorf("ordinal %d after %d: ordinals must ascend", r.ordinal, w.last)
	}
	language, err := w.language(r.language)
	if err != nil {
		return err
	}
	w.last = r.ordinal
	w.rows++
	w.ordinals = binary.LittleEndian.AppendUint32(w.ordinals, r.ordinal)
	c := binary.LittleEndian.AppendUint16(w.columns, language)
	c = binary.LittleEndian.AppendUint32(c, r.title)
	c = binary.LittleEndian.AppendUint32(c, r.body)
	c = append(c, r.key[:]...)
	c = binary.LittleEndian.AppendUint64(c, uint64(r.seconds))
	w.columns = binary.LittleEndian.AppendUint32(c, r.nanos)
	return nil
}

func (w *writer) language(name string) (uint16, error) {
	i := slices.Index(w.names, name)
	if i < 0 {
		i = len(w.names)
		if i == maxLanguages {
			return 0, fmt.Errorf("more than %d languages in a segment", maxLanguages)
		}
		w.names = append(w.names, name)
	}
	return uint16(i), nil
}

// run is consecutive postings as they are coded: what follows the delta of the first.
type run struct {
	n           int
	first, last uint32 // chunks
	rest        []byte
}

// add stores the runs as one list, in the order of their chunks. Nothing is stored
// of a list without postings.
func (d *dictionary) add(key []byte, runs []run) error {
	n := 0
	for _, r := range runs {
		n += r.n
	}
	if n == 0 {
		return nil
	}
	if err := d.builder.Insert(key, uint64(len(d.lists))); err != nil {
		return fmt.Errorf("add term: %w", err)
	}
	d.lists = binary.AppendUvarint(d.lists, uint64(n))
	last := uint32(0)
	for _, r := range runs {
		if r.n > 0 {
			d.lists = binary.AppendUvarint(d.lists, uint64(r.first-last))
			d.lists = append(d.lists, r.rest...)
			last = r.last
		}
	}
	return nil
}

func (w *writer) finish() ([]byte, error) {
	for _, d := range []*dictionary{&w.terms, &w.keywords} {
		if err := d.builder.Close(); err != nil {
			return nil, fmt.Errorf("build dictionary: %w", err)
		}
	}
	var names []byte
	for _, name := range w.names {
		names = binary.AppendUvarint(names, uint64(len(name)))
		names = append(names, name...)
	}
	return assemble(headerOf(w.ordinals), [sectionCount][]byte{
		languages: names,
		ordinals:  w.ordinals,
		columns:   w.columns,
		terms:     w.terms.fst.Bytes(),
		postings:  w.terms.lists,
		keywords:  w.keywords.fst.Bytes(),
		matches:   w.keywords.lists,
	}), nil
}

// splitTime gives the two numbers that a time is stored as. The zero time, of
// year 1, is how an unknown time is stored.
func splitTime(t time.Time) (seconds int64, nanos uint32) {
	return t.Unix(), uint32(t.Nanosecond())
}

func joinTime(seconds int64, nanos uint32) time.Time {
	return time.Unix(seconds, int64(nanos)).UTC()
}
