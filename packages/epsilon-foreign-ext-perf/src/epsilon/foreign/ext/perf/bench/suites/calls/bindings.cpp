// nanobind's bindings of the same functions, each in its shortest form, with nanobind's own conversions: integers
// are checked for range, text is not searched for NULs, and a void * travels as a capsule.
// Compiled twice, with and without RELEASE_GIL.

#include <nanobind/nanobind.h>
#include "target.h"

namespace nb = nanobind;

#ifdef RELEASE_GIL
#define MODULE nanobind_released
#define GUARD , nb::call_guard<nb::gil_scoped_release>()
#define RELEASE nb::gil_scoped_release released;
#else
#define MODULE nanobind_held
#define GUARD
#define RELEASE
#endif

NB_MODULE(MODULE, m)
{
    m.def("noop", &noop GUARD);
    m.def("twice", &twice GUARD);
    m.def("add", &add GUARD);
    m.def("six", &six GUARD);
    m.def("mix", &mix GUARD);
    m.def("length", &length GUARD);
    m.def("identity", &identity GUARD);
    // bytes only: nanobind's other way in for a buffer, nb::ndarray, is several times slower.
    m.def("crc", [](nb::bytes data, size_t size) {
        auto start = (const unsigned char *)data.data();
        RELEASE
        return crc(start, size);
    });
}
