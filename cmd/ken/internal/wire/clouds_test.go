//go:build full

package wire_test

import (
	"errors"
	"net/url"
	"os"
	"strings"
	"testing"

	"gocloud.dev/blob"

	"ken/cmd/ken/internal/cloudtest"
	"ken/cmd/ken/internal/config"
	"ken/cmd/ken/internal/wire"
	"ken/corpora/acl"
	"ken/corpora/source/safenet"
	"ken/corpora/sourcetest"
)

// TestClouds runs the suite over emulators of Azure and GCS. They change who may
// read an object twice within a second, of which the object's time tells nothing.
func TestClouds(t *testing.T) {
	for name, open := range map[string]func(*testing.T) string{"azure": cloudtest.Azure, "gcs": cloudtest.GCS} {
		t.Run(name, func(t *testing.T) {
			if open(t) == "" {
				t.Skip("SKIPPED: no emulator")
			}
			sourcetest.Run(t, func(t *testing.T) sourcetest.Fixture { return inBucket(t, open(t)) })
		})
	}
}

// inBucket says who may read in the objects' metadata.
func inBucket(t *testing.T, u string) sourcetest.Fixture {
	t.Helper()
	b, err := blob.OpenBucket(t.Context(), u)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	c := config.Source{Name: "bucket", URL: strings.Replace(u, "?", "/docs?", 1), AllowPrivate: []string{"127.0.0.1"}}
	s, err := wire.OpenSource(t.Context(), c, "", os.Getenv, wire.Directories{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // a broken one is closed already
	write := func(name, text string, metadata map[string]string) {
		t.Helper()
		if err := b.WriteAll(t.Context(), "docs/"+name, []byte(text), &blob.WriterOptions{Metadata: metadata}); err != nil {
			t.Fatal(err)
		}
	}
	mark := func(name, who string) {
		t.Helper()
		data, err := b.ReadAll(t.Context(), "docs/"+name)
		if err != nil {
			t.Fatal(err)
		}
		write(name, string(data), map[string]string{"ken_acl_allow": who})
	}
	return sourcetest.Fixture{
		Source: s.Source,
		Put:    func(name, text string) { write(name, text, nil) },
		Remove: func(name string) {
			if err := b.Delete(t.Context(), "docs/"+name); err != nil {
				t.Fatal(err)
			}
		},
		SetACL: func(name string, who ...acl.Subject) {
			names := make([]string, len(who))
			for i, s := range who {
				names[i] = string(s)
			}
			mark(name, strings.Join(names, ","))
		},
		Spoil: func(name string) { mark(name, "ann") },
		Break: func() { _ = s.Close() },
	}
}

// A server of one's own in place of a cloud is reached when its address is public,
// or the source says that it is meant.
func TestEndpoints(t *testing.T) {
	here := url.Values{"endpoint": {"http://127.0.0.1:9"}, "region": {"us-east-1"}}.Encode()
	for name, c := range map[string]struct {
		url     string
		env     map[string]string
		allow   []string
		refused bool
	}{
		"s3":                           {url: "s3://b?" + here, refused: true},
		"s3, by name":                  {url: "s3://b?region=us-east-1&endpoint=http://localhost:9", refused: true},
		"s3, meant":                    {url: "s3://b?" + here, allow: []string{"127.0.0.0/8"}},
		"s3, another is meant":         {url: "s3://b?" + here, allow: []string{"10.0.0.0/8"}, refused: true},
		"s3, a cloud's own address":    {url: "s3://b?region=us-east-1&endpoint=http://169.254.169.254", allow: []string{"169.254.0.0/16"}, refused: true},
		"s3, by the environment":       {url: "s3://b?region=us-east-1", env: map[string]string{"AWS_ENDPOINT_URL_S3": "http://[::1]:9"}, refused: true},
		"s3 itself":                    {url: "s3://b?region=us-east-1"},
		"gcs":                          {url: "gs://b?anonymous=true", env: map[string]string{"STORAGE_EMULATOR_HOST": "127.0.0.1:9"}, refused: true},
		"gcs, meant":                   {url: "gs://b?anonymous=true", env: map[string]string{"STORAGE_EMULATOR_HOST": "127.0.0.1:9"}, allow: []string{"127.0.0.1"}},
		"azure":                        {url: "azblob://b?domain=127.0.0.1:9&protocol=http", refused: true},
		"azure, meant":                 {url: "azblob://b?domain=127.0.0.1:9&protocol=http", allow: []string{"127.0.0.1"}},
		"azure, an emulator elsewhere": {url: "azblob://b?domain=10.0.0.1:9&localemu=true", refused: true},
		"azure, by the environment":    {url: "azblob://b", env: map[string]string{"AZURE_STORAGE_DOMAIN": "localhost:9"}, refused: true},
		"azure, by connection":         {url: "azblob://b", env: map[string]string{"AZURE_STORAGE_CONNECTION_STRING": "AccountName=ken;AccountKey=a2Vu;BlobEndpoint=http://127.0.0.1:9/ken;"}, refused: true},
		"azure itself":                 {url: "azblob://b"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("AZURE_STORAGE_ACCOUNT", "ken")
			t.Setenv("AZURE_STORAGE_KEY", "a2Vu")
			for k, v := range c.env {
				t.Setenv(k, v)
			}
			s, err := wire.OpenSource(t.Context(), config.Source{Name: "b", URL: c.url, AllowPrivate: c.allow}, "", os.Getenv, wire.Directories{})
			if err == nil {
				err = s.Close()
			}
			if errors.Is(err, safenet.ErrRefused) != c.refused || !c.refused && err != nil {
				t.Errorf("%v; want it refused: %v", err, c.refused)
			}
		})
	}
}
