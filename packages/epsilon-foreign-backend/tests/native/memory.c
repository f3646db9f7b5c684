/* Strings, buffers, errno, and functions of time. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t length(const char *text) { return text ? (int64_t)strlen(text) : -1; }

int64_t two_lengths(const char *a, const char *b) { return 1000 * length(a) + length(b); }

/* 0: NULL, 1: empty, 2: ASCII, 3: two- to four-byte UTF-8, 4: not UTF-8. */
const char *text(int which)
{
    static const char *const texts[] = {0, "", "plain", "h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x8d", "\xff\xfe!"};
    return texts[which];
}

const char *same(const char *x) { return x; }

uint64_t checksum(const uint8_t *data, uint64_t size)
{
    uint64_t sum = size;
    for (uint64_t i = 0; i < size; i++)
        sum = sum * 31 + data[i];
    return sum;
}

int is_null(const void *address) { return address == 0; }

void fill(uint8_t *data, uint64_t size, int value) { memset(data, value, size); }

int fail_with(int error, int result)
{
    errno = error;
    return result;
}

double fail_with_double(int error, double result)
{
    errno = error;
    return result;
}

int errno_on_entry(void) { return errno; }

/* Milliseconds asleep; errno says that it was here. */
int doze(int milliseconds)
{
    struct timespec left = {milliseconds / 1000, 1000000L * (milliseconds % 1000)};
    while (nanosleep(&left, &left) != 0)
        ;
    errno = milliseconds;
    return milliseconds;
}

int64_t sum_ints(int count, ...)
{
    va_list list;
    va_start(list, count);
    int64_t sum = 0;
    for (int i = 0; i < count; i++)
        sum += va_arg(list, int);
    va_end(list);
    return sum;
}

/* `format` has a letter an argument: i int, l int64, u uint64, d double, L long double, s string, p pointer. */
int describe(char *out, uint64_t size, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    uint64_t used = 0;
    for (; *format && used < size; format++) {
        char *at = out + used;
        uint64_t left = size - used;
        switch (*format) {
        case 'i': used += snprintf(at, left, "i%d ", va_arg(list, int)); break;
        case 'l': used += snprintf(at, left, "l%lld ", (long long)va_arg(list, int64_t)); break;
        case 'u': used += snprintf(at, left, "u%llu ", (unsigned long long)va_arg(list, uint64_t)); break;
        case 'd': used += snprintf(at, left, "d%g ", va_arg(list, double)); break;
        case 'L': used += snprintf(at, left, "L%Lg ", va_arg(list, long double)); break;
        case 's': used += snprintf(at, left, "s%s ", va_arg(list, const char *)); break;
        case 'p': used += snprintf(at, left, "p%llx ", (unsigned long long)(uintptr_t)va_arg(list, void *)); break;
        }
    }
    va_end(list);
    return (int)used;
}

#ifdef __GLIBC__
/* A symbol that exists and whose address is NULL (https://sourceware.org/glibc/wiki/GNU_IFUNC). */
static void *(*resolve_null(void))(void) { return 0; }
void *null_symbol(void) __attribute__((ifunc("resolve_null")));
#endif
