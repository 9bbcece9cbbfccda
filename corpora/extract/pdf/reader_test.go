package pdf_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"ken/corpora/extract/bounds"
	"ken/corpora/extract/extracttest"
	"ken/corpora/extract/pdf"
)

// A reader is used by many at once; documents that are damaged or given up take
// nothing from the others, before, beside or after them.
func TestReaderAfterFaults(t *testing.T) {
	page := func(text string) []byte {
		return extracttest.PDF([]extracttest.Block{{Text: text}}, extracttest.Layout{})
	}
	long := extracttest.PDF(extracttest.NewRandom(1, "en").Blocks(120), extracttest.Layout{})
	r := &pdf.Reader{Cache: t.TempDir()}
	if _, got, err := r.Text(t.Context(), page("first words")); err != nil || !strings.Contains(got, "first words") {
		t.Fatalf("%q, %v", got, err)
	}
	var group sync.WaitGroup
	for _, word := range []string{"alpha", "beta", "gamma"} {
		group.Go(func() {
			for range 2 {
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
				if _, _, err := r.Text(ctx, long); err != nil && !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("a document that was given up: %v", err)
				}
				cancel()
				if _, _, err := r.Text(t.Context(), []byte("%PDF-1.7\nnothing")); !errors.Is(err, bounds.ErrDamaged) {
					t.Errorf("a damaged document: %v", err)
				}
				_, got, err := r.Text(t.Context(), page("only "+word))
				if err != nil || strings.TrimSpace(got) != "## Page 1\n\nonly "+word {
					t.Errorf("%q, %v", got, err)
				}
			}
		})
	}
	group.Wait()
}
