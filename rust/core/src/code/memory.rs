//! The pages that machine code lives in, and who may do what with them.
//!
//! In: how many bytes a unit of code takes. Out: `Pages`, which are written through `Writer`, sealed, and given back when they are
//! dropped. Always holds: a page is writable or executable, never both; it is writable only between `Pages::take` and `Pages::seal`; what
//! the system refuses is an error.
//!
//! A process may map some 65,000 areas, and neighbours with the same rights are one. Hence pages that nobody uses are executable like
//! those in use, and lose their contents but not their place: freeing changes no mapping, and writing splits one for a moment.

mod arena;

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cranelift_jit::{BranchProtection, JITMemoryKind, JITMemoryProvider};
use cranelift_module::{ModuleError, ModuleResult};
use region::Protection;
use wasmtime_jit_icache_coherence::{clear_cache, pipeline_flush_mt};

use arena::Arena;

/// A chunk is reserved at a time; a larger unit gets one of its own.
const CHUNK: usize = 4 << 20;

/// Held for some steps in two trees, and for the four system calls that a new chunk takes.
static ARENA: Mutex<Arena<Chunk>> = Mutex::new(Arena::new(CHUNK));

fn arena() -> MutexGuard<'static, Arena<Chunk>> {
    ARENA.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does something that one thread does at a time, and that no fork interrupts.
pub(super) fn alone<T>(work: impl FnOnce() -> T) -> T {
    let _guard = arena();
    fork::guard();
    work()
}

/// Whole pages, of nobody else.
pub(super) struct Pages {
    start: usize,
    len: usize,
    sealed: AtomicBool,
}

impl Pages {
    /// Pages for so many bytes, writable.
    pub fn take(bytes: usize) -> io::Result<Pages> {
        let len = bytes.max(1).checked_next_multiple_of(region::page::size()).ok_or(io::ErrorKind::OutOfMemory)?;
        let start = {
            let mut arena = arena();
            match arena.take(len) {
                Some(start) => start,
                None => {
                    fork::guard();
                    let chunk = Chunk::new(len.max(CHUNK))?;
                    arena.add(chunk.0.as_range(), chunk);
                    arena.take(len).ok_or(io::ErrorKind::OutOfMemory)?
                }
            }
        };
        let pages = Pages { start, len, sealed: AtomicBool::new(false) };
        pages.protect(Protection::READ_WRITE)?;
        Ok(pages)
    }

    #[cfg(test)]
    pub fn range(&self) -> std::ops::Range<usize> {
        self.start..self.start + self.len
    }

    /// Nothing is written any more: from here on the pages can be executed.
    fn seal(&self) -> io::Result<()> {
        // SAFETY: the pages are ours and mapped.
        unsafe { clear_cache(self.start as *const _, self.len) }
            .map_err(|error| io::Error::other(error.to_string()))?;
        self.protect(Protection::READ_EXECUTE)?;
        pipeline_flush_mt().map_err(|error| io::Error::other(error.to_string()))?;
        self.sealed.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn protect(&self, rights: Protection) -> io::Result<()> {
        // SAFETY: the pages are ours and mapped; nobody holds a reference into them, and code in them runs only when they are sealed,
        // after which nobody but `drop` comes here.
        unsafe { region::protect(self.start as *const u8, self.len, rights) }.map_err(refused)
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        empty(self.start, self.len);
        if !*self.sealed.get_mut() {
            // Where this is refused they stay as they are: the next owner makes them writable anyway.
            let _ = self.protect(Protection::READ_EXECUTE);
        }
        // Who was told a name goes by the address, and would take the next owner's code for this.
        if super::symbols::wanted() {
            return;
        }
        let unmapped = arena().give(self.start, self.len);
        // Not before the lock is free.
        drop(unmapped);
    }
}

/// Takes the contents of pages, and with them the memory. Where it fails (pages that were locked) they only stay resident.
fn empty(start: usize, len: usize) {
    #[cfg(unix)]
    // SAFETY: the owner of the pages is about to give them back; nobody reads them.
    unsafe {
        libc::madvise(start as *mut _, len, libc::MADV_DONTNEED);
    }
    #[cfg(not(unix))]
    let _ = (start, len);
}

/// What cranelift-jit puts one unit's code through: function after function from the start of its pages. What is only read
/// lies there too.
pub(super) struct Writer {
    pages: Arc<Pages>,
    used: usize,
}

impl Writer {
    pub fn new(pages: Arc<Pages>) -> Writer {
        Writer { pages, used: 0 }
    }
}

impl JITMemoryProvider for Writer {
    fn allocate(&mut self, size: usize, align: u64, kind: JITMemoryKind) -> io::Result<*mut u8> {
        if matches!(kind, JITMemoryKind::Writable) {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "code has no variables in memory"));
        }
        let align = usize::try_from(align).unwrap_or(usize::MAX);
        let start = self.used.checked_next_multiple_of(align);
        let range = start.and_then(|start| Some(start..start.checked_add(size)?));
        match range.filter(|range| align <= region::page::size() && range.end <= self.pages.len) {
            Some(range) if !self.pages.sealed.load(Ordering::Relaxed) => {
                self.used = range.end;
                Ok((self.pages.start + range.start) as *mut u8)
            }
            _ => Err(io::Error::new(io::ErrorKind::OutOfMemory, "a unit of code needs more than was asked for it")),
        }
    }

    /// `Pages` frees itself.
    unsafe fn free_memory(&mut self) {}

    /// Branch protection is for targets that were built with it, as ours are not (`codegen/isa.rs`).
    fn finalize(&mut self, _: BranchProtection) -> ModuleResult<()> {
        self.pages.seal().map_err(|err| ModuleError::Allocation { err })
    }
}

/// What is reserved at a time; unmapped on drop.
struct Chunk(region::Allocation);

// SAFETY: an allocation is an address and a length; nothing of it belongs to a thread.
unsafe impl Send for Chunk {}

impl Chunk {
    fn new(len: usize) -> io::Result<Chunk> {
        let mut chunk = Chunk(region::alloc(len, Protection::READ_WRITE).map_err(refused)?);
        let start: *mut u8 = chunk.0.as_mut_ptr();
        // SAFETY: the chunk was just mapped, writable, and nobody else has its address.
        unsafe {
            // Large pages would make 2 MiB resident for one small function.
            #[cfg(target_os = "linux")]
            libc::madvise(start.cast(), len, libc::MADV_NOHUGEPAGE);
            // Linux joins parts of a mapping again only if they have the same records of anonymous memory, which come with the
            // first page that is written: here, while all is one part.
            start.write_volatile(0);
            region::protect(start, len, Protection::READ_EXECUTE).map_err(refused)?;
        }
        Ok(chunk)
    }
}

fn refused(error: region::Error) -> io::Error {
    match error {
        region::Error::SystemCall(error) => error,
        other => io::Error::other(other.to_string()),
    }
}

/// A child process has the arena as it is when it is made, its lock too, but not the thread that may hold it: then whoever compiles
/// or frees a function in the child would wait for ever. Compiling needs no GIL, so Python's `os.fork` can hit any moment of it. Hence
/// forking holds the lock itself (without that 2 of 100 children hung, beside two threads that compiled all the time). Pages that another thread is writing at that moment are lost to the child.
#[cfg(unix)]
mod fork {
    use std::cell::UnsafeCell;
    use std::sync::MutexGuard;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::{Arena, Chunk, arena};

    struct Held(UnsafeCell<Option<MutexGuard<'static, Arena<Chunk>>>>);

    // SAFETY: only the thread that forks comes here, between `prepare` and `release`, and while it does it holds the lock.
    unsafe impl Sync for Held {}

    static HELD: Held = Held(UnsafeCell::new(None));

    /// From the first chunk on. Called with the lock held, which nobody who forks asks for yet.
    pub fn guard() {
        static GUARDED: AtomicBool = AtomicBool::new(false);
        if !GUARDED.swap(true, Ordering::Relaxed) {
            // SAFETY: the handlers are functions of this library, which is never unloaded: nor are Python's extensions.
            unsafe { libc::pthread_atfork(Some(prepare), Some(release), Some(release)) };
        }
    }

    extern "C" fn prepare() {
        let guard = arena();
        // SAFETY: as `Held` says: we have the lock.
        unsafe { *HELD.0.get() = Some(guard) };
    }

    extern "C" fn release() {
        // SAFETY: as `Held` says: this is the thread of `prepare`, in the parent or as the child's only one, and has the lock.
        let guard = unsafe { (*HELD.0.get()).take() };
        drop(guard);
    }
}

#[cfg(not(unix))]
mod fork {
    pub fn guard() {}
}

#[cfg(test)]
mod tests;
