#include "textflag.h"
#include "neon_arm64.h"

// What is the same in the two functions that follow: four rows of a plane at a time,
// their sums in V0 to V3, a block of the query in V8 to V11. n is a multiple of four.
// To the sums comes 16 times what is in out, if keep is -1 and not 0.
#define BEGIN \
	VDUP  R6, V6.S4   \
	VMOVI $15, V7.B16 \
	LSL   $5, R2, R7 // bytes of a row

#define ROWS \
	MOVWU.P 4(R3), R8  \
	MOVWU.P 4(R3), R9  \
	MOVWU.P 4(R3), R10 \
	MOVWU.P 4(R3), R11 \
	MADD R7, R1, R8, R8   \
	MADD R7, R1, R9, R9   \
	MADD R7, R1, R10, R10 \
	MADD R7, R1, R11, R11 \
	VEOR V0.B16, V0.B16, V0.B16 \
	VEOR V1.B16, V1.B16, V1.B16 \
	VEOR V2.B16, V2.B16, V2.B16 \
	VEOR V3.B16, V3.B16, V3.B16 \
	MOVD R0, R12 \
	MOVD R2, R13

// The numbers of a block of a row, as the query's: the lower halves in V16 and V17,
// the upper in V18 and V19.
#define HALVES(row) \
	VLD1.P 32(row), [V18.B16, V19.B16] \
	VAND   V7.B16, V18.B16, V16.B16 \
	VAND   V7.B16, V19.B16, V17.B16 \
	VUSHR  $4, V18.B16, V18.B16 \
	VUSHR  $4, V19.B16, V19.B16

#define STORE \
	VADDP  V1.S4, V0.S4, V0.S4 \
	VADDP  V3.S4, V2.S4, V2.S4 \
	VADDP  V2.S4, V0.S4, V0.S4 \
	VLD1   (R5), [V4.S4] \
	VAND   V6.B16, V4.B16, V4.B16 \
	VSHL   $4, V4.S4, V4.S4 \
	VADD   V4.S4, V0.S4, V0.S4 \
	VST1.P [V0.S4], 16(R5)

#define ROWSDOT(row, sum) \
	HALVES(row) \
	SDOT(8, 16, sum) \
	SDOT(9, 17, sum) \
	SDOT(10, 18, sum) \
	SDOT(11, 19, sum)

// func nibblesSDOT(query *int8, plane *byte, blocks int, rows *uint32, n int, out *int32, keep int32)
TEXT ·nibblesSDOT(SB), NOSPLIT, $0-52
	MOVD query+0(FP), R0
	MOVD plane+8(FP), R1
	MOVD blocks+16(FP), R2
	MOVD rows+24(FP), R3
	MOVD n+32(FP), R4
	MOVD out+40(FP), R5
	MOVW keep+48(FP), R6
	BEGIN

four:
	ROWS

block:
	VLD1.P 64(R12), [V8.B16, V9.B16, V10.B16, V11.B16]
	ROWSDOT(R8, 0)
	ROWSDOT(R9, 1)
	ROWSDOT(R10, 2)
	ROWSDOT(R11, 3)
	SUBS   $1, R13
	BNE    block
	STORE
	SUBS   $4, R4
	BNE    four
	RET

// A sum of 16 bits is of eight products of at most 15 · 127.
#define ROWNEON(row, sum) \
	HALVES(row) \
	SMULL(8, 16, 20) \
	SMLAL2(8, 16, 20) \
	SMLAL(9, 17, 20) \
	SMLAL2(9, 17, 20) \
	SMLAL(10, 18, 20) \
	SMLAL2(10, 18, 20) \
	SMLAL(11, 19, 20) \
	SMLAL2(11, 19, 20) \
	SADALP(20, sum)

// func nibblesNEON(query *int8, plane *byte, blocks int, rows *uint32, n int, out *int32, keep int32)
TEXT ·nibblesNEON(SB), NOSPLIT, $0-52
	MOVD query+0(FP), R0
	MOVD plane+8(FP), R1
	MOVD blocks+16(FP), R2
	MOVD rows+24(FP), R3
	MOVD n+32(FP), R4
	MOVD out+40(FP), R5
	MOVW keep+48(FP), R6
	BEGIN

four:
	ROWS

block:
	VLD1.P 64(R12), [V8.B16, V9.B16, V10.B16, V11.B16]
	ROWNEON(R8, 0)
	ROWNEON(R9, 1)
	ROWNEON(R10, 2)
	ROWNEON(R11, 3)
	SUBS   $1, R13
	BNE    block
	STORE
	SUBS   $4, R4
	BNE    four
	RET

// func gradesSIMD(sums *int32, scales *float32, n int, scale, shift float64, out *uint16)
// gradeOf n rows, eight at a time. Each step is exact or rounds as there.
#define GRADES \
	VLD1.P 16(R0), [V0.S4] \
	VLD1.P 16(R1), [V1.S4] \
	SSHLL5(0, 2)   \
	SSHLL5_2(0, 3) \
	SCVTF(2, 2)    \
	SCVTF(3, 3)    \
	FSUB(11, 2, 2) \
	FSUB(11, 3, 3) \
	FCVTL(1, 4)    \
	FCVTL2(1, 5)   \
	FMUL(10, 4, 4) \
	FMUL(10, 5, 5) \
	FMUL(2, 4, 4)  \
	FMUL(3, 5, 5)  \
	FCVTZS13(4, 4) \
	FCVTZS13(5, 5) \
	VADD V12.D2, V4.D2, V4.D2 \
	VADD V12.D2, V5.D2, V5.D2 \
	SQXTN(4, 6)    \
	SQXTN2(5, 6)

TEXT ·gradesSIMD(SB), NOSPLIT, $0-48
	MOVD  sums+0(FP), R0
	MOVD  scales+8(FP), R1
	MOVD  n+16(FP), R2
	FMOVD scale+24(FP), F10
	FMOVD shift+32(FP), F11
	MOVD  out+40(FP), R3
	VDUP  V10.D[0], V10.D2
	VDUP  V11.D[0], V11.D2
	MOVD  $32768, R4
	VDUP  R4, V12.D2

eight:
	GRADES
	SQXTUN(6, 7)
	GRADES
	SQXTUN2(6, 7)
	VST1.P [V7.H8], 16(R3)
	SUBS   $8, R2
	BNE    eight
	RET

// func atLeastSIMD(grades *uint16, words int, least uint32, out *uint64)
// What CMHS finds is a byte of ones or zeros; of it a bit is kept, another one in each
// of eight, and these are added up.
TEXT ·atLeastSIMD(SB), NOSPLIT, $0-32
	MOVD  grades+0(FP), R0
	MOVD  words+8(FP), R1
	MOVWU least+16(FP), R2
	MOVD  out+24(FP), R3
	VDUP  R2, V20.H8
	VMOVQ $0x8040201008040201, $0x8040201008040201, V21

word:
	VLD1.P 64(R0), [V0.H8, V1.H8, V2.H8, V3.H8]
	VLD1.P 64(R0), [V4.H8, V5.H8, V6.H8, V7.H8]
	CMHS(20, 0, 0)
	CMHS(20, 1, 1)
	CMHS(20, 2, 2)
	CMHS(20, 3, 3)
	CMHS(20, 4, 4)
	CMHS(20, 5, 5)
	CMHS(20, 6, 6)
	CMHS(20, 7, 7)
	VUZP1  V1.B16, V0.B16, V0.B16
	VUZP1  V3.B16, V2.B16, V2.B16
	VUZP1  V5.B16, V4.B16, V4.B16
	VUZP1  V7.B16, V6.B16, V6.B16
	VAND   V21.B16, V0.B16, V0.B16
	VAND   V21.B16, V2.B16, V2.B16
	VAND   V21.B16, V4.B16, V4.B16
	VAND   V21.B16, V6.B16, V6.B16
	VADDP  V2.B16, V0.B16, V0.B16
	VADDP  V6.B16, V4.B16, V4.B16
	VADDP  V4.B16, V0.B16, V0.B16
	VADDP  V0.B16, V0.B16, V0.B16
	VST1.P [V0.D1], 8(R3)
	SUBS   $1, R1
	BNE    word
	RET

// Four numbers each of two rows, turned so that a register has one dimension, and
// four of the query in V24 and V25.
#define PAIR(a, b, sum) \
	VLD1.P 16(a), [V16.S4] \
	VLD1.P 16(b), [V17.S4] \
	VZIP1  V17.S4, V16.S4, V18.S4 \
	VZIP2  V17.S4, V16.S4, V19.S4 \
	FCVTL(18, 20)  \
	FCVTL2(18, 21) \
	FCVTL(19, 22)  \
	FCVTL2(19, 23) \
	FMLA0(24, 20, sum) \
	FMLA1(24, 21, sum) \
	FMLA0(25, 22, sum) \
	FMLA1(25, 23, sum)

// func dotsSIMD(query *float64, dims int, rows *[16]*float32, out *[16]float64)
// Sixteen sums go on at once, each from the first dimension to the last; dims is a
// multiple of four. The products of what were float32 are exact, so that a fused
// addition rounds as a multiplication and an addition do.
TEXT ·dotsSIMD(SB), NOSPLIT, $0-32
	MOVD query+0(FP), R19
	MOVD dims+8(FP), R20
	MOVD rows+16(FP), R21
	MOVD out+24(FP), R22
	LDP  0(R21), (R0, R1)
	LDP  16(R21), (R2, R3)
	LDP  32(R21), (R4, R5)
	LDP  48(R21), (R6, R7)
	LDP  64(R21), (R8, R9)
	LDP  80(R21), (R10, R11)
	LDP  96(R21), (R12, R13)
	LDP  112(R21), (R14, R15)
	VEOR V0.B16, V0.B16, V0.B16
	VEOR V1.B16, V1.B16, V1.B16
	VEOR V2.B16, V2.B16, V2.B16
	VEOR V3.B16, V3.B16, V3.B16
	VEOR V4.B16, V4.B16, V4.B16
	VEOR V5.B16, V5.B16, V5.B16
	VEOR V6.B16, V6.B16, V6.B16
	VEOR V7.B16, V7.B16, V7.B16
	CBZ  R20, done

four:
	VLD1.P 32(R19), [V24.D2, V25.D2]
	PAIR(R0, R1, 0)
	PAIR(R2, R3, 1)
	PAIR(R4, R5, 2)
	PAIR(R6, R7, 3)
	PAIR(R8, R9, 4)
	PAIR(R10, R11, 5)
	PAIR(R12, R13, 6)
	PAIR(R14, R15, 7)
	SUBS   $4, R20
	BNE    four

done:
	VST1.P [V0.D2, V1.D2, V2.D2, V3.D2], 64(R22)
	VST1   [V4.D2, V5.D2, V6.D2, V7.D2], (R22)
	RET
