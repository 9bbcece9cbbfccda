package embedded_test

import (
	"context"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ken/corpora/acl"
	"ken/index/embedded"
	"ken/index/indextest"
	"ken/index/ingest"
	"ken/retrieval"
)

var (
	_ ingest.Store    = (*embedded.Store)(nil)
	_ retrieval.Store = (*embedded.Store)(nil)
)

var (
	everyone = acl.NewPrincipal()
	noon     = time.Date(2026, time.March, 4, 12, 0, 0, 0, time.UTC)
)

// reopened is a store that the suite can close and open again.
type reopened struct {
	*embedded.Store
	dir     string
	options embedded.Options
}

func open(t testing.TB, dir string, o embedded.Options) *reopened {
	t.Helper()
	s, err := embedded.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return &reopened{s, dir, o}
}

func (r *reopened) Reopen() (err error) {
	if err = r.Close(); err == nil {
		r.Store, err = embedded.Open(r.dir, r.options)
	}
	return err
}

func (r *reopened) Problems(ctx context.Context) ([]string, error) {
	report, err := r.Check(ctx)
	return report.Problems, err
}

func TestStoreInMemory(t *testing.T) {
	indextest.RunExact(t, func(t *testing.T) indextest.Store {
		return open(t, "data", embedded.Options{FS: vfs.NewMem()})
	})
}

func TestStoreWithChromem(t *testing.T) {
	indextest.RunExact(t, func(t *testing.T) indextest.Store {
		return open(t, "data", embedded.Options{FS: vfs.NewMem(), Vectors: "chromem"})
	})
}

func TestStoreOnDisk(t *testing.T) {
	indextest.RunExact(t, func(t *testing.T) indextest.Store {
		return open(t, t.TempDir(), embedded.Options{})
	})
}
