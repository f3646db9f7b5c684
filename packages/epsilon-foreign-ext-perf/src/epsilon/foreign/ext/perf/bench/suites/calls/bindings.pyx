# cython: language_level=3, c_string_type=str, c_string_encoding=utf8, freethreading_compatible=True
# Cython's bindings of the same functions. It checks that integers fit; it does not search text for NULs. A pointer is
# an int or None, as in the hand-written extension. `const unsigned char *` takes bytes only; a typed memoryview would
# take any buffer and cost several times as much. The lines marked WITH become `with nogil:` or `if True:`, which the
# C compiler removes.

from libc.stdint cimport uint32_t, uintptr_t

cdef extern from "target.h" nogil:
    void c_noop "noop"()
    double c_twice "twice"(double x)
    long c_add "add"(long a, long b)
    long c_six "six"(long a, long b, long c, long d, long e, long f)
    double c_mix "mix"(long a, double b, long c, double d)
    size_t c_length "length"(const char *text)
    void *c_identity "identity"(void *pointer)
    uint32_t c_crc "crc"(const unsigned char *data, size_t size)

def noop():
    WITH:
        c_noop()

def twice(double x):
    cdef double result
    WITH:
        result = c_twice(x)
    return result

def add(long a, long b):
    cdef long result
    WITH:
        result = c_add(a, b)
    return result

def six(long a, long b, long c, long d, long e, long f):
    cdef long result
    WITH:
        result = c_six(a, b, c, d, e, f)
    return result

def mix(long a, double b, long c, double d):
    cdef double result
    WITH:
        result = c_mix(a, b, c, d)
    return result

def length(const char *text):
    cdef size_t result
    WITH:
        result = c_length(text)
    return result

def identity(pointer):
    cdef uintptr_t address = 0 if pointer is None else pointer
    cdef void *result
    WITH:
        result = c_identity(<void *>address)
    return None if result == NULL else <uintptr_t>result

def crc(const unsigned char *data, size_t size):
    cdef uint32_t result
    WITH:
        result = c_crc(data, size)
    return result
