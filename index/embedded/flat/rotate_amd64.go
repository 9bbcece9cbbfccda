package flat

//go:noescape
func mixAVX2(v *float32, n int, scale float32)

//go:noescape
func flipAVX2(v *float32, signs *uint32, n int)

//go:noescape
func greatestAVX2(v *float32, n int) float32

//go:noescape
func roundAVX2(v *float32, n int, scale, most float64, numbers *int8, lost *[4]float64)

func mix(v []float32, scale float32) {
	if hasAVX2 && len(v) >= 16 {
		mixAVX2(&v[0], len(v), scale)
		return
	}
	mixGo(v, scale)
}

func flip(v []float32, signs []uint32) {
	n := 0
	if hasAVX2 && len(v) >= 8 {
		n = len(v) &^ 7
		_ = signs[n-1]
		flipAVX2(&v[0], &signs[0], n)
	}
	flipGo(v[n:], signs[n:])
}

func greatest(v []float32) (most float32) {
	n := 0
	if hasAVX2 && len(v) >= 8 {
		n = len(v) &^ 7
		most = greatestAVX2(&v[0], n)
	}
	return max(most, greatestGo(v[n:]))
}

func roundAll(v []float32, scale float64, numbers []int8) (lost [4]float64) {
	n := 0
	if hasAVX2 && len(v) >= 8 {
		n = len(v) &^ 7
		_ = numbers[n-1]
		roundAVX2(&v[0], n, scale, levels, &numbers[0], &lost)
	}
	roundGo(v[n:], scale, numbers[n:], &lost)
	return lost
}
