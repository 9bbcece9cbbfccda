package blocks_test

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"ken/index/embedded/blocks"
)

// A body that comes in pieces is sealed as one that comes whole.
func TestWriterSealsAsSeal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var out bytes.Buffer
		var body []byte
		w := blocks.NewWriter(&out)
		for range rapid.IntRange(0, 5).Draw(t, "pieces") {
			size := rapid.SampledFrom([]int{0, 1, 3, blocks.Size - 1, blocks.Size, 63*blocks.Size + 1, 130 * blocks.Size}).Draw(t, "size")
			if rapid.Bool().Draw(t, "pad") {
				body = append(body, make([]byte, size)...)
				w.Pad(len(body))
				w.Pad(len(body) - 1)
			} else {
				piece := bytes.Repeat([]byte{rapid.Byte().Draw(t, "byte")}, size)
				body = append(body, piece...)
				if n, err := w.Write(piece); n != size || err != nil {
					t.Fatalf("wrote %d of %d: %v", n, size, err)
				}
			}
			if w.Len() != len(body) {
				t.Fatalf("size %d, want %d", w.Len(), len(body))
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if want := blocks.Seal(body); !bytes.Equal(out.Bytes(), want) {
			t.Fatalf("a body of %d bytes was sealed differently", len(body))
		}
	})
}

// failing takes so many bytes and then fails.
type failing struct{ left int }

var errFull = errors.New("no space")

func (f *failing) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestWriterTellsTheFirstError(t *testing.T) {
	for _, left := range []int{0, 70 * blocks.Size, 100*blocks.Size + 10} {
		w := blocks.NewWriter(&failing{left})
		for range 100 {
			if _, err := w.Write(make([]byte, blocks.Size)); err != nil && !errors.Is(err, errFull) {
				t.Fatal(err)
			}
		}
		w.Pad(1000 * blocks.Size)
		if err := w.Close(); !errors.Is(err, errFull) {
			t.Errorf("room for %d: error %v", left, err)
		}
	}
}
