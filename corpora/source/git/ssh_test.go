package git_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"ken/corpora/source/git"
	"ken/corpora/source/remote"
	"ken/corpora/source/safenet"
	"ken/corpora/sourcetest"
)

// sshd is the server that .ci/services starts, and the folder of its keys.
func sshd(t *testing.T) (url, keys string) {
	t.Helper()
	url, keys = os.Getenv("KEN_TEST_SSH"), os.Getenv("KEN_TEST_SSH_KEYS")
	if url == "" {
		if os.Getenv("CI") != "" {
			t.Fatal("KEN_TEST_SSH names no server: run .ci/services")
		}
		t.Skip("SKIPPED: KEN_TEST_SSH names no server; eval \"$(.ci/services)\" starts one")
	}
	return url, keys
}

func readFile(t *testing.T, parts ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func loopback(t *testing.T) func(context.Context, string, string) (net.Conn, error) {
	t.Helper()
	rules, err := safenet.Parse([]string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	return safenet.Dialer(rules)
}

// overSSH are the options for a repository on the server.
func overSSH(t *testing.T, dir string) git.Options {
	t.Helper()
	url, keys := sshd(t)
	return git.Options{
		URL: url + dir, Keep: t.TempDir(), Calls: remote.Options{Backoff: time.Millisecond},
		SSH: &git.SSH{KnownHosts: []string{filepath.Join(keys, "known_hosts")}, Key: readFile(t, keys, "key"), Dial: loopback(t)},
	}
}

func TestConformanceOverSSH(t *testing.T) {
	if testing.Short() {
		t.Skip("slow under the race detector: make test runs it")
	}
	sshd(t)
	sourcetest.Run(t, func(t *testing.T) sourcetest.Fixture {
		r := newRepo(t)
		return r.fixture(source(t, overSSH(t, r.dir)))
	})
}

// A server is talked to only if its key is the known one, and only with a key of ours.
func TestSSH(t *testing.T) {
	url, keys := sshd(t)
	r := newRepo(t)
	r.put("a.md", "text")
	hosts := func(line string) []string {
		file := filepath.Join(t.TempDir(), "known_hosts")
		if err := os.WriteFile(file, []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
		return []string{file}
	}
	known := string(readFile(t, keys, "known_hosts"))
	name, _, _ := strings.Cut(known, " ")
	for _, c := range []struct {
		name   string
		change func(*git.Options)
		want   error // nil: it is read
	}{
		{"as it should be", func(*git.Options) {}, nil},
		{"an agent", func(o *git.Options) { o.SSH.Key, o.SSH.Agent = nil, keyAgent(t, readFile(t, keys, "key")) }, nil},
		{"a key without its last line's end", func(o *git.Options) { o.SSH.Key = []byte(strings.TrimSpace(string(o.SSH.Key))) }, nil},
		{"a host that is not known", func(o *git.Options) { o.SSH.KnownHosts = hosts("") }, git.ErrHostKey},
		{"another host key", func(o *git.Options) {
			o.SSH.KnownHosts = hosts(name + " " + string(readFile(t, keys, "other.pub")))
		}, git.ErrHostKey},
		{"a host key that was revoked", func(o *git.Options) {
			o.SSH.KnownHosts = hosts(known + "@revoked * " + string(readFile(t, keys, "host.pub")))
		}, git.ErrHostKey},
		{"another key", func(o *git.Options) { o.SSH.Key = readFile(t, keys, "other") }, remote.ErrDenied},
		{"an agent with another key", func(o *git.Options) { o.SSH.Key, o.SSH.Agent = nil, keyAgent(t, readFile(t, keys, "other")) }, remote.ErrDenied},
		{"an address that is not public", func(o *git.Options) { o.SSH.Dial = safenet.Dialer(safenet.Rules{}) }, safenet.ErrRefused},
		{"no user", func(o *git.Options) { _, at, _ := strings.Cut(url, "@"); o.URL = "ssh://" + at + r.dir }, safenet.ErrRefused},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := overSSH(t, r.dir)
			c.change(&o)
			s := source(t, o)
			if c.want == nil {
				if docs := read(t, s); len(docs) != 1 {
					t.Errorf("documents %v", docs)
				}
				return
			}
			for ch, err := range s.Changes(t.Context(), "") {
				if !errors.Is(err, c.want) || ch.ID != "" || strings.Contains(err.Error(), "PRIVATE") {
					t.Errorf("%q, %v; want %v", ch.ID, err, c.want)
				}
			}
		})
	}
}

// What a server runs is one word, whatever the path.
func TestSSHPaths(t *testing.T) {
	sshd(t)
	mark := filepath.Join(t.TempDir(), "mark")
	for _, path := range []string{"/no/such.git", "/x'; touch " + mark + "; '", "/x$(touch " + mark + ")", "/x\n touch " + mark + "\n"} {
		o := overSSH(t, "")
		o.URL += strings.NewReplacer("\n", "%0A", " ", "%20").Replace(path)
		for c, err := range source(t, o).Changes(t.Context(), "") {
			if err == nil || c.ID != "" || errors.Is(err, git.ErrHostKey) {
				t.Errorf("%q: %q, %v; want an error of the source", path, c.ID, err)
			}
		}
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("a path was run")
	}
	r := newRepo(t)
	r.put("a.md", "text")
	quoted := filepath.Join(t.TempDir(), "it's")
	if err := os.Rename(r.dir, quoted); err != nil {
		t.Fatal(err)
	}
	if docs := read(t, source(t, overSSH(t, quoted))); len(docs) != 1 {
		t.Errorf("documents %v", docs)
	}
}

func TestSSHRefuses(t *testing.T) {
	whole := git.SSH{KnownHosts: []string{"known_hosts"}, Key: []byte("key"), Dial: loopback(t)}
	for name, change := range map[string]func(*git.SSH){
		"no known hosts":    func(s *git.SSH) { s.KnownHosts = nil },
		"no key":            func(s *git.SSH) { s.Key = nil },
		"key and agent":     func(s *git.SSH) { s.Agent = "socket" },
		"no way to connect": func(s *git.SSH) { s.Dial = nil },
	} {
		o := whole
		change(&o)
		if _, err := git.New(git.Options{Name: "repo", URL: "ssh://git@example.com/a.git", SSH: &o}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := git.New(git.Options{Name: "repo", URL: "ssh://git@example.com/a.git", SSH: &whole}); err != nil {
		t.Error(err)
	}
}

// keyAgent is an agent that holds a key.
func keyAgent(t *testing.T, key []byte) (socket string) {
	t.Helper()
	private, err := ssh.ParseRawPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: private}); err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "ken-agent-") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	socket = filepath.Join(dir, "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(); os.RemoveAll(dir) })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _ = agent.ServeAgent(ring, c) }()
		}
	}()
	return socket
}
