//! The cache of compiled code: text and options (a family, by its number) and argument types → specialisation.
//!
//! In: what is asked for, and how to make it. Out: a specialisation, known or new. Always holds: at most `CAPACITY` are kept for those who
//! come later; each lives on as long as a function has it.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jib_core::diag::Error;
use jib_core::types::Ty;
use lru::LruCache;

use crate::specialise::Specialisation;

/// A page of code each, and some hundred bytes.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(1024).unwrap();

struct Codes {
    known: LruCache<(u64, Box<[Ty]>), Arc<Specialisation>>,
    hits: u64,
    misses: u64,
}

fn with<T>(work: impl FnOnce(&mut Codes) -> T) -> T {
    static CODES: OnceLock<Mutex<Codes>> = OnceLock::new();
    let codes = CODES.get_or_init(|| Mutex::new(Codes { known: LruCache::new(CAPACITY), hits: 0, misses: 0 }));
    work(&mut codes.lock().unwrap_or_else(PoisonError::into_inner))
}

/// What is known for a family and types, or is made now. Nothing is locked meanwhile.
pub fn code(
    family: u64,
    types: &[Ty],
    make: impl FnOnce() -> Result<Arc<Specialisation>, Error>,
) -> Result<Arc<Specialisation>, Error> {
    let key = (family, types.into());
    let found = with(|codes| {
        let found = codes.known.get(&key).cloned();
        *(if found.is_some() { &mut codes.hits } else { &mut codes.misses }) += 1;
        found
    });
    if let Some(found) = found {
        return Ok(found);
    }
    let made = make()?;
    // What it displaces is freed when the lock is open again.
    let _old = with(|codes| codes.known.push(key, made.clone()));
    Ok(made)
}

/// Hits, misses, the most that are kept, and how many are.
pub fn info() -> (u64, u64, usize, usize) {
    with(|codes| (codes.hits, codes.misses, CAPACITY.get(), codes.known.len()))
}

/// Forgets all, and what was counted.
pub fn clear() {
    let _old = with(|codes| {
        (codes.hits, codes.misses) = (0, 0);
        std::mem::replace(&mut codes.known, LruCache::new(CAPACITY))
    });
}
