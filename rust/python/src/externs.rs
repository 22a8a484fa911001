//! The native half of `jib.Extern`: a function of the host, as texts call it.
//!
//! In: what Python says of it: a name, a signature, an object to call or the address of a C function, and the object that keeps that in
//! its place. Out: a row for the core, and calls. Always holds: an `Extern` keeps its target as long as it lives, and whoever can
//! run code that calls it keeps the `Extern`; nothing about it changes, so there is nothing that the collector could clear: a cycle
//! goes through something that was changed after it was made, and that is what is cleared.

use std::sync::Arc;

use jib_core::code::{CodeError, has_room_for};
use jib_core::diag::Diag;
use jib_core::externs;
use jib_core::span::Span;
use jib_core::types::Ty;
use jib_core::types::parse::Wrong;
use pyo3::exceptions::{PyRecursionError, PyTypeError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::calls;
use crate::convert::{self, Place, Slots};
use crate::errors::{compile_error, no_memory};
use crate::guard::guard;

#[pyclass(subclass, frozen, module = "jib._native")]
pub struct Extern {
    pub of: Arc<externs::Extern>,
    /// What is called, or what keeps the C function in its place.
    target: Py<PyAny>,
}

#[pymethods]
impl Extern {
    /// `signature` is a `jib.source.Source`. With an address the target is only kept.
    #[new]
    #[pyo3(signature = (name, signature, pure, target, *, unsafe_address = None))]
    fn new(
        py: Python<'_>,
        name: &str,
        signature: Py<PyAny>,
        pure: bool,
        target: Py<PyAny>,
        unsafe_address: Option<usize>,
    ) -> PyResult<Extern> {
        guard(py, || {
            let text = text(py, &signature)?;
            let of = match unsafe_address {
                // SAFETY: `jib.extern` takes an address from ctypes or cffi, with the types that these have declared for it, which
                // it compares with the signature, or from a person who calls it unsafe; `target` keeps what is there in its place, and
                // this object keeps `target`. That a person's word for signature or address is true nobody can check: docs/safety.md.
                Some(address) => unsafe { externs::Extern::c(name, &text, pure, address) },
                None => externs::Extern::host(name, &text, pure),
            };
            let of = of.map_err(|wrong| misread(py, &signature, &text, wrong))?;
            Ok(Extern { of: Arc::new(of), target })
        })
    }

    /// What texts call it.
    #[getter]
    fn name(&self) -> &str {
        &self.of.name
    }

    /// Its types, such as "float(float, int)".
    #[getter]
    fn signature(&self) -> String {
        self.of.signature()
    }

    /// How many arguments it takes.
    #[getter]
    fn arity(&self) -> usize {
        self.of.params.len()
    }

    /// Whether a call has no effect but its result.
    #[getter]
    fn pure(&self) -> bool {
        self.of.pure
    }

    /// Calls it as a text does.
    #[pyo3(signature = (*args))]
    fn __call__<'py>(&self, py: Python<'py>, args: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
        guard(py, || {
            let (name, params) = (&*self.of.name, &self.of.params);
            if args.len() != params.len() {
                let words = py.import(intern!(py, "jib.builtins"))?.getattr(intern!(py, "too_many_text"))?;
                let words: String = words.call1((name, params.len(), params.len(), args.len()))?.extract()?;
                return Err(PyTypeError::new_err(words));
            }
            let mut slots = Slots::new();
            for (i, (value, ty)) in args.iter_borrowed().zip(params).enumerate() {
                let place = Place { function: name, param: &(i + 1).to_string(), depth: 0 };
                convert::declared(&value, ty, place, &mut slots)?;
            }
            let mut out = Slots::from_elem(0, self.of.result.width());
            if self.of.address().is_none() {
                self.run(py, &slots, &mut out)?;
            } else if !has_room_for(&self.of) {
                return Err(PyRecursionError::new_err(format!("no room on the stack to call {name}()")));
            } else {
                self.of.call(&slots, &mut out).map_err(|error| match error {
                    CodeError::Memory(words) => no_memory(&words),
                    other => panic!("no trampoline for {name}: {other:?}"),
                })?;
            }
            convert::result(py, &self.of.result, &mut out.iter(), &[])
        })
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.target)
    }
}

impl Extern {
    /// Calls a Python callable on slots. What it raises is the caller's; what it returns becomes what was declared, as an argument does.
    pub fn run(&self, py: Python<'_>, args: &[u64], out: &mut [u64]) -> PyResult<()> {
        let name = &*self.of.name;
        if !has_room_for(&self.of) {
            return Err(PyRecursionError::new_err(format!("no room on the stack to call {name}()")));
        }
        let mut slots = args.iter();
        let values: PyResult<Vec<_>> =
            self.of.params.iter().map(|ty| convert::result(py, ty, &mut slots, &[])).collect();
        let answer = calls::call(self.target.bind(py), PyTuple::new(py, values?)?)?;
        let mut result = Slots::new();
        convert::declared(
            &answer,
            &self.of.result,
            Place { function: name, param: Place::RESULT, depth: 0 },
            &mut result,
        )?;
        out.copy_from_slice(&result);
        Ok(())
    }
}

/// The types of a signature as their own names: of the parameters, and of the result. `signature` is a `jib.source.Source`.
#[pyfunction]
pub fn read_signature(py: Python<'_>, signature: Py<PyAny>) -> PyResult<(Vec<String>, String)> {
    let text = text(py, &signature)?;
    let (params, result) = externs::read(&text).map_err(|wrong| misread(py, &signature, &text, wrong))?;
    Ok((params.iter().map(Ty::to_string).collect(), result.to_string()))
}

fn text(py: Python<'_>, source: &Py<PyAny>) -> PyResult<String> {
    source.bind(py).getattr(intern!(py, "text"))?.extract()
}

/// The mistake in a signature, at its place in that.
pub fn misread(py: Python<'_>, source: &Py<PyAny>, text: &str, wrong: Wrong) -> PyErr {
    // In characters, as Python counts.
    let count = |bytes: usize| text[..bytes].chars().count() as u32;
    let (start, end) = match wrong.code {
        "unknown-type" => word(text, &wrong.piece).unwrap_or((0, text.len())),
        _ => (0, text.len()),
    };
    let piece = wrong.piece.chars().take(80).collect();
    let diag = Diag { code: wrong.code, args: vec![piece], span: Span { start: count(start), end: count(end) } };
    compile_error(py, source, diag.into())
}

/// Where a word stands in a text, and not as a part of another.
fn word(text: &str, word: &str) -> Option<(usize, usize)> {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let alone = |at: usize| !text[..at].ends_with(part) && !text[at + word.len()..].starts_with(part);
    text.match_indices(word).map(|(at, _)| (at, at + word.len())).find(|(at, _)| alone(*at))
}
