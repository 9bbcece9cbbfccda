package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/gofrs/flock"

	"ken/corpora/acl"
	"ken/internal/atomicfile"
)

// fileVersion is the version of the key file's format. Keys in a file of the
// first version had no scopes; they search and read.
const (
	fileVersion  = 2
	firstVersion = 1
)

const maxFile = 16 << 20

type keyFile struct {
	Version int      `yaml:"version" json:"version"`
	Keys    []record `yaml:"keys" json:"keys"`
}

// record is a Key as the file has it. Times are read here and not by the YAML
// library, which takes a time that it does not understand for none at all: a
// typo would make a key that never expires.
type record struct {
	ID       string        `yaml:"id" json:"id"`
	Hash     string        `yaml:"sha256" json:"sha256"`
	Subjects []acl.Subject `yaml:"subjects" json:"subjects"`
	Scopes   []string      `yaml:"scopes" json:"scopes"`
	Created  string        `yaml:"created" json:"created"`
	Expires  string        `yaml:"expires" json:"expires,omitempty"`
	Note     string        `yaml:"note" json:"note,omitempty"`
}

func newRecord(k Key) record {
	r := record{k.ID, k.Hash, k.Subjects, append([]string{}, k.Scopes...), k.Created.Format(time.RFC3339Nano), "", k.Note}
	if !k.Expires.IsZero() {
		r.Expires = k.Expires.Format(time.RFC3339Nano)
	}
	return r
}

func (r record) key() (Key, error) {
	k := Key{ID: r.ID, Hash: r.Hash, Subjects: r.Subjects, Scopes: r.Scopes, Note: r.Note}
	for _, field := range []struct {
		name, text string
		into       *time.Time
	}{{"created", r.Created, &k.Created}, {"expires", r.Expires, &k.Expires}} {
		if field.text == "" {
			continue
		}
		t, err := time.Parse(time.RFC3339Nano, field.text)
		if err != nil {
			return Key{}, fmt.Errorf("key %s: %s: %q is not a time such as 2026-03-31T12:00:00Z", clip(r.ID), field.name, clip(field.text))
		}
		*field.into = t.UTC()
	}
	return k, k.validate()
}

// readFile reads and checks a key file.
func readFile(path string) ([]Key, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // reading a pipe would wait for ever
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	// Windows has no such bits; there the folder's own permissions protect the file.
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%s can be read or changed by others (mode %04o): run chmod 600 on it", path, info.Mode().Perm())
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("%s has %d bytes, more than %d", path, info.Size(), maxFile)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	keys, err := decodeFile(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return keys, nil
}

// decodeFile reads YAML, and so also JSON. Unknown and repeated fields are
// errors: a typo in "expires" must not make a key that never expires.
func decodeFile(data []byte) ([]Key, error) {
	var f keyFile
	if err := yaml.UnmarshalWithOptions(data, &f, yaml.Strict()); err != nil {
		return nil, placed(err)
	}
	if f.Version != fileVersion && f.Version != firstVersion {
		return nil, fmt.Errorf("version is %d, want %d", f.Version, fileVersion)
	}
	keys := make([]Key, 0, len(f.Keys))
	for i, r := range f.Keys {
		if f.Version == firstVersion {
			r.Scopes = append(r.Scopes, ScopeRead)
		}
		key, err := r.key()
		if err != nil {
			return nil, fmt.Errorf("keys[%d]: %w", i, err)
		}
		if slices.ContainsFunc(keys, func(k Key) bool { return k.ID == key.ID }) {
			return nil, fmt.Errorf("keys[%d]: id %s is there twice", i, key.ID)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

// placed gives a YAML error as line, column and message, without the excerpt
// of the file that the library would add.
func placed(err error) error {
	if e, ok := errors.AsType[yaml.Error](err); ok && e.GetToken() != nil && e.GetToken().Position != nil {
		at := e.GetToken().Position
		return fmt.Errorf("line %d, column %d: %s", at.Line, at.Column, e.GetMessage())
	}
	return errors.New("not a key file: malformed YAML")
}

// change applies edit to the newest keys and stores the result. A lock beside
// the file keeps two processes from losing each other's change.
func (k *Keys) change(edit func(map[string]Key) error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.path == "" {
		return edit(k.byID)
	}
	lock := flock.New(k.path + ".lock")
	if err := lock.Lock(); err != nil {
		return fmt.Errorf("lock key file: %w", err)
	}
	defer lock.Unlock()
	if err := k.reload(); err != nil {
		return err
	}
	keys := maps.Clone(k.byID)
	if err := edit(keys); err != nil {
		return err
	}
	if err := writeFile(k.path, sorted(keys)); err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	return k.reload()
}

// CreateFile makes an empty key file; it is an error if there is one.
func CreateFile(path string) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("create key file: %s: %w", path, cmpErr(err, fs.ErrExist))
	}
	if err := writeFile(path, nil); err != nil {
		return fmt.Errorf("create key file: %w", err)
	}
	return nil
}

func cmpErr(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// encodeFile writes JSON, which is YAML with no doubt about what is a string.
func encodeFile(keys []Key) ([]byte, error) {
	f := keyFile{Version: fileVersion, Keys: []record{}}
	for _, k := range keys {
		f.Keys = append(f.Keys, newRecord(k))
	}
	data, err := json.MarshalIndent(f, "", "  ")
	return append(data, '\n'), err
}

// writeFile replaces the file in one step: whoever reads sees the old keys or
// the new ones. It returns when they are durable.
func writeFile(path string, keys []Key) error {
	data, err := encodeFile(keys)
	if err != nil {
		return err
	}
	if _, err := decodeFile(data); err != nil { // one bad key would lock out all
		return fmt.Errorf("it could not be read again: %w", err)
	}
	return atomicfile.Write(path, data)
}
