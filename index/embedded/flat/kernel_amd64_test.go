package flat

import "testing"

// TestKernelWithoutVNNI repeats the comparison for machines without the newer
// instructions.
func TestKernelWithoutVNNI(t *testing.T) {
	if !hasVNNI {
		t.Skip("TestKernelEqualsPlainGo ran this kernel")
	}
	hasVNNI = false
	defer func() { hasVNNI = true }()
	TestKernelEqualsPlainGo(t)
	TestNthGrade(t)
	TestAtLeastEqualsPlainGo(t)
	TestDotsEqualDot(t)
	TestLongestProductFits(t)
}
