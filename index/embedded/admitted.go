package embedded

import (
	"errors"
	"fmt"
	"sync"

	"ken/index"
)

// admitted remembers, for one view, what the lists in the truth say: the chunks of
// an answer share classes.
type admitted struct {
	mu      sync.Mutex
	classes map[uint32]bool
}

// classAdmits asks the list of the class as the truth has it.
func (v *view) classAdmits(id uint32) (bool, error) {
	a := &v.admitted
	a.mu.Lock()
	defer a.mu.Unlock()
	if ok, known := a.classes[id]; known {
		return ok, nil
	}
	l, err := v.state.list(id)
	if errors.Is(err, index.ErrNotFound) {
		err = fmt.Errorf("%w: a document is in ACL class %d, which is not there", errTruth, id)
	}
	if err != nil {
		return false, err
	}
	if a.classes == nil {
		a.classes = map[uint32]bool{}
	}
	a.classes[id] = l.Admits(v.principal, v.at)
	return a.classes[id], nil
}
