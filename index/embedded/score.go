package embedded

import (
	"fmt"
	"slices"

	"ken/index"
	"ken/internal/steady"
)

// checkForms refuses a term that could match a chunk twice.
func checkForms(t index.Term) error {
	for i, f := range t.Forms {
		if slices.ContainsFunc(t.Forms[:i], func(other index.Form) bool { return other.Language == f.Language }) {
			return fmt.Errorf("a term has two forms in language %q", f.Language)
		}
	}
	return nil
}

// bm25f holds the parameters and the statistics of the readable chunks. The
// conversions to float64 after each product keep compilers from fusing it with
// an addition, which would give other last bits on other machines.
type bm25f struct {
	index.BM25
	chunks      float64
	title, body float64 // average lengths
}

func (v *view) fields(p index.BM25) bm25f {
	n := float64(v.readable.chunks)
	return bm25f{BM25: p, chunks: n, title: float64(v.readable.title) / n, body: float64(v.readable.body) / n}
}

func (b *bm25f) idf(df int) float64 {
	return steady.Log(1 + (b.chunks-float64(df)+.5)/(float64(df)+.5))
}

// saturated returns tf·(K1+1) / (tf+K1) with the weighted, normalised tf of a term
// that stands so often in fields of such lengths.
func (b *bm25f) saturated(title, body, titleLength, bodyLength uint32) float64 {
	tf := float64(b.Title*b.normalised(title, titleLength, b.title)) + b.normalised(body, bodyLength, b.body)
	if tf == 0 {
		return 0
	}
	return float64(tf*(b.K1+1)) / (tf + b.K1)
}

func (b *bm25f) normalised(tf, length uint32, average float64) float64 {
	if tf == 0 {
		return 0
	}
	return float64(tf) / (1 - b.B + float64(b.B*float64(length))/average)
}

func has(rows []uint64, row int) bool { return rows[row/64]>>(row%64)&1 != 0 }

// parts knows what the parts of scores are. A search gets one from the search before.
type parts struct {
	bm25f
	known [titled * knownLengths]float64 // by code and length of the body, 0 if not computed yet
	most  [len(scale{}) << 4]float64     // that a chunk of a step can have for a code
}

// knownLengths is up to which length of a body parts are remembered.
const knownLengths = 512

// begin makes them those of b, in steps of the scale.
func (p *parts) begin(b bm25f, s *scale) {
	if p.bm25f != b {
		p.bm25f = b
		clear(p.known[:])
	}
	for step, length := range s {
		for code := byte(1); code < other; code++ {
			title, body := fromCode(code)
			p.most[step<<4|int(code)] = min(b.limit(), b.saturated(title, body, 1, length))
		}
		p.most[step<<4|other] = b.limit()
	}
}

// limit is what saturated stays below.
func (b *bm25f) limit() float64 { return b.K1 + 1 }

// of returns the part of a form that stands so often in a chunk of such lengths.
func (p *parts) of(l *list, rank int, code byte, titleLength, bodyLength uint32) float64 {
	if code >= titled || bodyLength >= knownLengths {
		title, body := l.said(rank, code)
		return p.saturated(title, body, titleLength, bodyLength)
	}
	known := &p.known[int(code)*knownLengths+int(bodyLength)]
	if *known == 0 {
		*known = p.saturated(0, uint32(code), titleLength, bodyLength)
	}
	return *known
}
