"""A C program that shows in which registers and where on the stack gcc passes and returns aggregates."""

from __future__ import annotations

from collections.abc import Iterable

from random_types import PRELUDE, definitions

from .described import Described

#: What the program writes for one moment: 8 general registers, 8 vector registers, the stack arguments.
GENERAL, VECTOR, STACK = 0, 64, 192
SEEN = 192 + 256

_X86_64 = r"""
asm(".text\n.globl capture\ncapture:\n leaq seen(%rip), %rax\n"
    " movq %rdi, (%rax)\n movq %rsi, 8(%rax)\n movq %rdx, 16(%rax)\n"
    " movq %rcx, 24(%rax)\n movq %r8, 32(%rax)\n movq %r9, 40(%rax)\n"
    " movups %xmm0, 64(%rax)\n movups %xmm1, 80(%rax)\n movups %xmm2, 96(%rax)\n movups %xmm3, 112(%rax)\n"
    " leaq 8(%rsp), %rsi\n leaq 192(%rax), %rdi\n movl $256, %ecx\n rep movsb\n ret\n"
    ".globl receive\nreceive:\n pushq %rbx\n movq %rdi, %rax\n movq %rsi, %rdi\n movl %edx, %ebx\n fninit\n"
    " call *%rax\n leaq seen(%rip), %rcx\n movq %rax, (%rcx)\n movq %rdx, 8(%rcx)\n"
    " movups %xmm0, 64(%rcx)\n movups %xmm1, 80(%rcx)\n"
    " testl %ebx, %ebx\n jz 1f\n fstpt 192(%rcx)\n 1: popq %rbx\n ret\n");
"""
_AARCH64 = r"""
asm(".text\n.globl capture\ncapture:\n adrp x9, seen\n add x9, x9, :lo12:seen\n"
    " stp x0, x1, [x9]\n stp x2, x3, [x9, 16]\n stp x4, x5, [x9, 32]\n stp x6, x7, [x9, 48]\n"
    " stp q0, q1, [x9, 64]\n stp q2, q3, [x9, 96]\n"
    " mov x10, sp\n add x11, x9, 192\n mov x12, 32\n"
    " 1: ldr x13, [x10], 8\n str x13, [x11], 8\n subs x12, x12, 1\n b.ne 1b\n ret\n"
    ".globl receive\nreceive:\n stp x29, x30, [sp, -16]!\n mov x9, x0\n mov x8, x1\n blr x9\n"
    " adrp x9, seen\n add x9, x9, :lo12:seen\n"
    " stp x0, x1, [x9]\n stp q0, q1, [x9, 64]\n stp q2, q3, [x9, 96]\n"
    " ldp x29, x30, [sp], 16\n ret\n");
"""
# `copy` shows a copy that an argument's register points to, if it points near the stack at all.
_START = f"""#include <stdio.h>
{PRELUDE}
unsigned char seen[{SEEN}] __attribute__((aligned(64))), into[4096] __attribute__((aligned(64)));
void capture(void);
void receive(void *function, void *result, int x87);
static void put(const void *p, size_t n) {{ if (n && fwrite(p, 1, n, stdout) != n) __builtin_abort(); }}
static void fill(void *p, size_t n) {{ for (size_t i = 0; i < n; i++) ((unsigned char *)p)[i] = i + 1; }}
static void copy(const void *p, size_t n)
{{
    char here;
    ptrdiff_t far = (const char *)p - &here;
    memset(into, 0, sizeof into);
    if (far > -65536 && far < 65536) memcpy(into, p, n);
    put(into, n);
}}
#define DOUBLES double, double, double, double, double, double, double, double
#define SIX(x) x, x, x, x, x, x
#define EIGHT(x) SIX(x), x, x
#if defined __x86_64__
{_X86_64}
#define LONGS long, long, long, long, long, long
#define ALL SIX
#else
{_AARCH64}
#define LONGS long, long, long, long, long, long, long, long
#define ALL EIGHT
#endif
"""


def source(types: Iterable[tuple[Described, bool]]) -> str:
    """The program for types, each with whether its result is awaited in the x87's register.

    It writes, for every type: what a function sees that takes an int and the aggregate, and the copy that its
    second general register points to; what one sees whose registers are all taken, and whose stack begins
    with a long; what a function leaves that returns it, and the memory offered for the result.
    """
    texts = [_START]
    calls = []
    for described, x87 in types:
        name = described.declared.name
        calls.append(f"ask_{name}();")
        texts.append(
            f"""{definitions(described.declared)}
static {name} x_{name};
static {name} give_{name}(void) {{ return x_{name}; }}
static void ask_{name}(void)
{{
    fill(&x_{name}, sizeof x_{name});
    ((void (*)(int, {name}))capture)(7, x_{name});
    put(seen, sizeof seen);
    copy(*(void **)(seen + 8), sizeof x_{name});
    ((void (*)(LONGS, DOUBLES, long, {name}))capture)(ALL(7), EIGHT(0.5), 7, x_{name});
    put(seen, sizeof seen);
    memset(into, 0, sizeof into);
    receive(give_{name}, into, {int(x87)});
    put(seen, sizeof seen);
    put(into, sizeof x_{name});
}}
"""
        )
    texts.append(f"int main(void) {{ {' '.join(calls)} return fflush(stdout) ? 1 : 0; }}\n")
    return "".join(texts)
