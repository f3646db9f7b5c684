/* Structs of 8, 16 and 40 bytes: in one register, in two of different kinds, in memory (System V x86-64). */

#include "target.h"

struct point swap_point(struct point value) { return (struct point){value.y, value.x}; }

struct entry step_entry(struct entry value) { return (struct entry){value.count + 1, value.amount * 2}; }

struct block swap_block(struct block value)
{
    return (struct block){value.b, value.a, value.d, value.c, value.f, value.e};
}

int add_point(const struct point *value) { return value->x + value->y; }
