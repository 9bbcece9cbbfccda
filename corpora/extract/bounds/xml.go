package bounds

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
)

const (
	maxXMLDepth = 256
	maxXMLToken = 4 << 20 // bytes without a < or >
)

// XML calls visit for the start, end and text tokens of an XML stream. There are
// no document types, so no entity means more than one character and nothing is
// fetched; what nests deeper than 256, or goes on for 4 MiB without markup, is
// over the limit.
func XML(ctx context.Context, r io.Reader, visit func(xml.Token) error) error {
	d := xml.NewDecoder(&tokenGuard{from: r})
	d.CharsetReader = func(name string, _ io.Reader) (io.Reader, error) {
		return nil, fmt.Errorf("encoding %q is not read", name)
	}
	depth, n := 0, 0
	for {
		t, err := d.RawToken()
		if errors.Is(err, io.EOF) && depth == 0 {
			return nil
		}
		if err != nil {
			return xmlError(err)
		}
		switch t.(type) {
		case xml.StartElement:
			depth++
		case xml.EndElement:
			depth--
		case xml.Directive:
			return fmt.Errorf("%w: it declares a document type", ErrLimit)
		}
		if depth > maxXMLDepth {
			return fmt.Errorf("%w: elements nest deeper than %d", ErrLimit, maxXMLDepth)
		}
		if n++; n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := visit(t); err != nil {
			return err
		}
	}
}

func xmlError(err error) error {
	if errors.Is(err, ErrLimit) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

// tokenGuard bounds what the decoder holds for one token.
type tokenGuard struct {
	from io.Reader
	run  int
}

func (g *tokenGuard) Read(p []byte) (int, error) {
	n, err := g.from.Read(p)
	for _, c := range p[:n] {
		if g.run++; c == '<' || c == '>' {
			g.run = 0
		}
		if g.run > maxXMLToken {
			return 0, fmt.Errorf("%w: %d bytes of XML without markup", ErrLimit, maxXMLToken)
		}
	}
	return n, err
}
