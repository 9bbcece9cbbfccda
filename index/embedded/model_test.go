package embedded_test

import (
	"flag"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ken/index/embedded"
	"ken/index/indextest"
)

var soak = flag.Duration("soak", 0, "how long TestModel goes on; 0 is one round")

// fragile is a store whose power can be cut.
type fragile struct {
	*reopened
	disk *vfs.MemFS
}

func (f *fragile) Crash() error {
	percent := []int{0, 50, 100}[rand.IntN(3)]
	left := f.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: rand.New(rand.NewPCG(rand.Uint64(), 0))})
	if err := f.Close(); err != nil { // on the disk that is thrown away
		return err
	}
	f.disk, f.options.FS = left, left
	var err error
	f.Store, err = embedded.Open(f.dir, f.options)
	return err
}

// Random operations, merges, reopenings and power cuts among them, never make an
// answer differ from the oracle's by a bit.
func TestModel(t *testing.T) {
	for _, vectors := range []string{"flat", "chromem"} {
		t.Run(vectors, func(t *testing.T) {
			indextest.Soak(t, *soak/2, func(t *testing.T) indextest.Store {
				disk := vfs.NewCrashableMem()
				return &fragile{open(t, "data", embedded.Options{FS: disk, Vectors: vectors}), disk}
			})
		})
	}
}
