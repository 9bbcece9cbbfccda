package embed

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// Vector is an embedding. Vectors of one model have the model's dimension and
// unit Euclidean length, so that the dot product is the cosine.
type Vector []float32

// Model names what made a vector.
type Model struct {
	Name string  // for people: "hashed-384", "text-embedding-3-small"
	Hash string  // changes whenever the same text could get another vector
	Dim  int     // length of every vector
	Fuse float64 // weight of the vector leg in fusion that suits the model, 0 to 1
}

// Kind is the role a text plays; some models embed queries and passages differently.
type Kind int

// The kinds of text.
const (
	Passage Kind = iota
	Query
)

// Embedder turns texts into vectors.
type Embedder interface {
	Model() Model
	// Embed returns one vector per text, in order. It is all or nothing: with
	// an error, no vector is returned. Errors hold neither texts nor secrets.
	Embed(ctx context.Context, kind Kind, texts []string) ([]Vector, error)
}

// ErrVector is wrapped by errors about vectors that cannot be used.
var ErrVector = errors.New("unusable vector")

// Check returns an error that wraps [ErrVector] unless vs are n usable vectors
// of dimension dim: finite, and not all zero.
func Check(vs []Vector, n, dim int) error {
	if len(vs) != n {
		return fmt.Errorf("%w: %d vectors for %d texts", ErrVector, len(vs), n)
	}
	for i, v := range vs {
		if len(v) != dim {
			return fmt.Errorf("%w: vector %d has %d dimensions, want %d", ErrVector, i, len(v), dim)
		}
		var sum float64
		for _, x := range v {
			sum += float64(float64(x) * float64(x))
		}
		if sum == 0 || math.IsNaN(sum) || math.IsInf(sum, 0) {
			return fmt.Errorf("%w: vector %d has squared length %v", ErrVector, i, sum)
		}
	}
	return nil
}

// Normalize scales v to unit length in place. A zero vector stays zero.
func Normalize(v Vector) {
	var sum float64
	for _, x := range v {
		sum += float64(float64(x) * float64(x))
	}
	if sum == 0 {
		return
	}
	length := math.Sqrt(sum) // in float64: its inverse may overflow a float32
	for i, x := range v {
		v[i] = float32(float64(x) / length)
	}
}
