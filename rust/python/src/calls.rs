//! Calls of Python from Rust, on any thread, also while the process ends.
//!
//! In: a callable, arguments. Out: what it returns or raises. Always holds: no frame of Rust is unwound by anything but a panic. A daemon
//! thread that wants the GIL back after the interpreter has begun to end does not get it: before Python 3.14 it is ended by pthread_exit,
//! which on Linux unwinds its stack, and would abort the process in the first frame of Rust. Here it stops instead, for good, as
//! 3.14 has it. PyO3 does the same where it takes the GIL itself.

use std::hint::black_box;
use std::mem::{forget, transmute};

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

type Call = unsafe extern "C-unwind" fn(
    callable: *mut ffi::PyObject,
    args: *mut ffi::PyObject,
    kwargs: *mut ffi::PyObject,
) -> *mut ffi::PyObject;

/// Stops the thread when it is unwound.
pub struct Stop;

impl Drop for Stop {
    fn drop(&mut self) {
        loop {
            std::thread::park();
        }
    }
}

/// `callable(*args)`.
pub fn call<'py, A>(callable: &Bound<'py, PyAny>, args: A) -> PyResult<Bound<'py, PyAny>>
where
    A: IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>>,
    PyErr: From<A::Error>,
{
    call_with(callable, args, None)
}

/// `callable(*args, **keywords)`.
pub fn call_with<'py, A>(
    callable: &Bound<'py, PyAny>,
    args: A,
    keywords: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>>
where
    A: IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>>,
    PyErr: From<A::Error>,
{
    let py = callable.py();
    let args = args.into_pyobject(py)?;
    // PyO3 declares it as a function that never unwinds, and the compiler believes what it can see.
    let plain = black_box(ffi::PyObject_Call as *const ());
    // SAFETY: it is PyObject_Call, whose signature is `Call`'s. `callable`, `args` and `keywords` are borrowed for the whole call, whose owners are
    // this function's caller and this function; the result is a new reference, or null with an exception set; `py` says that we have the GIL.
    unsafe {
        let call = transmute::<*const (), Call>(plain);
        let stop = Stop;
        let keywords = keywords.map_or(std::ptr::null_mut(), |keywords| keywords.as_ptr());
        let answer = call(callable.as_ptr(), args.as_ptr(), keywords);
        forget(stop);
        Bound::from_owned_ptr_or_err(py, answer)
    }
}

/// `object.name(*args)`.
pub fn call_method<'py, A>(
    object: &Bound<'py, PyAny>,
    name: &Bound<'py, PyString>,
    args: A,
) -> PyResult<Bound<'py, PyAny>>
where
    A: IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>>,
    PyErr: From<A::Error>,
{
    call(&object.getattr(name)?, args)
}
