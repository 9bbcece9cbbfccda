//go:build !amd64

package bounds

func add(sums []uint16, codes, steps []byte, table *[256]uint16) { addGo(sums, codes, steps, table) }
