package archive

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"ken/corpora"
	"ken/embed"
	"ken/index"
)

// maxLine bounds what one document takes in memory.
const maxLine = 1 << 30

// Handler is told what an archive holds. A nil field is not told.
type Handler struct {
	Model  func(embed.Model) error
	Erased func(hash string) error
	Entry  func(index.Entry) error
}

// Read tells h what the archive holds, in order. Whether the archive is whole is
// known only at its end: to change nothing for a broken one, read it twice, first
// with an empty Handler. Errors about what it holds wrap [ErrMalformed] and name
// the line.
func Read(ctx context.Context, r io.Reader, h Handler) (Counts, error) {
	in := &reader{lines: bufio.NewReaderSize(r, 1<<20), sum: sha256.New(), Handler: h}
	if err := in.all(ctx); err != nil {
		if in.number > 0 {
			err = fmt.Errorf("line %d: %w", in.number, err)
		}
		return in.counts, fmt.Errorf("read archive: %w", err)
	}
	return in.counts, nil
}

type reader struct {
	Handler
	lines  *bufio.Reader
	number int // of the line
	sum    hash.Hash
	head   header
	last   corpora.DocID
	counts Counts
}

func (r *reader) all(ctx context.Context) error {
	line, err := r.next()
	if err != nil {
		return err
	}
	if err := strict(line, &r.head); err != nil || r.head.Ken != "export" {
		return malformed("this is no archive of ken")
	}
	if r.head.Version != version {
		return malformed("it has version %d, this program reads %d", r.head.Version, version)
	}
	if r.Model != nil {
		if err := r.Model(embed.Model(r.head.Model)); err != nil {
			return err
		}
	}
	r.sum.Write(line)
	for ctx.Err() == nil {
		line, err := r.next()
		if err != nil {
			return err
		}
		done, err := r.record(line)
		if err != nil || done {
			return err
		}
		r.sum.Write(line)
	}
	return ctx.Err()
}

// next returns a line with its end.
func (r *reader) next() ([]byte, error) {
	var line []byte
	for {
		piece, err := r.lines.ReadSlice('\n')
		line = append(line, piece...)
		switch {
		case err == nil:
			r.number++
			return line, nil
		case len(line) > maxLine:
			return nil, malformed("a line of more than %d bytes", maxLine)
		case errors.Is(err, io.EOF):
			return nil, malformed("it ends too early: its last line is missing")
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		}
	}
}

// record deals with one line; done is the end.
func (r *reader) record(line []byte) (done bool, err error) {
	var one record
	if err := strict(line, &one); err != nil {
		return false, malformed("%v", err)
	}
	switch {
	case one.SHA256 != "":
		return true, r.end(one)
	case one.Document != nil:
		e, err := r.entry(one)
		if err != nil {
			return false, malformed("%q: %v", one.Document.ID, err)
		}
		r.counts.Documents++
		r.counts.Chunks += len(e.Chunks)
		if r.Entry != nil {
			return false, r.Entry(e)
		}
		return false, nil
	}
	if sum, err := hex.DecodeString(one.Erased); err != nil || len(sum) != sha256.Size {
		return false, malformed("neither a document, nor an erased id, nor the end")
	}
	r.counts.Erased++
	if r.Erased != nil {
		return false, r.Erased(one.Erased)
	}
	return false, nil
}

func (r *reader) end(last record) error {
	if got := hex.EncodeToString(r.sum.Sum(nil)); got != last.SHA256 {
		return malformed("its checksum does not hold: it was changed or damaged")
	}
	if last.Documents == nil || last.Total == nil || *last.Documents != r.counts.Documents || *last.Total != r.counts.Chunks {
		return malformed("it holds %d documents and %d chunks and says otherwise", r.counts.Documents, r.counts.Chunks)
	}
	if _, err := r.lines.ReadByte(); !errors.Is(err, io.EOF) {
		return malformed("something follows its end")
	}
	return nil
}

// entry checks a document: its chunks are its text, piece by piece.
func (r *reader) entry(one record) (index.Entry, error) {
	e := index.Entry{Document: *one.Document}
	id := e.Document.ID
	if cmp.Compare(id, r.last) <= 0 {
		return e, errors.New("ids must not be empty and stand in order, each once")
	}
	r.last = id
	if err := checkID(e.Document); err != nil {
		return e, err
	}
	end := 0
	for i, c := range one.Chunks {
		if c.Start != end || c.End-c.Start != len(c.Text) || c.Text == "" {
			return e, fmt.Errorf("chunk %d is bytes %d-%d with %d bytes of text after %d: chunks are the text without gaps", i, c.Start, c.End, len(c.Text), end)
		}
		if c.Tokens < 0 {
			return e, fmt.Errorf("chunk %d has %d tokens", i, c.Tokens)
		}
		end = c.End
		e.Chunks = append(e.Chunks, index.Chunk{
			Doc: id, N: i, Span: index.Span{Start: c.Start, End: c.End},
			Text: c.Text, Heading: c.Heading, Context: c.Context, Tokens: c.Tokens,
		})
		if r.head.Model.Dim == 0 && c.Vector == nil {
			continue
		}
		v, err := unpackVector(c.Vector, r.head.Model.Dim)
		if err != nil {
			return e, err
		}
		e.Vectors = append(e.Vectors, v)
	}
	if r.head.Model.Dim > 0 {
		return e, embed.Check(slices.Clip(e.Vectors), len(e.Chunks), r.head.Model.Dim)
	}
	return e, nil
}

// checkID refuses an id that no source gives: a document of one source under the
// name of another's would take its place, and the next ingest would delete it.
func checkID(d corpora.Document) error {
	if d.Source == "" || !strings.HasPrefix(string(d.ID), d.Source+"/") {
		return fmt.Errorf("its source is %q: ids begin with the source's name and a slash", d.Source)
	}
	if !utf8.ValidString(string(d.ID)) || strings.ContainsFunc(string(d.ID), unicode.IsControl) {
		return errors.New("an id has no control characters")
	}
	return nil
}

// strict decodes one JSON value that has no field of another name.
func strict(line []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("two values on one line")
	}
	return nil
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrMalformed}, args...)...)
}
