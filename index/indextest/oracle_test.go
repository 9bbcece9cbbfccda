package indextest_test

import (
	"testing"

	"ken/index/indextest"
	"ken/index/ingest"
)

// The suite's store is what the pipeline needs, and more.
var _ ingest.Store = indextest.Store(nil)

// The oracle keeps the promises that it is the measure for.
func TestOracle(t *testing.T) {
	indextest.RunExact(t, func(*testing.T) indextest.Store { return indextest.NewOracle() })
}
