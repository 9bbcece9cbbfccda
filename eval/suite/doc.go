// Package suite runs evaluation sets together, as a file says, and holds what
// came out against thresholds.
//
//	suite.yaml ──> Suite ──> eval.Run per set and mode ──> Result ──> eval.json
//	                    └──> the plain RAG baseline, if asked for
//
// The threshold for abstaining is calibrated on every second question of one
// set, and reported on the others of that set and on all other sets.
package suite
