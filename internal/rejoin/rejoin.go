// Package rejoin runs goroutines whose panics are those of whoever waits for them,
// so that a fault in one question ends that question and not the program.
package rejoin

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// Group is a set of goroutines. The zero Group is ready to use.
type Group struct {
	running sync.WaitGroup
	once    sync.Once
	fault   *Fault
}

// Fault is what Wait panics with.
type Fault struct {
	Value any    // what the goroutine panicked with
	Stack []byte // where
}

// String tells both, for a log.
func (f *Fault) String() string { return fmt.Sprintf("%v\n%s", f.Value, f.Stack) }

// Go runs f in a goroutine.
func (g *Group) Go(f func()) {
	g.running.Go(func() {
		defer func() {
			if v := recover(); v != nil {
				g.once.Do(func() { g.fault = &Fault{v, debug.Stack()} })
			}
		}()
		f()
	})
}

// Wait waits for all, and panics if one did.
func (g *Group) Wait() {
	g.running.Wait()
	if g.fault != nil {
		panic(g.fault)
	}
}
