package embedded

import (
	"context"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"ken/index"
	"ken/index/analyze"
	"ken/internal/rejoin"
)

// maxReading bounds the chunks that a phrase or a prefix is looked for in by
// reading their text. They are readable ones alone, so that no other document
// decides whether there are too many.
const maxReading = 50_000

// fields are the tokens of a chunk as they were indexed.
type fields struct {
	title, body []analyze.Token
	apart       [][]analyze.Token // of the lines of the title and the paragraphs of the body
}

// read analyses the readable chunks at the places anew, on all processors, and
// calls see with the number of each place. What it sees has passed the gate.
func (v *view) read(ctx context.Context, at []place, see func(i int, f fields)) error {
	if len(at) > maxReading {
		return index.ErrBroad
	}
	var (
		next    atomic.Int64
		workers rejoin.Group
		failed  sync.Once
		err     error
		stop    atomic.Bool
	)
	for range min(runtime.GOMAXPROCS(0), len(at)) {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(at) && !stop.Load(); i = int(next.Add(1)) - 1 {
				f, problem := v.fieldsAt(ctx, at[i])
				if problem != nil {
					failed.Do(func() { err = problem })
					stop.Store(true)
					return
				}
				see(i, f)
			}
		})
	}
	workers.Wait()
	return err
}

func (v *view) fieldsAt(ctx context.Context, p place) (f fields, err error) {
	if err := ctx.Err(); err != nil {
		return f, err
	}
	lex := v.state.segments[p.segment].lex
	c, d, err := v.gate(index.ChunkID(lex.Ordinal(p.row)))
	if err != nil {
		return f, err
	}
	language := lex.Language(p.row)
	for line := range strings.SplitSeq(index.TitleText(d.Document, c.Chunk), "\n") {
		tokens := analyze.Tokens(language, line)
		f.apart, f.title = append(f.apart, tokens), append(f.title, tokens...)
	}
	for paragraph := range strings.SplitSeq(index.BodyText(c.Chunk), "\n\n") {
		tokens := analyze.Tokens(language, paragraph)
		f.apart, f.body = append(f.apart, tokens), append(f.body, tokens...)
	}
	return f, nil
}

// placesOf returns the rows that are set.
func placesOf(rows [][]uint64) (at []place) {
	for i := range rows {
		for row := range setBits(rows[i]) {
			at = append(at, place{i, row})
		}
	}
	return at
}
