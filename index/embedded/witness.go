package embedded

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"slices"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"ken/index"
)

// witness is the file REVISION: what was committed last, told outside the truth.
// The truth's log cannot tell damage to its end from a write that a power cut
// interrupted; without a witness, a flipped bit would take back the last writes
// unseen, and a revoke with them.
//
// It has two slots and a revision goes into slot revision mod 2, so that a write
// that is cut short leaves the one before. The order is
//
//	batch synced in the truth  ->  slot written, synced  ->  acknowledged
//
// so after a crash the truth is at the revision of the witness or one further,
// and that one was not acknowledged. Everything else is damage; see [LostError].
type witness struct{ file vfs.File }

const (
	slotMagic  = "kenrev\x00\x01" // the last byte is the version
	slotSize   = len(slotMagic) + 8 + 4 + 4
	slotStride = 4096 // a sector or page that is torn holds one slot
)

// mark is what a slot says: a revision and the checksum of its meta record.
type mark struct {
	revision uint64
	sum      uint32
}

func markOf(m metaRecord, record []byte) mark {
	return mark{m.Revision, crc32.Checksum(record, castagnoli)}
}

// getMark returns the mark of what a reader of the truth holds.
func getMark(r pebble.Reader) (mark, error) {
	var m metaRecord
	var sum uint32
	err := get(r, []byte(metaKey), func(b []byte) error {
		sum = crc32.Checksum(b, castagnoli)
		return json.Unmarshal(b, &m)
	})
	if errors.Is(err, index.ErrNotFound) {
		return mark{}, nil
	}
	return mark{m.Revision, sum}, err
}

// LostError says that the truth is not at the revision that was acknowledged
// last. Opening it could bring back a permission that was taken away.
type LostError struct {
	Dir    string
	Reason string
}

func (e *LostError) Error() string {
	return fmt.Sprintf("data directory %s is damaged: %s. A permission that was taken away could be back, so it is not opened; "+
		"restore a backup and ingest again, or ingest into a new directory", e.Dir, e.Reason)
}

// createWitness makes the file of a new store.
func (d directory) createWitness() error {
	data := make([]byte, 2*slotStride)
	for slot := range 2 {
		copy(data[slot*slotStride:], encodeMark(mark{}))
	}
	if err := d.write(d.join("REVISION"), data); err != nil {
		return err
	}
	return d.sync(d.root)
}

// readMarks returns what the sound slots say.
func (d directory) readMarks() ([]mark, error) {
	data, err := d.readAll(d.join("REVISION"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &LostError{d.root, "its REVISION file is missing"}
	}
	if err != nil {
		return nil, fmt.Errorf("read the last revision: %w", err)
	}
	var marks []mark
	for slot := range 2 {
		if m, ok := decodeMark(data, slot); ok {
			marks = append(marks, m)
		}
	}
	if len(marks) == 0 || len(data) != 2*slotStride {
		return nil, &LostError{d.root, "its REVISION file does not decode"}
	}
	return marks, nil
}

// openWitness compares the truth with the witness and returns the witness, which
// then says what the truth holds: what is served must not be lost unseen.
func (d directory) openWitness(truth mark) (*witness, error) {
	marks, err := d.readMarks()
	if err != nil {
		return nil, err
	}
	if err := compareMarks(d.root, marks, truth); err != nil {
		return nil, err
	}
	f, err := d.fs.OpenReadWrite(d.join("REVISION"), vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, fmt.Errorf("open the last revision: %w", err)
	}
	w := &witness{f}
	if slices.Contains(marks, truth) {
		return w, nil
	}
	if err := w.put(truth); err != nil {
		return nil, joinClose(err, f)
	}
	return w, nil
}

func encodeMark(m mark) []byte {
	b := append(make([]byte, 0, slotSize), slotMagic...)
	b = binary.LittleEndian.AppendUint64(b, m.revision)
	b = binary.LittleEndian.AppendUint32(b, m.sum)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func decodeMark(data []byte, slot int) (m mark, ok bool) {
	from := slot * slotStride
	if len(data) < from+slotSize {
		return m, false
	}
	b := data[from : from+slotSize]
	body := b[:slotSize-4]
	if string(b[:len(slotMagic)]) != slotMagic || binary.LittleEndian.Uint32(b[slotSize-4:]) != crc32.Checksum(body, castagnoli) {
		return m, false
	}
	m.revision = binary.LittleEndian.Uint64(b[len(slotMagic):])
	m.sum = binary.LittleEndian.Uint32(b[len(slotMagic)+8:])
	// The slots of a new store both say revision 0.
	return m, m.revision == 0 || m.revision%2 == uint64(slot)
}

// put makes the mark durable.
func (w *witness) put(m mark) error {
	if _, err := w.file.WriteAt(encodeMark(m), int64(m.revision%2)*slotStride); err != nil {
		return fmt.Errorf("write the last revision: %w", err)
	}
	if err := w.file.SyncData(); err != nil {
		return fmt.Errorf("sync the last revision: %w", err)
	}
	return nil
}

func (w *witness) close() error { return w.file.Close() }

// compare returns a [LostError] unless the truth is at the mark or one write
// further. A slot that does not decode was being written, or was damaged later:
// then the other one is a write behind.
func compareMarks(dir string, marks []mark, truth mark) error {
	last, ahead := marks[0], uint64(1)
	if len(marks) == 1 {
		ahead = 2
	}
	for _, m := range marks {
		if m.revision > last.revision {
			last = m
		}
	}
	switch {
	case truth.revision < last.revision:
		return &LostError{dir, fmt.Sprintf("its log ends at revision %d and revision %d was acknowledged", truth.revision, last.revision)}
	case truth.revision > last.revision+ahead:
		return &LostError{dir, fmt.Sprintf("it is at revision %d and its REVISION file says %d: they are not of one copy", truth.revision, last.revision)}
	case truth.revision == last.revision && truth.sum != last.sum:
		return &LostError{dir, fmt.Sprintf("revision %d is not the one that was acknowledged", truth.revision)}
	}
	return nil
}
