//! Who has the interpreter: to do without it for a while, to have it again, to ask whether it is here.
//!
//! In: work. Out: what it gives. Always holds: a thread has the interpreter again when it had it before; one that wants it while the interpreter
//! ends is unwound by CPython no further than here, where it stops for good (`calls::Stop`).

use std::hint::black_box;

use pyo3::ffi;
use pyo3::prelude::*;

use crate::calls::Stop;

/// Does what needs Python on a thread that has it.
pub fn attached<T>(work: impl FnOnce(Python<'_>) -> T) -> T {
    // SAFETY: asked for by a run alone, which knows that its thread was called by Python, and that it has not given it away.
    work(unsafe { Python::assume_attached() })
}

/// While this lives, its thread does without the interpreter, and others may have it.
pub struct Away(*mut ffi::PyThreadState);

impl Away {
    /// Gives the interpreter away; this thread must have it.
    pub fn new() -> Away {
        // SAFETY: who makes a run has the interpreter, and nobody touches an object until it is taken back.
        Away(unsafe { ffi::PyEval_SaveThread() })
    }

    /// Takes it back for some work.
    pub fn back_for<T>(&mut self, work: impl FnOnce() -> T) -> T {
        self.back();
        let done = work();
        // SAFETY: `back` took it.
        self.0 = unsafe { ffi::PyEval_SaveThread() };
        done
    }

    fn back(&self) {
        type Restore = unsafe extern "C-unwind" fn(*mut ffi::PyThreadState);
        // PyO3 declares it as a function that never unwinds, and the compiler believes what it can see.
        let plain = black_box(ffi::PyEval_RestoreThread as *const ());
        // SAFETY: the state is this thread's, saved by it; the address is that of a function of this type. An interpreter that ends has
        // threads that come back unwound, which ends at `Stop`.
        unsafe {
            let stop = Stop;
            std::mem::transmute::<*const (), Restore>(plain)(self.0);
            std::mem::forget(stop);
        }
    }
}

impl Drop for Away {
    fn drop(&mut self) {
        self.back();
    }
}

/// Does what needs Python if this thread is attached to it now. Waiting for it could be for ever: who has it may wait for us.
pub fn if_attached(work: impl FnOnce(Python<'_>)) {
    // SAFETY: asked first whether there is an interpreter, and whether this thread's state is the one that has the GIL; PyO3's own
    // count says nothing of it: others than PyO3 give the GIL away.
    unsafe {
        if ffi::Py_IsInitialized() == 0 {
            return;
        }
        let own = ffi::PyGILState_GetThisThreadState();
        if !own.is_null() && own == ffi::compat::PyThreadState_GetUnchecked() {
            work(Python::assume_attached());
        }
    }
}

/// Does what needs Python on a thread that C may have called, with the GIL or without.
pub fn attached_again<T>(work: impl FnOnce(Python<'_>) -> T) -> T {
    type Ensure = unsafe extern "C-unwind" fn() -> ffi::PyGILState_STATE;
    let plain = black_box(ffi::PyGILState_Ensure as *const ());
    // SAFETY: the address is that of a function of this type; it may be called with the GIL or without, and again and again, and what it
    // gave is given back. It waits for the GIL, and may be unwound meanwhile, as `PyEval_RestoreThread` is.
    unsafe {
        let stop = Stop;
        let state = std::mem::transmute::<*const (), Ensure>(plain)();
        std::mem::forget(stop);
        let done = work(Python::assume_attached());
        ffi::PyGILState_Release(state);
        done
    }
}
