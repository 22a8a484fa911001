//! Panics stop here: one becomes an `InternalError`, never a PanicException, which is no Exception.
//!
//! Nothing is printed either: what a panic would have told stderr, its words and its place in our sources, is told by the
//! exception. With RUST_BACKTRACE in the environment it is printed as well.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};

use jib_core::code::panic_message;
use jib_core::diag::Error;
use pyo3::prelude::*;

use crate::errors::internal;

thread_local! {
    /// Where this thread's last panic was, until somebody tells.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Makes panics of this library, and of no other, remember their place in silence.
pub fn quiet() {
    let loud = take_hook();
    set_hook(Box::new(move |info| {
        PLACE.set(info.location().map(|place| format!("{}:{}", place.file(), place.line())));
        if std::env::var_os("RUST_BACKTRACE").is_some() {
            loud(info);
        }
    }));
}

/// The words for a bug of ours, with its place in our sources if a panic has just told it.
pub fn placed(words: &str) -> String {
    match PLACE.take() {
        Some(place) => format!("{words} ({place})"),
        None => words.to_owned(),
    }
}

/// Runs what may have a bug of ours in it.
pub fn guard<T>(py: Python<'_>, run: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(internal(py, &panic_message(&*panic))))
}

/// The same on a thread of its own, whose panics the caller's thread would have no place of.
pub fn caught<T>(run: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    let done = catch_unwind(AssertUnwindSafe(run));
    let done = done.unwrap_or_else(|panic| Err(Error::internal(panic_message(&*panic))));
    done.map_err(|error| match error {
        Error::Internal(words) => Error::internal(placed(&words)),
        user => user,
    })
}
