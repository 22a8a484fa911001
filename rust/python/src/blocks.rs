//! A kernel over memory: any strides, in blocks, by one thread or several.
//!
//! In: operands, each an address and a stride. Out: the floating-point flags that were set, or the failure of the first element that failed.
//! Always holds: the results are the same bits however many threads there are; only contiguous runs reach a kernel, whatever else is
//! gathered into strips and scattered from them; the host is asked by the calling thread, between blocks too.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use jib_core::failure::{Cause, Failure, Host, HostError};
use jib_core::span::Span;
use rayon::ThreadPool;
use smallvec::SmallVec;

use crate::flags::{self, Flags};
use crate::kernels::Compiled;
use crate::threads;

/// One argument or result.
#[derive(Clone, Copy, Debug)]
pub struct Operand {
    pub data: *mut u8,
    /// Bytes from one element to the next.
    pub stride: isize,
}

/// What is gathered at a time: two operands and a result of doubles fit a first cache.
const STRIP: usize = 1024;

/// The most elements that are done between two looks at the host, and the picoseconds that they should not take longer than.
const BLOCK: usize = 16 << 10;
const BLOCK_PICOSECONDS: usize = 200_000_000;

/// How a kernel can be given what there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Way {
    /// Runs as they are.
    Direct,
    /// By strips, in order, each read before it is written.
    Strips,
    /// One element after the other: each may read what was written for those before.
    Steps,
}

/// So many elements of a kernel's operands.
pub struct Work<'a> {
    compiled: &'a Compiled,
    operands: &'a [Operand],
    count: usize,
    /// The place of the text, for a run that is ended between its elements.
    span: Span,
    way: Way,
    /// Whether results lie on or beside arguments, and must not be written before those are read.
    meets: bool,
    /// Whether blocks can be done in any order.
    free: bool,
    /// Elements of a block, if not as many as are usual.
    length: Option<usize>,
}

// SAFETY: threads that share work read its operands' addresses, and each writes to the elements of the blocks that it claimed alone.
unsafe impl Sync for Work<'_> {}

impl<'a> Work<'a> {
    /// Work on runs that the results have for themselves.
    ///
    /// # Safety
    /// There are operands for the kernel's arguments and results; behind each lie `count` elements, or one if it is uniform, for as long
    /// as the work lives.
    pub unsafe fn of_runs(compiled: &'a Compiled, operands: &'a [Operand], count: usize, span: Span) -> Self {
        Work { compiled, operands, count, span, way: Way::Direct, meets: false, free: true, length: None }
    }

    /// Work on operands with strides, as NumPy gives them to a loop.
    ///
    /// # Safety
    /// There are operands for the kernel's arguments and results, with `count` elements each by their strides, for as long as the work lives;
    /// a result overlaps with an argument only as NumPy lets it: an element may be read after those before it were written.
    pub unsafe fn of_strides(compiled: &'a Compiled, operands: &'a [Operand], count: usize, span: Span) -> Self {
        let mut work =
            Work { compiled, operands, count, span, way: Way::Direct, meets: false, free: true, length: None };
        work.choose();
        work
    }

    fn arity(&self) -> usize {
        self.compiled.params.len()
    }

    fn choose(&mut self) {
        let sizes: SmallVec<[usize; 8]> = self.compiled.items().map(|item| item.size()).collect();
        let uniform = |at: usize| self.compiled.params.get(at).is_some_and(|param| param.uniform);
        let mut runs = true;
        for (at, (operand, &size)) in self.operands.iter().zip(&sizes).enumerate() {
            runs &= uniform(at) || operand.stride == size as isize || self.count == 1;
        }
        for out in self.arity()..self.operands.len() {
            if self.operands[out].stride.unsigned_abs() < sizes[out] && self.count > 1 {
                (self.way, self.free) = (Way::Steps, false);
                return;
            }
            for (at, &size) in sizes.iter().enumerate() {
                // Of two results, one pair is looked at once.
                if at == out || (at > self.arity() && at < out) {
                    continue;
                }
                let stride = if uniform(at) { 0 } else { self.operands[at].stride };
                match meeting(Operand { stride, ..self.operands[at] }, size, self.operands[out], sizes[out], self.count)
                {
                    Meeting::Never => {}
                    Meeting::Same if at < self.arity() => {
                        self.meets = true;
                        runs &= self.compiled.kernel.flags_are_exact();
                    }
                    Meeting::Ahead if at < self.arity() => (runs, self.meets, self.free) = (false, true, false),
                    _ => {
                        (self.way, self.free) = (Way::Steps, false);
                        return;
                    }
                }
            }
        }
        self.way = if runs { Way::Direct } else { Way::Strips };
    }

    /// Whether it is worth the threads, and they may do it.
    pub fn can_spread(&self) -> bool {
        let work = self.count.saturating_mul(self.compiled.cost) as u64;
        self.free && self.compiled.shared && work >= threads::WORTH && self.count > 256
    }

    fn block_length(&self) -> usize {
        self.length.unwrap_or_else(|| (BLOCK_PICOSECONDS / self.compiled.cost).clamp(64, BLOCK))
    }

    /// The same work in blocks that so many threads have each their share of, though there may be few elements.
    fn shared_among(&self, threads: usize) -> Work<'a> {
        let share = (self.count / (4 * threads)).next_multiple_of(64).max(256);
        Work { length: Some(self.block_length().min(share)), ..*self }
    }

    fn blocks(&self) -> usize {
        self.count.div_ceil(self.block_length())
    }

    /// On this thread.
    pub fn run(&self, host: &mut dyn Host) -> Result<Flags, Failure> {
        let (mut room, mut flags) = (Room::default(), 0);
        for block in 0..self.blocks() {
            if block > 0 {
                host.poll().map_err(|HostError| self.refused())?;
            }
            flags |= self.block(block, flags, host, &mut room)?;
        }
        Ok(flags)
    }

    /// By this thread and so many of the pool's.
    pub fn spread(&self, host: &mut dyn Host, pool: &ThreadPool, helpers: usize) -> Result<Flags, Failure> {
        let work = self.shared_among(helpers + 1);
        let shared = Shared::default();
        let mut caller = Caller { host, shared: &shared, block: 0, refused: false };
        let help = || work.claim(&shared, &mut Helper { shared: &shared, block: 0 });
        let helpers = helpers.min(work.blocks().saturating_sub(1));
        threads::with_help(pool, helpers, &help, &mut caller, |caller| work.claim(&shared, caller), Caller::ask);
        let refused = caller.refused;
        match (refused, shared.failure.into_inner().unwrap_or_else(PoisonError::into_inner)) {
            (true, _) => Err(self.refused()),
            (false, Some((_, failure))) => Err(failure),
            (false, None) => Ok(shared.flags.into_inner()),
        }
    }

    /// Takes blocks until there are none.
    fn claim(&self, shared: &Shared, host: &mut impl Claims) {
        let mut room = Room::default();
        loop {
            let block = shared.next.fetch_add(1, Ordering::Relaxed);
            if block >= self.blocks() || !host.begins(block) {
                return;
            }
            let known = shared.flags.load(Ordering::Relaxed);
            match self.block(block, known, host, &mut room) {
                Ok(flags) => _ = shared.flags.fetch_or(flags, Ordering::Relaxed),
                Err(failure) => return shared.failed(block, failure),
            }
        }
    }

    fn refused(&self) -> Failure {
        Failure { cause: Cause::Host, span: self.span }
    }

    fn block(&self, block: usize, known: Flags, host: &mut dyn Host, room: &mut Room) -> Result<Flags, Failure> {
        let (from, length) = (block * self.block_length(), self.block_length());
        let to = self.count.min(from + length);
        match self.way {
            Way::Direct => {
                let mut pointers = Pointers::new();
                for at in 0..self.operands.len() {
                    pointers.push(self.element(at, from));
                }
                self.apply(&pointers, to - from, known, host)
            }
            Way::Strips => {
                let strips = (from..to).step_by(STRIP);
                strips.into_iter().try_fold(0, |flags, first| {
                    Ok(flags | self.strip(first, STRIP.min(to - first), known | flags, host, room)?)
                })
            }
            Way::Steps => self.steps(from, to, host),
        }
    }

    /// Element by element, with the true flags at once: what an element was made of may be gone after it.
    fn steps(&self, from: usize, to: usize, host: &mut dyn Host) -> Result<Flags, Failure> {
        let mut pointers: Pointers = (0..self.operands.len()).map(|operand| self.element(operand, from)).collect();
        let steps: SmallVec<[isize; 8]> = (0..self.operands.len())
            .map(|operand| self.element(operand, 1).addr().wrapping_sub(self.element(operand, 0).addr()) as isize)
            .collect();
        self.compiled.prepare_exact();
        let (done, flags) = flags::of(|| {
            for _ in from..to {
                // SAFETY: as in `apply`, for one element.
                unsafe { self.compiled.kernel.run_exact(&pointers, 1, host) }?;
                for (pointer, step) in pointers.iter_mut().zip(&steps) {
                    *pointer = pointer.wrapping_offset(*step);
                }
            }
            Ok(())
        });
        done.map(|()| flags)
    }

    /// Where an element lies.
    fn element(&self, operand: usize, at: usize) -> *mut u8 {
        let uniform = self.compiled.params.get(operand).is_some_and(|param| param.uniform);
        let Operand { data, stride } = self.operands[operand];
        if uniform { data } else { data.wrapping_offset(stride * at as isize) }
    }

    /// Gathers, runs, scatters.
    fn strip(
        &self,
        from: usize,
        length: usize,
        known: Flags,
        host: &mut dyn Host,
        room: &mut Room,
    ) -> Result<Flags, Failure> {
        let (arity, whole) = (self.arity(), STRIP.min(self.count));
        room.strips.resize_with(self.operands.len(), || None);
        let mut pointers = Pointers::new();
        for (at, item) in self.compiled.items().enumerate() {
            let (element, stride, size) = (self.element(at, from), self.operands[at].stride, item.size());
            let uniform = self.compiled.params.get(at).is_some_and(|param| param.uniform);
            // A result goes through a strip of its own unless nothing else lies there.
            if uniform || (stride == size as isize && (at < arity || !self.meets)) {
                pointers.push(element);
                continue;
            }
            let filled = room.strips[at].is_some();
            let strip = room.strips[at].get_or_insert_with(|| vec![0u64; whole].into()).as_mut_ptr().cast::<u8>();
            pointers.push(strip);
            if at < arity && !(stride == 0 && filled) {
                // One value for all elements is the same in each strip.
                let length = if stride == 0 { whole } else { length };
                // SAFETY: so many elements lie there by `of_strides`, and the strip has room for as many of 64 bits.
                unsafe { copy(element, stride, strip, size as isize, length, size) };
            }
        }
        let flags = self.apply(&pointers, length, known, host)?;
        for (at, item) in self.compiled.items().enumerate().skip(arity) {
            let (element, stride, size) = (self.element(at, from), self.operands[at].stride, item.size());
            if pointers[at] != element {
                // SAFETY: as above, the other way round.
                unsafe { copy(pointers[at], size as isize, element, stride, length, size) };
            }
        }
        Ok(flags)
    }

    /// Runs the kernel, and says which flags it has set: of those that are not known already the true ones.
    fn apply(&self, pointers: &[*mut u8], length: usize, known: Flags, host: &mut dyn Host) -> Result<Flags, Failure> {
        let kernel = &self.compiled.kernel;
        // SAFETY: what the pointers point to is vouched for by who made this work; results lie in memory of their own, or on an argument.
        let (done, flags) = flags::of(|| unsafe { kernel.run(pointers, length, host) });
        done?;
        if flags & !known == 0 || kernel.flags_are_exact() {
            return Ok(flags);
        }
        // It gives the same values, and no argument has changed: `choose`.
        self.apply_exactly(pointers, length, host)
    }

    fn apply_exactly(&self, pointers: &[*mut u8], length: usize, host: &mut dyn Host) -> Result<Flags, Failure> {
        self.compiled.prepare_exact();
        // SAFETY: as in `apply`.
        let (done, flags) = flags::of(|| unsafe { self.compiled.kernel.run_exact(pointers, length, host) });
        done.map(|()| flags)
    }
}

type Pointers = SmallVec<[*mut u8; 8]>;

/// Strips of memory for operands, made when they are needed.
#[derive(Default)]
struct Room {
    strips: Vec<Option<Box<[u64]>>>,
}

/// How an operand lies to a result.
enum Meeting {
    Never,
    /// The same elements.
    Same,
    /// Each element is read before it is written.
    Ahead,
    Else,
}

fn meeting(read: Operand, size: usize, written: Operand, written_size: usize, count: usize) -> Meeting {
    let range = |operand: Operand, size: usize| {
        let last = operand.data.wrapping_offset(operand.stride * (count as isize - 1)).addr();
        (operand.data.addr().min(last), operand.data.addr().max(last) + size)
    };
    let ((a, b), (c, d)) = (range(read, size), range(written, written_size));
    if b <= c || d <= a {
        Meeting::Never
    } else if read.data == written.data && size == written_size && (read.stride == written.stride || count == 1) {
        Meeting::Same
    } else if read.stride >= written.stride && written.stride >= written_size as isize && read.data >= written.data {
        Meeting::Ahead
    } else {
        Meeting::Else
    }
}

/// Copies elements of this size from one stride to another.
///
/// # Safety
/// So many elements lie behind both, and do not overlap.
unsafe fn copy(from: *const u8, from_stride: isize, to: *mut u8, to_stride: isize, count: usize, size: usize) {
    /// # Safety
    /// As above, for elements of this type.
    unsafe fn of<T: Copy>(from: *const u8, from_stride: isize, to: *mut u8, to_stride: isize, count: usize) {
        for i in 0..count as isize {
            // SAFETY: the caller's.
            unsafe {
                let value = from.offset(i * from_stride).cast::<T>().read_unaligned();
                to.offset(i * to_stride).cast::<T>().write_unaligned(value);
            }
        }
    }
    // SAFETY: the caller's; the size says the type.
    unsafe {
        match size {
            1 => of::<u8>(from, from_stride, to, to_stride, count),
            2 => of::<u16>(from, from_stride, to, to_stride, count),
            4 => of::<u32>(from, from_stride, to, to_stride, count),
            _ => of::<u64>(from, from_stride, to, to_stride, count),
        }
    }
}

/// What the threads of one run tell each other.
struct Shared {
    /// The block that nobody has claimed.
    next: AtomicUsize,
    /// The first block that failed: those behind it need not be done.
    lowest: AtomicUsize,
    stop: AtomicBool,
    flags: AtomicU32,
    failure: Mutex<Option<(usize, Failure)>>,
}

impl Default for Shared {
    fn default() -> Shared {
        Shared {
            next: AtomicUsize::new(0),
            lowest: AtomicUsize::new(usize::MAX),
            stop: AtomicBool::new(false),
            flags: AtomicU32::new(0),
            failure: Mutex::new(None),
        }
    }
}

impl Shared {
    fn is_needed(&self, block: usize) -> bool {
        !self.stop.load(Ordering::Relaxed) && block <= self.lowest.load(Ordering::Relaxed)
    }

    /// The first block that fails says how the run ends. One that was stopped has not failed.
    fn failed(&self, block: usize, failure: Failure) {
        if failure.cause == Cause::Host {
            return;
        }
        let mut known = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if known.as_ref().is_none_or(|(other, _)| block < *other) {
            *known = Some((block, failure));
            self.lowest.store(block, Ordering::Relaxed);
        }
    }
}

/// A host that is told which block is done.
trait Claims: Host {
    /// Whether to begin with it.
    fn begins(&mut self, block: usize) -> bool;
}

/// The host of a thread that is not Python's: of blocks that neither print nor call.
struct Helper<'a> {
    shared: &'a Shared,
    block: usize,
}

impl Claims for Helper<'_> {
    fn begins(&mut self, block: usize) -> bool {
        self.block = block;
        self.shared.is_needed(block)
    }
}

impl Host for Helper<'_> {
    fn print(&mut self, _: &str) -> Result<(), HostError> {
        Err(HostError)
    }

    fn poll(&mut self) -> Result<(), HostError> {
        if self.shared.is_needed(self.block) { Ok(()) } else { Err(HostError) }
    }
}

/// The host of the calling thread, which asks its own for all.
struct Caller<'a> {
    host: &'a mut dyn Host,
    shared: &'a Shared,
    block: usize,
    refused: bool,
}

impl Caller<'_> {
    fn ask(&mut self) {
        if !self.refused && self.host.poll().is_err() {
            self.refused = true;
            self.shared.stop.store(true, Ordering::Relaxed);
        }
    }
}

impl Claims for Caller<'_> {
    fn begins(&mut self, block: usize) -> bool {
        self.block = block;
        self.ask();
        self.shared.is_needed(block)
    }
}

impl Host for Caller<'_> {
    fn print(&mut self, _: &str) -> Result<(), HostError> {
        Err(HostError)
    }

    fn poll(&mut self) -> Result<(), HostError> {
        self.ask();
        if self.shared.is_needed(self.block) { Ok(()) } else { Err(HostError) }
    }

    fn interval(&mut self, most: u64) -> u64 {
        self.host.interval(most)
    }
}
