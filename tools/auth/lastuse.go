package auth

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"time"

	"ken/internal/atomicfile"
)

// usedEvery is how often uses are written down. What a process that ends had not
// written yet is not known later.
const usedEvery = time.Minute

// usedFile stands beside the key file, which is changed by people and read at
// every request.
func (k *Keys) usedFile() string { return k.path + ".used" }

// used notes that a key was used. The caller holds the lock.
func (k *Keys) used(id string, now time.Time) {
	if k.path == "" {
		return
	}
	if k.uses == nil {
		k.uses = map[string]time.Time{}
	}
	k.uses[id] = now.UTC().Truncate(usedEvery)
	if since := now.Sub(k.written); since >= 0 && since < usedEvery { // a clock may be set back
		return
	}
	k.written = now
	if err := k.writeUses(); err != nil {
		k.opts.Log.Warn("the last use of keys is not written down", "err", err)
	}
}

// writeUses adds the uses to those in the file.
func (k *Keys) writeUses() error {
	known, err := k.LastUsed()
	if err != nil {
		known = map[string]time.Time{} // damaged: it is only a help
	}
	maps.Copy(known, k.uses)
	maps.DeleteFunc(known, func(id string, _ time.Time) bool { _, there := k.byID[id]; return !there })
	data, err := json.Marshal(known)
	if err != nil {
		return err
	}
	return atomicfile.Write(k.usedFile(), append(data, '\n'))
}

// LastUsed tells by id when keys were last used, to the minute, as far as it was
// written down. It is a help for finding keys that nobody needs, and decides nothing.
func (k *Keys) LastUsed() (map[string]time.Time, error) {
	data, err := os.ReadFile(k.usedFile())
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]time.Time{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the last use of keys: %w", err)
	}
	out := map[string]time.Time{}
	if err := json.Unmarshal(data, &out); err != nil {
		return nil, fmt.Errorf("%s is damaged (%w): remove it", k.usedFile(), err)
	}
	return out, nil
}
