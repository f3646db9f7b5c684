/* One echo, store, load and upcall function for every scalar type, and results with garbage in the rest of the
   register: a callee may leave anything above a narrow result (System V x86-64 3.2.3, AAPCS64 6.8.2). */
#include <complex.h>
#include <stdbool.h>
#include <stdint.h>

#define SCALAR(name, T)                                                                                      \
    T echo_##name(T x) { return x; }                                                                         \
    void store_##name(T x, T *out) { *out = x; }                                                             \
    T load_##name(const T *in) { return *in; }                                                               \
    T upcall_##name(T (*function)(T), T x) { return function(x); }

SCALAR(bool, bool)
SCALAR(int8, int8_t)
SCALAR(int16, int16_t)
SCALAR(int32, int32_t)
SCALAR(int64, int64_t)
SCALAR(uint8, uint8_t)
SCALAR(uint16, uint16_t)
SCALAR(uint32, uint32_t)
SCALAR(uint64, uint64_t)
SCALAR(float, float)
SCALAR(double, double)
SCALAR(longdouble, long double)
SCALAR(complex_float, float complex)
SCALAR(complex_double, double complex)
SCALAR(pointer, void *)

void nothing(void) {}

uint64_t whole_register(void) { return UINT64_C(0xDEADBEEFCAFEF0A1); }
uint64_t whole_register_true(void) { return UINT64_C(0xDEADBEEFCAFEF001); }
uint64_t whole_register_false(void) { return UINT64_C(0xDEADBEEFCAFEF000); }
/* Reads 32 bits where a narrower type was declared: compilers for x86-64 rely on the caller's extension. */
uint32_t low_word(uint32_t x) { return x; }

double half(double x) { return x / 2; }
int64_t add(int64_t a, int64_t b) { return a + b; }
long double third(void) { return 1.0L / 3.0L; }
long double times_three(long double x) { return x * 3.0L; }
double complex times_i(double complex z) { return z * I; }
double complex among_complex(int a, double complex z, float complex w, double b) { return z + w + a + b; }
