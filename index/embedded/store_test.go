package embedded_test

import (
	"bytes"
	"context"
	"log/slog"
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
	log     *bytes.Buffer // what the store told operators; nil if the test has a logger of its own
}

func open(t testing.TB, dir string, o embedded.Options) *reopened {
	t.Helper()
	r := &reopened{dir: dir, options: o}
	if o.Logger == nil {
		r.log = &bytes.Buffer{}
		r.options.Logger = slog.New(slog.NewTextHandler(r.log, nil))
	}
	var err error
	if r.Store, err = embedded.Open(dir, r.options); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *reopened) Reopen() (err error) {
	if err = r.Close(); err == nil {
		r.Store, err = embedded.Open(r.dir, r.options)
	}
	return err
}

// Problems also has what was logged: a merge that fails is no error of a write.
func (r *reopened) Problems(ctx context.Context) ([]string, error) {
	report, err := r.Check(ctx)
	if r.log.Len() > 0 {
		report.Problems = append(report.Problems, r.log.String())
	}
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
		return open(t, t.TempDir(), embedded.Options{Reserve: 1 << 20})
	})
}
