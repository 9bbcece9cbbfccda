package tools

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"

	"ken/corpora"
	"ken/corpora/acl"
)

const cursorKeySize = 32

// cursors seals the place where a list goes on. A cursor is encrypted and
// bound to the principal and the list; nobody else can use it, and nobody can
// read or make one. It is deterministic (the tag is the nonce, as in RFC 5297),
// so equal requests get equal answers.
type cursors struct {
	block cipher.Block
	mac   []byte
}

func newCursors(key []byte) cursors {
	block, err := aes.NewCipher(derive(key, "encrypt"))
	if err != nil { // a derived key always has 32 bytes
		panic(err)
	}
	return cursors{block, derive(key, "tag")}
}

func derive(key []byte, use string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte("ken cursor " + use))
	return h.Sum(nil)
}

func (c cursors) tag(p acl.Principal, list, place string) []byte {
	h := hmac.New(sha256.New, c.mac)
	for _, part := range []string{p.Key(), list, place} {
		sum := sha256.Sum256([]byte(part))
		h.Write(sum[:])
	}
	return h.Sum(nil)[:aes.BlockSize]
}

func (c cursors) crypt(tag, text []byte) []byte {
	out := make([]byte, len(text))
	cipher.NewCTR(c.block, tag).XORKeyStream(out, text)
	return out
}

// seal makes the cursor of a list that goes on after the document.
func (c cursors) seal(p acl.Principal, list string, after corpora.DocID) string {
	tag := c.tag(p, list, string(after))
	return base64.RawURLEncoding.EncodeToString(append(tag, c.crypt(tag, []byte(after))...))
}

// open returns the place in a cursor; "" for the empty cursor, which is the
// beginning. Every cursor that seal did not make for p and the list is errCursor.
func (c cursors) open(p acl.Principal, list, cursor string) (corpora.DocID, error) {
	if cursor == "" {
		return "", nil
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(data) < aes.BlockSize {
		return "", errCursor
	}
	tag := data[:aes.BlockSize]
	place := string(c.crypt(tag, data[aes.BlockSize:]))
	if subtle.ConstantTimeCompare(tag, c.tag(p, list, place)) != 1 {
		return "", errCursor
	}
	return corpora.DocID(place), nil
}
