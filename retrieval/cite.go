package retrieval

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"ken/corpora"
	"ken/corpora/acl"
	"ken/index"
)

// cite pins the text that stands at the span of the document.
func cite(d corpora.Document, span index.Span, text string) Citation {
	return Citation{Document: d.ID, Version: d.Version, Span: span, Hash: hash(text)}
}

func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// State is what became of a quotation.
type State string

// The states of a quotation.
const (
	Unchanged State = "unchanged"                       // the quoted bytes stand at the quoted place
	Changed   State = "changed"                         // the document can be read, other bytes stand there
	Earlier   State = "unchanged in an earlier version" // not in the document as it is now; in the version that was quoted, which is kept
	NotFound  State = "not found"                       // no such document, or not for this principal
)

// Verdict is the answer of [Searcher.Verify].
type Verdict struct {
	State   State  `json:"state"`
	Version string `json:"version,omitempty"` // the document's version now; "" if not found
	Current bool   `json:"current"`           // the citation is of that version
}

// Verify tells whether the quoted text still stands where the citation says.
// A citation stays [Unchanged] when the document changed elsewhere; Current
// tells the two apart.
func (s *Searcher) Verify(ctx context.Context, p acl.Principal, c Citation) (Verdict, error) {
	v, err := s.open(ctx, p)
	if err != nil {
		return Verdict{}, err
	}
	defer v.Close()
	d, text, err := v.text(ctx, c.Document)
	if errors.Is(err, index.ErrNotFound) {
		return Verdict{State: NotFound}, nil
	}
	if err != nil {
		return Verdict{}, err
	}
	verdict := Verdict{State: Changed, Version: d.Version, Current: d.Version == c.Version}
	if quoted, ok := slice(text, c.Span); ok && hash(quoted) == c.Hash {
		verdict.State = Unchanged
		return verdict, nil
	}
	if verdict.Current || c.Version == "" {
		return verdict, nil
	}
	stood, err := v.stoodIn(ctx, c)
	if stood {
		verdict.State = Earlier
	}
	return verdict, err
}

// slice returns the bytes of the span if it lies in the text.
func slice(text string, span index.Span) (string, bool) {
	if span.Start < 0 || span.Start > span.End || span.End > len(text) {
		return "", false
	}
	return text[span.Start:span.End], true
}
