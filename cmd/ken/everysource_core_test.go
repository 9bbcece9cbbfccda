//go:build !full

package main

import "testing"

// clouds are buckets that only the full binary reads.
func clouds(t *testing.T, _ string, _ map[string]string) map[string]string {
	t.Log("without -tags full: no S3, GCS, Azure")
	return nil
}

// brokers are streams that only the full binary follows.
func brokers(*testing.T, string, map[string]string) map[string]string { return nil }
