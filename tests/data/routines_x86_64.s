# Routines of the System V convention that do what compilers rarely do and the convention allows; tests/trust/test_host_functions.py assembles them.
        .text

# int64_t whole_i8(int8_t x): all of the register that x came in.
        .globl  whole_i8, whole_u8, whole_i16, whole_u16, whole_i32, whole_u32, whole_bool
whole_i8:
whole_u8:
whole_i16:
whole_u16:
whole_i32:
whole_u32:
whole_bool:
        movq    %rdi, %rax
        ret

# Results with garbage above them: 0x80 in the byte, 0x8080 in the word, 0x80808080 in the double word.
        .globl  dirty
dirty:
        movabsq $0xdeadbeef80808080, %rax
        ret

# float dirty_f32(float x): x + x, with garbage above it in the register.
        .globl  dirty_f32
dirty_f32:
        addss   %xmm0, %xmm0
        movabsq $0x7ff8dead00000000, %rax
        movd    %xmm0, %ecx
        orq     %rcx, %rax
        movq    %rax, %xmm0
        ret

# int64_t clobber(int64_t x, double y): x + (int64_t)y, and every register that a callee may change is changed.
        .globl  clobber
clobber:
        cvttsd2si %xmm0, %rax
        addq    %rdi, %rax
        movabsq $0x5555555555555555, %rcx
        movq    %rcx, %rdx
        movq    %rcx, %rsi
        movq    %rcx, %rdi
        movq    %rcx, %r8
        movq    %rcx, %r9
        movq    %rcx, %r10
        movq    %rcx, %r11
        movq    %rcx, %xmm0
        movq    %rcx, %xmm1
        movq    %rcx, %xmm2
        movq    %rcx, %xmm3
        movq    %rcx, %xmm4
        movq    %rcx, %xmm5
        movq    %rcx, %xmm6
        movq    %rcx, %xmm7
        movq    %rcx, %xmm8
        movq    %rcx, %xmm9
        movq    %rcx, %xmm10
        movq    %rcx, %xmm11
        movq    %rcx, %xmm12
        movq    %rcx, %xmm13
        movq    %rcx, %xmm14
        movq    %rcx, %xmm15
        ret

# int64_t deep(int64_t x): x + 1, by way of 60 KiB of stack, whose lowest word is written; 0 where the stack is not aligned.
        .globl  deep
deep:
        leaq    8(%rsp), %rax
        testq   $15, %rax
        jnz     1f
        subq    $61440, %rsp
        movq    %rdi, (%rsp)
        movq    (%rsp), %rax
        addq    $61440, %rsp
        incq    %rax
        ret
1:      xorl    %eax, %eax
        ret

# double on_stack(i64 * 7, double * 9): 10 * the seventh int + the ninth double, which are the two that do not fit into registers.
        .globl  on_stack
on_stack:
        imulq   $10, 8(%rsp), %rax
        cvtsi2sdq %rax, %xmm0
        addsd   16(%rsp), %xmm0
        ret

        .section .note.GNU-stack,"",@progbits
