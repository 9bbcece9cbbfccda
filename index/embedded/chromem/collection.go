package chromem

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/philippgille/chromem-go"
)

// Collection is a growing set of vectors of one ACL class. Reading and adding
// may go on at the same time; additions come from one goroutine.
type Collection struct {
	vectors  *chromem.Collection
	ordinals *roaring.Bitmap // used by the goroutine that adds
}

// New returns an empty collection.
func New() (*Collection, error) {
	c, err := chromem.NewDB().CreateCollection("class", nil, noText)
	if err != nil {
		return nil, fmt.Errorf("create collection: %w", err)
	}
	return &Collection{c, roaring.New()}, nil
}

// noText stands where chromem-go would call a remote embedder by default.
func noText(context.Context, string) ([]float32, error) {
	return nil, errors.New("the collection takes vectors only")
}

// Missing returns the ordinals of want that the collection does not have.
func (c *Collection) Missing(want *roaring.Bitmap) *roaring.Bitmap {
	return roaring.AndNot(want, c.ordinals)
}

// Len returns the number of vectors, for the goroutine that adds.
func (c *Collection) Len() int { return int(c.ordinals.GetCardinality()) }

// Add copies the vector into the collection. It has unit length.
func (c *Collection) Add(ctx context.Context, ordinal uint32, vector []float32) error {
	d := chromem.Document{ID: strconv.FormatUint(uint64(ordinal), 10), Embedding: slices.Clone(vector)}
	if err := c.vectors.AddDocument(ctx, d); err != nil {
		return fmt.Errorf("add vector %d: %w", ordinal, err)
	}
	c.ordinals.Add(ordinal)
	return nil
}

// Candidates returns ordinals that keep accepts, among them the best k by dot
// product with the query, which has unit length. slack bounds how far a score
// may be off.
func (c *Collection) Candidates(ctx context.Context, query []float32, k int, slack float64, keep func(uint32) bool) ([]uint32, error) {
	for n := k + 16; ; n *= 2 {
		count := c.vectors.Count()
		n = min(n, count) // chromem-go refuses to be asked for more than it has
		if n == 0 {
			return nil, nil
		}
		found, err := c.vectors.QueryEmbedding(ctx, query, n, nil, nil)
		if err = errors.Join(err, ctx.Err()); err != nil { // when cancelled, it answers with a part and no error
			return nil, fmt.Errorf("query collection: %w", err)
		}
		kept, err := accepted(found, keep)
		if err != nil {
			return nil, err
		}
		if n == count {
			return ordinalsOf(kept), nil
		}
		if len(kept) < k {
			continue
		}
		if floor := float64(kept[k-1].Similarity) - 2*slack; float64(found[n-1].Similarity) < floor {
			return ordinalsOf(kept), nil
		}
	}
}

type candidate struct {
	chromem.Result
	ordinal uint32
}

func accepted(found []chromem.Result, keep func(uint32) bool) ([]candidate, error) {
	var out []candidate
	for _, r := range found {
		n, err := strconv.ParseUint(r.ID, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("query collection: id %q: %w", r.ID, err)
		}
		if keep(uint32(n)) {
			out = append(out, candidate{r, uint32(n)})
		}
	}
	return out, nil
}

func ordinalsOf(kept []candidate) []uint32 {
	out := make([]uint32, len(kept))
	for i, c := range kept {
		out[i] = c.ordinal
	}
	return out
}
