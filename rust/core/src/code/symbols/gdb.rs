//! gdb's interface to generated code: a list of object files in memory, and a function where gdb has a breakpoint.
//!
//! In: symbols. Out: an entry of the list, for ever. Always holds: the list is changed by one thread at a time, and none of them is forked
//! meanwhile; what is in the list never changes, but for links between entries.
//!
//! With symbols gdb knows where functions begin, and from there how their frames lie: each begins with `push rbp; mov rbp, rsp`.

use std::ptr::null_mut;

use super::{Symbol, elf};
use crate::code::memory;

/// As gdb has it (`Declarations` in its manual, "JIT Compilation Interface"), names included.
#[repr(C)]
struct Entry {
    next: *mut Entry,
    previous: *mut Entry,
    object: *const u8,
    size: u64,
}

#[repr(C)]
pub struct Descriptor {
    version: u32,
    action: u32,
    relevant: *mut Entry,
    first: *mut Entry,
}

/// What has happened to `relevant`.
const REGISTERED: u32 = 1;

#[unsafe(no_mangle)]
#[allow(non_upper_case_globals, reason = "gdb's name")]
pub static mut __jit_debug_descriptor: Descriptor =
    Descriptor { version: 1, action: 0, relevant: null_mut(), first: null_mut() };

#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn __jit_debug_register_code() {
    // So that it is neither merged with another function nor left out.
    std::hint::black_box(&raw const __jit_debug_descriptor);
}

pub fn add(symbols: &[Symbol<'_>]) {
    let object: &'static [u8] = Box::leak(elf::object(symbols).into());
    let entry = Entry { next: null_mut(), previous: null_mut(), object: object.as_ptr(), size: object.len() as u64 };
    let entry = Box::leak(Box::new(entry));
    memory::alone(|| {
        let descriptor = &raw mut __jit_debug_descriptor;
        // SAFETY: one thread at a time comes here; entries are never freed.
        unsafe {
            let first = (*descriptor).first;
            entry.next = first;
            if let Some(first) = first.as_mut() {
                first.previous = entry;
            }
            (*descriptor).first = entry;
            (*descriptor).relevant = entry;
            (*descriptor).action = REGISTERED;
        }
        __jit_debug_register_code();
    });
}
