//! The binding: what Python sees of the core. Nothing is decided here.
//!
//! In: Python objects. Out: Python objects or exceptions. Always holds: no panic reaches Python; exceptions are built in one
//! place (`errors`), with their place in the text.

mod arrays;
mod blocks;
mod callable;
mod calls;
mod codes;
mod convert;
mod dump;
mod elementwise;
mod entry;
mod errors;
mod externs;
mod flags;
mod gate;
mod gil;
mod guard;
mod host;
mod kernels;
mod layout;
mod pointer;
mod program;
mod specialise;
mod symbols;
mod threads;
mod tiers;
mod ufunc;

use jib_core::diag::Error;
use jib_core::outside::IntLayout;
use pyo3::exceptions::{PyImportError, PyValueError};
use pyo3::prelude::*;

/// (name, aliases, signature, doc, value).
type Row = (&'static str, Vec<&'static str>, &'static str, &'static str, Option<f64>);

/// The rows of the table of builtins that a text can name; only constants have a
/// value, and theirs is the signature `=`.
#[pyfunction]
fn builtins() -> Vec<Row> {
    let rows = jib_core::builtins::PRIMITIVES.iter().filter(|p| !p.signature.is_empty());
    let rows = rows.map(|p| (p.name, p.aliases.to_vec(), p.signature, p.doc, None));
    let constants = jib_core::builtins::CONSTANTS.iter().map(|c| (c.name, vec![], "=", c.doc, Some(c.value)));
    rows.chain(constants).collect()
}

/// The exceptions that a text can raise.
#[pyfunction]
fn exceptions() -> &'static [&'static str] {
    jib_core::fault::RAISABLE
}

/// Raises ValueError, with what is wrong, if bytes are no IR, or call other functions of the host than these. What they mean, `Program`
/// finds out.
#[pyfunction]
#[pyo3(signature = (ir, externs = vec![]))]
fn check_ir(py: Python<'_>, ir: &[u8], externs: Vec<Py<externs::Extern>>) -> PyResult<()> {
    guard::guard(py, || {
        let rows: Vec<_> = externs.iter().map(|callee| callee.get().of.clone()).collect();
        match jib_core::ir::check(ir, &rows) {
            Err(Error::Broken(words)) => Err(PyValueError::new_err(words.to_string())),
            _ => Ok(()),
        }
    })
}

/// Whether every stage's work is verified in this build too, from now on; gives what held before. For tests.
#[pyfunction]
fn _verify(always: bool) -> bool {
    jib_core::typed::verify::always(always)
}

/// Whether code that is compiled from now on may look into Python's objects; gives what held before. For tests.
#[pyfunction]
fn _inline(allowed: bool) -> bool {
    layout::inline(allowed)
}

/// How ints hold their numbers, as far as code may look into objects. For tests.
#[pyfunction]
fn _layout(py: Python<'_>) -> Option<&'static str> {
    layout::layout(py).map(|layout| match layout.int {
        IntLayout::Sized { .. } => "sized",
        IntLayout::Tagged { .. } => "tagged",
    })
}

/// Whether calls of a function go to generated code first. For tests.
#[pyfunction]
fn _direct(function: &Bound<'_, callable::Callable>) -> bool {
    function.get().is_direct()
}

/// Whether first calls too are for code that takes objects, from now on; gives what held before. For tests.
#[pyfunction]
fn _eager(always: bool) -> bool {
    callable::eager(always)
}

/// The type that a value has as an argument; the TypeError that a call of `name` would raise if it has none.
#[pyfunction]
fn type_of(value: &Bound<'_, PyAny>, function: &str, name: &str) -> PyResult<String> {
    let place = convert::Place { function, param: name, depth: 0 };
    guard::guard(value.py(), || Ok(convert::argument(value, place, &mut convert::Slots::new())?.to_string()))
}

/// Hits and misses of the cache of compiled code, the most that it keeps, and how many it has.
#[pyfunction]
fn _codes(py: Python<'_>) -> (u64, u64, usize, usize) {
    codes::info(py)
}

/// Forgets the compiled code that no function has.
#[pyfunction]
fn _forget(py: Python<'_>) {
    codes::clear(py);
    kernels::clear(py);
}

/// Makes the core panic when it next comes to this stage; gives all stages. For tests.
#[cfg(feature = "faults")]
#[pyfunction]
fn _trip(stage: Option<String>) -> Vec<&'static str> {
    jib_core::trip::set(stage);
    jib_core::trip::STAGES.to_vec()
}

// Not for builds without the GIL: what `entry` writes into a function, it writes under the GIL; and no test was run there.
#[pymodule(gil_used = true)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    if !entry::is_main_interpreter(module.py()) {
        return Err(PyImportError::new_err("jib can only be used in the main interpreter, not in a subinterpreter"));
    }
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    guard::quiet();
    module.add_function(wrap_pyfunction!(builtins, module)?)?;
    module.add_function(wrap_pyfunction!(exceptions, module)?)?;
    module.add_function(wrap_pyfunction!(check_ir, module)?)?;
    module.add_function(wrap_pyfunction!(_verify, module)?)?;
    #[cfg(feature = "faults")]
    module.add_function(wrap_pyfunction!(_trip, module)?)?;
    module.add_function(wrap_pyfunction!(_inline, module)?)?;
    module.add_function(wrap_pyfunction!(_eager, module)?)?;
    module.add_function(wrap_pyfunction!(_layout, module)?)?;
    module.add_function(wrap_pyfunction!(_direct, module)?)?;
    module.add_function(wrap_pyfunction!(_codes, module)?)?;
    module.add_function(wrap_pyfunction!(_forget, module)?)?;
    module.add_function(wrap_pyfunction!(dump::_targets, module)?)?;
    module.add_function(wrap_pyfunction!(dump::_host, module)?)?;
    module.add_function(wrap_pyfunction!(threads::set_num_threads, module)?)?;
    module.add_function(wrap_pyfunction!(threads::get_num_threads, module)?)?;
    threads::prepare(module.py())?;
    symbols::prepare(module.py())?;
    module.add_function(wrap_pyfunction!(type_of, module)?)?;
    module.add_function(wrap_pyfunction!(externs::read_signature, module)?)?;
    module.add_class::<externs::Extern>()?;
    module.add_class::<program::Program>()?;
    module.add_class::<callable::Callable>()?;
    module.add_class::<pointer::Pointer>()?;
    callable::adopt(module.py())
}
