//! What running code prints goes to `sys.stdout`, as Python's own print does.

use jib_core::failure::{Host, HostError};
use pyo3::intern;
use pyo3::prelude::*;

/// Keeps the exception of a print that failed.
pub struct Stdout<'py> {
    pub py: Python<'py>,
    pub pending: Option<PyErr>,
}

impl Host for Stdout<'_> {
    fn print(&mut self, text: &str) -> Result<(), HostError> {
        let written = || {
            let stdout = self.py.import(intern!(self.py, "sys"))?.getattr(intern!(self.py, "stdout"))?;
            if !stdout.is_none() {
                stdout.call_method1(intern!(self.py, "write"), (text,))?;
            }
            PyResult::Ok(())
        };
        written().map_err(|error| {
            self.pending = Some(error);
            HostError
        })
    }
}
