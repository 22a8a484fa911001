//! Failures of the core as Python exceptions. The sentences stand in Python, in `jib.errors`; here is only the way there.

use jib_core::diag::{Diag, Error};
use jib_core::failure::{Cause, Failure};
use jib_core::span::Span;
use pyo3::exceptions::{PyException, PyKeyboardInterrupt, PyOSError, PyRuntimeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::calls::call;
use crate::guard::placed;
use crate::host::Refusal;

/// `jib.errors.error(code, source, span, *args)`, as an exception to raise.
pub fn compile_error(py: Python<'_>, source: &Py<PyAny>, error: Error) -> PyErr {
    match error {
        Error::User(diag) => user(py, source, &diag).unwrap_or_else(|failed| failed),
        Error::Memory(words) => PyOSError::new_err(format!(
            "the system refuses memory for machine code ({words}); engine='auto' and engine='interpreter' need none"
        )),
        Error::Broken(words) => internal(py, &format!("the IR that crossed is broken: {words}")),
        Error::Internal(words) => internal(py, &words),
    }
}

/// There is no memory for what calls a C function.
pub fn no_memory(words: &str) -> PyErr {
    let cause = Cause::NoMemory(words.into());
    PyOSError::new_err(cause.exception().and_then(|(_, message)| message))
}

fn user(py: Python<'_>, source: &Py<PyAny>, diag: &Diag) -> PyResult<PyErr> {
    let mut args = vec![diag.code.into_pyobject(py)?.into_any(), source.bind(py).clone(), span(py, diag.span)?];
    for arg in &diag.args {
        args.push(arg.into_pyobject(py)?.into_any());
    }
    let error = py.import(intern!(py, "jib.errors"))?.getattr(intern!(py, "error"))?;
    Ok(PyErr::from_value(call(&error, PyTuple::new(py, args)?)?))
}

fn span(py: Python<'_>, span: Span) -> PyResult<Bound<'_, PyAny>> {
    let class = py.import(intern!(py, "jib.source"))?.getattr(intern!(py, "Span"))?;
    call(&class, (span.start, span.end))
}

/// A bug of ours, with what is known about it.
pub fn internal(py: Python<'_>, words: &str) -> PyErr {
    let raise = || {
        let make = py.import(intern!(py, "jib.errors"))?.getattr(intern!(py, "internal_error"))?;
        PyResult::Ok(PyErr::from_value(call(&make, (placed(words),))?))
    };
    raise().unwrap_or_else(|_| PyRuntimeError::new_err(words.to_owned()))
}

/// A run-time failure as Python's own exception, with a note that shows its place in the text.
pub fn run_error(py: Python<'_>, source: &Py<PyAny>, failure: &Failure, refusal: Option<Refusal>) -> PyErr {
    let raised = || -> PyResult<PyErr> {
        let error = match (failure.cause.exception(), refusal) {
            (Some((class, message)), _) => {
                let class = py.import(intern!(py, "builtins"))?.getattr(class)?;
                PyErr::from_value(match message {
                    Some(message) => class.call1((message,))?,
                    None => class.call0()?,
                })
            }
            // Whoever raised it knows its place.
            (None, Some(Refusal::Raised(error))) => return Ok(error),
            (None, Some(Refusal::Called(error))) => {
                // Ctrl-C and the like are about the program, not about a place in the text.
                if error.is_instance_of::<PyException>(py) {
                    let note = py.import(intern!(py, "jib.errors"))?.getattr(intern!(py, "add_call_note"))?;
                    call(&note, (error.value(py), source, span(py, failure.span)?))?;
                }
                return Ok(error);
            }
            (None, Some(Refusal::Interrupted)) => {
                return Ok(PyKeyboardInterrupt::new_err("interrupted by interrupt()"));
            }
            (None, Some(Refusal::Fuel(fuel))) => user(py, source, &Diag::new("fuel-spent", failure.span, &[&fuel]))?,
            (None, Some(Refusal::Timeout(timeout))) => {
                let seconds = timeout.as_secs_f64();
                user(py, source, &Diag::new("timeout", failure.span, &[&seconds]))?
            }
            (None, Some(Refusal::Arrays(bytes))) => {
                user(py, source, &Diag::new("limit-array-bytes", failure.span, &[&bytes]))?
            }
            (None, None) => return Ok(internal(py, "the host failed without an exception")),
        };
        let note = py.import(intern!(py, "jib.errors"))?.getattr(intern!(py, "add_place_note"))?;
        call(&note, (error.value(py), source, span(py, failure.span)?))?;
        Ok(error)
    };
    raised().unwrap_or_else(|failed| failed)
}
