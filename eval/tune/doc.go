// Package tune looks for ranking parameters that serve a set better than the
// defaults, and says what they would gain on questions that had no part in
// choosing them.
//
//	questions ──> folds ──> choose on all folds but one ──> score that one ──┐
//	                 └────────────── for every fold ──────────────────────────┴─> gain, p-value
//	          └─> choose on all questions ──> what is recommended, if the gain is significant
//
// Choosing goes knob by knob from the defaults and keeps the best value of each
// before it turns the next one. Nothing is random but the test's signs, which have
// a fixed seed: the same set gives the same verdict.
package tune
