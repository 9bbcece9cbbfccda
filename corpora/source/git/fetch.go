package git

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/go-git/go-billy/v5/osfs"
	gogit "github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
	"github.com/go-git/go-git/v5/storage"
	"github.com/go-git/go-git/v5/storage/filesystem"
	"github.com/go-git/go-git/v5/storage/memory"

	"ken/corpora/source/remote"
	"ken/corpora/source/safenet"
)

// fetchTime is the time for one attempt to fetch.
const fetchTime = 30 * time.Minute

// fetched is the reference that holds what was fetched last.
const fetched = plumbing.ReferenceName("refs/ken/fetched")

func keep(dir string) storage.Storer {
	if dir == "" {
		return memory.NewStorage()
	}
	return filesystem.NewStorage(osfs.New(dir), cache.NewObjectLRUDefault())
}

// head returns the commit that the reference names now, and where it is stored.
func (s *Source) head(ctx context.Context) (storage.Storer, plumbing.Hash, error) {
	if s.kept == nil {
		return s.local()
	}
	var head plumbing.Hash
	err := s.calls.Do(ctx, func(ctx context.Context) (err error) {
		head, err = s.fetch(ctx)
		return err
	})
	return s.kept, head, err
}

// local opens the repository anew, so that packs written since are seen.
func (s *Source) local() (storage.Storer, plumbing.Hash, error) {
	r, err := gogit.PlainOpenWithOptions(s.options.Dir, &gogit.PlainOpenOptions{EnableDotGitCommonDir: true})
	if err != nil {
		return nil, plumbing.ZeroHash, fmt.Errorf("open the repository %s: %w", s.options.Dir, err)
	}
	ref := s.options.Ref
	if ref == "" {
		ref = "HEAD"
	}
	h, err := r.ResolveRevision(plumbing.Revision(ref))
	if err != nil {
		return nil, plumbing.ZeroHash, fmt.Errorf("there is no %q in the repository %s: %w", ref, s.options.Dir, err)
	}
	return r.Storer, *h, nil
}

// fetch brings what is missing of the commit that the reference names.
func (s *Source) fetch(ctx context.Context) (plumbing.Hash, error) {
	session, err := s.session(ctx)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	defer session.Close() // all that was asked for has been read, or an error is known
	adv, err := session.AdvertisedReferencesContext(ctx)
	if err != nil {
		return plumbing.ZeroHash, verdict(err)
	}
	head, err := resolve(adv, s.options.Ref)
	if err != nil {
		return plumbing.ZeroHash, err
	}
	last, err := s.kept.Reference(fetched)
	if err == nil && last.Hash() == head {
		return head, nil
	}
	var have []plumbing.Hash
	if err == nil {
		have = []plumbing.Hash{last.Hash()}
	}
	if err := s.bring(ctx, session, adv, head, have); err != nil {
		return plumbing.ZeroHash, verdict(err)
	}
	return head, s.kept.SetReference(plumbing.NewHashReference(fetched, head))
}

func (s *Source) session(ctx context.Context) (transport.UploadPackSession, error) {
	if s.options.SSH != nil {
		return openSSH(ctx, *s.options.SSH, s.options.URL)
	}
	ep, err := transport.NewEndpoint(s.options.URL)
	if err != nil || ep.User != "" || ep.Password != "" {
		return nil, fmt.Errorf("%w: a repository's URL has no credentials in it", safenet.ErrRefused)
	}
	return githttp.NewClient(briefly(s.options.Client)).NewUploadPackSession(ep, nil)
}

// maxRefs bounds in bytes what a server may say of its branches and tags: a million
// of them.
const maxRefs = 64 << 20

// briefly is a client that hears no more than that of them. The pack is asked for
// with POST, and bounded where it is read.
func briefly(c *http.Client) *http.Client {
	out := *c
	out.Transport = brief{cmp.Or(c.Transport, http.DefaultTransport)}
	return &out
}

type brief struct{ http.RoundTripper }

func (b brief) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := b.RoundTripper.RoundTrip(r)
	if err == nil && r.Method == http.MethodGet {
		resp.Body = struct {
			io.Reader
			io.Closer
		}{&limited{r: resp.Body, left: maxRefs}, resp.Body}
	}
	return resp, err
}

// verdict names the errors that git reports in its own words.
func verdict(err error) error {
	switch {
	case errors.Is(err, transport.ErrAuthenticationRequired), errors.Is(err, transport.ErrAuthorizationFailed):
		return fmt.Errorf("%w: %w", remote.ErrDenied, err)
	case errors.Is(err, transport.ErrRepositoryNotFound), errors.Is(err, safenet.ErrRefused):
		return err
	}
	if strings.Contains(err.Error(), " 429") || strings.Contains(err.Error(), " 50") { // the transport keeps the status as text only
		return remote.Passing(err, 0)
	}
	return err
}

// resolve finds the commit of a reference among those that the server has.
func resolve(adv *packp.AdvRefs, ref string) (plumbing.Hash, error) {
	if ref == "" {
		if adv.Head == nil {
			return plumbing.ZeroHash, errors.New("the repository has no HEAD: name a branch with ref")
		}
		return *adv.Head, nil
	}
	for _, name := range []string{ref, "refs/heads/" + ref, "refs/tags/" + ref} {
		if h, ok := adv.Peeled[name]; ok {
			return h, nil
		}
		if h, ok := adv.References[name]; ok {
			return h, nil
		}
	}
	return plumbing.ZeroHash, fmt.Errorf("the repository has no branch or tag %q", ref)
}

// bring fetches a commit with all that it needs and we do not have.
func (s *Source) bring(ctx context.Context, session transport.UploadPackSession, adv *packp.AdvRefs, want plumbing.Hash, have []plumbing.Hash) (err error) {
	q := packp.NewUploadPackRequestFromCapabilities(adv.Capabilities)
	if adv.Capabilities.Supports(capability.NoProgress) {
		if err := q.Capabilities.Set(capability.NoProgress); err != nil {
			return err
		}
	}
	q.Wants, q.Haves = []plumbing.Hash{want}, have
	resp, err := session.UploadPack(ctx, q)
	if errors.Is(err, transport.ErrEmptyUploadPackRequest) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, resp.Close()) }()
	var pack io.Reader = resp
	switch {
	case q.Capabilities.Supports(capability.Sideband64k):
		pack = sideband.NewDemuxer(sideband.Sideband64k, resp)
	case q.Capabilities.Supports(capability.Sideband):
		pack = sideband.NewDemuxer(sideband.Sideband, resp)
	}
	return packfile.UpdateObjectStorage(s.kept, &limited{r: pack, left: s.options.MaxPack})
}

// limited fails, where io.LimitReader would end, so that half a pack is an error.
type limited struct {
	r    io.Reader
	left int64
}

func (l *limited) Read(b []byte) (int, error) {
	if l.left <= 0 {
		return 0, fmt.Errorf("%w: raise the limit of a fetch", safenet.ErrTooLarge)
	}
	n, err := l.r.Read(b[:min(int64(len(b)), l.left)])
	l.left -= int64(n)
	return n, err
}
