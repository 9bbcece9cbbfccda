package embedded

import (
	"errors"
	"fmt"
	"sync"

	"ken/corpora"
	"ken/index"
)

// admitted remembers, for one view, what was read of the truth to decide about a
// chunk: chunks of one answer share documents and classes.
type admitted struct {
	mu      sync.Mutex
	classes map[uint32]bool
	heads   map[corpora.DocID]documentHead
}

// maxHeads bounds the documents that a view remembers.
const maxHeads = 4096

// classAdmits asks the list of the class as the truth has it.
func (v *view) classAdmits(id uint32) (bool, error) {
	a := &v.admitted
	a.mu.Lock()
	defer a.mu.Unlock()
	if ok, known := a.classes[id]; known {
		return ok, nil
	}
	l, err := getClass(v.state.snapshot, id)
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

// head returns the head of a document.
func (v *view) head(id corpora.DocID) (h documentHead, err error) {
	a := &v.admitted
	a.mu.Lock()
	defer a.mu.Unlock()
	if h, ok := a.heads[id]; ok {
		return h, nil
	}
	key := documentKey(id)
	err = get(v.state.snapshot, key, func(b []byte) (err error) {
		h, _, err = decodeHead(key, b)
		return err
	})
	if err != nil {
		return h, err
	}
	if a.heads == nil || len(a.heads) == maxHeads {
		a.heads = map[corpora.DocID]documentHead{}
	}
	a.heads[id] = h
	return h, nil
}
