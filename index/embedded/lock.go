package embedded

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
)

// lockDirectory takes the directory for this process, or fails at once with an
// [InUseError]. The lock is the kernel's and ends with the process. Who holds it
// stands in a file beside it, because Windows lets nobody read a locked file.
func lockDirectory(d directory, o Options) (io.Closer, error) {
	path, owner := d.join("LOCK"), d.join("OWNER")
	if !o.onDisk() {
		held, err := o.FS.Lock(path)
		if err != nil {
			return nil, &InUseError{Dir: d.root}
		}
		return held, nil
	}
	lock := flock.New(path)
	ok, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock data directory %s: %w", d.root, err)
	}
	if !ok {
		return nil, inUse(d.root, owner)
	}
	if err := os.WriteFile(owner, fmt.Appendf(nil, "%d %s\n", os.Getpid(), o.Process), 0o600); err != nil {
		return nil, fmt.Errorf("lock data directory %s: %w", d.root, joinClose(err, lock))
	}
	return &heldLock{lock, owner}, nil
}

type heldLock struct {
	*flock.Flock
	owner string
}

// Close forgets the owner and lets go. A stale owner file does no harm: it is
// read only while somebody holds the lock.
func (h *heldLock) Close() error {
	err := os.Remove(h.owner)
	return joinClose(err, h.Flock)
}

func inUse(dir, owner string) error {
	e := &InUseError{Dir: dir}
	text, err := os.ReadFile(owner)
	if err != nil {
		return e
	}
	pid, command, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	if n, err := strconv.Atoi(pid); err == nil {
		e.PID, e.Command = n, command
	}
	return e
}
