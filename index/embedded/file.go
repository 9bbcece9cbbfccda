package embedded

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"sync/atomic"

	"ken/index/embedded/flat"
	"ken/index/embedded/lexical"
)

// file is the bytes of one index file and how many states use them.
type file struct {
	name string
	data []byte
	// fetch is told what will be read soon; nil if all is in memory.
	fetch func(from, to int)
	free  func() error
	// remove deletes the file; it is called with the last release, if at all,
	// because some systems cannot delete a file that is mapped.
	remove   func() error
	obsolete atomic.Bool
	users    atomic.Int64
}

func (d directory) open(name string) (*file, error) {
	path := d.fs.PathJoin(d.segments(), name)
	data, fetch, free, err := d.read(path)
	if err != nil {
		return nil, err
	}
	return &file{name: name, data: data, fetch: fetch, free: free, remove: func() error { return d.fs.Remove(path) }}, nil
}

func (f *file) acquire() { f.users.Add(1) }

// release frees the bytes with the last user.
func (f *file) release() error {
	if f.users.Add(-1) > 0 {
		return nil
	}
	err := f.free()
	if f.obsolete.Load() {
		if gone := f.remove(); gone != nil && !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}
	return err
}

// segment is the pair of files over one range of ordinals, as they are read.
type segment struct {
	segmentRecord
	lex     *lexical.Segment
	lexFile *file
	vec     *flat.File // nil in a store without a model
	vecFile *file
}

func lexName(number uint64) string { return fmt.Sprintf("%06d.lex", number) }
func vecName(number uint64) string { return fmt.Sprintf("%06d.vec", number) }

// files calls f with each file of the segment.
func (s *segment) files(f func(*file)) {
	for _, file := range []*file{s.lexFile, s.vecFile} {
		if file != nil {
			f(file)
		}
	}
}

// openSegment opens the files that the record names and checks their beginnings
// against it. The rest is checked when it is used, or by checkAll.
func (d directory) openSegment(r segmentRecord, model string) (*segment, error) {
	s := &segment{segmentRecord: r}
	err := s.openLexical(d)
	if err == nil && r.Vector != 0 {
		err = s.openVectors(d)
	}
	if err == nil {
		err = s.checkPair(model)
	}
	if err != nil {
		s.files(func(f *file) { err = errors.Join(err, f.free()) })
		return nil, fmt.Errorf("open segment %s: %w", lexName(r.Lexical), err)
	}
	return s, nil
}

func (s *segment) openLexical(d directory) error {
	var err error
	if s.lexFile, err = d.open(lexName(s.Lexical)); err != nil {
		return err
	}
	if s.lex, err = lexical.OpenMapped(s.lexFile.data, s.lexFile.fetch); err != nil {
		return err
	}
	n := s.lex.Len()
	if n == 0 || n != s.Chunks || s.lex.Ordinal(0) != s.First || s.lex.Ordinal(n-1) != s.Last {
		return fmt.Errorf("%w: not the segment that was written", lexical.ErrCorrupt)
	}
	return nil
}

func (s *segment) openVectors(d directory) error {
	var err error
	if s.vecFile, err = d.open(vecName(s.Vector)); err != nil {
		return err
	}
	s.vec, err = flat.OpenMapped(s.vecFile.data, s.vecFile.fetch)
	return err
}

// checkPair checks that the vectors are those of the chunks, of the model.
func (s *segment) checkPair(model string) error {
	if s.vec != nil && (s.vec.ModelHash() != model || s.vec.Len() != s.lex.Len() || s.vec.OrdinalsSum() != s.lex.OrdinalsSum()) {
		return fmt.Errorf("%w: vectors of another segment or model", flat.ErrCorrupt)
	}
	return nil
}

// checkAll checks every byte of the segment's files; see [blocks.File.CheckAll].
func (s *segment) checkAll(ctx context.Context, pause func(context.Context)) error {
	if err := s.lex.CheckAll(ctx, pause); err != nil {
		return fmt.Errorf("segment %s: %w", s.lexFile.name, err)
	}
	if s.vec == nil {
		return nil
	}
	if err := s.vec.CheckAll(ctx, pause); err != nil {
		return fmt.Errorf("segment %s: %w", s.vecFile.name, err)
	}
	return nil
}

// whole reports whether all of the segment was found sound.
func (s *segment) whole() bool { return s.lex.Whole() && (s.vec == nil || s.vec.Whole()) }

// fetchHits asks for what scoring rows by vector and naming them reads.
func (s *segment) fetchHits(rows iter.Seq[uint32]) {
	s.vec.FetchRows(rows)
	s.lex.FetchRows(rows)
}

// checkHits checks what scoring rows by vector and naming them reads.
func (s *segment) checkHits(rows iter.Seq[uint32]) error {
	if err := s.vec.CheckRows(rows); err != nil {
		return err
	}
	return s.lex.CheckRows(rows)
}
