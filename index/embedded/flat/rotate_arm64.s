#include "textflag.h"
#include "neon_arm64.h"

// func mixSIMD(v *float32, n int, scale float32)
// n is a power of two from 16 on.
TEXT ·mixSIMD(SB), NOSPLIT, $0-20
	MOVD  v+0(FP), R0
	MOVD  n+8(FP), R1
	FMOVS scale+16(FP), F15
	VDUP  V15.S[0], V15.S4
	ADD   R1<<2, R0, R2 // the end
	MOVD  R0, R3

inside: // halves of 1 and 2: every fourth number is in the same register
	VLD4   (R3), [V0.S4, V1.S4, V2.S4, V3.S4]
	FADDS(1, 0, 4)
	FSUBS(1, 0, 5)
	FADDS(3, 2, 6)
	FSUBS(3, 2, 7)
	FADDS(6, 4, 0)
	FADDS(7, 5, 1)
	FSUBS(6, 4, 2)
	FSUBS(7, 5, 3)
	VST4.P [V0.S4, V1.S4, V2.S4, V3.S4], 64(R3)
	CMP    R2, R3
	BLO    inside

	MOVD $16, R4 // bytes of half

stage:
	MOVD R0, R3

group:
	ADD  R4, R3, R5 // the second half
	MOVD R5, R6

pair:
	VLD1   (R3), [V0.S4]
	VLD1   (R5), [V1.S4]
	FADDS(1, 0, 2)
	FSUBS(1, 0, 3)
	VST1.P [V2.S4], 16(R3)
	VST1.P [V3.S4], 16(R5)
	CMP    R6, R3
	BLO    pair
	MOVD   R5, R3
	CMP    R2, R3
	BLO    group
	LSL    $1, R4
	ADD    R4, R0, R5
	CMP    R2, R5
	BLO    stage

	MOVD R0, R3

scale:
	VLD1   (R3), [V0.S4, V1.S4]
	FMULS(15, 0, 0)
	FMULS(15, 1, 1)
	VST1.P [V0.S4, V1.S4], 32(R3)
	CMP    R2, R3
	BLO    scale
	RET

// func flipSIMD(v *float32, signs *uint32, n int)
// n is a multiple of 8.
TEXT ·flipSIMD(SB), NOSPLIT, $0-24
	MOVD v+0(FP), R0
	MOVD signs+8(FP), R1
	MOVD n+16(FP), R2

flip:
	VLD1   (R0), [V0.S4, V1.S4]
	VLD1.P 32(R1), [V2.S4, V3.S4]
	VEOR   V2.B16, V0.B16, V0.B16
	VEOR   V3.B16, V1.B16, V1.B16
	VST1.P [V0.S4, V1.S4], 32(R0)
	SUBS   $8, R2
	BNE    flip
	RET

// func greatestSIMD(v *float32, n int) float32
// n is a multiple of 8. Numbers that are not negative are in the order of their bits.
TEXT ·greatestSIMD(SB), NOSPLIT, $0-20
	MOVD v+0(FP), R0
	MOVD n+8(FP), R1
	MOVD $0x7FFFFFFF, R2
	VDUP R2, V4.S4
	VEOR V5.B16, V5.B16, V5.B16

most:
	VLD1.P 32(R0), [V0.S4, V1.S4]
	VAND   V4.B16, V0.B16, V0.B16
	VAND   V4.B16, V1.B16, V1.B16
	VUMAX  V0.S4, V5.S4, V5.S4
	VUMAX  V1.S4, V5.S4, V5.S4
	SUBS   $8, R1
	BNE    most
	UMAXV(5, 5)
	FMOVS  F5, ret+16(FP)
	RET

// Two numbers in V(x), the sum of the squares of what they lose in V(lost).
#define ROUND(x, lost) \
	FDIV(10, x, 4)  \
	FRINTN(4, 4)    \
	FMIN(11, 4, 4)  \
	FMAX(12, 4, 4)  \
	FMUL(10, 4, 5)  \
	FSUB(5, x, 5)   \
	FMUL(5, 5, 5)   \
	FADD(5, lost, lost) \
	FCVTNS(4, x)

// func roundSIMD(v *float32, n int, scale, most float64, numbers *int8, lost *[4]float64)
// n is a multiple of 8.
TEXT ·roundSIMD(SB), NOSPLIT, $0-48
	MOVD  v+0(FP), R0
	MOVD  n+8(FP), R1
	FMOVD scale+16(FP), F10
	FMOVD most+24(FP), F11
	FNEGD F11, F12
	VDUP  V10.D[0], V10.D2
	VDUP  V11.D[0], V11.D2
	VDUP  V12.D[0], V12.D2
	MOVD  numbers+32(FP), R2
	MOVD  lost+40(FP), R3
	VEOR  V8.B16, V8.B16, V8.B16 // the lost squares
	VEOR  V9.B16, V9.B16, V9.B16

round:
	VLD1.P 32(R0), [V6.S4, V7.S4]
	FCVTL(6, 0)
	FCVTL2(6, 1)
	FCVTL(7, 2)
	FCVTL2(7, 3)
	ROUND(0, 8)
	ROUND(1, 9)
	ROUND(2, 8)
	ROUND(3, 9)
	VUZP1  V1.S4, V0.S4, V0.S4
	VUZP1  V3.S4, V2.S4, V2.S4
	VUZP1  V2.H8, V0.H8, V0.H8
	VUZP1  V0.B16, V0.B16, V0.B16
	VST1.P [V0.B8], 8(R2)
	SUBS   $8, R1
	BNE    round
	VST1   [V8.D2, V9.D2], (R3)
	RET
