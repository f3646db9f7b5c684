/* What the tests of callbacks call: function pointers in every position, of every kind of value. */
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <wchar.h>

#define EACH_SCALAR(X)                                                                                       \
    X(bool, bool) X(char, char) X(schar, signed char) X(uchar, unsigned char) X(short, short)                \
    X(ushort, unsigned short) X(int, int) X(uint, unsigned) X(long, long) X(ulong, unsigned long)            \
    X(longlong, long long) X(ulonglong, unsigned long long) X(int8, int8_t) X(int16, int16_t)                \
    X(int32, int32_t) X(int64, int64_t) X(uint8, uint8_t) X(uint16, uint16_t) X(uint32, uint32_t)            \
    X(uint64, uint64_t) X(size_t, size_t) X(ssize_t, ptrdiff_t) X(ptrdiff_t, ptrdiff_t)                      \
    X(intptr_t, intptr_t) X(uintptr_t, uintptr_t) X(float, float) X(double, double)                          \
    X(longdouble, long double) X(wchar, wchar_t) X(pointer, void *) X(string, const char *)                  \
    X(float_complex, float _Complex) X(double_complex, double _Complex)

#define UP(name, type) type up_##name(type (*function)(type), type value) { return function(value); }
EACH_SCALAR(UP)

/* Structs by value: one of each class of the conventions in use, and some between two of them. */
struct tiny { int8_t a; };
struct point { int x, y; };
struct vector { double x, y; };
struct floats { float x, y, z; };
struct both { int64_t number; double value; };
struct odd { char text[11]; };
struct large { int64_t items[5]; double last; };
struct nested { struct point corner; struct { float f; uint8_t tag; } inner; };
union number { int32_t i; float f; double d; };
struct list { struct point *first; size_t count; };

#define EACH_STRUCT(X)                                                                                       \
    X(tiny, struct tiny) X(point, struct point) X(vector, struct vector) X(floats, struct floats)            \
    X(both, struct both) X(odd, struct odd) X(large, struct large) X(nested, struct nested)                  \
    X(number, union number)

EACH_STRUCT(UP)

/* All of them at once: most have to travel on the stack. */
double all_structs(double (*function)(struct tiny, struct point, struct vector, struct floats, struct both,
                                      struct odd, struct large, struct nested, union number))
{
    return function((struct tiny){-1}, (struct point){2, 3}, (struct vector){4, 5}, (struct floats){6, 7, 8},
                    (struct both){9, 10}, (struct odd){"eleven"}, (struct large){{12, 13, 14, 15, 16}, 17},
                    (struct nested){{18, 19}, {20, 21}}, (union number){.d = 22});
}

double mixed20(double (*function)(int8_t, double, uint16_t, float, int64_t, bool, double, int32_t, float,
                                  uint8_t, double, int16_t, double, uint64_t, float, double, int8_t, bool,
                                  double, uint32_t))
{
    return function(-1, 2.5, 65535, 4.5f, INT64_MIN, true, 7.5, -8, 9.5f, 255, 11.5, -12, 13.5, UINT64_MAX,
                    15.5f, 16.5, -17, false, 19.5, 4294967295u);
}

/* Calls with the upper bits of every register full: no convention says what is in them. */
long dirty(void *function, long bits)
{
    long low = bits;
    return ((long (*)(long, long, long, long, long, long, long, long, long))function)(
        low, low, low, low, low, low, low, low, low);
}

/* Pointers that a callback reads and writes through. */
int fill(int (*function)(int *out, double *more), double *more)
{
    int out = -1;
    int result = function(&out, more);
    return result < 0 ? result : out;
}
int sum_of(int (*function)(const int *items, size_t count), const int *items, size_t count)
{
    return function(items, count);
}
int move_points(void (*function)(struct point *), struct point *items, size_t count)
{
    int sum = 0;
    for (size_t i = 0; i < count; i++) {
        function(items + i);
        sum += items[i].x + items[i].y;
    }
    return sum;
}
void visit(void (*function)(void *user, const char *name, int index), void *user)
{
    static const char *names[] = {"one", "zwei", "tr\xc3\xa8s", NULL};
    for (int i = 0; i < 4; i++) function(user, names[i], i);
}
void visit_bad_text(void (*function)(const char *name)) { function("gr\xfc\xdf"); }
int words(int (*function)(const char **words)) {
    const char *each[] = {"a", "bc", NULL};
    return function(each);
}
size_t measure(const char *(*function)(int), int value)
{
    const char *text = function(value);
    return text ? strlen(text) : (size_t)-1;
}
char first_of_two(const char *(*function)(int)) {
    const char *one = function(1);
    return one[0];
}
int read_point(struct point *(*function)(void))
{
    struct point *found = function();
    return found ? found->x * 100 + found->y : -1;
}

/* Function pointers in structs and arrays, given by C and given back. */
typedef int (*binary)(int, int);
struct operations { const char *name; binary apply; binary spare; };
struct table { int count; binary items[3]; };
static int add(int a, int b) { return a + b; }
static int subtract(int a, int b) { return a - b; }
static int multiply(int a, int b) { return a * b; }

int apply(binary function, int a, int b) { return function ? function(a, b) : -1; }
int apply_struct(const struct operations *operations, int a, int b) { return operations->apply(a, b); }
int apply_by_value(struct operations operations, int a, int b) { return operations.apply(a, b); }
int apply_array(const binary *items, size_t count, int value)
{
    for (size_t i = 0; i < count; i++) value = items[i](value, (int)i + 1);
    return value;
}
int apply_table(const struct table *table, int value) { return apply_array(table->items, table->count, value); }
binary get_operation(int which)
{
    static const binary all[] = {add, subtract, multiply};
    return which < 3 ? all[which] : NULL;
}
binary same_function(binary function) { return function; }
bool is_add(binary function) { return function == add; }
void get_table(struct table *table) { *table = (struct table){2, {add, multiply, NULL}}; }
binary pick(binary (*function)(int), int which) { return function(which); }
int with_function(int (*function)(binary, int), int value) { return function(add, value); }

static binary kept;
void keep(binary function) { kept = function; }
int call_kept(int a, int b) { return kept(a, b); }
int sum_times(int (*function)(int), int count)
{
    int sum = 0;
    for (int i = 0; i < count; i++) sum += function(i);
    return sum;
}

/* On a thread that Python has never seen. */
struct work { int (*function)(int); int value, result; };
static void *run(void *argument)
{
    struct work *work = argument;
    work->result = work->function(work->value);
    return NULL;
}
int on_thread(int (*function)(int), int value)
{
    struct work work = {function, value, -1};
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, &work) != 0) return -1000;
    pthread_join(thread, NULL);
    return work.result;
}
