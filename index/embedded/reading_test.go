package embedded

import (
	"errors"
	"testing"

	"ken/index"
)

func TestTooMuchToRead(t *testing.T) {
	v := &view{}
	if err := v.read(t.Context(), make([]place, maxReading+1), nil); !errors.Is(err, index.ErrBroad) {
		t.Errorf("one chunk too many: %v", err)
	}
	if err := v.read(t.Context(), nil, nil); err != nil {
		t.Errorf("no chunk: %v", err)
	}
}
