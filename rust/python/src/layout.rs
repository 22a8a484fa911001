//! How this CPython's objects hold numbers: found out by looking, when the extension is loaded.
//!
//! In: the running interpreter. Out: what generated entries need to know, or None. Always holds: each fact was tried on objects of this
//! process; where one of them does not hold, no entry takes objects itself, and all calls go through the public C API.

use std::mem::offset_of;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use jib_core::outside::{IntLayout, Layout};
use pyo3::ffi;
use pyo3::prelude::*;

use crate::entry;

/// Tests turn it off, to run everything through the C API.
static INLINE: AtomicBool = AtomicBool::new(true);

/// Whether entries made from now on may look into objects; gives what held before.
pub fn inline(allowed: bool) -> bool {
    INLINE.swap(allowed, Ordering::Relaxed)
}

/// What entries may know, if anything.
pub fn layout(py: Python<'_>) -> Option<&'static Layout> {
    static LAYOUT: OnceLock<Option<Layout>> = OnceLock::new();
    LAYOUT.get_or_init(|| probe(py)).as_ref().filter(|_| INLINE.load(Ordering::Relaxed))
}

const CLASS: i32 = offset_of!(ffi::PyObject, ob_type) as i32;
/// An int is its head, then a word about its size, then its digits: in every CPython so far.
const SIZE: i32 = size_of::<ffi::PyObject>() as i32;
const DIGIT: i32 = SIZE + 8;

fn probe(py: Python<'_>) -> Option<Layout> {
    let ints = [0, 1, -1, 7, -100, 255, 1 << 20, -(1 << 20) - 3, (1 << 30) - 1, 1 - (1 << 30)];
    let wide = [1 << 30, -(1 << 30), 1 << 31, 1 << 45, -(1 << 60), i64::MAX, i64::MIN];
    let candidates = [IntLayout::Sized { size: SIZE, digit: DIGIT }, IntLayout::Tagged { tag: SIZE, digit: DIGIT }];
    let holds = |layout: &IntLayout| {
        let read = |int: i64| entry::peek_int(py, int, *layout);
        ints.iter().all(|&int| read(int) == Some(int)) && wide.iter().all(|&int| read(int).is_none())
    };
    let int = candidates.into_iter().find(holds)?;
    let float = offset_of!(ffi::PyFloatObject, ob_fval) as i32;
    let floats = [0.0, -0.0, 1.5, -1e300, f64::MIN_POSITIVE, f64::INFINITY];
    if !floats.iter().all(|&x| entry::peek_float(py, x, float, CLASS)) {
        return None;
    }
    Some(Layout {
        class: CLASS,
        float,
        int,
        references: entry::constants_are_counted(py).then_some(offset_of!(ffi::PyObject, ob_refcnt) as i32),
        ..entry::layout(py)
    })
}
