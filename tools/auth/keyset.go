package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	// refetchEvery is how often the provider is asked at most, whatever comes in.
	refetchEvery = 30 * time.Second
	// refreshAfter is when known keys are asked for again, so that one that the
	// provider withdrew is soon good no more.
	refreshAfter = 10 * time.Minute

	maxKeys  = 1 << 20 // bytes
	fetching = 3 * time.Second
)

// keySet is the provider's public keys. Known keys are good while the provider
// is down.
type keySet struct {
	issuer string
	client *http.Client
	clock  func() time.Time

	fetch sync.Mutex // held by the one that asks the provider

	mu      sync.Mutex
	keys    map[string]jose.JSONWebKey
	fetched time.Time // last success
	tried   time.Time // last attempt
	failure error     // of the last attempt
}

func newKeySet(o IssuerOptions) *keySet {
	return &keySet{issuer: o.Issuer, client: noRedirects(o.Client), clock: o.Clock}
}

// noRedirects is the client, which goes where it was told to and nowhere else.
func noRedirects(client *http.Client) *http.Client {
	if client == nil {
		client = &http.Client{Timeout: fetching}
	}
	c := *client
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

var errKey = errors.New("the provider has no such key")

// find returns the key with the id. An unknown id asks the provider, and so
// does a known one now and then; one request at a time, and not too often.
func (s *keySet) find(ctx context.Context, kid string) (jose.JSONWebKey, error) {
	key, known, fresh := s.look(kid)
	switch {
	case known && fresh:
		return key, nil
	case known:
		if s.fetch.TryLock() { // the others go on with what is known
			s.refresh(ctx)
			s.fetch.Unlock()
		}
	default:
		s.fetch.Lock()
		if _, known, _ = s.look(kid); !known {
			s.refresh(ctx)
		}
		s.fetch.Unlock()
	}
	if key, known, _ = s.look(kid); !known {
		return jose.JSONWebKey{}, s.missing()
	}
	return key, nil
}

// missing says why a key is not known: the provider has none such, or did not answer.
func (s *keySet) missing() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure != nil {
		return fmt.Errorf("%w: its keys: %w", ErrUnavailable, s.failure)
	}
	return errKey
}

func (s *keySet) look(kid string) (key jose.JSONWebKey, known, fresh bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, known = s.keys[kid]
	return key, known, since(s.clock(), s.fetched) < refreshAfter
}

// since is how long ago then was; a clock that was set back counts as long ago.
func since(now, then time.Time) time.Duration {
	if d := now.Sub(then); d >= 0 {
		return d
	}
	return 1<<63 - 1
}

// refresh asks the provider, unless it was asked a moment ago. If that fails
// the keys stay as they are.
func (s *keySet) refresh(ctx context.Context) {
	now := s.clock()
	s.mu.Lock()
	early := since(now, s.tried) < refetchEvery
	if !early {
		s.tried = now
	}
	s.mu.Unlock()
	if early {
		return
	}
	// Who asked first may go away; the keys are for all who wait.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*fetching)
	defer cancel()
	keys, err := s.load(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failure = err; err == nil {
		s.keys, s.fetched = keys, now
	}
}

// load discovers where the keys are and reads them.
func (s *keySet) load(ctx context.Context) (map[string]jose.JSONWebKey, error) {
	var meta struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	base := strings.TrimSuffix(s.issuer, "/")
	err := s.get(ctx, base+"/.well-known/openid-configuration", &meta)
	if err != nil {
		err = s.get(ctx, base+"/.well-known/oauth-authorization-server", &meta)
	}
	if err != nil {
		return nil, err
	}
	if meta.Issuer != s.issuer {
		return nil, errors.New("the provider's metadata is another issuer's")
	}
	if err := checkURL(meta.Keys); err != nil {
		return nil, fmt.Errorf("jwks_uri: %w", err)
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := s.get(ctx, meta.Keys, &set); err != nil {
		return nil, err
	}
	return usable(set.Keys), nil
}

// usable keeps the public signing keys that have an id of their own. What is
// not understood is left out: providers publish keys of other kinds too.
func usable(raw []json.RawMessage) map[string]jose.JSONWebKey {
	out, count := map[string]jose.JSONWebKey{}, map[string]int{}
	for _, r := range raw {
		var k jose.JSONWebKey
		if json.Unmarshal(r, &k) != nil {
			continue
		}
		count[k.KeyID]++
		if k.KeyID != "" && k.Valid() && k.IsPublic() && (k.Use == "" || k.Use == "sig") {
			out[k.KeyID] = k
		}
	}
	for id, n := range count {
		if n > 1 { // which one is meant is anyone's guess
			delete(out, id)
		}
	}
	return out
}

func (s *keySet) get(ctx context.Context, url string, into any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := s.client.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the provider answered %d", res.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, maxKeys+1))
	if err != nil || len(data) > maxKeys {
		return errors.New("the provider's answer could not be read")
	}
	return json.Unmarshal(data, into)
}
