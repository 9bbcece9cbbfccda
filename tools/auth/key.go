package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"ken/corpora/acl"
)

const (
	keyPrefix = "ken_"
	base36    = "0123456789abcdefghijklmnopqrstuvwxyz"
	base62    = base36 + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

	idLength     = 8
	secretLength = 43 // 62^43 > 2^256
)

// Key is what is known of an API key: not the key itself.
type Key struct {
	ID       string
	Hash     string // hex SHA-256 of the key
	Subjects []acl.Subject
	Scopes   []string // what it may be used for
	Created  time.Time
	Expires  time.Time // zero: never
	Note     string
}

// Principal is who the key speaks for.
func (k Key) Principal() acl.Principal { return acl.NewPrincipal(k.Subjects...) }

func (k Key) expired(at time.Time) bool { return !k.Expires.IsZero() && !at.Before(k.Expires) }

func (k Key) validate() error {
	if !isWord(k.ID, idLength, base36) {
		return fmt.Errorf("id %q: want %d characters of a-z and 0-9", clip(k.ID), idLength)
	}
	if sum, err := hex.DecodeString(k.Hash); err != nil || len(sum) != sha256.Size {
		return fmt.Errorf("key %s: sha256 is not %d hexadecimal digits", k.ID, 2*sha256.Size)
	}
	if len(k.Subjects) == 0 {
		return fmt.Errorf("key %s: no subjects", k.ID)
	}
	for _, s := range k.Subjects {
		if _, err := acl.ParseSubject(string(s)); err != nil {
			return fmt.Errorf("key %s: %w", k.ID, err)
		}
	}
	for _, s := range k.Scopes {
		if !IsScope(s) {
			return fmt.Errorf("key %s: scope %q: want a word such as %s", k.ID, clip(s), ScopeRead)
		}
	}
	return nil
}

// mint makes a new key for the subjects. Only the caller ever has the secret.
func mint(subjects []acl.Subject, scopes []string, now, expires time.Time, note string) (Key, string) {
	id := randomWord(idLength, base36)
	secret := keyPrefix + id + "_" + randomWord(secretLength, base62)
	return Key{
		ID: id, Hash: hashKey(secret), Subjects: subjects, Scopes: scopes,
		Created: now.UTC().Truncate(time.Second), Expires: expires.UTC(), Note: note,
	}, secret
}

// parse returns the id in a key; it says nothing about whether the key is good.
func parse(key string) (id string, ok bool) {
	rest, ok := strings.CutPrefix(key, keyPrefix)
	if !ok {
		return "", false
	}
	id, secret, ok := strings.Cut(rest, "_")
	return id, ok && isWord(id, idLength, base36) && isWord(secret, secretLength, base62)
}

func hashKey(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

func isWord(s string, n int, alphabet string) bool {
	return len(s) == n && strings.Trim(s, alphabet) == ""
}

// randomWord draws n characters, each equally likely.
func randomWord(n int, alphabet string) string {
	fair := 256 - 256%len(alphabet) // bytes from here on would favour the first characters
	out := make([]byte, 0, n)
	for len(out) < n {
		var b [64]byte
		rand.Read(b[:])
		for _, x := range b {
			if int(x) < fair && len(out) < n {
				out = append(out, alphabet[int(x)%len(alphabet)])
			}
		}
	}
	return string(out)
}

func clip(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "?") + "…"
	}
	return s
}
