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

func newWriter() (*writer, error) {
	w := &writer{}
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

// addTerm stores a list of postings, in order of their chunks.
func (w *writer) addTerm(key string, list []Posting) error {
	return w.terms.add(key, len(list), func(b []byte) []byte {
		var last uint32
		for _, p := range list {
			b = binary.AppendUvarint(b, uint64(p.Chunk-last))
			last = p.Chunk
			if p.Title == 0 {
				b = binary.AppendUvarint(b, uint64(p.Body)<<1)
				continue
			}
			b = binary.AppendUvarint(b, uint64(p.Body)<<1|1)
			b = binary.AppendUvarint(b, uint64(p.Title))
		}
		return b
	})
}

// addKeyword stores the chunks that match an exact term, in order.
func (w *writer) addKeyword(key string, list []uint32) error {
	return w.keywords.add(key, len(list), func(b []byte) []byte {
		var last uint32
		for _, chunk := range list {
			b = binary.AppendUvarint(b, uint64(chunk-last))
			last = chunk
		}
		return b
	})
}

func (d *dictionary) add(key string, n int, list func([]byte) []byte) error {
	if n == 0 {
		return nil
	}
	if err := d.builder.Insert([]byte(key), uint64(len(d.lists))); err != nil {
		return fmt.Errorf("add term: %w", err)
	}
	d.lists = list(binary.AppendUvarint(d.lists, uint64(n)))
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
