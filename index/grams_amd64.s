#include "textflag.h"

// func siftAVX512(hashes *uint32, n int, sieve *gramSieve, out *uint32) int
// Sixteen at a time; n is a multiple of 16, above zero. Sixteen are written where
// fewer are left, which never goes beyond n.
TEXT ·siftAVX512(SB), NOSPLIT, $0-40
	MOVQ         hashes+0(FP), SI
	MOVQ         n+8(FP), CX
	MOVQ         sieve+16(FP), R8
	MOVQ         out+24(FP), DI
	MOVQ         DI, R9
	MOVL         $31, AX
	VPBROADCASTD AX, Z4
	MOVL         $1, AX
	VPBROADCASTD AX, Z5

hashes:
	VMOVDQU32  (SI), Z0
	VPSRLD     $21, Z0, Z1
	KXNORW     K1, K1, K1
	VPGATHERDD (R8)(Z1*4), K1, Z2
	VPSRLD     $16, Z0, Z3
	VPANDD     Z4, Z3, Z3
	VPSRLVD    Z3, Z2, Z2
	VPTESTMD   Z5, Z2, K2
	VPCOMPRESSD.Z Z0, K2, Z0
	VMOVDQU32  Z0, (DI)
	KMOVW      K2, AX
	POPCNTL    AX, AX
	LEAQ       (DI)(AX*4), DI
	ADDQ       $64, SI
	SUBQ       $16, CX
	JNZ        hashes

	SUBQ R9, DI
	SHRQ $2, DI
	MOVQ DI, ret+32(FP)
	VZEROUPPER
	RET
