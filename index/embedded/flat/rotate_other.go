//go:build !amd64 && !arm64

package flat

func mix(v []float32, scale float32) { mixGo(v, scale) }

func flip(v []float32, signs []uint32) { flipGo(v, signs) }

func greatest(v []float32) float32 { return greatestGo(v) }

func roundAll(v []float32, scale float64, numbers []int8) (lost [4]float64) {
	roundGo(v, scale, numbers, &lost)
	return lost
}
