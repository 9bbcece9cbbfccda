#include "textflag.h"

#define AHEAD 64

// func nibblesAVX2(query *int8, plane *byte, blocks int, rows *uint32, n int, out *int32, keep int32)
// To the sums comes 16 times what is in out, if keep is -1 and not 0. A block is 32 bytes of the plane and 64 of the query. No sum of 16 bits
// overflows: four products of at most 15 · 127.
TEXT ·nibblesAVX2(SB), NOSPLIT, $0-52
	MOVQ         query+0(FP), SI
	MOVQ         plane+8(FP), R11
	MOVQ         blocks+16(FP), R8
	MOVQ         rows+24(FP), R12
	MOVQ         n+32(FP), CX
	MOVQ         out+40(FP), DX
	MOVQ         R8, R13
	SHLQ         $5, R13
	MOVL         $0x0F0F0F0F, AX
	VMOVD        AX, X7
	VPBROADCASTD X7, Y7
	MOVL         $0x00010001, AX
	VMOVD        AX, X6
	VPBROADCASTD X6, Y6

row:
	TESTQ CX, CX
	JZ    done
	MOVL  (R12), DI
	IMULQ R13, DI
	ADDQ  R11, DI
	VPXOR Y0, Y0, Y0
	MOVQ  SI, R9
	MOVQ  R8, BX

block:
	VMOVDQU    (DI), Y2
	VPAND      Y7, Y2, Y3
	VPSRLW     $4, Y2, Y2
	VPAND      Y7, Y2, Y2
	VPMADDUBSW (R9), Y3, Y3
	VPMADDUBSW 32(R9), Y2, Y2
	VPADDW     Y2, Y3, Y3
	VPMADDWD   Y6, Y3, Y3
	VPADDD     Y3, Y0, Y0
	ADDQ       $32, DI
	ADDQ       $64, R9
	DECQ       BX
	JNZ        block

	VEXTRACTI128 $1, Y0, X1
	VPADDD       X1, X0, X0
	VPSHUFD      $0x4E, X0, X1
	VPADDD       X1, X0, X0
	VPSHUFD      $0xB1, X0, X1
	VPADDD       X1, X0, X0
	VMOVD        X0, AX
	MOVL         (DX), BX
	ANDL         keep+48(FP), BX
	SHLL         $4, BX
	ADDL         BX, AX
	MOVL         AX, (DX)
	ADDQ         $4, DX
	ADDQ         $4, R12
	DECQ         CX
	JMP          row

done:
	VZEROUPPER
	RET

// func nibblesVNNI(query *int8, plane *byte, blocks int, rows *uint32, n int, out *int32, keep int32)
// The same with the dot products of bytes that newer machines have, two blocks of
// four rows at a time; n is a multiple of four and the query in the order of
// wideParts. What is read AHEAD rows later is fetched early: the rows of a reader
// stand in many short runs, which the machine does not foresee.
TEXT ·nibblesVNNI(SB), NOSPLIT, $0-52
	MOVQ         query+0(FP), SI
	MOVQ         plane+8(FP), R11
	MOVQ         rows+24(FP), R12
	MOVQ         n+32(FP), R8
	MOVQ         out+40(FP), DX
	MOVQ         blocks+16(FP), R13
	SHLQ         $5, R13
	MOVL         $0x0F0F0F0F, AX
	VPBROADCASTD AX, Z7
	MOVL         keep+48(FP), AX
	VPBROADCASTD AX, X6

four:
	CMPQ R8, $4
	JLT  done
	CMPQ R8, $(AHEAD+4)
	JLT  near

	MOVL       (4*(AHEAD+0))(R12), AX
	IMULQ      R13, AX
	ADDQ       R11, AX
	PREFETCHT0 (AX)
	PREFETCHT0 64(AX)
	PREFETCHT0 128(AX)
	MOVL       (4*(AHEAD+1))(R12), AX
	IMULQ      R13, AX
	ADDQ       R11, AX
	PREFETCHT0 (AX)
	PREFETCHT0 64(AX)
	PREFETCHT0 128(AX)
	MOVL       (4*(AHEAD+2))(R12), AX
	IMULQ      R13, AX
	ADDQ       R11, AX
	PREFETCHT0 (AX)
	PREFETCHT0 64(AX)
	PREFETCHT0 128(AX)
	MOVL       (4*(AHEAD+3))(R12), AX
	IMULQ      R13, AX
	ADDQ       R11, AX
	PREFETCHT0 (AX)
	PREFETCHT0 64(AX)
	PREFETCHT0 128(AX)

near:
	MOVL   0(R12), AX
	IMULQ  R13, AX
	ADDQ   R11, AX
	MOVL   4(R12), BX
	IMULQ  R13, BX
	ADDQ   R11, BX
	MOVL   8(R12), DI
	IMULQ  R13, DI
	ADDQ   R11, DI
	MOVL   12(R12), R10
	IMULQ  R13, R10
	ADDQ   R11, R10
	VPXORD Z0, Z0, Z0
	VPXORD Z1, Z1, Z1
	VPXORD Z2, Z2, Z2
	VPXORD Z3, Z3, Z3
	MOVQ   SI, R9
	MOVQ   blocks+16(FP), CX
	SUBQ   $2, CX
	JLT    odd

pair:
	VMOVDQU64 (R9), Z8
	VMOVDQU64 64(R9), Z9
	VMOVDQU64 (AX), Z10
	VPSRLW    $4, Z10, Z11
	VPANDD    Z7, Z10, Z10
	VPANDD    Z7, Z11, Z11
	VPDPBUSD  Z8, Z10, Z0
	VPDPBUSD  Z9, Z11, Z0
	VMOVDQU64 (BX), Z12
	VPSRLW    $4, Z12, Z13
	VPANDD    Z7, Z12, Z12
	VPANDD    Z7, Z13, Z13
	VPDPBUSD  Z8, Z12, Z1
	VPDPBUSD  Z9, Z13, Z1
	VMOVDQU64 (DI), Z14
	VPSRLW    $4, Z14, Z15
	VPANDD    Z7, Z14, Z14
	VPANDD    Z7, Z15, Z15
	VPDPBUSD  Z8, Z14, Z2
	VPDPBUSD  Z9, Z15, Z2
	VMOVDQU64 (R10), Z16
	VPSRLW    $4, Z16, Z17
	VPANDD    Z7, Z16, Z16
	VPANDD    Z7, Z17, Z17
	VPDPBUSD  Z8, Z16, Z3
	VPDPBUSD  Z9, Z17, Z3
	ADDQ      $64, AX
	ADDQ      $64, BX
	ADDQ      $64, DI
	ADDQ      $64, R10
	ADDQ      $128, R9
	SUBQ      $2, CX
	JGE       pair

odd:
	CMPQ      CX, $-1
	JNE       fold
	VMOVDQU64 (R9), Y8
	VMOVDQU64 32(R9), Y9
	VMOVDQU64 (AX), Y10
	VPSRLW    $4, Y10, Y11
	VPANDD    Z7, Z10, Z10
	VPANDD    Z7, Z11, Z11
	VPDPBUSD  Z8, Z10, Z0
	VPDPBUSD  Z9, Z11, Z0
	VMOVDQU64 (BX), Y12
	VPSRLW    $4, Y12, Y13
	VPANDD    Z7, Z12, Z12
	VPANDD    Z7, Z13, Z13
	VPDPBUSD  Z8, Z12, Z1
	VPDPBUSD  Z9, Z13, Z1
	VMOVDQU64 (DI), Y14
	VPSRLW    $4, Y14, Y15
	VPANDD    Z7, Z14, Z14
	VPANDD    Z7, Z15, Z15
	VPDPBUSD  Z8, Z14, Z2
	VPDPBUSD  Z9, Z15, Z2
	VMOVDQU64 (R10), Y16
	VPSRLW    $4, Y16, Y17
	VPANDD    Z7, Z16, Z16
	VPANDD    Z7, Z17, Z17
	VPDPBUSD  Z8, Z16, Z3
	VPDPBUSD  Z9, Z17, Z3

	// A sum of each row in each quarter, then the quarters.
fold:
	VPUNPCKLDQ    Z1, Z0, Z8
	VPUNPCKHDQ    Z1, Z0, Z9
	VPADDD        Z9, Z8, Z8
	VPUNPCKLDQ    Z3, Z2, Z10
	VPUNPCKHDQ    Z3, Z2, Z11
	VPADDD        Z11, Z10, Z10
	VPUNPCKLQDQ   Z10, Z8, Z9
	VPUNPCKHQDQ   Z10, Z8, Z11
	VPADDD        Z11, Z9, Z9
	VEXTRACTI64X4 $1, Z9, Y8
	VPADDD        Y8, Y9, Y9
	VEXTRACTI128  $1, Y9, X8
	VPADDD        X8, X9, X9
	VPAND         (DX), X6, X8
	VPSLLD        $4, X8, X8
	VPADDD        X8, X9, X9
	VMOVDQU       X9, (DX)
	ADDQ          $16, DX
	ADDQ          $16, R12
	SUBQ          $4, R8
	JMP           four

done:
	VZEROUPPER
	RET

// func gradesSIMD(sums *int32, scales *float32, n int, scale, shift float64, out *uint16)
// gradeOf n rows, eight at a time. Each step is exact or rounds as there.
TEXT ·gradesSIMD(SB), NOSPLIT, $0-48
	MOVQ         sums+0(FP), SI
	MOVQ         scales+8(FP), DI
	MOVQ         n+16(FP), CX
	VBROADCASTSD scale+24(FP), Z5
	VBROADCASTSD shift+32(FP), Z6
	MOVQ         out+40(FP), DX
	MOVQ         $0x4040000000000000, AX // 32
	VPBROADCASTQ AX, Z7
	MOVQ         $0x40C0000000000000, AX // 8192
	VPBROADCASTQ AX, Z8
	MOVL         $32768, AX
	VPBROADCASTD AX, Y9
	MOVL         $65535, AX
	VPBROADCASTD AX, Y10
	VPXORD       Y11, Y11, Y11

eight:
	CMPQ       CX, $8
	JLT        done
	VCVTDQ2PD  (SI), Z0
	VCVTPS2PD  (DI), Z1
	VMULPD     Z7, Z0, Z0
	VSUBPD     Z6, Z0, Z0
	VMULPD     Z5, Z1, Z1
	VMULPD     Z0, Z1, Z1
	VMULPD     Z8, Z1, Z1
	VCVTTPD2DQ Z1, Y1
	VPADDD     Y9, Y1, Y1
	VPMAXSD    Y11, Y1, Y1
	VPMINSD    Y10, Y1, Y1
	VPMOVDW    Y1, X1
	VMOVDQU    X1, (DX)
	ADDQ       $32, SI
	ADDQ       $32, DI
	ADDQ       $16, DX
	SUBQ       $8, CX
	JMP        eight

done:
	VZEROUPPER
	RET

// func atLeastSIMD(grades *uint16, words int, least uint32, out *uint64)
TEXT ·atLeastSIMD(SB), NOSPLIT, $0-32
	MOVQ         grades+0(FP), SI
	MOVQ         words+8(FP), CX
	MOVL         least+16(FP), AX
	VPBROADCASTW AX, Z0
	MOVQ         out+24(FP), DX

word:
	TESTQ     CX, CX
	JZ        done
	VMOVDQU16 (SI), Z1
	VMOVDQU16 64(SI), Z2
	VPCMPUW   $5, Z0, Z1, K1 // not less
	VPCMPUW   $5, Z0, Z2, K2
	KMOVD     K1, AX
	KMOVD     K2, BX
	SHLQ      $32, BX
	ORQ       BX, AX
	MOVQ      AX, (DX)
	ADDQ      $128, SI
	ADDQ      $8, DX
	DECQ      CX
	JMP       word

done:
	VZEROUPPER
	RET

// func dotsSIMD(query *float64, dims int, rows *[16]*float32, out *[16]float64)
// Sixteen sums go on at once, each from the first dimension to the last; dims is a
// multiple of four. The products of what were float32 are exact, so that a fused
// addition rounds as a multiplication and an addition do.
TEXT ·dotsSIMD(SB), NOSPLIT, $0-32
	MOVQ   query+0(FP), SI
	MOVQ   dims+8(FP), CX
	MOVQ   rows+16(FP), R8
	MOVQ   out+24(FP), DX
	VPXORD Z16, Z16, Z16
	VPXORD Z17, Z17, Z17
	XORQ   R9, R9

four:
	CMPQ R9, CX
	JGE  done

	// Of eight rows four numbers each, turned so that a register has one dimension.
	MOVQ          0(R8), AX
	MOVQ          32(R8), BX
	VMOVUPS       (AX)(R9*4), X0
	VINSERTF128   $1, (BX)(R9*4), Y0, Y0
	MOVQ          8(R8), AX
	MOVQ          40(R8), BX
	VMOVUPS       (AX)(R9*4), X1
	VINSERTF128   $1, (BX)(R9*4), Y1, Y1
	MOVQ          16(R8), AX
	MOVQ          48(R8), BX
	VMOVUPS       (AX)(R9*4), X2
	VINSERTF128   $1, (BX)(R9*4), Y2, Y2
	MOVQ          24(R8), AX
	MOVQ          56(R8), BX
	VMOVUPS       (AX)(R9*4), X3
	VINSERTF128   $1, (BX)(R9*4), Y3, Y3
	VUNPCKLPS     Y1, Y0, Y4
	VUNPCKHPS     Y1, Y0, Y5
	VUNPCKLPS     Y3, Y2, Y6
	VUNPCKHPS     Y3, Y2, Y7
	VUNPCKLPD     Y6, Y4, Y0
	VUNPCKHPD     Y6, Y4, Y1
	VUNPCKLPD     Y7, Y5, Y2
	VUNPCKHPD     Y7, Y5, Y3
	VCVTPS2PD     Y0, Z0
	VCVTPS2PD     Y1, Z1
	VCVTPS2PD     Y2, Z2
	VCVTPS2PD     Y3, Z3
	VFMADD231PD.BCST 0(SI)(R9*8), Z0, Z16
	VFMADD231PD.BCST 8(SI)(R9*8), Z1, Z16
	VFMADD231PD.BCST 16(SI)(R9*8), Z2, Z16
	VFMADD231PD.BCST 24(SI)(R9*8), Z3, Z16

	// The other eight.
	MOVQ          64(R8), AX
	MOVQ          96(R8), BX
	VMOVUPS       (AX)(R9*4), X0
	VINSERTF128   $1, (BX)(R9*4), Y0, Y0
	MOVQ          72(R8), AX
	MOVQ          104(R8), BX
	VMOVUPS       (AX)(R9*4), X1
	VINSERTF128   $1, (BX)(R9*4), Y1, Y1
	MOVQ          80(R8), AX
	MOVQ          112(R8), BX
	VMOVUPS       (AX)(R9*4), X2
	VINSERTF128   $1, (BX)(R9*4), Y2, Y2
	MOVQ          88(R8), AX
	MOVQ          120(R8), BX
	VMOVUPS       (AX)(R9*4), X3
	VINSERTF128   $1, (BX)(R9*4), Y3, Y3
	VUNPCKLPS     Y1, Y0, Y4
	VUNPCKHPS     Y1, Y0, Y5
	VUNPCKLPS     Y3, Y2, Y6
	VUNPCKHPS     Y3, Y2, Y7
	VUNPCKLPD     Y6, Y4, Y0
	VUNPCKHPD     Y6, Y4, Y1
	VUNPCKLPD     Y7, Y5, Y2
	VUNPCKHPD     Y7, Y5, Y3
	VCVTPS2PD     Y0, Z0
	VCVTPS2PD     Y1, Z1
	VCVTPS2PD     Y2, Z2
	VCVTPS2PD     Y3, Z3
	VFMADD231PD.BCST 0(SI)(R9*8), Z0, Z17
	VFMADD231PD.BCST 8(SI)(R9*8), Z1, Z17
	VFMADD231PD.BCST 16(SI)(R9*8), Z2, Z17
	VFMADD231PD.BCST 24(SI)(R9*8), Z3, Z17
	ADDQ $4, R9
	JMP  four

done:
	VMOVUPD Z16, (DX)
	VMOVUPD Z17, 64(DX)
	VZEROUPPER
	RET
