package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml"

	"ken/corpora/source/api"
)

// ConfigVar names the configuration file, like the flag --config.
const ConfigVar = "KEN_CONFIG"

// ConfigFile is the configuration file that is looked for where ken runs.
const ConfigFile = "ken.yaml"

// Source is one place that documents come from.
type Source struct {
	Name         string   `yaml:"name"`          // begins every document's id; "" is made of the URL
	URL          string   `yaml:"url"`           // a folder, or SCHEME://…
	Owner        string   `yaml:"owner"`         // may read where nothing else is said; "" is whoever runs ken
	Policy       string   `yaml:"policy"`        // policy file, for sources that hold none; relative to the configuration
	Secret       Secret   `yaml:"secret"`        // password or token
	User         string   `yaml:"user"`          // whose it is, for HTTP Basic; "": a bearer token
	Header       string   `yaml:"header"`        // header that carries the token as it is, in place of Authorization
	ACL          string   `yaml:"acl"`           // "posix": of a folder, its files' own permissions are those that count
	CA           string   `yaml:"ca"`            // PEM file of the authorities that a broker's certificate may come from; "": the system's
	AllowPrivate []string `yaml:"allow_private"` // networks, addresses and hosts that are not public and may be reached
	Rate         float64  `yaml:"rate"`          // calls a second; 0: as fast as it goes
	MaxBytes     int64    `yaml:"max_bytes"`     // largest document

	Git GitSource  `yaml:"git"`
	SQL SQLSource  `yaml:"sql"`
	Web WebSource  `yaml:"web"`
	API *api.Shape `yaml:"api"` // an http(s) URL with this is an API, without it a web site
	MCP []string   `yaml:"mcp"` // command that speaks MCP on stdin and stdout, in place of a URL
}

// GitSource is what a repository needs to be told of.
type GitSource struct {
	Ref        string `yaml:"ref"`
	Path       string `yaml:"path"`
	Codeowners bool   `yaml:"codeowners"`
	KnownHosts string `yaml:"known_hosts"` // over SSH: file that says which keys servers have; "": that of whoever runs ken
	Agent      string `yaml:"agent"`       // over SSH: socket of the agent that holds the key; "": the secret is the key
	Keep       bool   `yaml:"keep"`        // keep what was fetched in the data directory, history included
}

// SQLSource is what a database needs to be told of.
type SQLSource struct {
	Table    string   `yaml:"table"`
	Query    string   `yaml:"query"`
	Key      string   `yaml:"key"`
	Updated  string   `yaml:"updated"`
	Title    string   `yaml:"title"`
	Text     []string `yaml:"text"`
	URL      string   `yaml:"url"`
	Language string   `yaml:"language"`
	Class    string   `yaml:"class"`
	Allow    string   `yaml:"allow"`
	Deny     string   `yaml:"deny"`
	Prefix   string   `yaml:"prefix"`
	Format   string   `yaml:"format"`
	Schema   string   `yaml:"schema"` // path of a document that tells the columns; "": none
}

// WebSource is what a web site needs to be told of.
type WebSource struct {
	Start    []string `yaml:"start"` // besides the URL
	Agent    string   `yaml:"agent"`
	Depth    int      `yaml:"depth"`
	MaxPages int      `yaml:"max_pages"`
	Exclude  []string `yaml:"exclude"`
}

// Secret is where a password or token is: never the thing itself.
type Secret struct {
	Env  string `yaml:"env"`
	File string `yaml:"file"`
}

// Value reads the secret. Without a place it is what $KEN_SECRET_NAME holds, NAME
// being the source's in capitals with _ for what is no letter or digit; or "".
func (s Secret) Value(getenv Getenv, source string) (string, error) {
	switch {
	case s.Env != "" && s.File != "":
		return "", errors.New("the secret is in one place, env or file")
	case s.File != "":
		data, err := os.ReadFile(s.File)
		if err != nil {
			return "", fmt.Errorf("read the secret: %w", err)
		}
		if len(data) > 64<<10 {
			return "", errors.New("the secret's file has more than 64 KiB")
		}
		return strings.TrimRight(string(data), "\r\n"), nil
	case s.Env != "":
		if v := getenv(s.Env); v != "" {
			return v, nil
		}
		return "", fmt.Errorf("the secret is to be in $%s, which is empty", s.Env)
	}
	return getenv(SecretVar(source)), nil
}

// SecretVar is the environment variable of a source's secret.
func SecretVar(source string) string {
	return "KEN_SECRET_" + strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, source)
}

// LoadSources reads the sources of a configuration file. Places in it are
// relative to the file. Whatever is not known is an error with line and column.
func LoadSources(path string) ([]Source, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	defer f.Close() // opened to read
	data, err := io.ReadAll(io.LimitReader(f, 1<<20+1))
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	if len(data) > 1<<20 {
		return nil, fmt.Errorf("%s has more than 1 MiB", path)
	}
	var c struct {
		Version int      `yaml:"version"`
		Sources []Source `yaml:"sources"`
	}
	if err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(&c); err != nil && !errors.Is(err, io.EOF) { // an empty file lacks its version
		return nil, fmt.Errorf("%s: %s", path, yaml.FormatError(err, false, false))
	}
	if c.Version != 1 {
		return nil, fmt.Errorf("%s: this ken reads version 1 only: begin with \"version: 1\"", path)
	}
	names := map[string]bool{}
	for i := range c.Sources {
		s := &c.Sources[i]
		if err := s.check(); err != nil {
			return nil, fmt.Errorf("%s: source %d: %w", path, i+1, err)
		}
		if names[s.Name] {
			return nil, fmt.Errorf("%s: two sources are named %q", path, s.Name)
		}
		names[s.Name] = true
		s.resolve(filepath.Dir(path))
	}
	return c.Sources, nil
}

func (s *Source) check() error {
	switch {
	case s.Name == "":
		return errors.New("it has no name")
	case (s.URL == "") == (len(s.MCP) == 0):
		return fmt.Errorf("%s: want a url or an mcp command", s.Name)
	case s.Rate < 0 || s.MaxBytes < 0:
		return fmt.Errorf("%s: a limit is negative", s.Name)
	}
	return CheckNoPassword(s.URL)
}

// CheckNoPassword refuses a URL with a password in it, which everybody on the
// machine and whoever reads the configuration would see. The error does not hold it.
func CheckNoPassword(text string) error {
	if !strings.Contains(text, "://") {
		return nil
	}
	u, err := url.Parse(text)
	if err != nil {
		return errors.New("the URL is malformed")
	}
	if _, has := u.User.Password(); has {
		return fmt.Errorf("the URL of %s has a password in it: put that into an environment variable or a file (secret)", u.Host)
	}
	return nil
}

// resolve makes the places in the file absolute.
func (s *Source) resolve(dir string) {
	for _, p := range []*string{&s.Policy, &s.Secret.File, &s.CA, &s.Git.KnownHosts, &s.Git.Agent} {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	if s.URL != "" && !strings.Contains(s.URL, "://") && !filepath.IsAbs(s.URL) {
		s.URL = filepath.Join(dir, s.URL)
	}
}
