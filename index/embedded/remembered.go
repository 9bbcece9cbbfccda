package embedded

import (
	"sync"
	"sync/atomic"

	"ken/corpora"
)

// remembered is what the states of a generation, which follow each other, remember
// together of what searches asked for. A state never changes, so what was made for
// one is right in a later one as far as the commits between them left it as it
// was, and each commit says what it changed: see follow. What is remembered decides
// nothing: whether a text may be read, the gate asks each time.
type remembered struct {
	newest    atomic.Uint64 // number of the newest state
	documents kept[corpora.DocID, *storedDocument]
	lists     kept[listKey, *lists]
	readable  kept[string, *readableOf] // by acl.Principal.Key
	log       commitLog

	makers      sync.Pool // of *listMaker
	windows     sync.Pool // of *windows
	vectors     sync.Pool // of *vectorWork
	comparisons sync.Pool // of *comparison
}

// follow is told what the commit from state before to state after did, and must be
// told before anybody can see the state after. From then on, readers of older
// states remember no more documents, so that nothing of an older state is left to a
// newer one.
func (m *remembered) follow(before, after uint64, documents []corpora.DocID, moves []move) {
	m.newest.Store(after)
	m.documents.drop(documents)
	m.log.add(commit{before, after, moves})
}

// forget drops everything that is made of what documents say.
func (m *remembered) forget() {
	m.documents.forget()
	m.lists.forget()
	m.readable.forget()
}

// move is a document that came into an ACL class of a generation, or left it.
type move struct {
	documentHead
	left bool
}

// commit is what led from one state to the next.
type commit struct {
	before, after uint64 // numbers of the states
	moves         []move
}

// commitLog is the last commits of a generation, the newest last.
type commitLog struct {
	mu      sync.Mutex
	commits []commit
	moves   int
}

// Bounds of a log. What is older than it, is made anew.
const (
	maxLogged  = 1 << 10 // commits
	maxMoves   = 1 << 15 // of all commits together, but for the newest
	fewerMoves = 2       // a full log is cut to one part in so many
)

func (l *commitLog) add(c commit) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.commits) >= maxLogged || l.moves > maxMoves {
		from := len(l.commits) - len(l.commits)/fewerMoves
		for _, old := range l.commits[:from] {
			l.moves -= len(old.moves)
		}
		// A copy, for readers hold parts of what it is copied from.
		l.commits = append([]commit(nil), l.commits[from:]...)
	}
	l.commits, l.moves = append(l.commits, c), l.moves+len(c.moves)
}

// between returns the commits that led from one state to a later one; ok is false
// if they are not known any more.
func (l *commitLog) between(before, after uint64) (commits []commit, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	end := len(l.commits)
	for i := end - 1; i >= 0 && l.commits[i].after > before; i-- {
		if l.commits[i].after == after {
			end = i + 1
		}
		if l.commits[i].before == before && end > i && l.commits[end-1].after == after {
			return l.commits[i:end:end], true
		}
	}
	return nil, false
}

// forget drops what all generations remember of what documents say.
func (st *state) forget() {
	st.truth.recent.forget()
	st.truth.acls.forget()
	for _, g := range st.generations() {
		g.kept.forget()
	}
}
