/* Aggregates that no register holds: of a few cache lines, of a page, of many pages; and what stands around them. */
#include <stdint.h>
#include <string.h>

#define LARGE(n)                                                                                       \
    typedef struct { unsigned char data[n]; } large##n;                                                \
    large##n change_large##n(int before, large##n value, double between, large##n other, int after)    \
    {                                                                                                  \
        for (int i = 0; i < n; i++)                                                                    \
            value.data[i] = (unsigned char)(value.data[i] + 2 * other.data[i] + before + after + between); \
        return value;                                                                                  \
    }                                                                                                  \
    int call_large##n(large##n (*function)(int, large##n, double, large##n, int), const large##n *value, large##n *out) \
    {                                                                                                  \
        int stays = 77;                                                                                \
        *out = function(1, value[0], 2.5, value[1], 3);                                                \
        return stays;                                                                                  \
    }
LARGE(17) LARGE(120) LARGE(128) LARGE(129) LARGE(200) LARGE(4096) LARGE(5000) LARGE(20000)

/* A long double is no obstacle inside an aggregate that is in memory anyway. */
typedef struct { long double a; int b; } with_long_double;
with_long_double change_with_long_double(with_long_double value)
{
    value.a *= 2;
    value.b += 1;
    return value;
}
typedef struct { long double a; } only_long_double;
double take_only_long_double(int before, only_long_double value, int after) { return (double)value.a + before * after; }

/* Where the callee finds an argument of some alignment, modulo that. */
typedef struct { int a; } __attribute__((aligned(32))) aligned32;
typedef struct { long a[5]; } __attribute__((aligned(64))) aligned64;
int misplaced(int a, aligned32 x, int b, aligned64 y, double c, aligned32 z, aligned64 *p)
{
    *p = y;
    return (int)((uintptr_t)&x % 32 + (uintptr_t)&y % 64 + (uintptr_t)&z % 32) + (x.a != a) + (z.a != b) + (c != 0.5);
}
static uintptr_t result_misplaced(aligned64 *p) { return (uintptr_t)p % 64; }
aligned64 aligned_result(int a)
{
    aligned64 made = {{a}};
    made.a[1] = (long)result_misplaced(&made);
    return made;
}
