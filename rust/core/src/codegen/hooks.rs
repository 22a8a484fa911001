//! Where generated code and Rust meet: the context they share, what generated code calls back, and how deep the stack is.
//!
//! Hooks never unwind: a panic in one is caught and becomes a failure of the host.

mod whole;

use std::cell::Cell;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::abi::{MAX_RETURN, PrintSite};
use super::whole::WholeSite;
use crate::failure::{Host, refill};
use crate::format;
use crate::runtime;
pub(crate) use whole::{keep, mark, whole};

/// What one run shares with the code it runs; generated code knows the fields by their offsets.
#[repr(C)]
pub(crate) struct Context {
    /// A function of a call cycle fails when the stack pointer is below.
    pub stack_limit: u64,
    /// Which site failed; the code of the helper's fault, if one said why.
    pub site: u32,
    pub code: u32,
    /// How many ticks may pass until `poll` is called, and the most that it adds at a time; see `codegen::ticks`.
    pub budget: u64,
    pub interval: u64,
    /// How many ticks the one that calls `poll` stands for.
    pub units: u64,
    /// A `&mut dyn Host`, on the stack of `Code::run`.
    pub host: *mut c_void,
    pub prints: *const PrintSite,
    pub prints_len: usize,
    pub wholes: *const WholeSite,
    pub wholes_len: usize,
    /// Where results of several scalars are handed over.
    pub results: [MaybeUninit<u64>; MAX_RETURN],
}

impl Context {
    /// That of a thread that helps, with code that asks for nothing.
    fn aside() -> Context {
        Context {
            stack_limit: u64::MAX,
            site: 0,
            code: 0,
            budget: 0,
            interval: 0,
            units: 0,
            host: std::ptr::null_mut(),
            prints: std::ptr::null(),
            prints_len: 0,
            wholes: std::ptr::null(),
            wholes_len: 0,
            results: [const { MaybeUninit::uninit() }; MAX_RETURN],
        }
    }
}

/// What `print` calls: the index of a `PrintSite` and its operands' scalars. 0 when written.
///
/// # Safety
/// Called by generated code only, with the context that `Code::run` made and slots on its own frame.
pub(crate) unsafe extern "C" fn print(context: *mut Context, index: u64, slots: *const u64) -> u32 {
    // SAFETY: `Code::run` keeps the context, and the host and print table it points to, alive while generated code runs, and
    // nothing else refers to them meanwhile.
    let (host, prints) = unsafe {
        let context = &*context;
        (&mut *context.host.cast::<&mut dyn Host>(), std::slice::from_raw_parts(context.prints, context.prints_len))
    };
    let written = catch_unwind(AssertUnwindSafe(|| {
        crate::trip!("print");
        let site = prints.get(index as usize)?;
        let width = site.operands.iter().map(|ty| ty.width()).sum();
        // SAFETY: generated code stored one slot for each scalar of the site's operands, and keeps its frame until we return.
        let slots = unsafe { std::slice::from_raw_parts(slots, width) };
        let operands: Vec<_> = site.operands.iter().collect();
        host.print(&format::print_line(&site.print, &operands, slots)).ok()
    }));
    u32::from(!matches!(written, Ok(Some(()))))
}

/// What a tick calls that finds the budget too small, by way of a stub: asks the host whether to go on, and sets the budget:
/// what is left after the tick, `REFUSED` when there is none to be had.
///
/// # Safety
/// Called by generated code only, with the context that `Code::run` made.
pub(crate) unsafe extern "C" fn poll(context: *mut Context) {
    // SAFETY: `Code::run` keeps the context and the host it points to alive while generated code runs, which waits for us;
    // nothing else refers to them meanwhile.
    let (host, context) = unsafe {
        let context = &mut *context;
        (&mut *context.host.cast::<&mut dyn Host>(), context)
    };
    let (budget, units, interval) = (context.budget, context.units, context.interval);
    let asked = catch_unwind(AssertUnwindSafe(|| {
        crate::trip!("poll");
        refill(*host, budget, units, interval)
    }));
    context.budget = match asked {
        Ok(Ok(left)) => left,
        _ => REFUSED,
    };
}

/// What an outermost function asks before a body that may need more of the stack than any C function does: 1 when it is there.
pub(crate) extern "C" fn room(bytes: u64) -> u32 {
    u32::from(stack_limit(bytes as usize).is_some())
}

/// What code for elements calls where ints are divided by 0 (0), or the quotient is no number of its type (1): NumPy tells it by the flags
/// of the floating-point unit. Gives something, so that it is called as everything is.
pub(crate) extern "C" fn raise_flag(which: u64) -> u32 {
    use std::hint::black_box;
    let raised = if which == 0 { black_box(1.0f64) / black_box(0.0) } else { black_box(f64::MAX) * black_box(2.0) };
    black_box(raised);
    0
}

/// Whether a helper has panicked: 1.
pub(crate) extern "C" fn panicked() -> u32 {
    u32::from(runtime::panicked())
}

/// No budget: generated code takes it for a negative number.
pub(crate) const REFUSED: u64 = u64::MAX;

/// The address of what Cranelift calls on its own for an instruction the machine lacks; by the names of `libcall_name`.
pub(crate) fn libcall(name: &str) -> Option<*const u8> {
    extern "C" fn floor(x: f64) -> f64 {
        x.floor()
    }
    extern "C" fn ceil(x: f64) -> f64 {
        x.ceil()
    }
    extern "C" fn trunc(x: f64) -> f64 {
        x.trunc()
    }
    extern "C" fn nearest(x: f64) -> f64 {
        x.round_ties_even()
    }
    extern "C" fn fma(x: f64, y: f64, z: f64) -> f64 {
        x.mul_add(y, z)
    }
    extern "C" fn floorf(x: f32) -> f32 {
        x.floor()
    }
    extern "C" fn ceilf(x: f32) -> f32 {
        x.ceil()
    }
    extern "C" fn truncf(x: f32) -> f32 {
        x.trunc()
    }
    extern "C" fn nearestf(x: f32) -> f32 {
        x.round_ties_even()
    }
    extern "C" fn fmaf(x: f32, y: f32, z: f32) -> f32 {
        x.mul_add(y, z)
    }
    unsafe extern "C" {
        fn memcpy(to: *mut c_void, from: *const c_void, n: usize) -> *mut c_void;
        fn memmove(to: *mut c_void, from: *const c_void, n: usize) -> *mut c_void;
        fn memset(to: *mut c_void, byte: i32, n: usize) -> *mut c_void;
        fn memcmp(a: *const c_void, b: *const c_void, n: usize) -> i32;
    }
    Some(match name {
        "FloorF64" => floor as *const u8,
        "CeilF64" => ceil as *const u8,
        "TruncF64" => trunc as *const u8,
        "NearestF64" => nearest as *const u8,
        "FmaF64" => fma as *const u8,
        "FloorF32" => floorf as *const u8,
        "CeilF32" => ceilf as *const u8,
        "TruncF32" => truncf as *const u8,
        "NearestF32" => nearestf as *const u8,
        "FmaF32" => fmaf as *const u8,
        "Memcpy" => memcpy as *const u8,
        "Memmove" => memmove as *const u8,
        "Memset" => memset as *const u8,
        "Memcmp" => memcmp as *const u8,
        _ => return None,
    })
}

/// Where functions of a call cycle must stop on this thread, if all functions of the module, which together take `frames`
/// bytes, still have to fit below; None when there is no room to start at all.
#[inline]
pub(crate) fn stack_limit(frames: usize) -> Option<u64> {
    stack_limit_above(frames, 0)
}

/// The same where `room` bytes must be left below all that; how much a stack of unknown bounds has is a guess that leaves them out.
#[inline]
pub(crate) fn stack_limit_above(frames: usize, room: usize) -> Option<u64> {
    thread_local! {
        /// Lowest and highest address of this thread's stack; equal when the system does not tell.
        static BOUNDS: Cell<Option<(usize, usize)>> = const { Cell::new(None) };
    }
    let here = stack_pointer();
    let (low, high) = BOUNDS.get().unwrap_or_else(|| {
        let bounds = system_bounds().unwrap_or((0, 0));
        BOUNDS.set(Some(bounds));
        bounds
    });
    let floor = if (low..high).contains(&here) {
        // Helpers and the host's print run below the limit: a quarter of a small stack, else 256 KiB.
        low + ((high - low) / 4).min(256 * 1024) + room
    } else {
        // Not the thread's own stack but a coroutine's, or the system does not tell: its size is a guess.
        here.saturating_sub(UNKNOWN_BUDGET)
    };
    let limit = floor.checked_add(frames)?;
    (here > limit).then_some(limit as u64)
}

/// What a run may use of a stack whose bounds are unknown.
const UNKNOWN_BUDGET: usize = 32 * 1024;

/// An address in the current frame.
#[inline(always)]
fn stack_pointer() -> usize {
    let here = 0u8;
    std::ptr::from_ref(std::hint::black_box(&here)).addr()
}

/// Lowest and highest address of the current thread's stack.
#[cfg(target_os = "linux")]
fn system_bounds() -> Option<(usize, usize)> {
    /// `pthread_attr_t`: 56 or 64 bytes in glibc and musl.
    #[repr(C, align(16))]
    struct Attributes([u64; 16]);
    unsafe extern "C" {
        fn pthread_self() -> usize;
        fn pthread_getattr_np(thread: usize, attributes: *mut Attributes) -> i32;
        fn pthread_attr_getstack(attributes: *const Attributes, low: *mut *mut c_void, size: *mut usize) -> i32;
        fn pthread_attr_destroy(attributes: *mut Attributes) -> i32;
    }
    let mut attributes = Attributes([0; 16]);
    let (mut low, mut size) = (std::ptr::null_mut(), 0);
    // SAFETY: all pointers are to locals that live across the calls; the attributes are destroyed once, only if they were made.
    unsafe {
        if pthread_getattr_np(pthread_self(), &mut attributes) != 0 {
            return None;
        }
        let found = pthread_attr_getstack(&attributes, &mut low, &mut size) == 0;
        pthread_attr_destroy(&mut attributes);
        found.then(|| (low.addr(), low.addr() + size))
    }
}

#[cfg(target_vendor = "apple")]
fn system_bounds() -> Option<(usize, usize)> {
    unsafe extern "C" {
        fn pthread_self() -> *mut c_void;
        fn pthread_get_stackaddr_np(thread: *mut c_void) -> *mut c_void;
        fn pthread_get_stacksize_np(thread: *mut c_void) -> usize;
    }
    // SAFETY: asks about the current thread, which lives; no memory is handed over.
    unsafe {
        let (high, size) = (pthread_get_stackaddr_np(pthread_self()).addr(), pthread_get_stacksize_np(pthread_self()));
        high.checked_sub(size).map(|low| (low, high))
    }
}

#[cfg(not(any(target_os = "linux", target_vendor = "apple")))]
fn system_bounds() -> Option<(usize, usize)> {
    None
}
