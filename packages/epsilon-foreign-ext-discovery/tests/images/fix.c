#ifdef _WIN32
#define API __declspec(dllexport)
#else
#define API __attribute__((visibility("default")))
#endif
API int counter = 41;
API int flip(int x) { return -x; }
API int twice(int x) { return 2 * x; }
__attribute__((visibility("hidden"))) int hidden(int x) { return x; }
