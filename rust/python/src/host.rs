//! What running code may ask of Python: to print, and whether to go on.

use jib_core::failure::{Host, HostError};
use pyo3::intern;
use pyo3::prelude::*;

/// The interpreter as the host of a run. Keeps the exception for which it refused.
pub struct Interpreter<'py> {
    pub py: Python<'py>,
    pub pending: Option<PyErr>,
}

impl Interpreter<'_> {
    fn asked(&mut self, answer: PyResult<()>) -> Result<(), HostError> {
        answer.map_err(|error| {
            self.pending = Some(error);
            HostError
        })
    }
}

impl Host for Interpreter<'_> {
    /// Writes to `sys.stdout`, as Python's own print does.
    fn print(&mut self, text: &str) -> Result<(), HostError> {
        let written = || {
            let stdout = self.py.import(intern!(self.py, "sys"))?.getattr(intern!(self.py, "stdout"))?;
            if !stdout.is_none() {
                stdout.call_method1(intern!(self.py, "write"), (text,))?;
            }
            PyResult::Ok(())
        };
        let written = written();
        self.asked(written)
    }

    /// Runs the handlers of signals that have come; Ctrl-C's raises KeyboardInterrupt. On the main thread only, as in Python;
    /// which is why other threads must get their turn here.
    fn poll(&mut self) -> Result<(), HostError> {
        self.py.detach(|| ());
        let handled = self.py.check_signals();
        self.asked(handled)
    }
}
