// Package keeper keeps the secret of a protection key wrapped by a key that lies
// elsewhere: in an environment variable (base64key://…) or, in a build with
// -tags full, in AWS KMS, Google Cloud KMS, Azure Key Vault or Vault.
package keeper

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"gocloud.dev/secrets"
	_ "gocloud.dev/secrets/localsecrets" // base64key://

	"ken/corpora/protect"
)

// NewURL returns the URL of a new local key. It is a secret.
func NewURL() string {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails
	return "base64key://" + base64.URLEncoding.EncodeToString(key)
}

// Open returns the protection key whose wrapped secret is in the file. Where
// there is none, a new secret is made and kept there. The URL says what wraps it; it
// may hold a secret, and no error does.
func Open(ctx context.Context, url, file string) (protect.Key, error) {
	k, err := secrets.OpenKeeper(ctx, url)
	if err != nil {
		return protect.Key{}, errors.New("the protection key cannot be opened: want base64key://… or, in a build with -tags full, the URL of a key in KMS or Vault")
	}
	defer k.Close()
	wrapped, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return create(ctx, k, file)
	}
	if err != nil {
		return protect.Key{}, fmt.Errorf("read the protection key: %w", err)
	}
	secret, err := k.Decrypt(ctx, wrapped)
	if err != nil {
		return protect.Key{}, fmt.Errorf("%s was wrapped by another key, or that cannot be reached: give the one that it was made with", filepath.Base(file))
	}
	return protect.NewKey(secret)
}

func create(ctx context.Context, k *secrets.Keeper, file string) (protect.Key, error) {
	secret := make([]byte, protect.KeyBytes)
	_, _ = rand.Read(secret) // never fails
	wrapped, err := k.Encrypt(ctx, secret)
	if err != nil {
		return protect.Key{}, errors.New("the protection key cannot be used to encrypt")
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return protect.Key{}, err
	}
	if err := write(file, wrapped); err != nil {
		return protect.Key{}, fmt.Errorf("keep the protection key: %w", err)
	}
	return protect.NewKey(secret)
}

// write makes a file that did not exist, or none.
func write(file string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(file), ".protect-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Link(f.Name(), file) // fails if another process made one
}
