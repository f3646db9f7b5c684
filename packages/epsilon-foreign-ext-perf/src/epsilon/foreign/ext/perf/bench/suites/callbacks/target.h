#include <stddef.h>
#include <stdint.h>
int64_t call_repeatedly(int (*function)(int), int count);
int64_t sort_numbers(int (*compare)(const int *, const int *));
int64_t count_comparisons(void);
