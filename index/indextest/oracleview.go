package indextest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/index"
	"ken/index/analyze"
	"ken/internal/steady"
)

// oracleView is the readable documents, by id. There is nothing else in it, so
// nothing else can show.
type oracleView struct {
	model embed.Model
	docs  []stored
}

func (v *oracleView) Close() error { return nil }

func (v *oracleView) Model() embed.Model { return v.model }

func (v *oracleView) Languages() []string {
	var out []string
	for _, d := range v.docs {
		if len(d.chunks) > 0 {
			out = append(out, language(d.document))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (v *oracleView) Chunks(_ context.Context, ids []index.ChunkID) ([]index.Chunk, error) {
	out := make([]index.Chunk, len(ids))
	for i, id := range ids {
		c, ok := v.chunk(id)
		if !ok {
			return nil, index.ErrNotFound
		}
		out[i] = c
	}
	return out, nil
}

func (v *oracleView) Outlines(ctx context.Context, ids []index.ChunkID, grams bool) ([]index.Outline, error) {
	chunks, err := v.Chunks(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := make([]index.Outline, len(ids))
	for i, c := range chunks {
		d, _, err := v.Document(ctx, c.Doc)
		if err != nil {
			return nil, err
		}
		out[i] = index.Outline{Doc: c.Doc, Status: d.Status}
		if grams {
			out[i].Grams = index.NewGrams(analyze.Grams(index.EmbedText(d, c)))
		}
	}
	return out, nil
}

func (v *oracleView) chunk(id index.ChunkID) (index.Chunk, bool) {
	for _, d := range v.docs {
		for _, c := range d.chunks {
			if c.ID == id {
				return c.Chunk, true
			}
		}
	}
	return index.Chunk{}, false
}

func (v *oracleView) Document(_ context.Context, id corpora.DocID) (corpora.Document, []index.ChunkID, error) {
	for _, d := range v.docs {
		if d.document.ID == id {
			ids := []index.ChunkID{}
			for _, c := range d.chunks {
				ids = append(ids, c.ID)
			}
			return public(d.document), ids, nil
		}
	}
	return corpora.Document{}, nil, index.ErrNotFound
}

func (v *oracleView) Documents(_ context.Context, prefix string, after corpora.DocID, limit int) ([]corpora.Document, error) {
	var out []corpora.Document
	for _, d := range v.docs {
		if id := d.document.ID; len(out) < limit && id > after && strings.HasPrefix(string(id), prefix) {
			out = append(out, public(d.document))
		}
	}
	return out, nil
}

func public(d corpora.Document) corpora.Document {
	d.ACL, d.Stamp = acl.List{}, ""
	return d
}

func (v *oracleView) SearchVector(ctx context.Context, q embed.Vector, f index.Filter, k int) ([]index.Hit, error) {
	if len(q) != v.model.Dim || v.model.Dim == 0 {
		return nil, fmt.Errorf("%w: dimension", index.ErrModel)
	}
	var hits []index.Hit
	for _, d := range v.docs {
		for _, c := range d.chunks {
			var sum float64
			for i := range q {
				sum += float64(q[i]) * float64(c.vector[i])
			}
			if passes(d.document, f) && c.holds(language(d.document), f.Phrases) {
				hits = append(hits, index.Hit{ID: c.ID, Score: sum, Key: c.key})
			}
		}
	}
	return first(hits, k), ctx.Err()
}

func (v *oracleView) SearchText(ctx context.Context, q index.TextQuery, k int) ([]index.Hit, error) {
	for _, t := range q.Terms {
		seen := map[string]bool{}
		for _, f := range t.Forms {
			if seen[f.Language] {
				return nil, errors.New("a term has two forms of one language")
			}
			seen[f.Language] = true
		}
	}
	stats := v.statistics(q.Terms)
	var hits []index.Hit
	for _, d := range v.docs {
		for _, c := range d.chunks {
			score, found := 0.0, false
			for i, t := range q.Terms {
				title, body := count(c.title, t, language(d.document)), count(c.body, t, language(d.document))
				if title+body > 0 {
					found = true
					score += stats.weight(q.BM25, i, t.Weight, title, body, len(c.title), len(c.body))
				}
			}
			if found && passes(d.document, q.Filter) && c.holds(language(d.document), q.Filter.Phrases) {
				hits = append(hits, index.Hit{ID: c.ID, Score: score, Key: c.key})
			}
		}
	}
	return first(hits, k), ctx.Err()
}

// statistics are those of BM25F over the readable chunks.
type statistics struct {
	n           float64
	df          []float64 // per query term
	title, body float64   // average lengths
}

func (v *oracleView) statistics(terms []index.Term) statistics {
	s := statistics{df: make([]float64, len(terms))}
	for _, d := range v.docs {
		for _, c := range d.chunks {
			s.n++
			s.title += float64(len(c.title))
			s.body += float64(len(c.body))
			for i, t := range terms {
				if count(c.title, t, language(d.document))+count(c.body, t, language(d.document)) > 0 {
					s.df[i]++
				}
			}
		}
	}
	s.title /= s.n
	s.body /= s.n
	return s
}

// weight is the formula of index.BM25 for one term of a chunk.
func (s statistics) weight(p index.BM25, term int, weight float64, titleTF, bodyTF, titleLen, bodyLen int) float64 {
	idf := steady.Log(1 + (s.n-s.df[term]+.5)/(s.df[term]+.5))
	var tf float64
	if titleTF > 0 {
		tf += float64(p.Title * (float64(titleTF) / (1 - p.B + float64(p.B*float64(titleLen))/s.title)))
	}
	if bodyTF > 0 {
		tf += float64(bodyTF) / (1 - p.B + float64(p.B*float64(bodyLen))/s.body)
	}
	if tf == 0 {
		return 0
	}
	return float64(float64(weight*idf) * (float64(tf*(p.K1+1)) / (tf + p.K1)))
}

// count returns how often a form of the term stands among words of a language.
func count(words []analyze.Token, t index.Term, language string) (n int) {
	for _, f := range t.Forms {
		if f.Language != language {
			continue
		}
		prefix, isWord := analyze.NewPrefix(language, f.Text)
		for _, w := range words {
			if f.Prefix && isWord && prefix.Matches(w) || !f.Prefix && w.Term == f.Text {
				n++
			}
		}
	}
	return n
}

// holds reports whether every phrase stands in a field, word after word: it lays
// the phrase at every place.
func (c storedChunk) holds(language string, phrases []string) bool {
	for _, text := range phrases {
		words := analyze.Tokens(language, text)
		if !slices.ContainsFunc(c.fields, func(field []analyze.Token) bool {
			for base := -len(words); base <= len(field)*2; base++ {
				if laid(words, field, base) {
					return true
				}
			}
			return false
		}) {
			return false
		}
	}
	return true
}

// laid reports whether each word stands as far behind base in the field as in the phrase.
func laid(words, field []analyze.Token, base int) bool {
	for _, w := range words {
		if !slices.ContainsFunc(field, func(t analyze.Token) bool {
			return t.Pos == base+w.Pos && t.Term == w.Term && (t.Term != "" || t.Word == w.Word)
		}) {
			return false
		}
	}
	return true
}

func passes(d corpora.Document, f index.Filter) bool {
	in := func(values []string, value string) bool { return len(values) == 0 || slices.Contains(values, value) }
	dated := f.After.IsZero() && f.Before.IsZero() ||
		!d.Modified.IsZero() && !d.Modified.Before(f.After) && (f.Before.IsZero() || d.Modified.Before(f.Before))
	return dated && in(f.Sources, d.Source) && in(f.MediaTypes, d.MediaType) && in(f.Languages, language(d)) && in(f.Classes, d.Class) &&
		(len(f.Documents) == 0 || slices.Contains(f.Documents, d.ID)) &&
		(len(f.Paths) == 0 || slices.ContainsFunc(f.Paths, func(p string) bool { return under(d.Path, p) })) &&
		(len(f.Tags) == 0 || slices.ContainsFunc(f.Tags, func(t string) bool { return slices.Contains(d.Tags, t) }))
}

func under(path, filter string) bool {
	return filter != "" && (path == filter || strings.HasSuffix(filter, "/") && strings.HasPrefix(path, filter))
}

func first(hits []index.Hit, k int) []index.Hit {
	slices.SortFunc(hits, index.Compare)
	return hits[:min(max(k, 0), len(hits))]
}
