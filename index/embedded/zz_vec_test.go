package embedded

import (
	"io"
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ken/index/embedded/flat"
)

func zzDir(dir string) (directory, error) { return directory{fs: vfs.Default, root: dir}, nil }

func zzVec(b *testing.B, d directory, dir string, ords []uint32, c []chunkOf, codes []flat.Code) {
	err := d.writeBy(filepath.Join(dir, "x"), func(w io.Writer) error {
		return flat.EncodeWith(w, "h", 384, ords, func(i int) ([]float32, flat.Code) { return c[i].entry.Vectors[c[i].n], codes[i] })
	})
	if err != nil {
		b.Fatal(err)
	}
}
