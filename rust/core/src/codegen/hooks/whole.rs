//! What generated code calls to have a whole-array operation done.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::Context;
use std::sync::{Mutex, PoisonError};

use crate::arrays::whole::{Engine, Job, Stop};
use crate::failure::{Host, HostError, refill};

/// A kernel's block function.
type Block = unsafe extern "C" fn(*mut Context, *const *mut u8, u64) -> u32;

/// A run whose code has called us.
struct Running {
    context: *mut Context,
    block: Block,
    /// Whether several threads may run the kernel.
    shared: bool,
}

/// The kernel failed, and has stored where.
struct Told;

impl Running {
    fn host(&mut self) -> &mut dyn Host {
        // SAFETY: `Code::run` keeps the context and the host it points to alive while generated code runs, which waits for us; the
        // borrow ends before a kernel runs.
        unsafe { &mut **(*self.context).host.cast::<&mut dyn Host>() }
    }
}

impl Engine for Running {
    type Error = Told;

    fn block(&mut self, operands: &[*mut u8], count: usize) -> Result<(), Told> {
        // SAFETY: it is the address of a kernel's `Face::Block`, whose operands these are: `Whole` was made of the same instruction.
        let status = unsafe { (self.block)(self.context, operands.as_ptr(), count as u64) };
        if status == 0 { Ok(()) } else { Err(Told) }
    }

    fn tick(&mut self) -> Result<(), HostError> {
        // SAFETY: as in `host`.
        let (budget, interval) = unsafe { ((*self.context).budget, (*self.context).interval) };
        let left = refill(self.host(), budget, 1, interval)?;
        // SAFETY: likewise.
        unsafe { (*self.context).budget = left };
        Ok(())
    }

    fn memory(&mut self, bytes: usize) -> Result<u64, HostError> {
        self.host().memory(bytes)
    }

    fn spread(&mut self, jobs: u64, picos: u64, job: &Job<Told>) -> Option<Result<(), Stop<Told>>> {
        if !self.shared || jobs < 2 {
            return None;
        }
        // The first job that failed, and what it stored.
        let first: Mutex<Option<(u64, u32, u32)>> = Mutex::new(None);
        let block = self.block;
        let one = |number: u64| {
            let mut context = Context::aside();
            let place = &raw mut context;
            // SAFETY: as in `block`; the kernel asks nothing of the host, so all it does with the context is to store where it failed.
            let done = job(number, &mut |places, count| match unsafe { block(place, places.as_ptr(), count as u64) } {
                0 => Ok(()),
                _ => Err(Told),
            });
            if done.is_err() {
                let mut first = first.lock().unwrap_or_else(PoisonError::into_inner);
                if first.is_none_or(|(other, ..)| number < other) {
                    *first = Some((number, context.site, context.code));
                }
            }
            done.is_ok()
        };
        let spread = self.host().spread(jobs, picos, &one)?;
        let failed = first.into_inner().unwrap_or_else(PoisonError::into_inner);
        Some(match (spread, failed) {
            (_, Some((_, site, code))) => {
                // SAFETY: as in `host`.
                unsafe { ((*self.context).site, (*self.context).code) = (site, code) };
                Err(Stop::Kernel(Told))
            }
            (Err(HostError), None) => Err(Stop::Host),
            (Ok(()), None) => Ok(()),
        })
    }
}

/// Does the whole-array operation of this number. 0 when it is done; else it is stored which site failed.
///
/// # Safety
/// Called by generated code only, with the context that `Code::run` made, the address of the operation's kernel, and slots on its own frame.
pub(crate) unsafe extern "C" fn whole(
    context: *mut Context,
    index: u64,
    block: *const c_void,
    slots: *const u64,
    out: *mut u64,
) -> u32 {
    // SAFETY: `Code::run` keeps the table alive while generated code runs, and nobody changes it.
    let sites = unsafe { std::slice::from_raw_parts((*context).wholes, (*context).wholes_len) };
    let Some(site) = sites.get(index as usize) else { return 1 };
    // SAFETY: the address is that of a function built with `Face::Block`.
    let block = unsafe { std::mem::transmute::<*const c_void, Block>(block) };
    let done = catch_unwind(AssertUnwindSafe(|| {
        let width = site.whole.operands.iter().map(|ty| ty.width()).sum();
        // SAFETY: generated code stored one slot for each scalar of the operands, and keeps its frame until we return.
        let slots = unsafe { std::slice::from_raw_parts(slots, width) };
        site.whole.run(slots, &mut Running { context, block, shared: site.whole.shared })
    }));
    let (which, code) = match done {
        Ok(Ok(result)) => {
            // SAFETY: generated code keeps as many slots on its frame as the result has.
            unsafe { std::ptr::copy_nonoverlapping(result.as_ptr(), out, result.len()) };
            return 0;
        }
        Ok(Err(Stop::Kernel(Told))) => return 1,
        Ok(Err(Stop::Fault(fault))) => (site.fault, fault.code()),
        Ok(Err(Stop::Host)) | Err(_) => (site.host, 0),
    };
    // SAFETY: as in `Running::host`.
    unsafe { ((*context).site, (*context).code) = (which, code) };
    1
}

/// How many arrays the run has made so far.
///
/// # Safety
/// Called by generated code only, with the context that `Code::run` made.
pub(crate) unsafe extern "C" fn mark(context: *mut Context) -> u64 {
    // SAFETY: as in `Running::host`.
    let host = unsafe { &mut **(*context).host.cast::<&mut dyn Host>() };
    // With nothing made since, nothing is given back.
    catch_unwind(AssertUnwindSafe(|| host.mark())).unwrap_or(u64::MAX)
}

/// Says which arrays that were made since a mark may still be read, by their addresses. 0.
///
/// # Safety
/// Called by generated code only, with the context that `Code::run` made, and so many slots on its own frame.
pub(crate) unsafe extern "C" fn keep(context: *mut Context, mark: u64, addresses: *const u64, count: u64) -> u32 {
    // SAFETY: as in `Running::host`; generated code stored the addresses, and keeps its frame until we return.
    let (host, addresses) = unsafe {
        let host = &mut **(*context).host.cast::<&mut dyn Host>();
        (host, std::slice::from_raw_parts(addresses, count as usize))
    };
    // Where that fails more is kept than is needed.
    let _ = catch_unwind(AssertUnwindSafe(|| host.keep(mark, addresses)));
    0
}
