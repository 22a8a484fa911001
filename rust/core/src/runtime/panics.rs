//! Panics of helpers. They cannot pass through generated code, so they are caught in each helper and noted on the thread.
//!
//! In: a caught panic. Out: a code that is no fault's; and, for those who asked a helper that never fails and so did not look at
//! its code, `panicked`. Always holds: while no helper has ever panicked, asking costs one load.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

static EVER: AtomicBool = AtomicBool::new(false);

thread_local! {
    static HERE: Cell<bool> = const { Cell::new(false) };
}

/// Notes a panic; the code to return.
#[cold]
pub(super) fn note() -> u32 {
    EVER.store(true, Ordering::Relaxed);
    HERE.set(true);
    u32::MAX
}

/// Where a byte lies that is 0 while no helper has ever panicked.
pub fn flag() -> usize {
    EVER.as_ptr().addr()
}

/// Whether a helper has panicked on this thread since this was asked last.
#[inline]
pub fn panicked() -> bool {
    EVER.load(Ordering::Relaxed) && HERE.replace(false)
}
