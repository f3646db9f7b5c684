/* Every way in which foreign code ends or disturbs its process, for the tests of isolation. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define API __attribute__((noinline))

API int calm(int x) { return x + 1; }

API int counted(void) {
    static int calls;
    return ++calls;
}

API void null_write(void) { *(volatile int *)0 = 1; }

API int read_at(uintptr_t address) { return *(volatile unsigned char *)address; }

API void write_at(uintptr_t address) { *(volatile unsigned char *)address = 1; }

API void wild_jump(uintptr_t address) { ((void (*)(void))address)(); }

/* Overwrites its own return address and whatever lies beyond it. */
API __attribute__((optimize("O0"), no_stack_protector)) void smash_stack(size_t size) {
    /* Not on the stack, or the loop would lead itself astray before it reaches the return address. */
    static volatile char *at;
    static size_t i, end;
    volatile char buffer[16];
    at = buffer;
    end = size;
    for (i = 0; i < end; i++) at[i] = 0x41;
}

/* The same, noticed by the compiler's canary: abort(3) by __stack_chk_fail. */
API __attribute__((optimize("O0", "stack-protector-all"))) void smash_guarded_stack(size_t size) {
    volatile char buffer[16];
    volatile char *at = buffer;
    for (size_t i = 0; i < size; i++) at[i] = 0x41;
}

API __attribute__((optimize("O0"))) int overflow_stack(int depth) {
    volatile char room[4096];
    room[0] = (char)depth;
    return overflow_stack(depth + 1) + room[0];
}

API void abort_now(void) { abort(); }

API int divide_by_zero(int x) {
    volatile int zero = 0;
    volatile int result = x / zero;
#if !defined(__x86_64__) && !defined(__i386__)
    raise(SIGFPE); /* elsewhere a division by zero is zero */
#endif
    return result;
}

API void illegal_instruction(void) { __builtin_trap(); }

/* A page behind the end of its file. */
API int bus_error(void) {
    int file = memfd_create("short", 0);
    if (file < 0 || ftruncate(file, 4096)) return -errno;
    volatile char *at = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (at == MAP_FAILED || ftruncate(file, 0)) return -errno;
    return at[0];
}

API void double_free(void) {
    void *volatile memory = malloc(24);
    free(memory);
    free(memory);
    /* A C library that takes it silently is made to notice. */
    abort();
}

API void spin_forever(void) {
    for (volatile unsigned long i = 0;; i++) {}
}

API void sleep_forever(void) {
    for (;;) pause();
}

API void exit_with(int status) { exit(status); }

API void exit_at_once(int status) { _exit(status); }

/* Touches every page, until there are no more or `size` bytes are there. */
API size_t eat_memory(size_t size) {
    size_t piece = 1 << 20, eaten = 0;
    for (; eaten < size; eaten += piece) {
        char *memory = malloc(piece);
        if (memory == NULL) break;
        memset(memory, 1, piece);
    }
    return eaten;
}

API int kill_self(int number) { return kill(getpid(), number); }

API int kill_other(int pid, int number) { return kill(pid, number) ? -errno : 0; }

static void *crash_later(void *delay) {
    usleep((useconds_t)(uintptr_t)delay);
    *(volatile int *)0 = 1;
    return NULL;
}

/* A thread that C starts crashes, in `delay` microseconds, when the call has long returned. */
API int crash_in_thread(unsigned delay) {
    pthread_t thread;
    return pthread_create(&thread, NULL, crash_later, (void *)(uintptr_t)delay);
}

static void *add_one(void *number) {
    ++*(int *)number;
    return NULL;
}

API int run_thread(int number) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, add_one, &number)) return -1;
    pthread_join(thread, NULL);
    return number;
}

/* Descriptor, or negative errno. */
API int open_socket(int family) {
    int made = socket(family, SOCK_STREAM, 0);
    return made < 0 ? -errno : made;
}

API int open_file(const char *path, int flags) {
    int made = open(path, flags, 0600);
    return made < 0 ? -errno : made;
}

API int remove_file(const char *path) { return unlink(path) ? -errno : 0; }

API int start_process(void) {
    int child = fork();
    if (child == 0) _exit(0);
    return child < 0 ? -errno : child;
}

API int run_program(const char *path) {
    char *const arguments[] = {(char *)path, NULL};
    execv(path, arguments);
    return -errno;
}

API long call_system(long number, long a, long b, long c) {
    long result = syscall(number, a, b, c, 0L, 0L, 0L);
    return result < 0 ? -errno : result;
}

API int count_descriptors(void) {
    int count = 0;
    for (int fd = 0; fd < 1024; fd++) count += fcntl(fd, F_GETFD) != -1;
    return count;
}

API int descriptor_is_open(int fd) { return fcntl(fd, F_GETFD) != -1; }

API size_t sum_bytes(const unsigned char *bytes, size_t size) {
    size_t sum = 0;
    for (size_t i = 0; i < size; i++) sum += bytes[i];
    return sum;
}

typedef int (*callback)(int);

API int call_back(callback function, int x) { return function(x); }

/* Calls back and crashes on the way out. */
API int call_back_and_crash(callback function, int x) {
    int result = function(x);
    *(volatile int *)0 = result;
    return result;
}

const int some_data[64] = {1, 2, 3};
int some_variable = 7;
