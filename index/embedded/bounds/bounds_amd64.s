#include "textflag.h"

// The order of eight bytes each that makes VPUNPCKLBW and VPUNPCKHBW, which take
// every other eight, give the first half of all and the second.
DATA ·halves+0(SB)/8, $0
DATA ·halves+8(SB)/8, $4
DATA ·halves+16(SB)/8, $1
DATA ·halves+24(SB)/8, $5
DATA ·halves+32(SB)/8, $2
DATA ·halves+40(SB)/8, $6
DATA ·halves+48(SB)/8, $3
DATA ·halves+56(SB)/8, $7
GLOBL ·halves(SB), RODATA|NOPTR, $64

// SPLIT sets low and high to the lower and the upper bytes of 64 numbers.
#define SPLIT(at, low, lowY, high, highY) \
	VMOVDQU64    at(R8), Z5;             \
	VMOVDQU64    at+64(R8), Z6;          \
	VPMOVWB      Z5, lowY;               \
	VPMOVWB      Z6, Y7;                 \
	VINSERTI64X4 $1, Y7, low, low;       \
	VPSRLW       $8, Z5, Z5;             \
	VPSRLW       $8, Z6, Z6;             \
	VPMOVWB      Z5, highY;              \
	VPMOVWB      Z6, Y7;                 \
	VINSERTI64X4 $1, Y7, high, high

// func addVBMI(sums *uint16, codes, steps *byte, table *[256]uint16, n int)
// The lower bytes of the table are in four registers, the upper in four others; n is
// a multiple of 64, above zero.
TEXT ·addVBMI(SB), NOSPLIT, $0-40
	MOVQ         sums+0(FP), DI
	MOVQ         codes+8(FP), SI
	MOVQ         steps+16(FP), DX
	MOVQ         table+24(FP), R8
	MOVQ         n+32(FP), CX
	SPLIT(0, Z0, Y0, Z16, Y16)
	SPLIT(128, Z1, Y1, Z17, Y17)
	SPLIT(256, Z2, Y2, Z18, Y18)
	SPLIT(384, Z3, Y3, Z19, Y19)
	VMOVDQU64    ·halves(SB), Z20
	MOVL         $0x0F0F0F0F, AX
	VPBROADCASTD AX, Z4

chunks:
	// A byte with two codes becomes two bytes with one each, then places in the table.
	VPMOVZXBW (SI), Z5
	VPSLLW    $4, Z5, Z6
	VPORQ     Z6, Z5, Z5
	VPANDQ    Z4, Z5, Z5
	VPORQ     (DX), Z5, Z5
	VPERMQ    Z5, Z20, Z5

	// The first half of the table, and the second where the highest bit is set.
	VPMOVB2M  Z5, K1
	VMOVDQA64 Z5, Z6
	VMOVDQA64 Z5, Z7
	VMOVDQA64 Z5, Z8
	VPERMI2B  Z1, Z0, Z5
	VPERMI2B  Z3, Z2, Z6
	VPERMI2B  Z17, Z16, Z7
	VPERMI2B  Z19, Z18, Z8
	VMOVDQU8  Z6, K1, Z5
	VMOVDQU8  Z8, K1, Z7

	VPUNPCKLBW Z7, Z5, Z6
	VPUNPCKHBW Z7, Z5, Z8
	VPADDUSW   (DI), Z6, Z6
	VPADDUSW   64(DI), Z8, Z8
	VMOVDQU64  Z6, (DI)
	VMOVDQU64  Z8, 64(DI)

	ADDQ $32, SI
	ADDQ $64, DX
	ADDQ $128, DI
	SUBQ $64, CX
	JNZ  chunks
	VZEROUPPER
	RET
