#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
void noop(void);
double twice(double x);
long add(long a, long b);
long six(long a, long b, long c, long d, long e, long f);
double mix(long a, double b, long c, double d);
size_t length(const char *text);
void *identity(void *pointer);
uint32_t crc(const unsigned char *data, size_t size);
#ifdef __cplusplus
}
#endif
