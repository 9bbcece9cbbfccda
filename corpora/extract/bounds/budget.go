package bounds

import (
	"errors"
	"fmt"
	"io"
)

// What one document may unpack to, everything that it contains included.
const (
	MaxExpanded = 256 << 20 // bytes read out of containers
	MaxParts    = 10_000    // members of archives, parts of mails, entries of packages
	MaxDepth    = 4         // containers in each other
	// MaxPart is how much of one part is held in memory.
	MaxPart = 64 << 20
	// MaxText bounds the text that is made of a document, in bytes.
	MaxText = 32 << 20
)

// Budget is what is left for one document. It belongs to one goroutine.
type Budget struct {
	bytes int64
	parts int
	depth int
}

// New returns the budget of a document.
func New() *Budget { return &Budget{bytes: MaxExpanded, parts: MaxParts, depth: MaxDepth} }

// Enter goes one container deeper. The caller calls the function that it
// returns when it has left the container.
func (b *Budget) Enter() (leave func(), err error) {
	if b.depth == 0 {
		return nil, fmt.Errorf("%w: more than %d containers in each other", ErrLimit, MaxDepth)
	}
	b.depth--
	return func() { b.depth++ }, nil
}

// Part takes one part out of the budget.
func (b *Budget) Part() error {
	if b.parts == 0 {
		return fmt.Errorf("%w: more than %d parts", ErrLimit, MaxParts)
	}
	b.parts--
	return nil
}

// Reader returns r, read from which is taken out of the budget.
func (b *Budget) Reader(r io.Reader) io.Reader { return &reader{from: r, budget: b} }

type reader struct {
	from   io.Reader
	budget *Budget
}

func (r *reader) Read(p []byte) (int, error) {
	n, err := r.from.Read(p)
	if r.budget.bytes -= int64(n); r.budget.bytes < 0 {
		return 0, fmt.Errorf("%w: it unpacks to more than %d MiB", ErrLimit, MaxExpanded>>20)
	}
	return n, err
}

// ReadAll reads a part, of at most [MaxPart] bytes, into memory.
func (b *Budget) ReadAll(r io.Reader) ([]byte, error) { return ReadPart(b.Reader(r)) }

// ReadPart is [Budget.ReadAll] for a reader whose bytes are in the budget already.
func ReadPart(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxPart+1))
	switch {
	case errors.Is(err, ErrLimit):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	case len(data) > MaxPart:
		return nil, fmt.Errorf("%w: a part has more than %d MiB", ErrLimit, MaxPart>>20)
	}
	return data, nil
}
