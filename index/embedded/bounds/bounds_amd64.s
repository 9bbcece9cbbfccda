#include "textflag.h"

// func addVBMI(sums *uint16, codes, steps *byte, table *[256]byte, n int)
// The table is in four registers of 64 bytes; n is a multiple of 64, above zero.
TEXT ·addVBMI(SB), NOSPLIT, $0-40
	MOVQ         sums+0(FP), DI
	MOVQ         codes+8(FP), SI
	MOVQ         steps+16(FP), DX
	MOVQ         table+24(FP), R8
	MOVQ         n+32(FP), CX
	VMOVDQU64    (R8), Z0
	VMOVDQU64    64(R8), Z1
	VMOVDQU64    128(R8), Z2
	VMOVDQU64    192(R8), Z3
	MOVL         $0x0F0F0F0F, AX
	VPBROADCASTD AX, Z4

chunks:
	// A byte with two codes becomes two bytes with one each, then places in the table.
	VPMOVZXBW (SI), Z5
	VPSLLW    $4, Z5, Z6
	VPORQ     Z6, Z5, Z5
	VPANDQ    Z4, Z5, Z5
	VPORQ     (DX), Z5, Z5

	// The lower half of the table, and the upper where the highest bit is set.
	VPMOVB2M  Z5, K1
	VMOVDQA64 Z5, Z6
	VPERMI2B  Z1, Z0, Z6
	VPERMI2B  Z3, Z2, Z5
	VMOVDQU8  Z5, K1, Z6

	VPMOVZXBW     Y6, Z7
	VEXTRACTI64X4 $1, Z6, Y8
	VPMOVZXBW     Y8, Z8
	VPADDUSW      (DI), Z7, Z7
	VPADDUSW      64(DI), Z8, Z8
	VMOVDQU64     Z7, (DI)
	VMOVDQU64     Z8, 64(DI)

	ADDQ $32, SI
	ADDQ $64, DX
	ADDQ $128, DI
	SUBQ $64, CX
	JNZ  chunks
	VZEROUPPER
	RET
