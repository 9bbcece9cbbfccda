// Package stats tells differences from noise: for the same questions asked of
// two systems, how large the difference is, how sure, and how likely it would be
// if the two were alike.
//
// The unit is the question. If several people ask one, their scores are one
// mean first: they share documents and are no independent evidence.
package stats
