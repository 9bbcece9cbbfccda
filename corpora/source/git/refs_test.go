package git_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"ken/corpora/source/git"
	"ken/corpora/source/remote"
	"ken/corpora/source/safenet"
)

// endless is an SSH server that never comes to an end of its branches.
func endless(t *testing.T) (address string, key ssh.PublicKey) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	config := &ssh.ServerConfig{NoClientAuth: true}
	config.AddHostKey(signer)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			raw, err := l.Accept()
			if err != nil {
				return
			}
			go branches(raw, config)
		}
	}()
	return l.Addr().String(), signer.PublicKey()
}

// branches names branches until nobody listens.
func branches(raw net.Conn, config *ssh.ServerConfig) {
	defer raw.Close()
	_, channels, requests, err := ssh.NewServerConn(raw, config)
	if err != nil {
		return
	}
	go ssh.DiscardRequests(requests)
	for c := range channels {
		ch, asked, err := c.Accept()
		if err != nil {
			return
		}
		go func() {
			for r := range asked {
				_ = r.Reply(true, nil)
			}
		}()
		name(ch)
	}
}

// name names branches until nobody listens.
func name(to io.Writer) {
	packet := func(text string) error {
		_, err := fmt.Fprintf(to, "%04x%s", len(text)+4, text)
		return err
	}
	err := packet(fmt.Sprintf("%040x HEAD\x00ofs-delta\n", 1))
	for n := 0; err == nil; n++ {
		err = packet(fmt.Sprintf("%040x refs/heads/%0900d\n", 1, n))
	}
}

// A server fills no memory with what it says of its branches.
func TestEndlessBranches(t *testing.T) {
	address, host := endless(t)
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	known := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(known, []byte(knownhosts.Line([]string{address}, host)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
		fmt.Fprint(w, "001e# service=git-upload-pack\n0000")
		name(w)
	}))
	defer web.Close()
	overSSH := git.SSH{KnownHosts: []string{known}, Key: pem.EncodeToMemory(block), Dial: loopback(t)}
	for _, o := range []git.Options{{URL: "ssh://git@" + address + "/wiki.git", SSH: &overSSH}, {URL: web.URL + "/wiki.git", Client: web.Client()}} {
		o.Keep, o.Calls = t.TempDir(), remote.Options{Backoff: time.Millisecond}
		var err error
		for _, err = range source(t, o).Changes(t.Context(), "") {
			break
		}
		if !errors.Is(err, safenet.ErrTooLarge) {
			t.Errorf("%s: %v, want %v", o.URL, err, safenet.ErrTooLarge)
		}
	}
}
