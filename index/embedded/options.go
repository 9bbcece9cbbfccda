package embedded

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options tune a store. The zero Options are those of a product.
type Options struct {
	// FS is the file system; nil is the machine's. On any other, files are read
	// whole instead of being mapped into memory.
	FS vfs.FS
	// Vectors names the vector leg: "flat" ("" too) or "chromem". Both give the
	// same results up to 20,000 readable chunks; beyond that flat may miss a few
	// of the last ones and chromem-go compares with all.
	Vectors string
	// Process tells others who holds the directory, "ken serve" for example; ""
	// is the name of the program.
	Process string
	// Reserve is how many bytes are kept free for changes of permissions, which
	// then find room on a full disk; 0 is 64 MiB on the machine's own file system
	// and none on another, a negative number is none.
	Reserve int64
	// History is how long the past of permissions is kept; 0 is DefaultHistory.
	History time.Duration
	// Clock dates the past of permissions; nil is time.Now.
	Clock func() time.Time
	// Memory is how many bytes the store remembers of what was read, so that it need
	// not be read or made again; 0 is 256 MiB. What a search or a write works with,
	// and some 50 MiB of buffers, come on top.
	Memory int64
	// Logger hears of what operators should know; nil is silence.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Vectors == "" {
		o.Vectors = "flat"
	}
	if o.Reserve == 0 && o.onDisk() {
		o.Reserve = reserveSize
	}
	o.Reserve = max(o.Reserve, 0)
	if o.Process == "" {
		o.Process = filepath.Base(os.Args[0])
	}
	if o.History == 0 {
		o.History = DefaultHistory
	}
	if o.Memory == 0 {
		o.Memory = defaultMemory
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

func (o Options) validate() error {
	if o.Vectors != "flat" && o.Vectors != "chromem" {
		return fmt.Errorf("vectors: %q is unknown, want flat or chromem", o.Vectors)
	}
	if o.History < 0 {
		return fmt.Errorf("history: %s is negative", o.History)
	}
	if o.Memory < 0 {
		return fmt.Errorf("memory: %d is negative", o.Memory)
	}
	return nil
}

// onDisk reports whether the files are the machine's own.
func (o Options) onDisk() bool { return o.FS == vfs.Default }

// Errors of a store besides those of package index.
var (
	// ErrClosed says that the store or view was closed.
	ErrClosed = errors.New("index is closed")
	// ErrFailed says that an earlier write may or may not have reached the
	// disk, and that the process has to be restarted to find out. Until then
	// the store takes no write and gives no view.
	ErrFailed = errors.New("index stopped after a failed write: restart to recover")
	// ErrFull says that the disk is full. Nothing was stored or lost;
	// permissions can be changed and documents deleted all the same.
	ErrFull = errors.New("the disk is full: free space, then ingest again")
)

// FormatError says that a data directory was written by another version.
type FormatError struct {
	Dir   string
	Found string // what its FORMAT file says; "" if there is none
	Want  string
}

func (e *FormatError) Error() string {
	if e.Found == "" {
		return fmt.Sprintf("data directory %s holds an index without a FORMAT file; use another directory or restore the file", e.Dir)
	}
	return fmt.Sprintf("data directory %s has format %q and this program needs %q; ingest into a new directory or use the version that wrote it",
		e.Dir, e.Found, e.Want)
}

// InUseError says which process holds a data directory.
type InUseError struct {
	Dir     string
	PID     int    // 0 if unknown
	Command string // "" if unknown
}

func (e *InUseError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("data directory %s is in use by another process; stop it or use another directory", e.Dir)
	}
	return fmt.Sprintf("data directory %s is in use by process %d (%s); stop it or use another directory", e.Dir, e.PID, e.Command)
}
