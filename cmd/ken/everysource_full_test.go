//go:build full

package main

import (
	"io/fs"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// clouds are buckets that only the full binary reads: an S3-compatible server.
func clouds(t *testing.T, folder string) map[string]string {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("handbook"); err != nil {
		t.Fatal(err)
	}
	root := os.DirFS(folder)
	err := fs.WalkDir(root, ".", func(p string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := fs.ReadFile(root, p)
		if err != nil {
			return err
		}
		_, err = backend.PutObject("handbook", "docs/"+p, map[string]string{}, strings.NewReader(string(data)), int64(len(data)), nil)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(s.Close)
	t.Setenv("AWS_ACCESS_KEY_ID", "x")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "x")
	q := url.Values{"region": {"us-east-1"}, "endpoint": {s.URL}, "use_path_style": {"true"}, "hostname_immutable": {"true"}}
	return map[string]string{"s3": "s3://handbook/docs?" + q.Encode()}
}
