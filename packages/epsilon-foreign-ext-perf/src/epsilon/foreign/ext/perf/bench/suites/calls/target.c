/* The functions that every peer calls. Each does as little as its type allows, so that the call is what is timed. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

void noop(void) {}

double twice(double x) { return x + x; }

long add(long a, long b) { return a + b; }

long six(long a, long b, long c, long d, long e, long f) { return a + b + c + d + e + f; }

double mix(long a, double b, long c, double d) { return (double)a + b + (double)c + d; }

size_t length(const char *text) { return strlen(text); }

void *identity(void *pointer) { return pointer; }

/* CRC-32 as in ISO 3309, reflected, a nibble at a time: a real reason to pass a buffer and its length. */
uint32_t crc(const unsigned char *data, size_t size)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}
