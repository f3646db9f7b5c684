/* What the tests of C data call: structs by value and address, results through pointers, gifts, enums. */
#include <complex.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct point { int x, y; };
struct rect { struct point a, b; };
struct mixed { char tag; double value; int16_t small[3]; };
struct large { double values[5]; };
union number { int32_t i; float f; uint8_t bytes[4]; };
struct flags { unsigned a : 3; unsigned b : 5; int c : 10; };
struct node { int value; struct node *next; };
struct named { const char *name; struct point *at; };
enum colour { RED = 1, GREEN = 2, BLUE = 4 };

struct point flip(struct point p) { struct point q = { p.y, p.x }; return q; }
struct mixed twice(struct mixed m) { m.value *= 2; for (int i = 0; i < 3; i++) m.small[i] *= 2; return m; }
struct large reverse(struct large l)
{ struct large r; for (int i = 0; i < 5; i++) r.values[i] = l.values[4 - i]; return r; }
float as_float(union number n) { return n.f; }
int flag_sum(struct flags f) { return f.a + f.b + f.c; }
void move(struct rect *r, int dx, int dy) { r->a.x += dx; r->b.x += dx; r->a.y += dy; r->b.y += dy; }
int sum(const int *v, int n) { int s = 0; while (n--) s += *v++; return s; }
void fill(int *v, int n) { for (int i = 0; i < n; i++) v[i] = i * i; }
int total(const struct node *n) { int s = 0; for (; n; n = n->next) s += n->value; return s; }
struct point *largest(struct point *v, int n)
{ struct point *m = v; for (int i = 1; i < n; i++) if (v[i].x > m->x) m = v + i; return m; }
size_t name_length(const struct named *n) { return strlen(n->name); }
void advance(const int **p) { ++*p; }

enum colour next_colour(enum colour c) { return c == BLUE ? RED : c << 1; }
uint8_t next_small(uint8_t c) { return c + 1; }

void divide(int a, int b, int *quotient, int *remainder) { *quotient = a / b; *remainder = a % b; }
int parse(const char *text, double *value, struct point *at)
{ *value = strtod(text, NULL); at->x = (int)strlen(text); at->y = 7; return 42; }
void increment(int *v) { ++*v; }
void find(const char *text, const char **rest) { *rest = strchr(text, ' '); }
int split(double x, int *whole) { *whole = (int)x; return x != *whole; }

static int freed;
char *shout(const char *s)
{ if (!s) return NULL; char *r = malloc(strlen(s) + 2); strcpy(r, s); strcat(r, "!"); return r; }
int make_text(char **out) { *out = shout("made"); return 0; }
struct point *make_point(int x, int y) { struct point *p = malloc(sizeof *p); p->x = x; p->y = y; return p; }
void drop(void *p) { if (p) freed++; free(p); }
int times_freed(void) { return freed; }

struct rect corners = { { 1, 2 }, { 3, 4 } };
int table[4] = { 10, 20, 30, 40 };
struct point *first = &corners.a;
int past(unsigned char *p, long n) { p[n] = 1; return p[n]; }
