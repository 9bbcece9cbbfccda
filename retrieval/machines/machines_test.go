package machines

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/embed"
	"ken/embed/hashed"
	"ken/index"
	"ken/index/embedded"
	"ken/retrieval"
)

// same is the checksum of what is found. It changes with the ranking, never with
// the machine.
const same = 0xa324125b38b9e22b

const (
	documents = 300
	chunks    = 3 // of a document
	words     = 60
	questions = 25
)

func TestEveryMachineFindsTheSame(t *testing.T) {
	model, err := hashed.New(hashed.Options{})
	if err != nil {
		t.Fatal(err)
	}
	store, err := embedded.Open(t.TempDir(), embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	r := rand.New(rand.NewPCG(11, 12))
	if err := fill(t.Context(), store, model, r); err != nil {
		t.Fatal(err)
	}
	noon := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	s, err := retrieval.New(store, retrieval.Options{Embedder: model, Clock: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	sum := fnv.New64a()
	for range questions {
		request := retrieval.Request{Query: text(r, 1+r.IntN(5)), Budget: 200}
		for _, who := range []acl.Principal{acl.NewPrincipal("user:ann"), acl.NewPrincipal("user:bob", "group:few")} {
			if err := write(t.Context(), sum, s, who, request); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := sum.Sum64(); got != same {
		t.Errorf("what is found has the checksum %#x, want %#x", got, uint64(same))
	}
}

// write writes all that was ranked, and the passages of the answer.
func write(ctx context.Context, w io.Writer, s *retrieval.Searcher, who acl.Principal, r retrieval.Request) error {
	response, ranked, err := s.Explain(ctx, who, r)
	for _, h := range ranked {
		fmt.Fprintf(w, "%s %v %x %x %x\n", h.Doc, h.ID, math.Float64bits(h.Score), math.Float64bits(h.Lexical), math.Float64bits(h.Vector))
	}
	for _, result := range response.Results {
		fmt.Fprintf(w, "%s %x\n", result.Document.ID, math.Float64bits(result.Score))
		for _, p := range result.Passages {
			fmt.Fprintln(w, p.Span)
		}
	}
	if err == nil && len(response.Results) == 0 {
		return fmt.Errorf("%q finds nothing", r.Query)
	}
	return err
}

func fill(ctx context.Context, store *embedded.Store, model *hashed.Embedder, r *rand.Rand) error {
	if err := store.Reembed(ctx, model.Model(), func(context.Context, []index.Chunk) ([]embed.Vector, error) { return nil, nil }); err != nil {
		return err
	}
	var entries []index.Entry
	for i := range documents {
		e, err := entry(ctx, model, r, i)
		if err != nil {
			return err
		}
		entries = append(entries, e)
	}
	return store.Replace(ctx, entries...)
}

// entry is a document; a fifth of them only few may read.
func entry(ctx context.Context, model *hashed.Embedder, r *rand.Rand, i int) (index.Entry, error) {
	readers := acl.Everyone
	if i%5 == 0 {
		readers = "group:few"
	}
	id := corpora.DocID(fmt.Sprintf("wiki/%d", i))
	d := corpora.Document{ID: id, Title: text(r, 3), Source: "wiki", Language: "en", Version: fmt.Sprint(i), MediaType: "text/plain", ACL: acl.Allow(readers)}
	d.Status = []corpora.Status{"", "", corpora.Draft}[i%3]
	e, at := index.Entry{Document: d}, 0
	var passages []string
	for n := range chunks {
		c := index.Chunk{Doc: id, N: n, Text: text(r, words) + ".\n", Tokens: words}
		c.Span = index.Span{Start: at, End: at + len(c.Text)}
		at = c.Span.End
		e.Chunks, passages = append(e.Chunks, c), append(passages, index.TitleText(d, c)+"\n"+index.BodyText(c))
	}
	var err error
	e.Vectors, err = model.Embed(ctx, embed.Passage, passages)
	return e, err
}

// text is n words of three syllables, some much more frequent than others.
func text(r *rand.Rand, n int) string {
	syllables := [...]string{"ka", "ren", "to", "mil", "ba", "sur", "ne", "lod", "pi", "var", "che", "gum", "ra", "bel", "so", "fin"}
	out := make([]string, n)
	for i := range out {
		place := int(4000 * skewed(r.Float64()))
		out[i] = syllables[place%16] + syllables[place/16%16] + syllables[place/256]
	}
	return strings.Join(out, " ")
}

func skewed(x float64) float64 { return x * x * x * x }
