/* Callbacks from many threads at once, from threads that outlive the interpreter, and from a destructor. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

typedef int64_t (*number)(int64_t);

struct share {
    number function;
    int64_t first, count, sum;
};

static void *call_all(void *argument)
{
    struct share *share = argument;
    for (int64_t i = 0; i < share->count; i++)
        share->sum += share->function(share->first + i);
    return 0;
}

/* `count` calls on each of `threads` (at most 64) threads; the sum of what they return, or -1. */
int64_t call_from_threads(number function, int64_t threads, int64_t count)
{
    struct share shares[64];
    pthread_t started[64];
    int64_t sum = 0;
    for (int64_t t = 0; t < threads; t++) {
        shares[t] = (struct share){function, t * count, count, 0};
        if (pthread_create(&started[t], 0, call_all, &shares[t]) != 0)
            return -1;
    }
    for (int64_t t = 0; t < threads; t++) {
        pthread_join(started[t], 0);
        sum += shares[t].sum;
    }
    return sum;
}

static void *call_for_ever(void *argument)
{
    number function = (number)argument;
    for (;;) {
        function(1);
        usleep(50);
    }
    return 0;
}

/* Threads that nobody ends. */
int start_for_ever(number function, int threads)
{
    for (int t = 0; t < threads; t++) {
        pthread_t thread;
        if (pthread_create(&thread, 0, call_for_ever, (void *)function) != 0)
            return -1;
        pthread_detach(thread);
    }
    return 0;
}

static number last;

/* `function` is called with 7 when the process ends, and what it returns is printed. */
void call_at_end(number function) { last = function; }

__attribute__((destructor)) static void end(void)
{
    if (last) {
        printf("at the end: %lld\n", (long long)last(7));
        fflush(stdout);
    }
}
