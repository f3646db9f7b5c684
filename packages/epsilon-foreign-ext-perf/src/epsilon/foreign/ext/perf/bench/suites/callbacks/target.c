/* What calls back. The sorting begins with the same numbers each time, and its result depends on their order. */

#include <stdlib.h>
#include "target.h"

#define COUNT 10000

int64_t call_repeatedly(int (*function)(int), int count)
{
    int64_t total = 0;
    for (int i = 0; i < count; i++)
        total += function(i);
    return total;
}

int64_t sort_numbers(int (*compare)(const int *, const int *))
{
    static int numbers[COUNT];
    uint32_t state = 1;
    int64_t sum = 0;
    for (int i = 0; i < COUNT; i++) {
        state = (state * 1103515245u + 12345u) & 0x7fffffff;
        numbers[i] = (int)(state >> 11);
    }
    qsort(numbers, COUNT, sizeof numbers[0], (int (*)(const void *, const void *))compare);
    for (int i = 0; i < COUNT; i++)
        sum += (int64_t)(i + 1) * numbers[i];
    return sum;
}

static int64_t comparisons;

static int counting(const int *a, const int *b)
{
    comparisons++;
    return *a - *b;
}

int64_t count_comparisons(void)
{
    comparisons = 0;
    sort_numbers(counting);
    return comparisons;
}
