package embedded

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"ken/index"
	"ken/index/analyze"
	"ken/index/embedded/flat"
	"ken/index/embedded/lexical"
)

// analyzed is an entry with the terms of its chunks.
type analyzed struct {
	index.Entry
	head  documentHead
	terms []lexical.Chunk // without ordinals
	codes []flat.Code     // of the vectors
}

// analyzeAll finds the terms of all chunks, on all processors: it is most of
// the work of a write. Nothing in it depends on what the store holds.
func analyzeAll(ctx context.Context, entries []index.Entry) ([]analyzed, error) {
	out := make([]analyzed, len(entries))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(entries)) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(entries) && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				out[i] = analyzeEntry(entries[i])
			}
		})
	}
	workers.Wait()
	return out, ctx.Err()
}

// giveWay lets goroutines run that wait for a processor. What takes long calls it
// every tenth of a millisecond or so: a search changes goroutines a few times, and
// each time would otherwise wait until the scheduler takes the processor away from
// a write or a merge, which is after ten milliseconds.
func giveWay() { runtime.Gosched() }

func analyzeEntry(e index.Entry) analyzed {
	e.Document = normalize(e.Document)
	a := analyzed{Entry: e, terms: make([]lexical.Chunk, len(e.Chunks))}
	a.head.language, a.head.chunks = languageOf(e.Document), uint32(len(e.Chunks))
	exact := keywords(e.Document)
	for i, c := range e.Chunks {
		a.terms[i] = lexical.Chunk{
			Language: a.head.language,
			Key:      index.ContentKey(c.Doc, c.N, c.Text),
			Modified: e.Document.Modified,
			Title:    analyze.Terms(a.head.language, index.TitleText(e.Document, c)),
			Body:     analyze.Terms(a.head.language, index.BodyText(c)),
			Keywords: exact,
		}
		giveWay()
		a.head.title += uint64(len(a.terms[i].Title))
		a.head.body += uint64(len(a.terms[i].Body))
	}
	for _, v := range e.Vectors {
		a.codes = append(a.codes, flat.EncodeVector(v))
		giveWay()
	}
	return a
}
