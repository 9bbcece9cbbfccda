// Package part is what containers, such as mails and archives, know of the
// documents that they hold: how to have one read, and how to write down what
// was read or why it was not.
package part

import (
	"context"
	"errors"
	"path"
	"strings"

	"ken/corpora/extract/bounds"
	"ken/corpora/extract/mark"
)

// Text is what was read of a part.
type Text struct {
	Title    string
	Body     string
	Markdown bool   // Body is Markdown
	Code     string // Body is source code in this language; "" if it is not
}

// Read reads a part within the budget of the document that holds it.
type Read func(ctx context.Context, name string, data []byte, b *bounds.Budget) (Text, error)

// Write writes a part below a heading that names it. A part that cannot be read
// is named with the reason, so that nothing is dropped silently. Only an
// error of the context is returned.
func Write(ctx context.Context, w *mark.Writer, level int, name string, data []byte, read Read, b *bounds.Budget) error {
	t, err := read(ctx, name, data, b)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	w.Heading(level, name)
	if err != nil {
		w.Paragraph("(not read: " + Reason(err) + ")")
		return nil
	}
	t.write(w, level)
	return nil
}

func (t Text) write(w *mark.Writer, level int) {
	switch {
	case t.Markdown:
		w.Block(level, t.Body)
	case t.Code != "":
		w.Code(t.Code, t.Body)
	default:
		for block := range strings.SplitSeq(t.Body, "\n\n") {
			w.Paragraph(block)
		}
	}
}

// Reason is an error in the words of this program, without those of libraries,
// which may quote the part.
func Reason(err error) string {
	for _, known := range []error{bounds.ErrUnsupported, bounds.ErrLocked, bounds.ErrScanned, bounds.ErrLimit, bounds.ErrDamaged} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return "it could not be read"
}

// Shown reports whether a member of an archive is one that a person put there,
// by its path: not a hidden file, nor what a system adds.
func Shown(name string) bool {
	for segment := range strings.SplitSeq(path.Clean(strings.ReplaceAll(name, `\`, "/")), "/") {
		if segment != "." && segment != ".." && strings.HasPrefix(segment, ".") || segment == "__MACOSX" {
			return false
		}
	}
	return true
}
