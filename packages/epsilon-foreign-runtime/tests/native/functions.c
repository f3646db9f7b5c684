/* What the tests of functions, variables and checks call. */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

#define EACH_SCALAR(X)                                                                                       \
    X(bool, bool) X(char, char) X(schar, signed char) X(uchar, unsigned char) X(short, short)                \
    X(ushort, unsigned short) X(int, int) X(uint, unsigned) X(long, long) X(ulong, unsigned long)            \
    X(longlong, long long) X(ulonglong, unsigned long long) X(int8, int8_t) X(int16, int16_t)                \
    X(int32, int32_t) X(int64, int64_t) X(uint8, uint8_t) X(uint16, uint16_t) X(uint32, uint32_t)            \
    X(uint64, uint64_t) X(size_t, size_t) X(ssize_t, ptrdiff_t) X(ptrdiff_t, ptrdiff_t)                      \
    X(intptr_t, intptr_t) X(uintptr_t, uintptr_t) X(float, float) X(double, double)                          \
    X(longdouble, long double) X(wchar, wchar_t) X(pointer, void *)                                          \
    X(float_complex, float _Complex) X(double_complex, double _Complex)

#define IDENTITY(name, type) type same_##name(type value) { return value; }
EACH_SCALAR(IDENTITY)

#define VARIABLE(name, type) type variable_##name; type get_##name(void) { return variable_##name; }
EACH_SCALAR(VARIABLE)

const char *banner = "grüß dich";
const char *nothing = NULL;

const char *echo(const char *text) { return text; }
const char *latin1(void) { return "gr\xfc\xdf"; }
size_t length(const char *text) { return text ? strlen(text) : (size_t)-1; }
unsigned long sum_bytes(const unsigned char *data, size_t size) {
    unsigned long sum = 0;
    for (size_t i = 0; i < size; i++) sum += data[i];
    return sum;
}
void fill(unsigned char *data, int value, size_t size) { memset(data, value, size); }
int add(int a, int b) { return a + b; }
void do_nothing(void) {}

int fail_with(int code) { errno = code; return code ? -1 : 0; }
int report(int code) { errno = code; return code; }
void *null_with(int code) { static int something; errno = code; return code ? NULL : &something; }
const char *text_with(int code) { errno = code; return code ? NULL : "fine"; }
long only_errno(int code) { errno = code; return 7; }

int sum_ints(int count, ...) {
    va_list list;
    int sum = 0;
    va_start(list, count);
    while (count-- > 0) sum += va_arg(list, int);
    va_end(list);
    return sum;
}
double sum_doubles(int count, ...) {
    va_list list;
    double sum = 0;
    va_start(list, count);
    while (count-- > 0) sum += va_arg(list, double);
    va_end(list);
    return sum;
}
long long sum_longlongs(int count, ...) {
    va_list list;
    long long sum = 0;
    va_start(list, count);
    while (count-- > 0) sum += va_arg(list, long long);
    va_end(list);
    return sum;
}
size_t sum_lengths(int count, ...) {
    va_list list;
    size_t sum = 0;
    va_start(list, count);
    while (count-- > 0) sum += length(va_arg(list, const char *));
    va_end(list);
    return sum;
}
int fail_variadic(int code, ...) { return fail_with(code); }
