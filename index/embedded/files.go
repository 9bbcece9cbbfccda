package embedded

import (
	"context"
	"errors"
	"io/fs"
	"sync"

	"ken/embed"
	"ken/index/embedded/flat"
)

// files is index files that were written and that no state names yet.
type files struct {
	store   *Store
	fresh   []*file  // open
	written []string // names
}

// newSegment makes, writes and opens the files of a segment, both at once. Without
// a model it has no vectors.
func (f *files) newSegment(model embed.Model, lex func() ([]byte, error), ordinals []uint32, row func(int) ([]float32, flat.Code)) (*segment, error) {
	r := segmentRecord{First: ordinals[0], Last: ordinals[len(ordinals)-1], Chunks: len(ordinals)}
	r.Lexical = f.newFile(lexName)
	var vectors sync.WaitGroup
	var vecErr error
	if model.Dim > 0 {
		r.Vector = f.newFile(vecName)
		vectors.Go(func() {
			data, err := flat.EncodeWith(model.Hash, model.Dim, ordinals, row)
			if err == nil {
				err = f.fill(vecName(r.Vector), data)
			}
			vecErr = err
		})
	}
	data, lexErr := lex()
	if lexErr == nil {
		lexErr = f.fill(lexName(r.Lexical), data)
	}
	vectors.Wait()
	if err := errors.Join(lexErr, vecErr); err != nil {
		return nil, err
	}
	seg, err := f.store.dir.openSegment(r, model.Hash)
	if err != nil {
		return nil, err
	}
	seg.files(func(opened *file) { f.fresh = append(f.fresh, opened) })
	return seg, seg.checkAll(context.Background(), yielding) // what was written is what is read
}

// newFile takes the number of a file that will be written.
func (f *files) newFile(name func(uint64) string) (number uint64) {
	number = f.store.nextFile.Add(1) - 1
	f.written = append(f.written, name(number))
	return number
}

// fill writes a file that newFile named.
func (f *files) fill(name string, data []byte) error {
	d := f.store.dir
	return d.write(d.fs.PathJoin(d.segments(), name), data)
}

// discard closes and deletes the files, unless the store has stopped: then the
// truth may name them after all.
func (f *files) discard() (err error) {
	for _, fresh := range f.fresh {
		err = errors.Join(err, fresh.free())
	}
	if f.store.truth.err() != nil {
		return err
	}
	for _, name := range f.written {
		d := f.store.dir
		if gone := d.fs.Remove(d.fs.PathJoin(d.segments(), name)); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			f.store.options.Logger.Warn("a file of a failed write stays until the next start", "file", name, "error", gone)
		}
	}
	return err
}
