package hashed

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"ken/embed"
)

const (
	// DefaultDim is the dimension when Options.Dim is 0.
	DefaultDim = 384
	// MinDim and MaxDim bound Options.Dim.
	MinDim, MaxDim = 64, 4096

	// Fuse is the weight of these vectors in fusion.
	Fuse = .05

	// version changes with anything that could give a text another vector.
	version = "ken hashed n-grams 1"
)

// ErrOptions is wrapped by errors about options.
var ErrOptions = errors.New("bad options of the hashed embedder")

// Options configure an [Embedder]. The zero value is the default.
type Options struct {
	// Dim is the dimension of the vectors, MinDim to MaxDim; 0 is DefaultDim.
	// More dimensions mean fewer collisions and proportionally larger vectors.
	Dim int
}

// Embedder is an embed.Embedder. It is safe for concurrent use.
type Embedder struct {
	model  embed.Model
	common map[uint64]bool // read-only
}

var _ embed.Embedder = (*Embedder)(nil)

// New returns an embedder, or an error that wraps [ErrOptions].
func New(o Options) (*Embedder, error) {
	if o.Dim == 0 {
		o.Dim = DefaultDim
	}
	if o.Dim < MinDim || o.Dim > MaxDim {
		return nil, fmt.Errorf("%w: dimension %d: want %d to %d", ErrOptions, o.Dim, MinDim, MaxDim)
	}
	return &Embedder{model: model(o.Dim), common: common()}, nil
}

func model(dim int) embed.Model {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s dim=%d", version, dim))
	return embed.Model{
		Name: fmt.Sprintf("hashed-%d", dim),
		Hash: hex.EncodeToString(sum[:16]),
		Dim:  dim,
		Fuse: Fuse,
	}
}

// Model returns the model; its Hash covers the version of the algorithm and the
// dimension.
func (e *Embedder) Model() embed.Model { return e.model }

// Embed returns one vector per text. The kind makes no difference. The only
// error is the context's; it is looked at before each text. A text without any
// word gets the first unit vector (1, 0, 0, …), which every such text shares.
func (e *Embedder) Embed(ctx context.Context, _ embed.Kind, texts []string) ([]embed.Vector, error) {
	out := make([]embed.Vector, len(texts))
	s := newSketch(e.model.Dim, e.common)
	for i, text := range texts {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("hashed: embed: %w", err)
		}
		out[i] = s.vector(text)
	}
	return out, nil
}
