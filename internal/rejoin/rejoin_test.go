package rejoin_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"ken/internal/rejoin"
)

func TestAPanicIsTheWaiters(t *testing.T) {
	var group rejoin.Group
	var ended atomic.Int32
	for i := range 4 {
		group.Go(func() {
			if i == 2 {
				panic("damaged")
			}
			ended.Add(1)
		})
	}
	defer func() {
		fault, ok := recover().(*rejoin.Fault)
		if !ok || fault.Value != "damaged" || !strings.Contains(fault.String(), "rejoin_test.go") {
			t.Errorf("recovered %v", fault)
		}
		if ended.Load() != 3 {
			t.Errorf("%d others ended, want 3", ended.Load())
		}
	}()
	group.Wait()
	t.Error("Wait returned")
}
