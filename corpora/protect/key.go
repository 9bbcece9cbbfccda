package protect

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Key makes tokens and ciphertexts. The zero Key makes none.
type Key struct {
	mac  []byte
	aead cipher.AEAD
}

// KeyBytes is the length of the secret of a key.
const KeyBytes = 32

// NewKey derives a key from a secret of KeyBytes random bytes.
func NewKey(secret []byte) (Key, error) {
	if len(secret) != KeyBytes {
		return Key{}, fmt.Errorf("the protection key has %d bytes, want %d", len(secret), KeyBytes)
	}
	mac, err := hkdf.Key(sha256.New, secret, nil, "ken protect token", 32)
	if err != nil {
		return Key{}, err
	}
	enc, err := hkdf.Key(sha256.New, secret, nil, "ken protect encrypt", 32)
	if err != nil {
		return Key{}, err
	}
	block, err := aes.NewCipher(enc)
	if err != nil {
		return Key{}, err
	}
	aead, err := cipher.NewGCM(block)
	return Key{mac: mac, aead: aead}, err
}

func (k Key) isZero() bool { return k.mac == nil }

var alphabet = base32.NewEncoding(base32Letters).WithPadding(base32.NoPadding)

const (
	base32Letters = "abcdefghijklmnopqrstuvwxyz234567"
	tokenLength   = 20 // letters of a token
)

// digest is a keyed digest of a value under a rule's name.
func (k Key) digest(use, name, value string) []byte {
	h := hmac.New(sha256.New, k.mac)
	fmt.Fprintf(h, "%s\x00%s\x00%s", use, name, value)
	return h.Sum(nil)
}

// token is 100 bits of the digest: by chance two of a billion values share one
// with probability 4e-13.
func (k Key) token(name, value string) string {
	return word(name) + "_" + alphabet.EncodeToString(k.digest("token", name, value))[:tokenLength]
}

// seal encrypts a value. The nonce is a digest of the value, so that equal values
// have equal ciphertexts and different ones different nonces, but for 1 in 2^96.
func (k Key) seal(name, value string) string {
	nonce := k.digest("nonce", name, value)[:k.aead.NonceSize()]
	return "enc_" + word(name) + "_" + alphabet.EncodeToString(k.aead.Seal(nonce, nonce, []byte(value), []byte(name)))
}

// word is a rule's name without what cuts words in an index.
func word(name string) string { return strings.ReplaceAll(name, "-", "") }

var sealed = regexp.MustCompile(`\benc_([a-z0-9]+)_([a-z2-7]{45,})`)

// ErrReveal says that a ciphertext is not one of this key and these rules.
var ErrReveal = errors.New("not encrypted with this key")

// Reveal returns text with the values back that were encrypted, given the names of the
// rules that may have done it. A ciphertext that cannot be opened is an error.
func (k Key) Reveal(text string, names []string) (string, error) {
	if k.isZero() {
		return "", ErrReveal
	}
	var failed error
	out := sealed.ReplaceAllStringFunc(text, func(s string) string {
		parts := sealed.FindStringSubmatch(s)
		for _, name := range names {
			if word(name) != parts[1] {
				continue
			}
			if value, err := k.open(name, parts[2]); err == nil {
				return value
			}
		}
		failed = fmt.Errorf("%w: enc_%s_…", ErrReveal, parts[1])
		return s
	})
	return out, failed
}

func (k Key) open(name, text string) (string, error) {
	data, err := alphabet.DecodeString(text)
	if err != nil || len(data) < k.aead.NonceSize() {
		return "", ErrReveal
	}
	n := k.aead.NonceSize()
	value, err := k.aead.Open(nil, data[:n], data[n:], []byte(name))
	if err != nil {
		return "", ErrReveal
	}
	return string(value), nil
}
