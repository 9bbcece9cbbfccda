package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func configFile(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), ConfigFile)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestLoadSources(t *testing.T) {
	file := configFile(t, `version: 1
sources:
  - {name: docs, url: ../docs, policy: acl.yaml}
  - name: kb
    url: postgres://ken@db/kb
    secret: {env: KB_PASSWORD}
    allow_private: [10.0.0.0/8]
    sql: {table: articles, key: id, text: [body]}
  - {name: wiki, url: "https://wiki.example.com/api", secret: {file: token}, api: {items: results, id: id, text: body}}
  - {name: tools, mcp: [tool-server, --stdio]}
`)
	all, err := LoadSources(file)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(file)
	if len(all) != 4 || all[0].URL != filepath.Join(dir, "../docs") || all[0].Policy != filepath.Join(dir, "acl.yaml") || all[2].Secret.File != filepath.Join(dir, "token") {
		t.Errorf("places are not relative to the file: %+v", all)
	}
	if all[1].SQL.Table != "articles" || all[2].API == nil || all[2].API.Items != "results" || all[1].API != nil || len(all[3].MCP) != 2 {
		t.Errorf("%+v", all)
	}
}

func TestLoadSourcesRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                                 "version",
		"sources: []":                      "version",
		"version: 2":                       "version 1 only",
		"version: 1\nsource: []":           "unknown field",
		"version: 1\nsources: [{}]":        "no name",
		"version: 1\nsources: [{name: a}]": "want a url",
		"version: 1\nsources: [{name: a, url: x, mcp: [y]}]":                                   "want a url",
		"version: 1\nsources: [{name: a, url: x}, {name: a, url: y}]":                          "two sources",
		"version: 1\nsources: [{name: a, url: x, rate: -1}]":                                   "negative",
		"version: 1\nsources: [{name: a, url: 'https://u:s3cret@example.com/'}]":               "password in it",
		"version: 1\nsources: [{name: a, url: x, secret: s3cret}]":                             "",
		"version: 1\nsources: [{name: a, url: x, git: {branch: main}}]":                        "unknown field",
		"version: 1\nsources: [{name: a, url: x, secret: {env: A}}]\nversion: 1":               "",
		"version: 1\n" + strings.Repeat("# a long comment that says nothing at all\n", 30_000): "1 MiB",
	} {
		if _, err := LoadSources(configFile(t, text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v; want %q", text, err, want)
		}
	}
}

func TestSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("from file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	getenv := env(map[string]string{"X": "from env", "KEN_SECRET_MY_WIKI_2": "by name"})
	for _, c := range []struct {
		secret     Secret
		name, want string
		ok         bool
	}{
		{Secret{}, "my-wiki.2", "by name", true},
		{Secret{}, "other", "", true},
		{Secret{Env: "X"}, "my-wiki.2", "from env", true},
		{Secret{Env: "Y"}, "my-wiki.2", "", false},
		{Secret{File: file}, "other", "from file", true},
		{Secret{File: file + "x"}, "other", "", false},
		{Secret{Env: "X", File: file}, "other", "", false},
	} {
		if got, err := c.secret.Value(getenv, c.name); got != c.want || (err == nil) != c.ok {
			t.Errorf("%+v of %s: %q, %v; want %q", c.secret, c.name, got, err, c.want)
		}
	}
}
