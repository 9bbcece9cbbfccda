package receipt

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"ken/corpora"
)

// Statement is what a receipt says.
type Statement struct {
	Version   int       `json:"version"`
	Deleted   []Deleted `json:"deleted"`
	At        time.Time `json:"at"`
	By        string    `json:"by"`
	Reason    string    `json:"reason"`
	Revision  uint64    `json:"revision"`  // of the index, after the deletion
	Compacted bool      `json:"compacted"` // no byte of the texts is left in the index's files
	KeptOut   bool      `json:"kept_out"`  // a later ingest or import does not bring the documents back
}

// Deleted is a document that was removed, as it was then.
type Deleted struct {
	ID      corpora.DocID `json:"id"`
	Source  string        `json:"source"`
	Version string        `json:"document_version"` // "" if there was none: the id is kept out all the same
	Chunks  int           `json:"chunks"`
}

// Receipt is a signed statement. The signature is over the bytes of Statement as
// they stand, so that no program needs to write JSON as this one does.
type Receipt struct {
	Statement json.RawMessage   `json:"statement"`
	Key       ed25519.PublicKey `json:"public_key"`
	Signature []byte            `json:"signature"`
}

// ErrInvalid is wrapped by errors about receipts that prove nothing.
var ErrInvalid = errors.New("the receipt is not valid")

const keyFile = "receipt-key.pem"

// Sign signs the statement with the key of the data directory, which is made if
// need be.
func Sign(dir string, s Statement) (Receipt, error) {
	key, err := loadKey(filepath.Join(dir, keyFile))
	if err != nil {
		return Receipt{}, err
	}
	text, err := json.Marshal(s)
	if err != nil {
		return Receipt{}, fmt.Errorf("sign receipt: %w", err)
	}
	return Receipt{Statement: text, Key: key.Public().(ed25519.PublicKey), Signature: ed25519.Sign(key, text)}, nil
}

// PublicKey returns the key that the receipts of a data directory are signed with.
func PublicKey(dir string) (ed25519.PublicKey, error) {
	key, err := loadKey(filepath.Join(dir, keyFile))
	if err != nil {
		return nil, err
	}
	return key.Public().(ed25519.PublicKey), nil
}

// Verify returns what a receipt says if the key signed it.
func Verify(text []byte, key ed25519.PublicKey) (Statement, error) {
	var r Receipt
	if err := json.Unmarshal(text, &r); err != nil {
		return Statement{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if len(key) != ed25519.PublicKeySize {
		return Statement{}, fmt.Errorf("the key has %d bytes, want %d", len(key), ed25519.PublicKeySize)
	}
	// A receipt is written with line breaks for people; signed is the compact form.
	var signed bytes.Buffer
	if err := json.Compact(&signed, r.Statement); err != nil {
		return Statement{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if !ed25519.Verify(key, signed.Bytes(), r.Signature) {
		return Statement{}, fmt.Errorf("%w: this key did not sign it, or it was changed", ErrInvalid)
	}
	var s Statement
	if err := json.Unmarshal(r.Statement, &s); err != nil {
		return Statement{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return s, nil
}

func loadKey(path string) (ed25519.PrivateKey, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("read the receipt key: %w", err)
	}
	block, rest := pem.Decode(data)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return nil, fmt.Errorf("%s is damaged: restore it, or move it away and receipts get a new key", path)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s is damaged (%w): restore it, or move it away and receipts get a new key", path, err)
	}
	private, ok := key.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%s holds a key of another kind, want Ed25519", path)
	}
	return private, nil
}

func makeKey(path string) (ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, fmt.Errorf("make the receipt key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("make the receipt key: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("make the receipt key: %w", err)
	}
	err = pem.Encode(f, &pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, fmt.Errorf("make the receipt key: %w", errors.Join(err, os.Remove(path)))
	}
	return key, nil
}
