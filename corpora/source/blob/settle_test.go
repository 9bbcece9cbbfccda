package blob

import (
	"testing"
	"time"
)

// Where times are whole seconds, an object that changed just now is read again by
// the next listing, since it may change without another time.
func TestUnsettled(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, c := range map[string]struct {
		modified, now time.Time
		want          bool
	}{
		"just now":              {at, at.Add(time.Second / 2), true},
		"by a slow clock":       {at, at.Add(-20 * time.Second), true},
		"a while ago":           {at, at.Add(31 * time.Second), false},
		"told to a millisecond": {at.Add(time.Millisecond), at.Add(time.Second / 2), false},
	} {
		first, again := unsettled(c.modified, c.now), unsettled(c.modified, c.now.Add(time.Nanosecond))
		if got := first != again; got != c.want {
			t.Errorf("%s: %q, then %q; want them to differ: %v", name, first, again, c.want)
		}
	}
}
