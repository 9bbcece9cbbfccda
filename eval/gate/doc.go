// Package gate compares two results of a suite question by question, and says
// which differences are a regression.
//
// A metric has regressed if the paired randomisation test, corrected for the
// number of metrics and runs, finds its loss significant. Latency must besides
// be slower by a share and by milliseconds that no noise of a machine makes,
// because the two results may come from two machines.
package gate
