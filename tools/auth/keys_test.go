package auth

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ken/corpora/acl"
)

var now = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func newFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "keys.yaml")
	if err := CreateFile(path); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, path string) *Keys {
	t.Helper()
	k, err := Open(path, Options{Clock: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestKeyFromCreateToRevoke(t *testing.T) {
	path := newFile(t)
	operator, server := open(t, path), open(t, path)
	key, secret, err := operator.Create([]acl.Subject{"user:ann", "group:hr"}, now.Add(time.Hour), "ann's laptop")
	if err != nil {
		t.Fatal(err)
	}
	got, err := server.Verify(secret)
	if err != nil || got.ID != key.ID || got.Principal().Key() != acl.NewPrincipal("user:ann", "group:hr").Key() || got.Note != "ann's laptop" || !got.Created.Equal(now) {
		t.Fatalf("Verify = %+v, %v", got, err)
	}
	data, _ := os.ReadFile(path)
	if bytes.Contains(data, []byte(secret[len(keyPrefix)+idLength+1:])) {
		t.Error("the file holds the secret")
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("mode is %v", info.Mode())
	}
	if list, err := server.List(); err != nil || len(list) != 1 {
		t.Errorf("List = %v, %v", list, err)
	}
	if err := operator.Revoke(key.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Verify(secret); !errors.Is(err, ErrUnauthenticated) {
		t.Errorf("a revoked key: %v", err)
	}
	if err := operator.Revoke(key.ID); !errors.Is(err, ErrNoKey) {
		t.Errorf("Revoke again: %v", err)
	}
}

func TestKeyFormat(t *testing.T) {
	_, secret, err := NewMemory(Options{}).Create([]acl.Subject{"user:ann"}, time.Time{}, "")
	if err != nil {
		t.Fatal(err)
	}
	id, ok := parse(secret)
	if !ok || !strings.HasPrefix(secret, "ken_"+id+"_") {
		t.Errorf("key %q", secret)
	}
	if bits := secretLength * math.Log2(62); bits < 256 {
		t.Errorf("the secret has %.1f bits", bits)
	}
	counts := map[rune]int{}
	for _, r := range randomWord(62_000, base62) {
		counts[r]++
	}
	for _, r := range base62 { // 1,000 expected, standard deviation 31
		if n := counts[r]; n < 800 || n > 1200 {
			t.Errorf("%q drawn %d times in 62,000", r, n)
		}
	}
}

func TestBadKeysAreOneError(t *testing.T) {
	clock := now
	k := NewMemory(Options{Clock: func() time.Time { return clock }})
	good, secret, err := k.Create([]acl.Subject{"user:ann"}, now.Add(time.Minute), "")
	if err != nil {
		t.Fatal(err)
	}
	last := secret[len(secret)-1:]
	other := map[bool]string{true: "b", false: "a"}[last == "a"]
	for name, bad := range map[string]string{
		"empty": "", "prefix": "ken_", "id alone": "ken_" + good.ID, "no secret": "ken_" + good.ID + "_", "cut": secret[:len(secret)-1], "longer": secret + "a",
		"one character": secret[:len(secret)-1] + other, "other id": "ken_00000000_" + secret[len("ken_00000000_"):], "upper case": strings.ToUpper(secret),
		"spaces": " " + secret, "NUL": secret + "\x00", "the hash": good.Hash, "zeros": strings.Repeat("0", 64),
	} {
		if _, err := k.Verify(bad); err != ErrUnauthenticated {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := k.Verify(secret); err != nil {
		t.Errorf("the good key: %v", err)
	}
	clock = now.Add(time.Minute)
	if _, err := k.Verify(secret); err != ErrUnauthenticated {
		t.Errorf("expired: %v", err)
	}
	if _, _, err := k.Create([]acl.Subject{"user:ann"}, clock, ""); err == nil {
		t.Error("a key that is expired was made")
	}
	for _, subjects := range [][]acl.Subject{nil, {"ann"}, {"user:"}} {
		if _, _, err := k.Create(subjects, time.Time{}, ""); err == nil {
			t.Errorf("a key for %v was made", subjects)
		}
	}
}

// What is written is read back, also where it looks like a number, a date or null.
func TestWhatIsWrittenIsRead(t *testing.T) {
	path := newFile(t)
	rapid.Check(t, func(t *rapid.T) {
		key := Key{
			ID:       rapid.StringMatching(`[0-9]{8}|[0-9]{3}e[0-9]{4}|0x[0-9a-f]{6}|0o[0-7]{6}|0b[01]{6}|[0-9a-z]{8}`).Draw(t, "id"),
			Hash:     rapid.StringMatching(`[0-9]{64}|[0-9]{30}e[0-9]{33}|[0-9a-f]{64}`).Draw(t, "hash"),
			Subjects: []acl.Subject{acl.User(rapid.StringMatching(`[a-z#:'" -]{0,9}[a-z]`).Filter(func(s string) bool { return strings.TrimSpace(s) == s }).Draw(t, "user"))},
			Scopes:   rapid.SliceOfN(rapid.SampledFrom([]string{ScopeRead, ScopeAdmin, "null", "1"}), 0, 3).Draw(t, "scopes"),
			Created:  now,
			Expires:  rapid.SampledFrom([]time.Time{{}, now.Add(time.Hour)}).Draw(t, "expires"),
			Note:     rapid.OneOf(rapid.StringMatching(`[ -~]{0,20}`), rapid.SampledFrom([]string{"null", "~", "true", "2026-01-01", "- a", "a: b", "#", "é\n\nü", "|", "\ttab"})).Draw(t, "note"),
		}
		if err := writeFile(path, []Key{key}); err != nil {
			t.Fatal(err)
		}
		got, err := readFile(path)
		if err != nil || len(got) != 1 || fmt.Sprint(got[0]) != fmt.Sprint(key) {
			t.Fatalf("wrote %+v, read %+v, %v", key, got, err)
		}
	})
}

const entry = `
  - id: abcd1234
    sha256: '0000000000000000000000000000000000000000000000000000000000000000'
    subjects: [user:ann]
    created: 2026-11-20T12:00:00Z
`

// A file with a mistake opens for nobody, and the error says where it is.
func TestBrokenFiles(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"typo":           {"version: 1\nkeys:" + entry + "    expire: 2026-12-01T00:00:00Z\n", "line 7"},
		"typo at top":    {"version: 1\nkey: []\n", "line 2"},
		"twice":          {"version: 1\nversion: 1\n", "line 2"},
		"no date":        {"version: 1\nkeys:" + strings.Replace(entry, "2026-11-20T12:00:00Z", "soon", 1), "created"},
		"no expiry":      {"version: 1\nkeys:" + entry + "    expires: next year\n", "expires"},
		"bad subject":    {"version: 1\nkeys:" + strings.Replace(entry, "user:ann", "ann", 1), "keys[0]"},
		"no subject":     {"version: 1\nkeys:" + strings.Replace(entry, "user:ann", "", 1), "no subjects"},
		"short hash":     {"version: 1\nkeys:" + strings.Replace(entry, "00000000", "", 1), "sha256"},
		"bad id":         {"version: 1\nkeys:" + strings.Replace(entry, "abcd1234", "ABC", 1), "id"},
		"same id twice":  {"version: 1\nkeys:" + entry + entry, "twice"},
		"bad scope":      {"version: 2\nkeys:" + entry + "    scopes: ['a b']\n", "scope"},
		"other version":  {"version: 3\nkeys: []\n", "version"},
		"empty":          {"", "version"},
		"not YAML":       {"{", ""},
		"binary":         {"\x00\xff", ""},
		"a list":         {"- 1\n", ""},
		"a JSON mistake": {`{"version":1,"keys":[{"ident":"x"}]}`, "line 1"},
	} {
		path := filepath.Join(t.TempDir(), "keys.yaml")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path, Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %q in it", name, err, c.want)
		}
	}
	path := newFile(t)
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, Options{}); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("a file that others can read: %v", err)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none"), Options{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	if err := CreateFile(path); err == nil {
		t.Error("a key file was overwritten")
	}
}

// While the file cannot be read no key is good, and the log says so once.
// TestOneBadKeyDoesNotLockOutTheOthers: what cannot be read again is not
// written, such as a time beyond the year 9999.
func TestOneBadKeyDoesNotLockOutTheOthers(t *testing.T) {
	path := newFile(t)
	keys := open(t, path)
	_, good, err := keys.Create([]acl.Subject{"user:ann"}, time.Time{}, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := keys.Create([]acl.Subject{"user:bob"}, now.AddDate(9_000, 0, 0), ""); err == nil {
		t.Error("a key that expires in the year 11026 was written")
	}
	if _, err := open(t, path).Verify(good); err != nil {
		t.Errorf("the key that was there before: %v", err)
	}
}

func TestKeyFileMustBeRegular(t *testing.T) {
	dir := t.TempDir()
	if _, err := Open(dir, Options{}); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a folder as key file: %v", err)
	}
}

func TestBrokenFileClosesTheDoor(t *testing.T) {
	path := newFile(t)
	var log bytes.Buffer
	k, err := Open(path, Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	_, secret, err := k.Create([]acl.Subject{"user:ann"}, time.Time{}, "")
	if err != nil {
		t.Fatal(err)
	}
	good, _ := os.ReadFile(path)
	if err := os.WriteFile(path, []byte("version: 1\nkeys: oops\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := k.Verify(secret); err != ErrUnauthenticated {
			t.Errorf("with a broken file: %v", err)
		}
	}
	if n := strings.Count(log.String(), "no key is accepted"); n != 1 || strings.Contains(log.String(), secret) {
		t.Errorf("logged %d times: %s", n, log.String())
	}
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Verify(secret); err != nil {
		t.Errorf("with the file mended: %v", err)
	}
}

func TestChangesOfTwoProcessesAreBothKept(t *testing.T) {
	path := newFile(t)
	a, b := open(t, path), open(t, path)
	var all sync.WaitGroup
	for i := range 10 {
		all.Go(func() {
			k := []*Keys{a, b}[i%2]
			if _, _, err := k.Create([]acl.Subject{"user:ann"}, time.Time{}, fmt.Sprint(i)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if list, err := open(t, path).List(); err != nil || len(list) != 10 {
		t.Errorf("%d keys, %v", len(list), err)
	}
	left, _ := filepath.Glob(path + ".*.tmp")
	if len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestRequire(t *testing.T) {
	k := NewMemory(Options{})
	_, secret, err := k.Create([]acl.Subject{"user:ann"}, time.Time{}, "")
	if err != nil {
		t.Fatal(err)
	}
	served := false
	h := Require(k, 0, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		served = true
		if FromContext(r.Context()).Principal.User() != "user:ann" || r.Header.Get("Authorization") != "" {
			t.Errorf("identity %+v, header %q", FromContext(r.Context()), r.Header.Get("Authorization"))
		}
	}))
	for _, c := range []struct {
		values []string
		ok     bool
	}{
		{[]string{"Bearer " + secret}, true}, {[]string{"bearer " + secret}, true},
		{nil, false}, {[]string{secret}, false}, {[]string{"Bearer " + secret, "Bearer " + secret}, false}, {[]string{"Bearer " + secret + ",x"}, false},
	} {
		served = false
		r := httptest.NewRequest(http.MethodPost, "/mcp?access_token="+secret+"&key="+secret, nil)
		r.Header["Authorization"] = c.values
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if served != c.ok || !c.ok && (w.Code != 401 || w.Body.String() != "unauthorized\n") {
			t.Errorf("%d headers: served %v, %d", len(c.values), served, w.Code)
		}
	}
}

func FuzzDecodeFile(f *testing.F) {
	f.Add([]byte("version: 1\nkeys:" + entry))
	f.Add([]byte(`{"version":1,"keys":[]}`))
	f.Add([]byte("version: 1\nkeys: [{id: &a abcd1234, sha256: *a}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := decodeFile(data)
		for _, key := range keys {
			if err == nil && (key.validate() != nil || key.Principal().IsZero()) {
				t.Fatalf("%q gives %+v", data, key)
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("ken_abcd1234_" + strings.Repeat("A", secretLength))
	f.Fuzz(func(t *testing.T, key string) {
		if id, ok := parse(key); ok && (len(key) != len(keyPrefix)+idLength+1+secretLength || len(id) != idLength) {
			t.Fatalf("%q is taken as a key", key)
		}
	})
}
