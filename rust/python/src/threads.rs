//! The threads that share the work of large arrays.
//!
//! In: a number. Out: a pool of so many helpers. Always holds: no thread before there is work for one; only who has the interpreter looks at
//! the pool; a child that `os.fork` makes leaves its parent's pool alone, whose threads it does not have, and makes its own.

use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use jib_core::failure::HostError;

use pyo3::exceptions::{PyRuntimeWarning, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyInt};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::gate::{Closing, Gate};

/// More than any machine makes use of.
pub const MOST: usize = 1024;

/// The picoseconds from which on threads are worth it: waking one and waiting for it took 10 to 30 µs, on two processors that others used
/// too, and twice that is to be saved (benches/own/elementwise.py).
pub const WORTH: u64 = 100_000_000;

/// What is asked for of a function, or of the process: 0 is nothing.
static ASKED: AtomicUsize = AtomicUsize::new(0);

/// What a thread may need for recursion: as much as the main thread has, usually.
const STACK: usize = 8 << 20;

/// How many threads a call may use, where its function does not say: as many as there are processors for this process.
pub fn number() -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    match ASKED.load(Ordering::Relaxed) {
        // Asking the system takes longer than most calls.
        0 => *PROCESSORS.get_or_init(|| std::thread::available_parallelism().map_or(1, NonZeroUsize::get).min(MOST)),
        asked => asked,
    }
}

/// A number of threads that a person has given.
pub fn read(name: &str, value: &Bound<'_, PyAny>) -> PyResult<usize> {
    if value.is_instance_of::<PyBool>() || !value.is_instance_of::<PyInt>() {
        return Err(PyTypeError::new_err(format!("{name} must be an int, not {}", value.get_type().name()?)));
    }
    let number = value.extract::<usize>().ok().filter(|number| (1..=MOST).contains(number));
    number.ok_or_else(|| PyValueError::new_err(format!("{name} must be between 1 and {MOST}")))
}

/// The most threads that one call uses, from now on; gives what held before. 1 is the calling thread alone.
///
/// Results are the same bits for any number. Raises TypeError for what is no int, ValueError for one outside of 1 to 1024.
///
/// >>> import jib
/// >>> before = jib.set_num_threads(1)
/// >>> jib.get_num_threads()
/// 1
/// >>> jib.set_num_threads(before)
/// 1
#[pyfunction]
pub fn set_num_threads(n: &Bound<'_, PyAny>) -> PyResult<usize> {
    let n = read("n", n)?;
    let before = number();
    ASKED.store(n, Ordering::Relaxed);
    Ok(before)
}

/// The most threads that one call uses, unless its function was made with `threads=`. At first what JIB_NUM_THREADS says, else the
/// number of processors that the process may use.
///
/// >>> import jib
/// >>> jib.get_num_threads() >= 1
/// True
#[pyfunction]
pub fn get_num_threads() -> usize {
    number()
}

/// Takes JIB_NUM_THREADS from the environment.
pub fn prepare(py: Python<'_>) -> PyResult<()> {
    let Some(word) = std::env::var_os("JIB_NUM_THREADS").filter(|word| !word.is_empty()) else { return Ok(()) };
    let word = word.to_string_lossy();
    match word.trim().parse::<usize>() {
        Ok(number) if (1..=MOST).contains(&number) => ASKED.store(number, Ordering::Relaxed),
        _ => {
            let words = format!("JIB_NUM_THREADS is ignored: it must be between 1 and {MOST}, not '{word}'");
            let words = std::ffi::CString::new(words).unwrap_or_default();
            PyErr::warn(py, &py.get_type::<PyRuntimeWarning>(), &words, 1)?;
        }
    }
    Ok(())
}

struct Pool {
    process: u32,
    helpers: usize,
    threads: Arc<ThreadPool>,
}

/// At least so many threads besides the calling one; None if the system refuses them.
pub fn pool(_: Python<'_>, helpers: usize) -> Option<Arc<ThreadPool>> {
    static POOL: Mutex<Option<Pool>> = Mutex::new(None);
    let mut known = POOL.lock().unwrap_or_else(PoisonError::into_inner);
    let process = std::process::id();
    if let Some(pool) = known.as_ref().filter(|pool| pool.process == process && pool.helpers >= helpers) {
        return Some(pool.threads.clone());
    }
    let builder = ThreadPoolBuilder::new().num_threads(helpers).stack_size(STACK);
    let threads = Arc::new(builder.thread_name(|n| format!("jib-{n}")).build().ok()?);
    let old = known.replace(Pool { process, helpers, threads: threads.clone() });
    // The threads of a smaller pool end when nobody uses it any more. Those of another process are not here to be told.
    if let Some(old) = old.filter(|old| old.process != process) {
        std::mem::forget(old);
    }
    Some(threads)
}

/// How long the calling thread waits for the others before it looks at its host again.
const PATIENCE: Duration = Duration::from_millis(20);

/// Has this thread do its own part, and helpers of the pool theirs; then it waits for those who have begun, and does `meanwhile` now and then.
/// A helper that has not begun by then, since its processor was busy, does nothing: nobody waits for it.
pub fn with_help<T>(
    pool: &ThreadPool,
    helpers: usize,
    help: &(dyn Fn() + Sync),
    caller: &mut T,
    own: impl FnOnce(&mut T),
    mut meanwhile: impl FnMut(&mut T),
) {
    let gate = Arc::new(Gate::default());
    // However this ends, nobody is inside then.
    let closing = Closing(&gate);
    // SAFETY: it is called inside of the gate alone, and `Closing`, which this loan outlives, ends when the gate is closed and nobody inside.
    let help = unsafe { std::mem::transmute::<&(dyn Fn() + Sync), &'static (dyn Fn() + Sync)>(help) };
    for _ in 0..helpers {
        let gate = gate.clone();
        pool.spawn(move || gate.inside(help));
    }
    own(caller);
    while gate.close(PATIENCE) {
        meanwhile(caller);
    }
    drop(closing);
    if let Some(panic) = gate.panic() {
        resume_unwind(panic);
    }
}

/// Does the jobs below a number by this thread and helpers of the pool, in any order; no more are begun when one has said so, or the host, which
/// this thread asks. All that were begun are done when it returns.
pub fn share(
    pool: &ThreadPool,
    helpers: usize,
    jobs: u64,
    job: &(dyn Fn(u64) -> bool + Sync),
    ask: &mut dyn FnMut() -> Result<(), HostError>,
) -> Result<(), HostError> {
    let (next, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let claim = |go_on: &mut dyn FnMut() -> bool| {
        while !stop.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= jobs {
                return;
            }
            if !job(number) || !go_on() {
                stop.store(true, Ordering::Relaxed);
            }
        }
    };
    let helpers = helpers.min(jobs.saturating_sub(1) as usize);
    let mut asked = Ok(());
    let mut once_more = |asked: &mut Result<(), HostError>| {
        if asked.is_ok() {
            *asked = ask();
            stop.fetch_or(asked.is_err(), Ordering::Relaxed);
        }
    };
    let help = || claim(&mut || true);
    with_help(
        pool,
        helpers,
        &help,
        &mut (&mut asked, &mut once_more),
        |(asked, once_more)| {
            claim(&mut || {
                once_more(asked);
                asked.is_ok()
            });
        },
        |(asked, once_more)| once_more(asked),
    );
    asked
}
