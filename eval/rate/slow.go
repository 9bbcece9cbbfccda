package main

import (
	"context"
	"hash/maphash"
	"math/rand/v2"
	"sync"
	"time"

	"ken/embed"
)

// slow stands for an endpoint: it takes a fixed time for each request of up to 64
// texts, and hardly any of the processors'. Its vectors are numbers drawn from a
// seed that is the text's hash.
type slow struct {
	request time.Duration
	seed    maphash.Seed

	mu       sync.Mutex
	requests int
	waiting  int
	began    time.Time
	busy     time.Duration
}

const (
	dim   = 384
	texts = 64 // in a request
)

func newSlow(request time.Duration) *slow { return &slow{request: request, seed: maphash.MakeSeed()} }

func (s *slow) Model() embed.Model {
	return embed.Model{Name: "stand-in", Hash: "stand-in", Dim: dim, Fuse: .5}
}

func (s *slow) Embed(ctx context.Context, _ embed.Kind, in []string) ([]embed.Vector, error) {
	out := make([]embed.Vector, 0, len(in))
	for begin := 0; begin < len(in); begin += texts {
		if err := s.wait(ctx); err != nil {
			return nil, err
		}
		for _, text := range in[begin:min(len(in), begin+texts)] {
			out = append(out, s.vector(text))
		}
	}
	return out, nil
}

func (s *slow) wait(ctx context.Context) error {
	s.mu.Lock()
	s.requests++
	if s.waiting++; s.waiting == 1 {
		s.began = time.Now()
	}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		if s.waiting--; s.waiting == 0 {
			s.busy += time.Since(s.began)
		}
		s.mu.Unlock()
	}()
	select {
	case <-time.After(s.request):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *slow) vector(text string) embed.Vector {
	r := rand.NewPCG(maphash.String(s.seed, text), 1)
	v := make(embed.Vector, dim)
	for i := range v {
		v[i] = float32(int32(r.Uint64())) // as good as any direction
	}
	embed.Normalize(v)
	return v
}
