"""The 720 functions, and the bindings that each compiled peer needs, written out by permuting six types."""

from __future__ import annotations

from itertools import permutations
from math import factorial

from ...prototype import C_SPELLING, Prototype, declarations

_TYPES = ("uint16", "int32", "uint32", "int64", "uint64", "float")
COUNT = factorial(len(_TYPES))
_LETTERS = "abcdef"

PROTOTYPES: tuple[Prototype, ...] = tuple(
    Prototype(f"test_{number:04}", "float", types) for number, types in enumerate(permutations(_TYPES))
)
_INCLUDES = "#include <stdint.h>\n"


def _parameters(prototype: Prototype) -> str:
    pairs = zip(prototype.parameters, _LETTERS, strict=True)
    return ", ".join(f"{C_SPELLING[word]} {letter}" for word, letter in pairs)


def target() -> str:
    """The C library's source."""
    bodies = (
        f"float {each.name}({_parameters(each)}) {{ return a + b + c + d + e + f; }}\n" for each in PROTOTYPES
    )
    return _INCLUDES + "".join(bodies)


#: Conversions as a careful author writes them: range-checked, one function per C type.
_HANDWRITTEN_HEAD = """\
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>

#define FITS(type, wide, from) \\
    static int get_##type(PyObject *object, type *result) \\
    { \\
        wide value = from(object); \\
        if (value == (wide)-1 && PyErr_Occurred()) \\
            return 0; \\
        *result = (type)value; \\
        if ((wide)*result == value) \\
            return 1; \\
        PyErr_SetString(PyExc_OverflowError, "integer does not fit " #type); \\
        return 0; \\
    }

FITS(uint16_t, long, PyLong_AsLong)
FITS(int32_t, long, PyLong_AsLong)
FITS(uint32_t, unsigned long, PyLong_AsUnsignedLong)
FITS(int64_t, long long, PyLong_AsLongLong)
FITS(uint64_t, unsigned long long, PyLong_AsUnsignedLongLong)

static int get_float(PyObject *object, float *result)
{
    double value = PyFloat_AsDouble(object);
    *result = (float)value;
    return !(value == -1 && PyErr_Occurred());
}

static int count(Py_ssize_t given)
{
    if (given != 6)
        PyErr_Format(PyExc_TypeError, "6 arguments expected, %zd given", given);
    return given == 6;
}

"""
_HANDWRITTEN_FUNCTION = """\
static PyObject *py_{name}(PyObject *self, PyObject *const *v, Py_ssize_t given)
{{
    {locals}
    float result;
    if (!count(given) || {gets})
        return NULL;
    CALL(result = {name}(a, b, c, d, e, f))
    return PyFloat_FromDouble(result);
}}
"""
_HANDWRITTEN_TAIL = """\
static PyModuleDef_Slot slots[] = {
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};
static PyModuleDef definition = {PyModuleDef_HEAD_INIT, "MODULE", NULL, 0, methods, slots, NULL, NULL, NULL};
PyMODINIT_FUNC PyInit_MODULE(void) { return PyModuleDef_Init(&definition); }
"""
_CALLS = {
    False: "#define CALL(statement) statement;\n",
    True: "#define CALL(statement) Py_BEGIN_ALLOW_THREADS statement; Py_END_ALLOW_THREADS\n",
}


def handwritten(module: str, release: bool) -> str:
    """An extension module in C, METH_FASTCALL throughout."""
    parts = [_HANDWRITTEN_HEAD, _CALLS[release], declarations(PROTOTYPES)]
    for each in PROTOTYPES:
        spelled = [C_SPELLING[word] for word in each.parameters]
        pairs = list(zip(spelled, _LETTERS, strict=True))
        local = " ".join(f"{type} {letter};" for type, letter in pairs)
        gets = " || ".join(f"!get_{type}(v[{i}], &{letter})" for i, (type, letter) in enumerate(pairs))
        parts.append(_HANDWRITTEN_FUNCTION.format(name=each.name, locals=local, gets=gets))
    rows = (
        f'    {{"{each.name}", (PyCFunction)(void (*)(void))py_{each.name}, METH_FASTCALL, NULL}},\n'
        for each in PROTOTYPES
    )
    parts.append("static PyMethodDef methods[] = {\n" + "".join(rows) + "    {NULL, NULL, 0, NULL},\n};\n")
    parts.append(_HANDWRITTEN_TAIL.replace("MODULE", module))
    return "".join(parts)


def nanobind(module: str, release: bool) -> str:
    """nanobind's bindings."""
    guard = ", nb::call_guard<nb::gil_scoped_release>()" if release else ""
    rows = "".join(f'    m.def("{each.name}", &{each.name}{guard});\n' for each in PROTOTYPES)
    return (
        f'#include <nanobind/nanobind.h>\n{_INCLUDES}extern "C" {{\n{declarations(PROTOTYPES)}}}\n'
        f"namespace nb = nanobind;\nNB_MODULE({module}, m)\n{{\n{rows}}}\n"
    )


def cython(release: bool) -> str:
    """Cython's bindings."""
    head = "# cython: language_level=3, freethreading_compatible=True\nfrom libc.stdint cimport *\n"
    # Verbatim declarations, so that no header has to be found.
    extern = [f'cdef extern from * nogil:\n    """\n{_INCLUDES}{declarations(PROTOTYPES)}    """\n']
    extern += [f'    float c_{each.name} "{each.name}"({_parameters(each)})\n' for each in PROTOTYPES]
    block = "with nogil" if release else "if True"
    bodies = [
        f"def {each.name}({_parameters(each)}):\n    cdef float result\n    {block}:\n"
        f"        result = c_{each.name}(a, b, c, d, e, f)\n    return result\n"
        for each in PROTOTYPES
    ]
    return head + "".join(extern) + "".join(bodies)
