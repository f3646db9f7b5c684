/* What a careful author writes by hand against CPython's C API: convert, PyObject_Vectorcall, convert back
 * (https://docs.python.org/3/c-api/call.html#c.PyObject_Vectorcall).
 *
 * It checks what Epsilon Foreign checks: that a result is an int that fits, that an index is within the bounds of
 * what the pointer points to. The first exception is kept and raised when C is done; later calls return at once.
 * The function is in a static variable, since the C functions called here pass no data of the caller's along.
 * Compiled twice, with and without RELEASE_GIL; with it, each call attaches the thread by PyGILState_Ensure. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include "target.h"

#ifdef RELEASE_GIL
#define CALL(statement) Py_BEGIN_ALLOW_THREADS statement; Py_END_ALLOW_THREADS
#define ATTACH PyGILState_STATE state = PyGILState_Ensure();
#define DETACH PyGILState_Release(state);
#define MODULE callbacks_released
#else
#define CALL(statement) statement;
#define ATTACH
#define DETACH
#define MODULE callbacks_held
#endif

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)
#define TEXT_(a) #a
#define TEXT(a) TEXT_(a)

static PyObject *function;
static int failed;
static PyTypeObject *pointer_type;

/* A pointer to an int that may be read: p[0]. */
typedef struct {
    PyObject_HEAD
    const int *address;
} Pointer;

static PyObject *pointer_item(PyObject *self, Py_ssize_t index)
{
    if (index != 0) {
        PyErr_SetString(PyExc_IndexError, "pointer index out of bounds");
        return NULL;
    }
    return PyLong_FromLong(*((Pointer *)self)->address);
}

static void pointer_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyType_Slot pointer_slots[] = {
    {Py_sq_item, pointer_item},
    {Py_tp_dealloc, pointer_dealloc},
    {0, NULL},
};

static PyType_Spec pointer_spec = {
    TEXT(MODULE) ".Pointer", sizeof(Pointer), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION, pointer_slots,
};

static PyObject *new_pointer(const int *address)
{
    Pointer *made = PyObject_New(Pointer, pointer_type);
    if (made != NULL)
        made->address = address;
    return (PyObject *)made;
}

/* Take the result of a call as a C int; 0 when there is none or it does not fit, the exception is left set. */
static int as_int(PyObject *result)
{
    long value;
    if (result == NULL) {
        failed = 1;
        return 0;
    }
    value = PyLong_AsLong(result);
    Py_DECREF(result);
    if (value == -1 && PyErr_Occurred()) {
        failed = 1;
        return 0;
    }
    if (value != (int)value) {
        PyErr_Format(PyExc_OverflowError, "%ld does not fit a C int", value);
        failed = 1;
        return 0;
    }
    return (int)value;
}

static int call_step(int x)
{
    int value = 0;
    if (failed)
        return 0;
    ATTACH
    PyObject *arguments[2] = {NULL, PyLong_FromLong(x)};
    if (arguments[1] == NULL)
        failed = 1;
    else {
        value = as_int(PyObject_Vectorcall(function, arguments + 1, 1 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL));
        Py_DECREF(arguments[1]);
    }
    DETACH
    return value;
}

static int call_compare(const int *a, const int *b)
{
    int value = 0;
    if (failed)
        return 0;
    ATTACH
    PyObject *arguments[3] = {NULL, new_pointer(a), new_pointer(b)};
    if (arguments[1] == NULL || arguments[2] == NULL)
        failed = 1;
    else
        value = as_int(PyObject_Vectorcall(function, arguments + 1, 2 | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL));
    Py_XDECREF(arguments[1]);
    Py_XDECREF(arguments[2]);
    DETACH
    return value;
}

static PyObject *py_call_repeatedly(PyObject *self, PyObject *const *arguments, Py_ssize_t given)
{
    long count;
    int64_t total;
    if (given != 2) {
        PyErr_SetString(PyExc_TypeError, "call_repeatedly() takes a function and a number");
        return NULL;
    }
    count = PyLong_AsLong(arguments[1]);
    if (count == -1 && PyErr_Occurred())
        return NULL;
    function = arguments[0];
    failed = 0;
    CALL(total = call_repeatedly(call_step, (int)count))
    return failed ? NULL : PyLong_FromLongLong(total);
}

static PyObject *py_sort_numbers(PyObject *self, PyObject *argument)
{
    int64_t sum;
    function = argument;
    failed = 0;
    CALL(sum = sort_numbers(call_compare))
    return failed ? NULL : PyLong_FromLongLong(sum);
}

static PyMethodDef methods[] = {
    {"call_repeatedly", (PyCFunction)(void (*)(void))py_call_repeatedly, METH_FASTCALL, NULL},
    {"sort_numbers", py_sort_numbers, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static int execute(PyObject *module)
{
    pointer_type = (PyTypeObject *)PyType_FromSpec(&pointer_spec);
    return pointer_type == NULL ? -1 : 0;
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, execute},
#ifdef Py_GIL_DISABLED
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static PyModuleDef definition = {PyModuleDef_HEAD_INIT, TEXT(MODULE), NULL, 0, methods, slots, NULL, NULL, NULL};

PyMODINIT_FUNC JOIN(PyInit_, MODULE)(void) { return PyModuleDef_Init(&definition); }
