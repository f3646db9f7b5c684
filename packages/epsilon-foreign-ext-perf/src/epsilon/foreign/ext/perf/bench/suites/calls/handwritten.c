/* What a careful author writes by hand against CPython's C API: METH_NOARGS for no parameter, METH_O for one,
 * METH_FASTCALL for more (https://docs.python.org/3/c-api/structures.html#implementing-functions-and-methods).
 *
 * It checks what Epsilon Foreign checks: the number of arguments, that integers fit (PyLong_As... raises), that text
 * has no NUL inside, and it takes any contiguous buffer. A pointer is an int or None, and NULL comes back as None.
 * Compiled twice, with and without RELEASE_GIL. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <string.h>
#include "target.h"

#ifdef RELEASE_GIL
#define CALL(statement) Py_BEGIN_ALLOW_THREADS statement; Py_END_ALLOW_THREADS
#define MODULE handwritten_released
#else
#define CALL(statement) statement;
#define MODULE handwritten_held
#endif

#define FAILED(value) ((value) == -1 && PyErr_Occurred())
#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)

static int count(const char *name, Py_ssize_t given, Py_ssize_t wanted)
{
    if (given == wanted)
        return 1;
    PyErr_Format(PyExc_TypeError, "%s() takes %zd arguments, %zd given", name, wanted, given);
    return 0;
}

static PyObject *py_noop(PyObject *self, PyObject *nothing)
{
    CALL(noop())
    Py_RETURN_NONE;
}

static PyObject *py_twice(PyObject *self, PyObject *argument)
{
    double x = PyFloat_AsDouble(argument), result;
    if (FAILED(x))
        return NULL;
    CALL(result = twice(x))
    return PyFloat_FromDouble(result);
}

static PyObject *py_add(PyObject *self, PyObject *const *arguments, Py_ssize_t given)
{
    long a, b, result;
    if (!count("add", given, 2))
        return NULL;
    a = PyLong_AsLong(arguments[0]);
    if (FAILED(a))
        return NULL;
    b = PyLong_AsLong(arguments[1]);
    if (FAILED(b))
        return NULL;
    CALL(result = add(a, b))
    return PyLong_FromLong(result);
}

static PyObject *py_six(PyObject *self, PyObject *const *arguments, Py_ssize_t given)
{
    long v[6], result;
    if (!count("six", given, 6))
        return NULL;
    for (int i = 0; i < 6; i++) {
        v[i] = PyLong_AsLong(arguments[i]);
        if (FAILED(v[i]))
            return NULL;
    }
    CALL(result = six(v[0], v[1], v[2], v[3], v[4], v[5]))
    return PyLong_FromLong(result);
}

static PyObject *py_mix(PyObject *self, PyObject *const *arguments, Py_ssize_t given)
{
    long a, c;
    double b, d, result;
    if (!count("mix", given, 4))
        return NULL;
    a = PyLong_AsLong(arguments[0]);
    if (FAILED(a))
        return NULL;
    b = PyFloat_AsDouble(arguments[1]);
    if (FAILED(b))
        return NULL;
    c = PyLong_AsLong(arguments[2]);
    if (FAILED(c))
        return NULL;
    d = PyFloat_AsDouble(arguments[3]);
    if (FAILED(d))
        return NULL;
    CALL(result = mix(a, b, c, d))
    return PyFloat_FromDouble(result);
}

static PyObject *py_length(PyObject *self, PyObject *argument)
{
    Py_ssize_t size;
    size_t result;
    const char *text = PyUnicode_AsUTF8AndSize(argument, &size);
    if (text == NULL)
        return NULL;
    if (strlen(text) != (size_t)size) {
        PyErr_SetString(PyExc_ValueError, "embedded null character");
        return NULL;
    }
    CALL(result = length(text))
    return PyLong_FromSize_t(result);
}

static PyObject *py_identity(PyObject *self, PyObject *argument)
{
    void *pointer = NULL, *result;
    if (argument != Py_None) {
        pointer = PyLong_AsVoidPtr(argument);
        if (pointer == NULL && PyErr_Occurred())
            return NULL;
    }
    CALL(result = identity(pointer))
    if (result == NULL)
        Py_RETURN_NONE;
    return PyLong_FromVoidPtr(result);
}

static PyObject *py_crc(PyObject *self, PyObject *const *arguments, Py_ssize_t given)
{
    Py_buffer view;
    size_t size;
    uint32_t result;
    if (!count("crc", given, 2))
        return NULL;
    size = PyLong_AsSize_t(arguments[1]);
    if (size == (size_t)-1 && PyErr_Occurred())
        return NULL;
    if (PyObject_GetBuffer(arguments[0], &view, PyBUF_SIMPLE) < 0)
        return NULL;
    CALL(result = crc(view.buf, size))
    PyBuffer_Release(&view);
    return PyLong_FromUnsignedLong(result);
}

static PyMethodDef methods[] = {
    {"noop", py_noop, METH_NOARGS, NULL},
    {"twice", py_twice, METH_O, NULL},
    {"add", (PyCFunction)(void (*)(void))py_add, METH_FASTCALL, NULL},
    {"six", (PyCFunction)(void (*)(void))py_six, METH_FASTCALL, NULL},
    {"mix", (PyCFunction)(void (*)(void))py_mix, METH_FASTCALL, NULL},
    {"length", py_length, METH_O, NULL},
    {"identity", py_identity, METH_O, NULL},
    {"crc", (PyCFunction)(void (*)(void))py_crc, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot slots[] = {
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static PyModuleDef definition = {PyModuleDef_HEAD_INIT, TEXT(MODULE), NULL, 0, methods, slots, NULL, NULL, NULL};

PyMODINIT_FUNC JOIN(PyInit_, MODULE)(void) { return PyModuleDef_Init(&definition); }
