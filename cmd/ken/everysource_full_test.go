//go:build full

package main

import (
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"gocloud.dev/blob"

	"ken/cmd/ken/internal/cloudtest"
)

// clouds are buckets that only the full binary reads: an S3-compatible server with
// the policy of the folder, and emulators of Azure and GCS that say with each
// object who may read it.
func clouds(t *testing.T, folder string, pages map[string]string) map[string]string {
	t.Helper()
	out := map[string]string{"s3": s3Server(t), "gcs": cloudtest.GCS(t)}
	if u := cloudtest.Azure(t); u != "" {
		out["azure"] = u
	}
	for name, u := range out {
		bucket, err := blob.OpenBucket(t.Context(), u)
		if err != nil {
			t.Fatal(err)
		}
		for path, text := range pages {
			o := &blob.WriterOptions{Metadata: map[string]string{"ken_acl_allow": readersOf(path)}}
			if name == "s3" {
				o = nil
			}
			if err := bucket.WriteAll(t.Context(), "docs/"+path, []byte(text), o); err != nil {
				t.Fatal(err)
			}
		}
		if name == "s3" {
			rules, err := os.ReadFile(filepath.Join(folder, ".ken", "acl.yaml"))
			if err == nil {
				err = bucket.WriteAll(t.Context(), "docs/.ken/acl.yaml", rules, nil)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := bucket.Close(); err != nil {
			t.Fatal(err)
		}
		out[name] = strings.Replace(u, "?", "/docs?", 1)
	}
	return out
}

func s3Server(t *testing.T) string {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("handbook"); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(s.Close)
	t.Setenv("AWS_ACCESS_KEY_ID", "x")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "x")
	q := url.Values{"region": {"us-east-1"}, "endpoint": {s.URL}, "use_path_style": {"true"}, "hostname_immutable": {"true"}}
	return "s3://handbook?" + q.Encode()
}
