package bounds

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
)

// Zip opens a ZIP file in memory. Its directory is checked against the budget
// before anything is unpacked.
func (b *Budget) Zip(data []byte) (*zip.Reader, error) {
	if len(data) > MaxExpanded {
		return nil, fmt.Errorf("%w: %d bytes", ErrLimit, len(data))
	}
	// A directory entry takes 46 bytes or more, so this bounds what the reader makes of it.
	if n := bytes.Count(data, []byte("PK\x01\x02")); n > MaxParts {
		return nil, fmt.Errorf("%w: more than %d files in it", ErrLimit, MaxParts)
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return z, nil
}

// Open opens a file of a ZIP for reading within the budget.
func (b *Budget) Open(f *zip.File) (io.ReadCloser, error) {
	if err := b.Part(); err != nil {
		return nil, err
	}
	const encrypted = 1
	if f.Flags&encrypted != 0 {
		return nil, ErrLocked
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return struct {
		io.Reader
		io.Closer
	}{b.Reader(r), r}, nil
}
