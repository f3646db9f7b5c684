struct point { int x; int y; };
struct entry { int count; double amount; };
struct block { double a; double b; long c; long d; int e; int f; };
struct point swap_point(struct point value);
struct entry step_entry(struct entry value);
struct block swap_block(struct block value);
int add_point(const struct point *value);
