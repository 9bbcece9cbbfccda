package flat

import "testing"

// TestKernelWithoutSDOT repeats the comparison for machines without the newer
// instructions.
func TestKernelWithoutSDOT(t *testing.T) {
	if !hasSDOT {
		t.Skip("TestKernelEqualsPlainGo ran this kernel")
	}
	hasSDOT = false
	defer func() { hasSDOT = true }()
	TestKernelEqualsPlainGo(t)
	TestLongestProductFits(t)
}
