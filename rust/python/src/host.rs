//! What running code may ask of Python: to print, to call, and whether to go on.
//!
//! In: what a function may use up (`Budget`), who may interrupt it, who has the interpreter meanwhile (`Gil`). Out: answers to a run's
//! questions. Always holds: a run takes as many ticks as its fuel, and not one more, whichever engine counts them; a refusal is kept, so
//! that the run's failure says why; when a run is dropped, its thread has the interpreter again if it had it before.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jib_core::failure::{Host, HostError};
use pyo3::exceptions::PyRuntimeError;
use pyo3::intern;
use pyo3::prelude::*;

use numpy::PyArrayMethods;
use smallvec::SmallVec;

use crate::calls::call_method;
use crate::convert::array::memory;
use crate::externs::Extern;
use crate::gil::{self, Away};
use crate::threads;

/// What one call may use up.
#[derive(Clone, Copy, Debug, Default)]
pub struct Budget {
    /// Rounds of loops and calls, the call from outside included; at least 1.
    pub fuel: Option<u64>,
    pub timeout: Option<Duration>,
    /// Bytes of arrays that it makes.
    pub arrays: u64,
}

/// When a run lets other threads have the interpreter.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Gil {
    /// When it has turned out to be long.
    #[default]
    Long,
    /// Never but for a moment at each poll.
    Never,
    /// From its beginning.
    Always,
}

/// What is long: giving the interpreter away and taking it back is nothing beside it.
const LONG: Duration = Duration::from_millis(1);

/// How often a run that has given the interpreter away looks for signals: each time it may have to wait for those who have it, some
/// 5 ms, and Ctrl-C shall not wait for longer than people notice.
const LOOK: Duration = Duration::from_millis(20);

impl Gil {
    /// What `nogil=` says.
    pub fn of(nogil: Option<bool>) -> Gil {
        match nogil {
            None => Gil::Long,
            Some(false) => Gil::Never,
            Some(true) => Gil::Always,
        }
    }
}

/// Why a run was not to go on.
pub enum Refusal {
    /// The exception of a signal's handler, or of `print`.
    Raised(PyErr),
    /// The exception of a Python callable that the text calls, or of what it returned.
    Called(PyErr),
    Interrupted,
    Fuel(u64),
    Timeout(Duration),
    Arrays(u64),
}

impl Refusal {
    pub fn clone_ref(&self, py: Python<'_>) -> Refusal {
        match self {
            Refusal::Raised(error) => Refusal::Raised(error.clone_ref(py)),
            Refusal::Called(error) => Refusal::Called(error.clone_ref(py)),
            Refusal::Interrupted => Refusal::Interrupted,
            Refusal::Fuel(fuel) => Refusal::Fuel(*fuel),
            Refusal::Timeout(timeout) => Refusal::Timeout(*timeout),
            Refusal::Arrays(bytes) => Refusal::Arrays(*bytes),
        }
    }
}

/// Whether this thread has the interpreter.
enum Held {
    Here,
    Given(Away),
    /// C called us: it may, or may not.
    Unknown,
    /// NumPy called us, which may have given it away meanwhile: whoever has it now does not wait for us.
    Loop,
}

/// The interpreter as the host of one run.
pub struct Run<'a> {
    held: Held,
    gil: Gil,
    /// When the run was first asked whether to go on, or looked for signals last.
    looked: Option<Instant>,
    budget: Budget,
    /// Fuel that has not been handed out yet.
    fuel: u64,
    deadline: Option<Instant>,
    /// How often the function has been interrupted: now, and when the run began.
    interrupts: &'a AtomicU64,
    before: u64,
    /// The functions of the host that the text may call.
    externs: &'a [Py<Extern>],
    refusal: Option<Refusal>,
    /// How many threads may do its work.
    threads: usize,
    /// What arrays that the run makes have their elements in, in the order in which they were made, and how many these were.
    arrays: Vec<Made>,
    count: u64,
    /// Those that were given back last: the next round of a loop makes such again.
    spare: Vec<Made>,
    /// How many bytes all these are.
    made: u64,
}

/// The memory of an array that the run has made.
struct Made {
    /// How many were made before.
    number: u64,
    address: u64,
    bytes: u64,
    object: Py<PyAny>,
}

impl Made {
    /// Whether one of these addresses, which are sorted, lies in it.
    fn holds(&self, addresses: &[u64]) -> bool {
        let first = addresses.partition_point(|address| *address < self.address);
        addresses.get(first).is_some_and(|address| address - self.address < self.bytes)
    }
}

impl<'a> Run<'a> {
    #[inline]
    pub fn new(_: Python<'_>, budget: Budget, gil: Gil, interrupts: &'a AtomicU64) -> Self {
        let mut run = Run::with(Held::Here, budget, interrupts);
        run.gil = gil;
        if gil == Gil::Always {
            run.held = Held::Given(Away::new());
        }
        run
    }

    /// With `true`, interrupts that came before it count too.
    #[inline]
    pub fn since_made(mut self, all: bool) -> Self {
        if all {
            self.before = 0;
        }
        self
    }

    /// A run that C began.
    pub fn foreign(budget: Budget, interrupts: &'a AtomicU64) -> Self {
        Run::with(Held::Unknown, budget, interrupts)
    }

    /// A run that is a part of what NumPy does.
    pub fn in_loop(budget: Budget, interrupts: &'a AtomicU64) -> Self {
        Run::with(Held::Loop, budget, interrupts)
    }

    #[inline]
    fn with(held: Held, budget: Budget, interrupts: &'a AtomicU64) -> Self {
        let deadline = budget.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let before = interrupts.load(Ordering::Relaxed);
        let (gil, looked, fuel, refusal) = (Gil::Never, None, 0, None);
        let mut run = Run {
            held,
            gil,
            looked,
            budget,
            fuel,
            deadline,
            interrupts,
            before,
            externs: &[],
            refusal,
            threads: 1,
            arrays: Vec::new(),
            count: 0,
            spare: Vec::new(),
            made: 0,
        };
        run.refuel();
        run
    }

    /// Why it was not to go on, if it was asked.
    pub fn take_refusal(&mut self) -> Option<Refusal> {
        self.refusal.take()
    }

    /// The memory of the arrays that the run has made.
    pub fn take_arrays(&mut self) -> Vec<Py<PyAny>> {
        let spare = std::mem::take(&mut self.spare);
        self.arrays.drain(..).chain(spare).map(|made| made.object).collect()
    }

    /// Gives spare memory to Python.
    fn drop_spare(&mut self) {
        let spare = std::mem::take(&mut self.spare);
        if !spare.is_empty() {
            self.made -= spare.iter().map(|made| made.bytes).sum::<u64>();
            self.python(|_| drop(spare));
        }
    }

    /// Does what needs the interpreter.
    pub fn python<T>(&mut self, work: impl FnOnce(Python<'_>) -> T) -> T {
        match &mut self.held {
            Held::Here => gil::attached(work),
            Held::Given(away) => away.back_for(|| gil::attached(work)),
            Held::Unknown | Held::Loop => gil::attached_again(work),
        }
    }

    /// The same run, of a text that may call these.
    #[inline]
    pub fn with_externs(self, externs: &'a [Py<Extern>]) -> Self {
        Run { externs, ..self }
    }

    /// The same run, whose work so many threads may do.
    #[inline]
    pub fn with_threads(self, threads: usize) -> Self {
        Run { threads, ..self }
    }

    /// Time that is not the run's own: compiling in the middle of it.
    pub fn not_counting<T>(&mut self, work: impl FnOnce(Python<'_>) -> T) -> T {
        let begin = self.deadline.map(|_| Instant::now());
        let done = self.python(work);
        if let (Some(begin), Some(deadline)) = (begin, self.deadline) {
            self.deadline = deadline.checked_add(begin.elapsed());
        }
        done
    }

    /// The run begins once more, as if it had not been: with all its fuel, but not with more time.
    pub fn refuel(&mut self) {
        // The call from outside is counted here.
        self.fuel = self.budget.fuel.unwrap_or(u64::MAX).saturating_sub(1);
        self.spare.append(&mut self.arrays);
    }

    fn asked(&mut self, answer: PyResult<()>) -> Result<(), HostError> {
        answer.map_err(|error| self.refuse(Refusal::Raised(error)))
    }

    fn refuse(&mut self, refusal: Refusal) -> HostError {
        self.refusal = Some(refusal);
        HostError
    }

    /// Runs the handlers of signals that have come; Ctrl-C's raises KeyboardInterrupt. On the main thread only, as in Python; which is
    /// why other threads must get their turn: one of them may interrupt us.
    fn look_for_signals(&mut self) -> Result<(), HostError> {
        let mut handled = Ok(());
        match self.held {
            Held::Here if self.gil == Gil::Never => {
                handled = self.python(|py| {
                    py.detach(|| ());
                    py.check_signals()
                });
            }
            Held::Here => {
                handled = self.python(|py| py.check_signals());
                let now = Instant::now();
                if now.duration_since(*self.looked.get_or_insert(now)) >= LONG && handled.is_ok() {
                    (self.held, self.looked) = (Held::Given(Away::new()), Some(now));
                }
            }
            Held::Given(_) => {
                let now = Instant::now();
                if now.duration_since(*self.looked.get_or_insert(now)) >= LOOK {
                    handled = self.python(|py| py.check_signals());
                    self.looked = Some(Instant::now());
                }
            }
            Held::Loop => {
                let now = Instant::now();
                if now.duration_since(*self.looked.get_or_insert(now)) >= LOOK {
                    handled = gil::attached_again(|py| {
                        py.detach(|| ());
                        py.check_signals()
                    });
                    self.looked = Some(Instant::now());
                }
            }
            Held::Unknown => gil::if_attached(|py| handled = py.check_signals()),
        }
        self.asked(handled)
    }
}

impl Host for Run<'_> {
    /// Writes to `sys.stdout`, as Python's own print does.
    fn print(&mut self, text: &str) -> Result<(), HostError> {
        let written = self.python(|py| {
            let stdout = py.import(intern!(py, "sys"))?.getattr_opt(intern!(py, "stdout"))?;
            let stdout = stdout.ok_or_else(|| PyRuntimeError::new_err("lost sys.stdout"))?;
            if !stdout.is_none() {
                call_method(&stdout, intern!(py, "write"), (text,))?;
            }
            PyResult::Ok(())
        });
        self.asked(written)
    }

    /// Threads help if the work takes much longer than to wake them, and nothing is counted that only one could count.
    fn spread(&mut self, jobs: u64, picos: u64, job: &(dyn Fn(u64) -> bool + Sync)) -> Option<Result<(), HostError>> {
        if picos < threads::WORTH || self.budget.fuel.is_some() || self.threads < 2 {
            return None;
        }
        let helpers = self.threads - 1;
        let pool = self.python(|py| threads::pool(py, helpers))?;
        if matches!(self.held, Held::Here) && self.gil == Gil::Long && picos >= LONG.as_nanos() as u64 * 1000 {
            (self.held, self.looked) = (Held::Given(Away::new()), Some(Instant::now()));
        }
        Some(threads::share(&pool, helpers, jobs, job, &mut || self.poll()))
    }

    /// NumPy's memory, so that an array that is returned is NumPy's own.
    fn memory(&mut self, bytes: usize) -> Result<u64, HostError> {
        let number = self.count;
        self.count += 1;
        if let Some(at) = self.spare.iter().position(|made| made.bytes == bytes as u64) {
            let again = self.spare.swap_remove(at);
            let address = again.address;
            self.arrays.push(Made { number, ..again });
            return Ok(address);
        }
        if self.made.saturating_add(bytes as u64) > self.budget.arrays {
            self.drop_spare();
        }
        self.made = self.made.saturating_add(bytes as u64);
        if self.made > self.budget.arrays {
            return Err(self.refuse(Refusal::Arrays(self.budget.arrays)));
        }
        let made = self.python(|py| {
            let array = memory(py, bytes)?;
            PyResult::Ok((array.data().expose_provenance() as u64, array.into_any().unbind()))
        });
        match made {
            Ok((address, object)) => {
                self.arrays.push(Made { number, address, bytes: bytes as u64, object });
                Ok(address)
            }
            Err(error) => Err(self.refuse(Refusal::Raised(error))),
        }
    }

    fn mark(&mut self) -> u64 {
        self.count
    }

    /// What is given back is spare until the next time: Python is only asked to take what was not used again.
    fn keep(&mut self, mark: u64, addresses: &[u64]) {
        let first = self.arrays.partition_point(|made| made.number < mark);
        if first == self.arrays.len() {
            return;
        }
        let mut addresses: SmallVec<[u64; 8]> = addresses.into();
        addresses.sort_unstable();
        let gone: Vec<Made> = self.arrays.extract_if(first.., |made| !made.holds(&addresses)).collect();
        if !gone.is_empty() {
            self.drop_spare();
            self.spare = gone;
        }
    }

    /// A Python callable; what it raises is what the run ends with.
    fn call(&mut self, index: u32, args: &[u64], out: &mut [u64]) -> Result<(), HostError> {
        let callee = self.externs.get(index as usize).ok_or(HostError)?;
        let done = self.python(|py| callee.get().run(py, args, out));
        done.map_err(|error| self.refuse(Refusal::Called(error)))
    }

    fn poll(&mut self) -> Result<(), HostError> {
        self.look_for_signals()?;
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
