#include "textflag.h"

DATA signs1<>+0(SB)/8, $0x8000000000000000
DATA signs1<>+8(SB)/8, $0x8000000000000000
DATA signs1<>+16(SB)/8, $0x8000000000000000
DATA signs1<>+24(SB)/8, $0x8000000000000000
GLOBL signs1<>(SB), RODATA|NOPTR, $32

DATA signs2<>+0(SB)/8, $0
DATA signs2<>+8(SB)/8, $0x8000000080000000
DATA signs2<>+16(SB)/8, $0
DATA signs2<>+24(SB)/8, $0x8000000080000000
GLOBL signs2<>(SB), RODATA|NOPTR, $32

DATA signs4<>+0(SB)/8, $0
DATA signs4<>+8(SB)/8, $0
DATA signs4<>+16(SB)/8, $0x8000000080000000
DATA signs4<>+24(SB)/8, $0x8000000080000000
GLOBL signs4<>(SB), RODATA|NOPTR, $32

DATA magnitude<>+0(SB)/4, $0x7FFFFFFF
GLOBL magnitude<>(SB), RODATA|NOPTR, $4

// func mixSIMD(v *float32, n int, scale float32)
// n is a power of two from 16 on. x - y is x + (-y), so the bits are those of mixGo.
TEXT ·mixSIMD(SB), NOSPLIT, $0-20
	MOVQ         v+0(FP), SI
	MOVQ         n+8(FP), CX
	VBROADCASTSS scale+16(FP), Y15
	VMOVDQU      signs1<>(SB), Y12
	VMOVDQU      signs2<>(SB), Y13
	VMOVDQU      signs4<>(SB), Y14
	LEAQ         (SI)(CX*4), DX // the end
	MOVQ         SI, DI

inside: // halves of 1, 2 and 4
	VMOVUPS    (DI), Y0
	VPERMILPS  $0xB1, Y0, Y1
	VXORPS     Y12, Y0, Y0
	VADDPS     Y0, Y1, Y0
	VPERMILPS  $0x4E, Y0, Y1
	VXORPS     Y13, Y0, Y0
	VADDPS     Y0, Y1, Y0
	VPERM2F128 $0x01, Y0, Y0, Y1
	VXORPS     Y14, Y0, Y0
	VADDPS     Y0, Y1, Y0
	VMOVUPS    Y0, (DI)
	ADDQ       $32, DI
	CMPQ       DI, DX
	JB         inside

	MOVQ $32, R8 // bytes of half

stage:
	MOVQ SI, DI

group:
	LEAQ (DI)(R8*1), R9 // the second half
	MOVQ R9, R10

pair:
	VMOVUPS (DI), Y0
	VMOVUPS (R9), Y1
	VADDPS  Y1, Y0, Y2
	VSUBPS  Y1, Y0, Y3
	VMOVUPS Y2, (DI)
	VMOVUPS Y3, (R9)
	ADDQ    $32, DI
	ADDQ    $32, R9
	CMPQ    DI, R10
	JB      pair
	MOVQ    R9, DI
	CMPQ    DI, DX
	JB      group
	SHLQ    $1, R8
	LEAQ    (SI)(R8*1), R9
	CMPQ    R9, DX
	JB      stage

	MOVQ SI, DI

scale:
	VMULPS  (DI), Y15, Y0
	VMOVUPS Y0, (DI)
	ADDQ    $32, DI
	CMPQ    DI, DX
	JB      scale
	VZEROUPPER
	RET

// func flipSIMD(v *float32, signs *uint32, n int)
// n is a multiple of 8.
TEXT ·flipSIMD(SB), NOSPLIT, $0-24
	MOVQ v+0(FP), SI
	MOVQ signs+8(FP), DI
	MOVQ n+16(FP), CX

flip:
	VMOVUPS (SI), Y0
	VXORPS  (DI), Y0, Y0
	VMOVUPS Y0, (SI)
	ADDQ    $32, SI
	ADDQ    $32, DI
	SUBQ    $8, CX
	JA      flip
	VZEROUPPER
	RET

// func greatestSIMD(v *float32, n int) float32
// n is a multiple of 8.
TEXT ·greatestSIMD(SB), NOSPLIT, $0-20
	MOVQ         v+0(FP), SI
	MOVQ         n+8(FP), CX
	VBROADCASTSS magnitude<>(SB), Y2
	VXORPS       Y0, Y0, Y0

most:
	VANDPS       (SI), Y2, Y1
	VMAXPS       Y1, Y0, Y0
	ADDQ         $32, SI
	SUBQ         $8, CX
	JA           most
	VEXTRACTF128 $1, Y0, X1
	VMAXPS       X1, X0, X0
	VPSHUFD      $0x4E, X0, X1
	VMAXPS       X1, X0, X0
	VPSHUFD      $0xB1, X0, X1
	VMAXPS       X1, X0, X0
	VMOVSS       X0, ret+16(FP)
	VZEROUPPER
	RET

// func roundSIMD(v *float32, n int, scale, most float64, numbers *int8, lost *[4]float64)
// n is a multiple of 8.
TEXT ·roundSIMD(SB), NOSPLIT, $0-48
	MOVQ         v+0(FP), SI
	MOVQ         n+8(FP), CX
	VBROADCASTSD scale+16(FP), Y10
	VBROADCASTSD most+24(FP), Y11
	VXORPD       Y12, Y12, Y12
	VSUBPD       Y11, Y12, Y12 // -most
	MOVQ         numbers+32(FP), DI
	VXORPD       Y9, Y9, Y9   // the lost squares

round:
	VCVTPS2PD  (SI), Y0
	VCVTPS2PD  16(SI), Y1
	VDIVPD     Y10, Y0, Y2
	VDIVPD     Y10, Y1, Y3
	VROUNDPD   $0, Y2, Y2
	VROUNDPD   $0, Y3, Y3
	VMINPD     Y11, Y2, Y2
	VMINPD     Y11, Y3, Y3
	VMAXPD     Y12, Y2, Y2
	VMAXPD     Y12, Y3, Y3
	VMULPD     Y10, Y2, Y4
	VMULPD     Y10, Y3, Y5
	VSUBPD     Y4, Y0, Y0
	VSUBPD     Y5, Y1, Y1
	VMULPD     Y0, Y0, Y0
	VMULPD     Y1, Y1, Y1
	VADDPD     Y0, Y9, Y9
	VADDPD     Y1, Y9, Y9
	VCVTPD2DQY Y2, X2
	VCVTPD2DQY Y3, X3
	VPACKSSDW  X3, X2, X2
	VPACKSSWB  X2, X2, X2
	VMOVQ      X2, (DI)
	ADDQ       $32, SI
	ADDQ       $8, DI
	SUBQ       $8, CX
	JA         round
	MOVQ       lost+40(FP), DI
	VMOVUPD    Y9, (DI)
	VZEROUPPER
	RET
