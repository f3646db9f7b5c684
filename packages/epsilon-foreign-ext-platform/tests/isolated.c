/* What isolated calls are tested with, besides crashes.c. */
#include <complex.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct point { int x, y; };
struct line { struct point *from, *to; const char *name; };
struct node { int value; struct node *next; };
struct big { double numbers[40]; };

long add(long a, long b) { return a + b; }
int8_t neg8(int8_t x) { return -x; }
uint64_t top(void) { return UINT64_MAX; }
_Bool negated(_Bool x) { return !x; }
float halff(float x) { return x / 2; }
long double halfl(long double x) { return x / 2; }
double complex mulc(double complex a, double complex b) { return a * b; }
struct point flip(struct point p) { return (struct point){p.y, p.x}; }
struct big doubled(struct big b) { for (int i = 0; i < 40; i++) b.numbers[i] *= 2; return b; }

int sumv(int n, ...)
{ va_list ap; va_start(ap, n); int s = 0; while (n--) s += va_arg(ap, int); va_end(ap); return s; }
int fail_with(int code) { errno = code; return code ? -1 : 0; }

const char *constant(void) { return "a constant of C"; }
char *shout(const char *s) { char *r = malloc(strlen(s) + 2); strcpy(r, s); return strcat(r, "!"); }
char *find(char *s, int c) { return strchr(s, c); }
void split(const char *s, const char **head, const char **tail) { *head = s; *tail = strchr(s, ',') + 1; }
size_t length(const char *s) { return strlen(s); }

void shift(struct point *p, int dx) { p->x += dx; }
struct point *same(struct point *p) { return p; }
struct point *made(int x, int y)
{ struct point *p = malloc(sizeof *p); *p = (struct point){x, y}; return p; }
int distance(const struct line *l) { return l->to->x - l->from->x + (int)strlen(l->name); }
int distance_of(struct line l) { return distance(&l); }
void swap_ends(struct line *l) { struct point *p = l->from; l->from = l->to; l->to = p; l->from->y = 77; }
struct node *reversed(struct node *list)
{ struct node *r = NULL; while (list) { struct node *n = list->next; list->next = r; r = list; list = n; } return r; }
void fill(unsigned char *b, size_t n, int value) { memset(b, value, n); }
unsigned char at(const unsigned char *b, size_t i) { return b[i]; }
static const char *kept_text;
void keep_text(const char *s) { kept_text = s; }
char kept_first(void) { return kept_text[0]; }

typedef int (*binary)(int, int);
static binary kept;
void keep(binary f) { kept = f; }
int call_kept(int a, int b) { return kept(a, b); }
int apply(binary f, int a, int b) { return f(a, b); }
int apply_twice(binary f, int a, int b) { int r = f(a, b); return r + f(r, b); }
static int plus(int a, int b) { return a + b; }
binary get_plus(void) { return plus; }
struct point map_point(struct point (*f)(struct point), struct point p) { return f(p); }
int with_local(void (*f)(struct point *)) { struct point p = {1, 2}; f(&p); return p.x * 10 + p.y; }
int with_text(size_t (*f)(const char *)) { char text[] = "on the stack"; return (int)f(text); }
size_t measured(const char *(*f)(void)) { return strlen(f()); }
struct table { binary first, second; };
int call_table(const struct table *t, int a, int b) { return t->first(a, b) * 1000 + t->second(a, b); }

struct job { binary f; int result; };
static void *work(void *j) { struct job *job = j; job->result = job->f(3, 4); return NULL; }
int on_thread(binary f)
{ struct job j = {f, -1}; pthread_t t; pthread_create(&t, NULL, work, &j); pthread_join(t, NULL); return j.result; }

int counter = 41;
const char *banner = "hello from C";
struct point corner = {3, 4};
int read_counter(void) { return counter; }

int process(void) { return getpid(); }
void print(const char *s) { printf("%s", s); }
int run_shell(const char *command) { return system(command); }
const char *environment(const char *name) { return getenv(name); }
