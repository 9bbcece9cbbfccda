package embedded_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"ken/index/embedded"
	"ken/index/indextest"
)

// snapshot is the disk as a power cut would leave it, and how many writes had
// been acknowledged by then.
type snapshot struct {
	fs    *vfs.MemFS
	acked int
	at    string
}

// recorder cuts the power, in a copy, before every file operation that writes.
type recorder struct {
	disk      *vfs.MemFS
	mu        sync.Mutex
	acked     int
	snapshots []snapshot
	random    *rand.Rand
}

func (r *recorder) MaybeError(op errorfs.Op) error {
	if !writes(op) {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	// What was not synced is lost, or kept, or kept in part.
	for _, percent := range []int{0, 50, 100} {
		if percent != 0 && r.random.IntN(4) != 0 {
			continue
		}
		fs := r.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: r.random})
		r.snapshots = append(r.snapshots, snapshot{fs, r.acked, fmt.Sprintf("before %v %s, %d%% of the rest kept", op.Kind, op.Path, percent)})
	}
	return nil
}

func (r *recorder) String() string { return "recorder" }

func (r *recorder) acknowledge() {
	r.mu.Lock()
	r.acked++
	r.mu.Unlock()
}

func writes(op errorfs.Op) bool {
	switch op.Kind {
	case errorfs.OpOpen, errorfs.OpOpenDir, errorfs.OpList, errorfs.OpStat, errorfs.OpFileRead, errorfs.OpFileReadAt, errorfs.OpFileStat,
		errorfs.OpFileClose, errorfs.OpGetDiskUsage, errorfs.OpFilePreallocate:
		return false
	}
	return true
}

// A power cut at any file operation leaves every acknowledged write and of the
// one under way all or nothing.
func TestPowerCut(t *testing.T) {
	disk := vfs.NewCrashableMem()
	r := &recorder{disk: disk, random: rand.New(rand.NewPCG(1, 2))}
	s := open(t, "data", embedded.Options{FS: errorfs.Wrap(disk, r)})
	oracle := indextest.NewOracle()
	history := []*indextest.Oracle{oracle.Clone()}
	for _, step := range indextest.Script() {
		if err := errors.Join(step.Do(t.Context(), s), step.Do(t.Context(), oracle)); err != nil {
			t.Fatalf("%s: %v", step.Name, err)
		}
		r.acknowledge()
		history = append(history, oracle.Clone())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d power cuts", len(r.snapshots))
	for _, cut := range r.snapshots {
		after, err := embedded.Open("data", embedded.Options{FS: cut.fs})
		if err != nil {
			t.Fatalf("%s: %v", cut.at, err)
		}
		sound(t, after, cut.at, history[cut.acked:min(cut.acked+2, len(history))]...)
	}
}

// sound verifies that the store passes its own check and is one of the given
// states, and closes it.
func sound(t *testing.T, s *embedded.Store, at string, states ...*indextest.Oracle) {
	t.Helper()
	var differences []string
	for _, state := range states {
		differences = append(differences, indextest.Compare(t.Context(), s, state))
		if differences[len(differences)-1] == "" {
			differences = nil
			break
		}
	}
	if differences != nil {
		t.Errorf("%s: the store is in none of %d possible states: %s", at, len(states), strings.Join(differences, "\n"))
	}
	report, err := s.Check(t.Context())
	if err != nil || len(report.Problems) > 0 {
		t.Errorf("%s: check: %v %q", at, err, report.Problems)
	}
	if err := s.Close(); err != nil {
		t.Errorf("%s: close: %v", at, err)
	}
}

// failure makes one file operation fail, counted from the beginning.
type failure struct {
	mu    sync.Mutex
	left  int
	armed bool
	hit   string
}

var errDisk = errors.New("disk on fire")

func (f *failure) MaybeError(op errorfs.Op) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.armed || !writes(op) {
		return nil
	}
	if f.left--; f.left != 0 {
		return nil
	}
	f.hit = fmt.Sprintf("%v %s", op.Kind, op.Path)
	return errDisk
}

func (f *failure) String() string { return "failure" }

// A file operation that fails makes the write fail and changes nothing, or it
// stops the store; then a restart finds the state before or after that write.
func TestFailingDisk(t *testing.T) {
	stopped, refused := 0, 0
	for n := 1; ; n++ {
		disk := vfs.NewMem()
		f := &failure{left: n}
		s := open(t, "data", embedded.Options{FS: errorfs.Wrap(disk, f)})
		f.armed = true
		oracle := indextest.NewOracle()
		states := []*indextest.Oracle{oracle}
		for _, step := range indextest.Script() {
			err := step.Do(t.Context(), s)
			failed := err
			if err == nil {
				err = step.Do(t.Context(), oracle)
			} else if errors.Is(err, embedded.ErrFailed) {
				stopped++
				with := oracle.Clone()
				states, err = append(states, with), step.Do(t.Context(), with)
				mustRefuse(t, s, step)
			} else if refused++; errors.Is(err, errDisk) {
				if d := indextest.Compare(t.Context(), s, oracle); d != "" {
					t.Errorf("after %s with %s failing: %s", step.Name, f.hit, d)
				}
				err = errors.Join(step.Do(t.Context(), s), step.Do(t.Context(), oracle)) // the disk is well again
			}
			if err != nil {
				t.Fatalf("%s with %s failing: %v, then %v", step.Name, f.hit, failed, err)
			}
			// The merge after an acknowledged write may stop the store too.
			if len(states) > 1 || errors.Is(viewError(t, s), embedded.ErrFailed) {
				break
			}
		}
		if err := s.Close(); err != nil && len(states) == 1 && f.hit == "" {
			t.Errorf("close: %v", err)
		}
		restarted := vfs.NewMem() // without the locks of a store that may have stopped
		if _, err := vfs.Clone(disk, restarted, "data", "data"); err != nil {
			t.Fatal(err)
		}
		after, err := embedded.Open("data", embedded.Options{FS: restarted})
		if err != nil {
			t.Fatalf("with %s failing: %v", f.hit, err)
		}
		sound(t, after, f.hit, states...)
		if f.hit == "" {
			t.Logf("%d operations, %d refused writes, %d stops", n, refused, stopped)
			break
		}
	}
	if stopped == 0 || refused == 0 {
		t.Errorf("%d writes were refused and %d stopped the store: the test did not reach both", refused, stopped)
	}
}

// mustRefuse verifies that a stopped store takes nothing and gives nothing.
func mustRefuse(t *testing.T, s *reopened, step indextest.Step) {
	t.Helper()
	if err := step.Do(t.Context(), s); !errors.Is(err, embedded.ErrFailed) {
		t.Errorf("write to a stopped store: %v", err)
	}
	if err := viewError(t, s); !errors.Is(err, embedded.ErrFailed) {
		t.Errorf("view of a stopped store: %v", err)
	}
}

func viewError(t *testing.T, s *reopened) error {
	v, err := s.View(t.Context(), everyone, noon)
	if err == nil {
		err = v.Close()
	}
	return err
}

// A power cut while several writers write, which drops what was not synced, or
// half of it, leaves what each of them was told is stored.
func TestPowerCutUnderTraffic(t *testing.T) {
	traffic := indextest.Traffic{Seed: rand.Uint64(), Writers: 3}
	t.Logf("seed %d", traffic.Seed)
	disk := vfs.NewCrashableMem()
	s := open(t, "data", embedded.Options{FS: disk})
	if err := traffic.Prepare(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	journal, err := indextest.NewJournal(t.Context(), traffic)
	if err != nil {
		t.Fatal(err)
	}
	var writers sync.WaitGroup
	turns := make(chan struct{}, 12)
	acked := make([]atomic.Int64, traffic.Writers)
	for w := range traffic.Writers {
		writers.Go(func() {
			for n := 0; ; n++ {
				if _, more := <-turns; !more {
					return
				}
				if err := traffic.Step(w, n).Do(t.Context(), s); err != nil {
					t.Errorf("write: %v", err)
					return
				}
				acked[w].Add(1)
			}
		})
	}
	for range 150 {
		for range cap(turns) {
			turns <- struct{}{}
		}
		time.Sleep(time.Duration(rand.IntN(2000)) * time.Microsecond)
		fs := cutPower(disk, acked, journal.Acked)
		verifyCut(t, fs, journal)
	}
	close(turns)
	writers.Wait()
	t.Logf("%d writes", journal.Acked)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func verifyCut(t *testing.T, fs *vfs.MemFS, journal *indextest.Journal) {
	t.Helper()
	after := open(t, "data", embedded.Options{FS: fs})
	copied, err := journal.Clone(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	verdict, err := copied.Verify(t.Context(), after)
	if err = errors.Join(err, after.Close()); err != nil || len(verdict.Notes) > 0 {
		t.Fatalf("%v: %+v", err, verdict)
	}
}

// cutPower returns the disk as a power cut leaves it and what was acknowledged by
// then, at a moment at which no writer got on.
func cutPower(disk *vfs.MemFS, acked []atomic.Int64, told []int) *vfs.MemFS {
	for {
		for w := range acked {
			told[w] = int(acked[w].Load())
		}
		config := vfs.CrashCloneCfg{UnsyncedDataPercent: []int{0, 0, 50, 100}[rand.IntN(4)], RNG: rand.New(rand.NewPCG(rand.Uint64(), 0))}
		fs := disk.CrashClone(config)
		same := true
		for w := range acked {
			same = same && told[w] == int(acked[w].Load())
		}
		if same {
			return fs
		}
	}
}
