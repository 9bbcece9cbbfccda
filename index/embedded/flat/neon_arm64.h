// Instructions that Go's assembler does not have, by the numbers of their vector
// registers in its order: sources first, the last source of the manual before the others.

#define SDOT(m, n, d)   WORD $(0x4E809400 | m<<16 | n<<5 | d) // SDOT Vd.4S, Vn.16B, Vm.16B
#define SMULL(m, n, d)  WORD $(0x0E20C000 | m<<16 | n<<5 | d) // SMULL Vd.8H, Vn.8B, Vm.8B
#define SMLAL(m, n, d)  WORD $(0x0E208000 | m<<16 | n<<5 | d) // SMLAL Vd.8H, Vn.8B, Vm.8B
#define SMLAL2(m, n, d) WORD $(0x4E208000 | m<<16 | n<<5 | d) // SMLAL2 Vd.8H, Vn.16B, Vm.16B
#define SADALP(n, d)    WORD $(0x4E606800 | n<<5 | d)         // SADALP Vd.4S, Vn.8H

#define SSHLL5(n, d)    WORD $(0x0F25A400 | n<<5 | d)         // SSHLL Vd.2D, Vn.2S, #5
#define SSHLL5_2(n, d)  WORD $(0x4F25A400 | n<<5 | d)         // SSHLL2 Vd.2D, Vn.4S, #5
#define SCVTF(n, d)     WORD $(0x4E61D800 | n<<5 | d)         // SCVTF Vd.2D, Vn.2D
#define FCVTZS13(n, d)  WORD $(0x4F73FC00 | n<<5 | d)         // FCVTZS Vd.2D, Vn.2D, #13
#define SQXTN(n, d)     WORD $(0x0EA14800 | n<<5 | d)         // SQXTN Vd.2S, Vn.2D
#define SQXTN2(n, d)    WORD $(0x4EA14800 | n<<5 | d)         // SQXTN2 Vd.4S, Vn.2D
#define SQXTUN(n, d)    WORD $(0x2E612800 | n<<5 | d)         // SQXTUN Vd.4H, Vn.4S
#define SQXTUN2(n, d)   WORD $(0x6E612800 | n<<5 | d)         // SQXTUN2 Vd.8H, Vn.4S
#define CMHS(m, n, d)   WORD $(0x6E603C00 | m<<16 | n<<5 | d) // CMHS Vd.8H, Vn.8H, Vm.8H

#define FCVTL(n, d)     WORD $(0x0E617800 | n<<5 | d)         // FCVTL Vd.2D, Vn.2S
#define FCVTL2(n, d)    WORD $(0x4E617800 | n<<5 | d)         // FCVTL2 Vd.2D, Vn.4S
#define FMLA0(m, n, d)  WORD $(0x4FC01000 | m<<16 | n<<5 | d) // FMLA Vd.2D, Vn.2D, Vm.D[0]
#define FMLA1(m, n, d)  WORD $(0x4FC01800 | m<<16 | n<<5 | d) // FMLA Vd.2D, Vn.2D, Vm.D[1]
#define FADD(m, n, d)   WORD $(0x4E60D400 | m<<16 | n<<5 | d) // FADD Vd.2D, Vn.2D, Vm.2D
#define FSUB(m, n, d)   WORD $(0x4EE0D400 | m<<16 | n<<5 | d) // FSUB Vd.2D, Vn.2D, Vm.2D
#define FMUL(m, n, d)   WORD $(0x6E60DC00 | m<<16 | n<<5 | d) // FMUL Vd.2D, Vn.2D, Vm.2D
#define FDIV(m, n, d)   WORD $(0x6E60FC00 | m<<16 | n<<5 | d) // FDIV Vd.2D, Vn.2D, Vm.2D
#define FMAX(m, n, d)   WORD $(0x4E60F400 | m<<16 | n<<5 | d) // FMAX Vd.2D, Vn.2D, Vm.2D
#define FMIN(m, n, d)   WORD $(0x4EE0F400 | m<<16 | n<<5 | d) // FMIN Vd.2D, Vn.2D, Vm.2D
#define FRINTN(n, d)    WORD $(0x4E618800 | n<<5 | d)         // FRINTN Vd.2D, Vn.2D
#define FCVTNS(n, d)    WORD $(0x4E61A800 | n<<5 | d)         // FCVTNS Vd.2D, Vn.2D

#define FADDS(m, n, d)  WORD $(0x4E20D400 | m<<16 | n<<5 | d) // FADD Vd.4S, Vn.4S, Vm.4S
#define FSUBS(m, n, d)  WORD $(0x4EA0D400 | m<<16 | n<<5 | d) // FSUB Vd.4S, Vn.4S, Vm.4S
#define FMULS(m, n, d)  WORD $(0x6E20DC00 | m<<16 | n<<5 | d) // FMUL Vd.4S, Vn.4S, Vm.4S
#define UMAXV(n, d)     WORD $(0x6EB0A800 | n<<5 | d)         // UMAXV Sd, Vn.4S
