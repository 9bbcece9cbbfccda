package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"ken/corpora/acl"
)

// Options of [Keys].
type Options struct {
	Clock func() time.Time // nil is time.Now
	Log   *slog.Logger     // told when the file cannot be read any more; nil is silent
}

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Keys are API keys. They follow their file: a key that another process
// created or revoked counts, or counts no more, from the next request on. If
// the file cannot be read, no key is good until it can. Safe for concurrent use.
type Keys struct {
	path string // "" if the keys live in memory only
	opts Options

	mu    sync.Mutex
	seen  fs.FileInfo // what the file was when byID was read
	byID  map[string]Key
	fault string // last error that was logged

	uses    map[string]time.Time // see used
	written time.Time            // when they were
}

// Open reads the key file. It must exist, be readable by its owner alone, and
// hold nothing that is not understood; errors name the line.
func Open(path string, o Options) (*Keys, error) {
	k := &Keys{path: path, opts: o.withDefaults()}
	if err := k.reload(); err != nil {
		return nil, err
	}
	return k, nil
}

// NewMemory returns keys that end with the process.
func NewMemory(o Options) *Keys {
	return &Keys{opts: o.withDefaults(), byID: map[string]Key{}}
}

// Authenticate takes the key from the header "Authorization: Bearer KEY".
func (k *Keys) Authenticate(r *http.Request) (Identity, error) {
	token, ok := bearer(r)
	if !ok {
		return Identity{}, ErrUnauthenticated
	}
	key, err := k.Verify(token)
	if err != nil {
		return Identity{}, err
	}
	return Identity{Principal: key.Principal(), Credential: key.ID, Scopes: key.Scopes, Expires: key.Expires}, nil
}

// Challenge asks for a key and says nothing about the one that came.
func (k *Keys) Challenge() string { return `Bearer realm="ken"` }

// ScopeChallenge names the scopes. Only another key has more.
func (k *Keys) ScopeChallenge(scopes ...string) string {
	return `Bearer realm="ken", error="insufficient_scope", scope="` + strings.Join(scopes, " ") + `"`
}

// Verify returns what is known of a good key; the error is ErrUnauthenticated
// for all others. Hashes are compared in constant time, also for an unknown id.
func (k *Keys) Verify(key string) (Key, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.reload(); err != nil {
		k.complain(err)
		return Key{}, ErrUnauthenticated
	}
	id, wellFormed := parse(key)
	known, found := k.byID[id]
	if !sameHash(hashKey(key), known.Hash) || !wellFormed || !found || known.expired(k.opts.Clock()) {
		return Key{}, ErrUnauthenticated
	}
	k.used(id, k.opts.Clock())
	return known, nil
}

func sameHash(got, want string) bool {
	g, _ := hex.DecodeString(got)
	w := make([]byte, sha256.Size) // an unknown id is compared with zeros
	hex.Decode(w, []byte(want))
	return subtle.ConstantTimeCompare(g, w) == 1
}

// List returns the keys in order of their ids.
func (k *Keys) List() ([]Key, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.reload(); err != nil {
		return nil, err
	}
	return sorted(k.byID), nil
}

// Create makes a key for the subjects that is good until expires (zero: for
// good) and for the scopes (none named: [ScopeRead]), and returns it. It
// cannot be shown again.
func (k *Keys) Create(subjects []acl.Subject, expires time.Time, note string, scopes ...string) (Key, string, error) {
	now := k.opts.Clock()
	if !expires.IsZero() && !expires.After(now) {
		return Key{}, "", fmt.Errorf("create key: it would expire at %s, before it is used", expires.Format(time.RFC3339))
	}
	if len(scopes) == 0 {
		scopes = []string{ScopeRead}
	}
	key, secret := mint(slices.Clone(subjects), slices.Clone(scopes), now, expires, note)
	if err := key.validate(); err != nil {
		return Key{}, "", fmt.Errorf("create key: %w", err)
	}
	err := k.change(func(keys map[string]Key) error {
		if _, taken := keys[key.ID]; taken {
			return errors.New("the drawn id is taken, try again")
		}
		keys[key.ID] = key
		return nil
	})
	if err != nil {
		return Key{}, "", fmt.Errorf("create key: %w", err)
	}
	return key, secret, nil
}

// ErrNoKey says that no key has the id.
var ErrNoKey = errors.New("no such key")

// Revoke removes the key with the id; it is good for no request that begins after.
func (k *Keys) Revoke(id string) error {
	err := k.change(func(keys map[string]Key) error {
		if _, ok := keys[id]; !ok {
			return fmt.Errorf("%w: %q", ErrNoKey, clip(id))
		}
		delete(keys, id)
		return nil
	})
	if err != nil {
		return fmt.Errorf("revoke key: %w", err)
	}
	return nil
}

// reload reads the file again if it is another one or changed. On an error the
// keys that were known are forgotten.
func (k *Keys) reload() error {
	if k.path == "" {
		return nil
	}
	info, err := os.Stat(k.path)
	if err == nil && k.byID != nil && unchanged(k.seen, info) {
		return nil
	}
	var keys []Key
	if err == nil {
		keys, err = readFile(k.path)
	}
	if err != nil {
		k.byID, k.seen = nil, nil
		return fmt.Errorf("key file: %w", err)
	}
	k.byID, k.seen, k.fault = byID(keys), info, ""
	return nil
}

func unchanged(a, b fs.FileInfo) bool {
	return a != nil && os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size() && a.Mode() == b.Mode()
}

// complain logs a fault once, not once per request.
func (k *Keys) complain(err error) {
	if err.Error() != k.fault {
		k.fault = err.Error()
		k.opts.Log.Error("no key is accepted", "error", err)
	}
}

func byID(keys []Key) map[string]Key {
	out := make(map[string]Key, len(keys))
	for _, key := range keys {
		out[key.ID] = key
	}
	return out
}

func sorted(keys map[string]Key) []Key {
	out := make([]Key, 0, len(keys))
	for _, key := range keys {
		out = append(out, key)
	}
	slices.SortFunc(out, func(a, b Key) int { return strings.Compare(a.ID, b.ID) })
	return out
}
