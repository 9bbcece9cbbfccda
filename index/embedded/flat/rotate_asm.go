//go:build amd64 || arm64

package flat

//go:noescape
func mixSIMD(v *float32, n int, scale float32)

//go:noescape
func flipSIMD(v *float32, signs *uint32, n int)

//go:noescape
func greatestSIMD(v *float32, n int) float32

//go:noescape
func roundSIMD(v *float32, n int, scale, most float64, numbers *int8, lost *[4]float64)

func mix(v []float32, scale float32) {
	if canEncode() && len(v) >= 16 {
		mixSIMD(&v[0], len(v), scale)
		return
	}
	mixGo(v, scale)
}

func flip(v []float32, signs []uint32) {
	n := 0
	if canEncode() && len(v) >= 8 {
		n = len(v) &^ 7
		_ = signs[n-1]
		flipSIMD(&v[0], &signs[0], n)
	}
	flipGo(v[n:], signs[n:])
}

func greatest(v []float32) (most float32) {
	n := 0
	if canEncode() && len(v) >= 8 {
		n = len(v) &^ 7
		most = greatestSIMD(&v[0], n)
	}
	return max(most, greatestGo(v[n:]))
}

func roundAll(v []float32, scale float64, numbers []int8) (lost [4]float64) {
	n := 0
	if canEncode() && len(v) >= 8 {
		n = len(v) &^ 7
		_ = numbers[n-1]
		roundSIMD(&v[0], n, scale, levels, &numbers[0], &lost)
	}
	roundGo(v[n:], scale, numbers[n:], &lost)
	return lost
}
