package frontmatter

import (
	"errors"
	"fmt"
)

// ErrMalformed is wrapped by every error of this package. A document with such
// an error may be narrower than it seems: give it to no one.
var ErrMalformed = errors.New("front matter")

func malformed(err error) error { return fmt.Errorf("%w: %w", ErrMalformed, err) }
