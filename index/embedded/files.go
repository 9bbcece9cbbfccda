package embedded

import (
	"context"
	"errors"
	"io"
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
	s := &segment{segmentRecord: segmentRecord{First: ordinals[0], Last: ordinals[len(ordinals)-1], Chunks: len(ordinals)}}
	s.Lexical = f.newFile(lexName)
	var vectors sync.WaitGroup
	var vecErr error
	if model.Dim > 0 {
		s.Vector = f.newFile(vecName)
		vectors.Go(func() {
			vecErr = f.fillVectors(s, func(w io.Writer) error { return flat.EncodeWith(w, model.Hash, model.Dim, ordinals, row) })
		})
	}
	err := f.fillLexical(s, lex)
	vectors.Wait()
	s.files(func(opened *file) { f.fresh = append(f.fresh, opened) })
	if err := errors.Join(err, vecErr); err != nil {
		return nil, err
	}
	return s, s.checkPair(model.Hash)
}

// fillLexical writes the lexical file of the segment and opens it; what was written
// is what is read.
func (f *files) fillLexical(s *segment, lex func() ([]byte, error)) error {
	data, err := lex()
	if err == nil {
		err = f.store.dir.write(f.path(lexName(s.Lexical)), data)
	}
	if err == nil {
		err = s.openLexical(f.store.dir)
	}
	if err == nil {
		err = s.lex.CheckAll(context.Background(), yielding)
	}
	return err
}

// fillVectors does the same with the vectors, which put writes.
func (f *files) fillVectors(s *segment, put func(io.Writer) error) error {
	err := f.store.dir.writeBy(f.path(vecName(s.Vector)), put)
	if err == nil {
		err = s.openVectors(f.store.dir)
	}
	if err == nil {
		err = s.vec.CheckAll(context.Background(), yielding)
	}
	return err
}

func (f *files) path(name string) string {
	return f.store.dir.fs.PathJoin(f.store.dir.segments(), name)
}

// newFile takes the number of a file that will be written.
func (f *files) newFile(name func(uint64) string) (number uint64) {
	number = f.store.nextFile.Add(1) - 1
	f.written = append(f.written, name(number))
	return number
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
		if gone := f.store.dir.fs.Remove(f.path(name)); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			f.store.options.Logger.Warn("a file of a failed write stays until the next start", "file", name, "error", gone)
		}
	}
	return err
}
