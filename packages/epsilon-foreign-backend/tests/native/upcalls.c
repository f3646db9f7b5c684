/* Functions that call back: in a row, nested, with mixed arguments, and from a thread that Python did not make. */
#include <pthread.h>
#include <stdint.h>

int64_t call_times(int64_t (*function)(int64_t), int64_t count)
{
    int64_t sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += function(i);
    return sum;
}

double call_mixed(double (*function)(int8_t, double, const void *, uint64_t, float), const void *address)
{
    return function(-5, 0.25, address, UINT64_MAX, 1.5f);
}

void call_void(void (*function)(void)) { function(); }

struct work {
    int (*function)(int);
    int value, result;
};

static void *run(void *argument)
{
    struct work *work = argument;
    work->result = work->function(work->value);
    return 0;
}

/* -1000 when no thread could be made. */
int call_from_thread(int (*function)(int), int value)
{
    struct work work = {function, value, -1};
    pthread_t thread;
    if (pthread_create(&thread, 0, run, &work) != 0)
        return -1000;
    pthread_join(thread, 0);
    return work.result;
}

struct text_work {
    int (*function)(const char *, _Bool);
    const char *text;
    int result;
};

static void *run_text(void *argument)
{
    struct text_work *work = argument;
    work->result = work->function(work->text, 1);
    return 0;
}

/* As call_from_thread, with arguments that need converting. */
int text_from_thread(int (*function)(const char *, _Bool), const char *text)
{
    struct text_work work = {function, text, -1};
    pthread_t thread;
    if (pthread_create(&thread, 0, run_text, &work) != 0)
        return -1000;
    pthread_join(thread, 0);
    return work.result;
}

int call_text(int (*function)(const char *, _Bool), const char *text) { return function(text, 1); }
