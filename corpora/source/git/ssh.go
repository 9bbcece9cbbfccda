package git

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing/format/pktline"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/skeema/knownhosts"
	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"

	"ken/corpora/source/remote"
	"ken/corpora/source/safenet"
)

// SSH is how a repository is reached over SSH. KnownHosts, Dial, and one of Key and
// Agent are needed: a server whose key is not known is never talked to.
type SSH struct {
	KnownHosts []string // files as those of OpenSSH
	Key        []byte   // private key in PEM, without a passphrase
	Agent      string   // socket of an agent that holds the key
	Dial       func(ctx context.Context, network, address string) (net.Conn, error)
}

// ErrHostKey says that a server is not the one that is known.
var ErrHostKey = errors.New("the server's key is not the one that is known")

func (o SSH) validate() error {
	switch {
	case len(o.KnownHosts) == 0 || o.Dial == nil:
		return errors.New("over SSH a file of known hosts is needed")
	case (len(o.Key) == 0) == (o.Agent == ""):
		return errors.New("over SSH a private key or an agent is needed, and not both")
	}
	return nil
}

// sshSession is git-upload-pack on another machine.
type sshSession struct {
	conn    *ssh.Client
	session *ssh.Session
	stdin   io.WriteCloser
	stdout  *bufio.Reader
	stderr  *head
	undo    func() bool
}

// head keeps the first bytes of what a server complains of.
type head struct{ bytes.Buffer }

func (h *head) Write(b []byte) (int, error) {
	h.Buffer.Write(b[:min(len(b), max(0, 1024-h.Len()))])
	return len(b), nil
}

// openSSH starts git-upload-pack. The context ends all that comes of it.
func openSSH(ctx context.Context, o SSH, text string) (transport.UploadPackSession, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.User.Username() == "" {
		return nil, fmt.Errorf("%w: want ssh://USER@HOST/PATH", safenet.ErrRefused)
	}
	conn, undo, err := o.connect(ctx, u)
	if err != nil {
		return nil, err
	}
	s := &sshSession{conn: conn, undo: undo, stderr: new(head)}
	if err := s.start(u.Path); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (o SSH) connect(ctx context.Context, u *url.URL) (*ssh.Client, func() bool, error) {
	address := u.Host
	if u.Port() == "" {
		address = net.JoinHostPort(u.Hostname(), "22")
	}
	known, err := knownhosts.NewDB(o.KnownHosts...)
	if err != nil {
		return nil, nil, fmt.Errorf("read the known hosts: %w", err)
	}
	sign, done, err := o.signers(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer done()
	raw, err := o.Dial(ctx, "tcp", address)
	if err != nil {
		return nil, nil, err
	}
	undo := context.AfterFunc(ctx, func() { _ = raw.Close() })
	var strange error
	conn, channels, requests, err := ssh.NewClientConn(raw, address, &ssh.ClientConfig{
		User: u.User.Username(), Auth: []ssh.AuthMethod{ssh.PublicKeysCallback(sign)}, HostKeyAlgorithms: known.HostKeyAlgorithms(address), Timeout: 30 * time.Second,
		HostKeyCallback: func(host string, at net.Addr, key ssh.PublicKey) error {
			if err := known.HostKeyCallback()(host, at, key); err != nil {
				strange = fmt.Errorf("%w: %s (%s): %w", ErrHostKey, u.Hostname(), ssh.FingerprintSHA256(key), err)
			}
			return strange
		},
	})
	switch {
	case err == nil:
		return ssh.NewClient(conn, channels, requests), undo, nil
	case strange != nil:
		err = strange
	case ctx.Err() != nil:
		err = ctx.Err()
	case strings.Contains(err.Error(), "unable to authenticate"): // the library has no name for it
		err = fmt.Errorf("%w: %w", remote.ErrDenied, err)
	}
	undo()
	return nil, nil, errors.Join(err, raw.Close())
}

// signers gives the keys. done ends the use of an agent.
func (o SSH) signers(ctx context.Context) (sign func() ([]ssh.Signer, error), done func(), err error) {
	if o.Agent != "" {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", o.Agent)
		if err != nil {
			return nil, nil, fmt.Errorf("reach the SSH agent: %w", err)
		}
		return agent.NewClient(conn).Signers, func() { _ = conn.Close() }, nil
	}
	key, err := ssh.ParsePrivateKey(o.Key)
	if _, locked := errors.AsType[*ssh.PassphraseMissingError](err); locked {
		return nil, nil, errors.New("the private key has a passphrase: give it to an SSH agent, and name that")
	}
	if err != nil {
		return nil, nil, errors.New("the secret is no private key in PEM") // the error may quote it
	}
	return func() ([]ssh.Signer, error) { return []ssh.Signer{key}, nil }, func() {}, nil
}

func (s *sshSession) start(path string) (err error) {
	if s.session, err = s.conn.NewSession(); err != nil {
		return err
	}
	s.session.Stderr = s.stderr
	if s.stdin, err = s.session.StdinPipe(); err != nil {
		return err
	}
	out, err := s.session.StdoutPipe()
	if err != nil {
		return err
	}
	s.stdout = bufio.NewReader(out)
	if strings.HasPrefix(path, "/~") {
		path = path[1:]
	}
	return s.session.Start("git-upload-pack '" + strings.ReplaceAll(path, "'", `'\''`) + "'")
}

// Close ends the connection.
func (s *sshSession) Close() error {
	s.undo()
	if err := s.conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// AdvertisedReferences reads what the server has.
func (s *sshSession) AdvertisedReferences() (*packp.AdvRefs, error) {
	return s.AdvertisedReferencesContext(context.Background())
}

// AdvertisedReferencesContext reads what the server has.
func (s *sshSession) AdvertisedReferencesContext(ctx context.Context) (*packp.AdvRefs, error) {
	adv := packp.NewAdvRefs()
	err := adv.Decode(&limited{r: s.stdout, left: maxRefs})
	switch {
	case err == nil:
		return adv, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, packp.ErrEmptyInput):
		_ = s.session.Wait() // so that all that it says is there
		return nil, fmt.Errorf("%w: the server says %q", transport.ErrRepositoryNotFound, strings.TrimSpace(s.stderr.String()))
	}
	return nil, err
}

// UploadPack asks for a pack.
func (s *sshSession) UploadPack(_ context.Context, q *packp.UploadPackRequest) (*packp.UploadPackResponse, error) {
	e := pktline.NewEncoder(s.stdin)
	if q.IsEmpty() {
		return nil, errors.Join(transport.ErrEmptyUploadPackRequest, e.Flush())
	}
	err := errors.Join(q.Validate(), q.UploadRequest.Encode(s.stdin), q.UploadHaves.Encode(s.stdin, false), e.Encodef("done\n"), s.stdin.Close())
	if err != nil {
		return nil, fmt.Errorf("ask for the pack: %w", err)
	}
	r := packp.NewUploadPackResponse(q)
	return r, r.Decode(io.NopCloser(s.stdout))
}
