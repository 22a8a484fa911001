//! What running code may ask of Python: to print, and whether to go on.
//!
//! In: what a function may use up (`Budget`), and who may interrupt it. Out: answers to a run's questions. Always holds: a run takes as
//! many ticks as its fuel, and not one more, whichever engine counts them; a refusal is kept, so that the run's failure says why.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jib_core::failure::{Host, HostError};
use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;

use crate::calls::call_method;

/// What one call may use up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Budget {
    /// Rounds of loops and calls, the call from outside included; at least 1.
    pub fuel: Option<u64>,
    pub timeout: Option<Duration>,
}

/// Why a run was not to go on.
pub enum Refusal {
    /// The exception of a signal's handler, or of `print`.
    Raised(PyErr),
    Interrupted,
    Fuel(u64),
    Timeout(Duration),
}

/// The interpreter as the host of one run.
pub struct Run<'a, 'py> {
    py: Python<'py>,
    budget: Budget,
    /// Fuel that has not been handed out yet.
    fuel: u64,
    deadline: Option<Instant>,
    /// How often the function has been interrupted: now, and when the run began.
    interrupts: &'a AtomicU64,
    before: u64,
    pub refusal: Option<Refusal>,
}

impl<'a, 'py> Run<'a, 'py> {
    #[inline]
    pub fn new(py: Python<'py>, budget: Budget, interrupts: &'a AtomicU64) -> Self {
        let deadline = budget.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let before = interrupts.load(Ordering::Relaxed);
        let mut run = Run { py, budget, fuel: 0, deadline, interrupts, before, refusal: None };
        run.refuel();
        run
    }

    /// Time that is not the run's own: compiling in the middle of it.
    pub fn not_counting<T>(&mut self, work: impl FnOnce(Python<'py>) -> T) -> T {
        let begin = self.deadline.map(|_| Instant::now());
        let done = work(self.py);
        if let (Some(begin), Some(deadline)) = (begin, self.deadline) {
            self.deadline = deadline.checked_add(begin.elapsed());
        }
        done
    }

    /// The run begins once more, as if it had not been: with all its fuel, but not with more time.
    pub fn refuel(&mut self) {
        // The call from outside is counted here.
        self.fuel = self.budget.fuel.unwrap_or(u64::MAX).saturating_sub(1);
    }

    fn asked(&mut self, answer: PyResult<()>) -> Result<(), HostError> {
        answer.map_err(|error| self.refuse(Refusal::Raised(error)))
    }

    fn refuse(&mut self, refusal: Refusal) -> HostError {
        self.refusal = Some(refusal);
        HostError
    }
}

impl Host for Run<'_, '_> {
    /// Writes to `sys.stdout`, as Python's own print does.
    fn print(&mut self, text: &str) -> Result<(), HostError> {
        let written = || {
            let stdout = self.py.import(intern!(self.py, "sys"))?.getattr_opt(intern!(self.py, "stdout"))?;
            let stdout = stdout.ok_or_else(|| PyRuntimeError::new_err("lost sys.stdout"))?;
            if !stdout.is_none() {
                call_method(&stdout, intern!(self.py, "write"), (text,))?;
            }
            PyResult::Ok(())
        };
        let written = written();
        self.asked(written)
    }

    /// Runs the handlers of signals that have come; Ctrl-C's raises KeyboardInterrupt. On the main thread only, as in Python;
    /// which is why other threads must get their turn here: one of them may interrupt us.
    fn poll(&mut self) -> Result<(), HostError> {
        self.py.detach(|| ());
        let handled = self.py.check_signals();
        self.asked(handled)?;
        if self.interrupts.load(Ordering::Relaxed) != self.before {
            return Err(self.refuse(Refusal::Interrupted));
        }
        match (self.budget.timeout, self.deadline) {
            (Some(timeout), Some(deadline)) if Instant::now() >= deadline => {
                return Err(self.refuse(Refusal::Timeout(timeout)));
            }
            _ => {}
        }
        match self.budget.fuel {
            Some(fuel) if self.fuel == 0 => Err(self.refuse(Refusal::Fuel(fuel))),
            _ => Ok(()),
        }
    }

    fn interval(&mut self, most: u64) -> u64 {
        let ticks = most.min(self.fuel);
        if self.budget.fuel.is_some() {
            self.fuel -= ticks;
        }
        ticks
    }
}
