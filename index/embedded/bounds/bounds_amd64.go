package bounds

import "golang.org/x/sys/cpu"

//go:noescape
func addVBMI(sums *uint16, codes, steps *byte, table *[256]uint16, n int)

// hasVBMI says whether the machine looks bytes up in tables of 128.
var hasVBMI = cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VBMI

func add(sums []uint16, codes, steps []byte, table *[256]uint16) {
	if !hasVBMI {
		addGo(sums, codes, steps, table)
		return
	}
	addVBMI(&sums[0], &codes[0], &steps[0], table, len(sums))
}
