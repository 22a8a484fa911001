//! The cache of compiled code: text and options (a program, by its number) and argument types → specialisation.
//!
//! In: what is asked for, and how to make it. Out: a specialisation, known or new. Always holds: at most `CAPACITY` are kept for those who
//! come later, and not more than `BYTES` of them; each lives on as long as a function has it. Only who has the interpreter locks it: a
//! child that `os.fork` makes finds it unlocked, since whoever forks has the interpreter too.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jib_core::diag::Error;
use jib_core::types::Ty;
use lru::LruCache;
use pyo3::prelude::*;

use crate::specialise::Specialisation;

/// A page of code each, and some hundred bytes.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(1024).unwrap();

const BYTES: usize = 16 << 20;

struct Codes {
    known: LruCache<(u64, Box<[Ty]>), Arc<Specialisation>>,
    /// Of all that are known, about.
    bytes: usize,
    hits: u64,
    misses: u64,
}

impl Codes {
    /// What had to go for it.
    fn keep(&mut self, key: (u64, Box<[Ty]>), made: Arc<Specialisation>) -> Vec<Arc<Specialisation>> {
        self.bytes += made.bytes();
        let mut old: Vec<_> = self.known.push(key, made).map(|(_, old)| old).into_iter().collect();
        self.bytes -= old.iter().map(|old| old.bytes()).sum::<usize>();
        while self.bytes > BYTES {
            let Some((_, oldest)) = self.known.pop_lru() else { break };
            self.bytes -= oldest.bytes();
            old.push(oldest);
        }
        old
    }
}

fn with<T>(_: Python<'_>, work: impl FnOnce(&mut Codes) -> T) -> T {
    static CODES: OnceLock<Mutex<Codes>> = OnceLock::new();
    let codes =
        CODES.get_or_init(|| Mutex::new(Codes { known: LruCache::new(CAPACITY), bytes: 0, hits: 0, misses: 0 }));
    work(&mut codes.lock().unwrap_or_else(PoisonError::into_inner))
}

/// What is known for a program and types and is good enough, or is made now. Nothing is locked meanwhile, and other threads may have the
/// interpreter.
pub fn code(
    py: Python<'_>,
    program: u64,
    types: &[Ty],
    good: impl Fn(&Specialisation) -> bool,
    make: impl FnOnce() -> Result<Arc<Specialisation>, Error> + Send,
) -> Result<Arc<Specialisation>, Error> {
    let key = (program, types.into());
    let found = with(py, |codes| {
        let found = codes.known.get(&key).filter(|found| good(found)).cloned();
        *(if found.is_some() { &mut codes.hits } else { &mut codes.misses }) += 1;
        found
    });
    if let Some(found) = found {
        return Ok(found);
    }
    let made = py.detach(make)?;
    // What it displaces is freed when the lock is open again.
    let _old = with(py, |codes| codes.keep(key, made.clone()));
    Ok(made)
}

/// Hits, misses, the most that are kept, and how many are.
pub fn info(py: Python<'_>) -> (u64, u64, usize, usize) {
    with(py, |codes| (codes.hits, codes.misses, CAPACITY.get(), codes.known.len()))
}

/// Forgets all, and what was counted.
pub fn clear(py: Python<'_>) {
    let _old = with(py, |codes| {
        (codes.bytes, codes.hits, codes.misses) = (0, 0, 0);
        std::mem::replace(&mut codes.known, LruCache::new(CAPACITY))
    });
}
