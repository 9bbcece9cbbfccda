// Package steady has what the standard library computes with other last bits on
// other machines. Scores are made of it.
package steady

import "math"

// Log returns the natural logarithm of x, less than five units in the last place off.
// With x = 2^k · m and m near 1 it is k · ln 2 + ln m, and with s = (m - 1) / (m + 1)
// ln m is the series 2 · (s + s³/3 + s⁵/5 + …). Each product is rounded by itself: no
// compiler may fuse it with a sum.
func Log(x float64) float64 {
	if !(x > 0) || math.IsInf(x, 1) {
		return math.Log(x)
	}
	m, k := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m, k = 2*m, k-1
	}
	s := (m - 1) / (m + 1)
	square := float64(s * s) // at most .0295
	var rest float64
	for _, odd := range [...]float64{1. / 21, 1. / 19, 1. / 17, 1. / 15, 1. / 13, 1. / 11, 1. / 9, 1. / 7, 1. / 5, 1. / 3} {
		rest = float64((rest + odd) * square)
	}
	return float64(float64(k)*math.Ln2) + float64(2*(s+float64(s*rest)))
}
