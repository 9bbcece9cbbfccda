package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func env(pairs map[string]string) Getenv { return func(k string) string { return pairs[k] } }

func TestDataDir(t *testing.T) {
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{map[string]string{DataVar: "/a", "XDG_DATA_HOME": "/b"}, "/a"},
		{map[string]string{"XDG_DATA_HOME": "/b"}, filepath.Join("/b", "ken")},
	} {
		got, err := DataDir(env(c.env))
		if err != nil || got != c.want {
			t.Errorf("DataDir(%v) = %q, %v; want %q", c.env, got, err, c.want)
		}
	}
	got, err := DataDir(env(nil))
	if err != nil || !strings.Contains(strings.ToLower(got), "ken") {
		t.Errorf("DataDir() = %q, %v; want a place that ends in ken", got, err)
	}
}

func TestSettings(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	got, err := Load(dir)
	if err != nil || got.Embedder.Kind != "hashed" {
		t.Fatalf("Load of no directory = %+v, %v; want the default", got, err)
	}
	want := Settings{Embedder: Embedder{Kind: "openai", URL: "http://127.0.0.1:1/v1", Model: "m", Fuse: .5}}
	if err := Save(dir, want); err != nil {
		t.Fatal(err)
	}
	if got, err = Load(dir); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Load after Save = %+v, %v; want %+v", got, err, want)
	}
	if err := os.WriteFile(filepath.Join(dir, settingsFile), []byte(`{"embeder":{}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), "embeder") {
		t.Errorf("Load of a file with a typo: %v; want an error that names it", err)
	}
}

func TestLogin(t *testing.T) {
	if s, err := Login(); err != nil || !s.IsUser() {
		t.Errorf("Login() = %q, %v; want a user", s, err)
	}
}
