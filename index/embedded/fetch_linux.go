package embedded

import (
	"os"
	"syscall"
)

// willNeed asks the system to read bytes [from, to) of a mapped file, and does not
// wait. Without it each page would be waited for when it is touched, and with it
// whatever the system guesses to be wanted around it, which can be megabytes.
func willNeed(mapped []byte, from, to int) {
	from -= from % os.Getpagesize()
	if from < to {
		_ = syscall.Madvise(mapped[from:to], syscall.MADV_WILLNEED) // a hint: nothing depends on it
	}
}
