package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/blevesearch/bleve/v2"
	_ "github.com/blevesearch/bleve/v2/analysis/lang/en" // registers the analyzer "en"
	"github.com/blevesearch/bleve/v2/index/scorch"
	"github.com/philippgille/chromem-go"

	"ken/embed"
	"ken/index"
)

// bleveIndex is bleve with the readers of a chunk as a field.
type bleveIndex struct{ bleve.Index }

func newBleve(dir string) (bleveIndex, error) {
	text := bleve.NewTextFieldMapping()
	text.Analyzer, text.Store, text.IncludeTermVectors, text.IncludeInAll = "en", false, false, false
	keyword := bleve.NewKeywordFieldMapping()
	keyword.Store, keyword.IncludeTermVectors, keyword.IncludeInAll = false, false, false
	m := bleve.NewIndexMapping()
	m.ScoringModel = "bm25"
	m.DefaultMapping.Dynamic = false
	m.DefaultMapping.AddFieldMappingsAt("title", text)
	m.DefaultMapping.AddFieldMappingsAt("body", text)
	m.DefaultMapping.AddFieldMappingsAt("readers", keyword)
	in, err := bleve.NewUsing(dir, m, scorch.Name, scorch.Name, nil)
	return bleveIndex{in}, err
}

func (b bleveIndex) add(entries []index.Entry) error {
	batch := b.NewBatch()
	for _, e := range entries {
		var readers []string
		for _, g := range e.Document.ACL.Allow() {
			readers = append(readers, string(g.Subject))
		}
		for _, c := range e.Chunks {
			doc := map[string]any{"title": e.Document.Title, "body": c.Text, "readers": readers}
			if err := batch.Index(fmt.Sprintf("%s#%d", c.Doc, c.N), doc); err != nil {
				return err
			}
		}
	}
	return b.Batch(batch)
}

// search asks for chunks that match and that a holder of the subjects may read.
func (b bleveIndex) search(ctx context.Context, text string, subjects []string, k int) error {
	title, body := bleve.NewMatchQuery(text), bleve.NewMatchQuery(text)
	title.SetField("title")
	title.SetBoost(3)
	body.SetField("body")
	readers := bleve.NewDisjunctionQuery()
	for _, s := range subjects {
		term := bleve.NewTermQuery(s)
		term.SetField("readers")
		term.SetBoost(0)
		readers.AddQuery(term)
	}
	q := bleve.NewConjunctionQuery(bleve.NewDisjunctionQuery(title, body), readers)
	_, err := b.SearchInContext(ctx, bleve.NewSearchRequestOptions(q, k, 0, false))
	return err
}

// newChromem fills a collection of chromem-go; "rare" is the metadata of one chunk in a thousand.
func newChromem(ctx context.Context, entries []index.Entry) (*chromem.Collection, error) {
	c, err := chromem.NewDB().CreateCollection(benchName, nil, func(context.Context, string) ([]float32, error) {
		return nil, fmt.Errorf("there are vectors")
	})
	if err != nil {
		return nil, err
	}
	n := 0
	for i, e := range entries {
		rare := strconv.FormatBool(i%1000 == 7)
		for _, v := range e.Vectors {
			d := chromem.Document{ID: strconv.Itoa(n), Embedding: v, Metadata: map[string]string{"rare": rare}}
			if err := c.AddDocument(ctx, d); err != nil {
				return nil, err
			}
			n++
		}
	}
	return c, nil
}

// naive compares the query with all vectors and sorts: the ten best products.
func naive(q embed.Vector, vectors []embed.Vector, k int) []float64 {
	out := make([]float64, len(vectors))
	for i, v := range vectors {
		var sum float64
		for j := range q {
			sum += float64(q[j]) * float64(v[j])
		}
		out[i] = sum
	}
	slices.Sort(out)
	slices.Reverse(out)
	return out[:min(k, len(out))]
}

// recalled returns how many of the hits are as good as the last of the best.
func recalled(hits []index.Hit, best []float64) int {
	n := 0
	for _, h := range hits {
		if h.Score >= best[len(best)-1]-1e-9 {
			n++
		}
	}
	return min(n, len(best))
}

func rate(n int, d time.Duration) float64 { return math.Round(float64(n) / d.Seconds()) }
