package embedded_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"ken/corpora/acl"
	"ken/index/embedded"
	"ken/index/indextest"
)

const smallReserve = 256 << 10

// long returns a text that takes some space.
func long(n int) string { return strings.Repeat(fmt.Sprintf("server policy %d ", n), 200) }

// On a full disk nothing more can be stored, and a permission can still be taken
// away; when there is space again, so can documents be.
func TestRevokeOnFullDisk(t *testing.T) {
	disk := newQuota(64 << 20)
	s := open(t, "data", embedded.Options{FS: disk, Reserve: smallReserve})
	if err := s.Replace(t.Context(), entry("a", "secret"), entry("b", "other")); err != nil {
		t.Fatal(err)
	}
	disk.fill(smallReserve / 2)
	stored := 0
	var err error
	for ; err == nil && stored < 1000; stored++ {
		err = s.Replace(t.Context(), entry(fmt.Sprint("n", stored), long(stored)))
	}
	if !errors.Is(err, embedded.ErrFull) {
		t.Fatalf("after %d documents: %v, want ErrFull", stored, err)
	}
	disk.fill(0) // someone else took the rest
	if err := s.Replace(t.Context(), entry("c", "text")); !errors.Is(err, embedded.ErrFull) {
		t.Errorf("replace: %v, want ErrFull", err)
	}
	for i := range 50 { // not just one
		if err := errors.Join(s.SetACL(t.Context(), "b", acl.Allow(acl.User(fmt.Sprint(i)))), s.SetACL(t.Context(), "a", acl.List{})); err != nil {
			t.Fatalf("revoke %d on a full disk: %v", i, err)
		}
	}
	if err := s.Delete(t.Context(), "b"); err != nil {
		t.Errorf("delete on a full disk: %v", err)
	}
	if err := s.Replace(t.Context(), entry("c", "text")); !errors.Is(err, embedded.ErrFull) {
		t.Errorf("replace into what was given up: %v, want ErrFull", err)
	}
	if err := s.Reopen(); err != nil {
		t.Fatalf("open on a full disk: %v", err)
	}
	for d, err := range s.Documents(t.Context(), "") {
		if err != nil || d.ID == "b" || d.ID == "a" && d.ACL.Key() != (acl.List{}).Key() {
			t.Errorf("document %+v, %v", d, err)
		}
	}
	disk.setLimit(64 << 20)
	if err := s.Replace(t.Context(), entry("c", "text")); err != nil {
		t.Errorf("replace when there is space: %v", err)
	}
	if info, err := disk.Stat("data/RESERVE"); err != nil || info.Size() != smallReserve {
		t.Errorf("the reserve was not taken again: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// A disk that is full when the store is opened uses the reserve; with none left
// Open says so and ends.
func TestOpenOnFullDisk(t *testing.T) {
	for _, c := range []struct {
		reserve int64
		ok      bool
	}{{smallReserve, true}, {-1, false}} {
		disk := newQuota(64 << 20)
		s := open(t, "data", embedded.Options{FS: disk, Reserve: c.reserve})
		if err := errors.Join(s.Replace(t.Context(), entry("a", "text")), s.Close()); err != nil {
			t.Fatal(err)
		}
		disk.fill(0)
		after, err := embedded.Open("data", embedded.Options{FS: disk, Reserve: c.reserve})
		if c.ok {
			if err == nil {
				err = errors.Join(after.SetACL(t.Context(), "a", acl.List{}), after.Close())
			}
			if err != nil {
				t.Errorf("with a reserve: %v", err)
			}
		} else if err == nil || !strings.Contains(err.Error(), "disk") {
			t.Errorf("without a reserve: error %v, want one about the disk", err)
		}
	}
}

// However little space there is, what was acknowledged stays, and the store works
// when there is space again.
func TestFullAtEveryWrite(t *testing.T) {
	for _, silent := range []bool{false, true} {
		var f fullRuns
		for limit := int64(8 << 10); !f.whole; limit += 300 {
			f.run(t, limit, silent)
		}
		t.Logf("free space told: %v: %+v", !silent, f)
		if f.unopened == 0 || f.refused == 0 {
			t.Errorf("the test did not reach both: %+v", f)
		}
	}
}

// fullRuns counts how runs of the script on small disks ended.
type fullRuns struct {
	unopened, refused, stopped, revoked int
	whole                               bool // there was space for all
}

func (f *fullRuns) run(t *testing.T, limit int64, silent bool) {
	disk := newQuota(limit)
	disk.silent = silent
	s, err := embedded.Open("data", embedded.Options{FS: disk, Reserve: 8 << 10})
	if err != nil {
		f.unopened++
		return
	}
	oracle := indextest.NewOracle()
	states := []*indextest.Oracle{oracle}
	f.whole = true
	for _, step := range indextest.Script() {
		err := step.Do(t.Context(), s)
		switch {
		case err == nil:
			err = step.Do(t.Context(), oracle)
		case errors.Is(err, embedded.ErrFailed):
			f.stopped, f.whole = f.stopped+1, false
			with := oracle.Clone()
			states, err = append(states, with), step.Do(t.Context(), with)
		case errors.Is(err, embedded.ErrFull):
			f.refused, f.whole = f.refused+1, false
			states = append(states, oracle.Clone())
			if err = f.revoke(t, s, oracle); silent && errors.Is(err, embedded.ErrFailed) {
				f.stopped, err = f.stopped+1, nil // nobody knew that there was no space; nothing is served
			} else {
				states = states[:1]
			}
		}
		if err != nil {
			t.Fatalf("limit %d: %s: %v", limit, step.Name, err)
		}
		if !f.whole {
			break
		}
	}
	_ = s.Close() // a store that stopped says so again
	restarted := vfs.NewMem()
	if _, err := vfs.Clone(disk.MemFS, restarted, "data", "data"); err != nil {
		t.Fatal(err)
	}
	after, err := embedded.Open("data", embedded.Options{FS: restarted})
	if err != nil {
		t.Fatalf("limit %d: open when there is space: %v", limit, err)
	}
	sound(t, after, fmt.Sprintf("limit %d", limit), states...)
}

// revoke takes away the first document's readers after a write was refused.
func (f *fullRuns) revoke(t *testing.T, s *embedded.Store, oracle *indextest.Oracle) error {
	for d, err := range oracle.Documents(t.Context(), "") {
		if err != nil {
			return err
		}
		f.revoked++
		return errors.Join(oracle.SetACL(t.Context(), d.ID, acl.List{}), s.SetACL(t.Context(), d.ID, acl.List{}))
	}
	return nil
}
