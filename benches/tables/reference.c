/* What a C builtin of each shape costs: the least that CPython can call, written as CPython's own modules are. */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

static int all_floats(PyObject *const *args, Py_ssize_t count, Py_ssize_t wanted) {
    if (count != wanted) {
        PyErr_Format(PyExc_TypeError, "expected %zd arguments, got %zd", wanted, count);
        return 0;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        if (!PyFloat_CheckExact(args[i])) {
            PyErr_SetString(PyExc_TypeError, "must be a float");
            return 0;
        }
    }
    return 1;
}

static PyObject *none(PyObject *self, PyObject *args) { return PyFloat_FromDouble(1.5); }

static PyObject *one_float(PyObject *self, PyObject *x) {
    if (!all_floats(&x, 1, 1)) return NULL;
    return PyFloat_FromDouble(-PyFloat_AS_DOUBLE(x));
}

static PyObject *one_int(PyObject *self, PyObject *x) {
    long long value = PyLong_AsLongLong(x);
    if (value == -1 && PyErr_Occurred()) return NULL;
    return PyLong_FromLongLong(-value);
}

static PyObject *two_floats(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    if (!all_floats(args, count, 2)) return NULL;
    return PyFloat_FromDouble(PyFloat_AS_DOUBLE(args[0]) + PyFloat_AS_DOUBLE(args[1]));
}

static PyObject *four_floats(PyObject *self, PyObject *const *args, Py_ssize_t count) {
    if (!all_floats(args, count, 4)) return NULL;
    return PyFloat_FromDouble(PyFloat_AS_DOUBLE(args[0]) + PyFloat_AS_DOUBLE(args[1]) + PyFloat_AS_DOUBLE(args[2]) +
                              PyFloat_AS_DOUBLE(args[3]));
}

static PyMethodDef methods[] = {
    {"none", none, METH_NOARGS, NULL},
    {"one_float", one_float, METH_O, NULL},
    {"one_int", one_int, METH_O, NULL},
    {"two_floats", (PyCFunction)(void (*)(void))two_floats, METH_FASTCALL, NULL},
    {"four_floats", (PyCFunction)(void (*)(void))four_floats, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "reference", NULL, -1, methods, NULL, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit_reference(void) { return PyModule_Create(&module); }
