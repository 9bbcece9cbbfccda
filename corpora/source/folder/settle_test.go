package folder

import (
	"testing"
	"time"
)

func TestUnsettled(t *testing.T) {
	now := time.Unix(1e9, 0)
	for age, want := range map[time.Duration]time.Duration{
		0: tick, tick / 4: tick - tick/4, tick: 0, time.Hour: 0,
		-time.Second: 0, // a clock ahead of ours, as on a network: nothing to wait for
	} {
		if got := unsettled(now.Add(-age), now); got != want {
			t.Errorf("age %v: %v, want %v", age, got, want)
		}
	}
}
