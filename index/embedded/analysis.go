package embedded

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"

	"ken/index"
	"ken/index/analyze"
	"ken/index/embedded/flat"
	"ken/index/embedded/lexical"
)

// analyzed is entries and what a segment stores of their chunks. It is only read:
// a commit that fails is tried again with it.
type analyzed struct {
	entries []entry
	parts   []*lexical.Inverted // of consecutive chunks
	codes   []flat.Code         // of the vectors of all chunks
}

// entry is an entry with what its chunks add up to.
type entry struct {
	index.Entry
	head documentHead
}

// perProcessor is how many chunks are worth a processor of their own.
const perProcessor = 64

// analyze finds the terms of all chunks and the codes of all vectors, on all
// processors: it is most of the work of a write. Nothing in it depends on what the
// store holds.
func (s *Store) analyze(ctx context.Context, entries []index.Entry) (analyzed, error) {
	out := analyzed{entries: make([]entry, len(entries))}
	var chunks []chunkOf
	vectors := 0
	for i, e := range entries {
		e.Document = normalize(e.Document)
		out.entries[i].Entry = e
		out.entries[i].head.language, out.entries[i].head.chunks = languageOf(e.Document), uint32(len(e.Chunks))
		for n := range e.Chunks {
			chunks = append(chunks, chunkOf{entry: &out.entries[i], n: n})
		}
		vectors += len(e.Vectors)
	}
	if vectors > 0 {
		out.codes = make([]flat.Code, len(chunks))
	}
	out.parts = make([]*lexical.Inverted, min(runtime.GOMAXPROCS(0), len(chunks)/perProcessor+1))
	errs := make([]error, len(out.parts))
	var workers sync.WaitGroup
	for p := range out.parts {
		from, to := p*len(chunks)/len(out.parts), (p+1)*len(chunks)/len(out.parts)
		workers.Go(func() {
			if out.parts[p], errs[p] = s.invert(ctx, chunks[from:to]); vectors > 0 && errs[p] == nil {
				errs[p] = encodeVectors(ctx, chunks[from:to], out.codes[from:to])
			}
		})
	}
	workers.Wait()
	for _, c := range chunks {
		c.entry.head.title += c.title
		c.entry.head.body += c.body
	}
	for _, err := range errs {
		if err != nil {
			return analyzed{}, err
		}
	}
	return out, nil
}

// giveWay lets goroutines run that wait for a processor. What takes long calls it
// every tenth of a millisecond or so: a search changes goroutines a few times, and
// each time would otherwise wait until the scheduler takes the processor away from
// a write or a merge, which is after ten milliseconds.
func giveWay() { runtime.Gosched() }

// yielding is what checks of whole files do between blocks.
func yielding(context.Context) { giveWay() }

// What takes about so long.
const (
	chunksAtOnce    = 16  // analysed
	vectorsAtOnce   = 128 // encoded
	documentsAtOnce = 16  // whose records are written
)

// chunkOf is chunk n of an entry, and how many terms its fields have.
type chunkOf struct {
	entry       *entry
	n           int
	title, body uint64
}

// analyzer is memory that is used again.
type analyzer struct {
	inverter    lexical.Inverter
	title, body []uint32
}

// invert gathers the terms of the chunks.
func (s *Store) invert(ctx context.Context, chunks []chunkOf) (*lexical.Inverted, error) {
	words := analyze.NewLexicon()
	defer words.Free()
	a, ok := s.analyzers.Get().(*analyzer)
	if !ok {
		a = &analyzer{}
	}
	for i := range chunks {
		if i%chunksAtOnce == 0 {
			giveWay()
		}
		c := &chunks[i]
		chunk, language := c.entry.Chunks[c.n], c.entry.head.language
		begins := i == 0 || chunks[i-1].entry != c.entry
		if begins {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			a.inverter.Document(language, c.entry.Document.Modified, keywords(c.entry.Document))
		}
		if begins || !slices.Equal(chunk.Heading, c.entry.Chunks[c.n-1].Heading) {
			a.title = words.Append(a.title[:0], language, index.TitleText(c.entry.Document, chunk))
		}
		a.body = words.Append(a.body[:0], language, index.BodyText(chunk))
		c.title, c.body = uint64(len(a.title)), uint64(len(a.body))
		a.inverter.Chunk(index.ContentKey(chunk.Doc, chunk.N, chunk.Text), a.title, a.body)
	}
	out := a.inverter.Done(func(number uint32) lexical.TermKey {
		t := words.Term(number)
		return lexical.TermKey{Language: t.Language, Stem: t.Text}
	})
	s.analyzers.Put(a)
	return out, nil
}

// encodeVectors checks the chunks' vectors and finds their codes.
func encodeVectors(ctx context.Context, chunks []chunkOf, codes []flat.Code) error {
	var e flat.Encoder
	for i, c := range chunks {
		if i%vectorsAtOnce == 0 {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			giveWay()
		}
		v := c.entry.Vectors[c.n]
		if err := checkLength(c.n, v); err != nil {
			return fmt.Errorf("%q: %w", c.entry.Document.ID, err)
		}
		codes[i] = e.Encode(v)
	}
	return nil
}
