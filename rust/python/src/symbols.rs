//! Who is told the names of machine code: the environment says so.
//!
//! In: JIB_SYMBOLS, read once, when the extension is loaded; texts. Out: what the core needs to name code as people know it. Always holds: nothing
//! that goes wrong here keeps anything from being compiled; people hear of it by a warning.

use std::sync::Arc;

use jib_core::code::symbols::{self, Reader};
use jib_core::span::{Lines, Text};
use pyo3::exceptions::PyRuntimeWarning;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

const READERS: [(&str, Reader); 3] = [("perf", Reader::Perf), ("jitdump", Reader::Jitdump), ("gdb", Reader::Gdb)];

/// What `perf record` sets for the processes that it starts.
const PERFS: &str = "PERF_BUILDID_DIR";

/// Takes JIB_SYMBOLS from the environment. Where it says nothing, perf is told if it has started this process, and if CPython tells it too.
///
/// perf's variable is taken out of the environment: where it is, cranelift-jit writes names of its own making into the map, which would stand
/// before ours, follows links on the way there, and panics where it cannot write.
pub fn prepare(py: Python<'_>) -> PyResult<()> {
    let (shared, recorded) = (pythons(py), std::env::var_os(PERFS).is_some());
    if recorded {
        py.import(intern!(py, "os"))?.call_method1(intern!(py, "unsetenv"), (PERFS,))?;
    }
    let words = std::env::var_os("JIB_SYMBOLS").filter(|words| !words.is_empty());
    let usual = if shared || recorded { "perf" } else { "0" };
    let words = words.as_deref().map_or(usual.into(), |words| words.to_string_lossy());
    for word in words.split(',').map(str::trim).filter(|word| *word != "0") {
        let told = match READERS.iter().find(|(name, _)| *name == word) {
            Some((_, reader)) => symbols::begin(*reader, shared).map_err(|error| error.to_string()),
            None => Err(format!("no reader '{word}'; there are {}", READERS.map(|(name, _)| name).join(", "))),
        };
        if let Err(why) = told {
            let why = symbols::clean(&format!("JIB_SYMBOLS: no names for '{word}': {why}"));
            let why = std::ffi::CString::new(why).unwrap_or_default();
            PyErr::warn(py, &py.get_type::<PyRuntimeWarning>(), &why, 1)?;
        }
    }
    Ok(())
}

/// Whether CPython writes perf's map, as it can since 3.12.
fn pythons(py: Python<'_>) -> bool {
    let active =
        py.import(intern!(py, "sys")).and_then(|sys| sys.call_method0(intern!(py, "is_stack_trampoline_active")));
    active.and_then(|active| active.is_truthy()).unwrap_or(false)
}

/// What people call a `jib.source.Source`, if anybody is told.
pub fn text(source: &Bound<'_, PyAny>, name: &str, lines: &Arc<Lines>) -> PyResult<Option<Arc<Text>>> {
    if !symbols::wanted() {
        return Ok(None);
    }
    let (py, mut places) = (source.py(), Vec::new());
    let file = |of: &Bound<'_, PyAny>| -> PyResult<Arc<str>> {
        Ok(of.getattr(intern!(py, "name"))?.cast::<PyString>()?.to_string_lossy().into())
    };
    let origins = source.getattr(intern!(py, "origins"))?;
    if origins.is_none() {
        places.push((file(source)?, 1));
    } else {
        for origin in origins.try_iter()? {
            let origin = origin?;
            places.push((file(&origin)?, origin.getattr(intern!(py, "line"))?.extract()?));
        }
    }
    Ok(Some(Arc::new(Text { name: name.to_owned(), lines: lines.clone(), places })))
}
