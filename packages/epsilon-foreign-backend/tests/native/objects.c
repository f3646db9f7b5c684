/* What data objects lend and become: a pair by value and by address, and a callback that is given both. */
#include <stdint.h>

typedef struct { int32_t a, b; } pair;

pair swap_pair(pair value)
{
    pair swapped = {value.b, value.a};
    return swapped;
}

int64_t sum_pairs(const pair *one, pair two, double three, const pair *four, int32_t five)
{
    return (one ? one->a + one->b : 1000) + two.a + two.b + (int64_t)three + (four ? four->a : 500) + five;
}

pair *same_pair(pair *address) { return address; }

pair call_with_pair(pair (*function)(pair, pair *), pair *value) { return function(*value, value); }

/* What a callback returns although the call that it happened in raises. */
void store_called_pair(pair (*function)(pair, pair *), pair *value, pair *out) { *out = function(*value, value); }
