package auth

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"ken/corpora/acl"
)

func TestLastUse(t *testing.T) {
	now := time.Date(2026, time.March, 1, 9, 0, 30, 0, time.UTC)
	path := filepath.Join(t.TempDir(), "keys.yaml")
	if err := CreateFile(path); err != nil {
		t.Fatal(err)
	}
	made, err := Open(path, Options{Clock: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	var ids, secrets []string
	for range 2 {
		key, secret, err := made.Create([]acl.Subject{"user:ann"}, time.Time{}, "")
		if err != nil {
			t.Fatal(err)
		}
		ids, secrets = append(ids, key.ID), append(secrets, secret)
	}
	used := func() map[string]time.Time {
		t.Helper()
		k, err := Open(path, Options{}) // as another process sees it
		if err != nil {
			t.Fatal(err)
		}
		out, err := k.LastUsed()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	if got := used(); len(got) != 0 {
		t.Errorf("before: %v", got)
	}
	if _, err := made.Verify(secrets[0] + "x"); err == nil || len(used()) != 0 {
		t.Errorf("a wrong key counts as a use: %v", used())
	}
	verify := func(i int) {
		t.Helper()
		if _, err := made.Verify(secrets[i]); err != nil {
			t.Fatal(err)
		}
	}
	verify(0)
	if got := used()[ids[0]]; !got.Equal(now.Truncate(time.Minute)) {
		t.Errorf("used at %v", got)
	}
	now = now.Add(10 * time.Second)
	verify(1) // within the minute: written with the next one
	if _, ok := used()[ids[1]]; ok {
		t.Error("written twice in a minute")
	}
	now = now.Add(2 * time.Minute)
	verify(0)
	if got := used(); len(got) != 2 || !got[ids[0]].Equal(now.Truncate(time.Minute)) {
		t.Errorf("both: %v", got)
	}
	if err := made.Revoke(ids[1]); err != nil {
		t.Fatal(err)
	}
	now = now.Add(2 * time.Minute)
	verify(0)
	if got := used(); len(got) != 1 {
		t.Errorf("after a revoke: %v", got)
	}
	if err := os.WriteFile(path+".used", []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	now = now.Add(2 * time.Minute)
	verify(0) // a damaged note keeps nobody out
	if got := used(); len(got) != 1 {
		t.Errorf("after damage: %v", got)
	}
}
