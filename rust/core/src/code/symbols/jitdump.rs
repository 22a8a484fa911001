//! perf's dump of generated code, `jit-PID.dump` in the working directory: names, code and lines, of which `perf inject --jit` makes object
//! files that `perf annotate` can show.
//!
//! In: symbols, whose code is still there. Out: records, each in one write to the end of the file. Always holds: a page of the file is mapped,
//! executable and not writable, which is how perf learns of it; the file is as `Own` says. A forked child writes to its parent's file: records
//! say whose they are.
//!
//! The layout is that of tools/perf/Documentation/jitdump-specification.txt in Linux's sources.

use std::io;
use std::os::fd::AsRawFd;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use super::own::Own;
use super::{Symbol, elf};

static DUMP: OnceLock<Own> = OnceLock::new();

const MAGIC: u32 = 0x4a69_5444;
const HEADER: u32 = 40;
/// Of a record: kind, size, time.
const PREFIX: usize = 16;
const LOAD: u32 = 0;
const LINES: u32 = 2;

macro_rules! bytes {
    ($($number:expr),*) => {{
        let mut bytes: Vec<u8> = Vec::new();
        $(bytes.extend_from_slice(&$number.to_ne_bytes());)*
        bytes
    }};
}

pub fn open() -> io::Result<()> {
    let dump = Own::open(&format!("jit-{}.dump", std::process::id()))?;
    let file = dump.file().ok_or(io::ErrorKind::NotFound)?;
    file.set_len(0)?;
    let header = bytes!(MAGIC, 1u32, HEADER, u32::from(elf::MACHINE), 0u32, std::process::id(), now(), 0u64);
    dump.add(&header);
    // The mark is only to be there for a file that has its header.
    let file = dump.file().ok_or(io::ErrorKind::StorageFull)?;
    // SAFETY: a new mapping, which nobody reads or writes, and which stays.
    let marker = unsafe {
        let rights = libc::PROT_READ | libc::PROT_EXEC;
        libc::mmap(std::ptr::null_mut(), HEADER as usize, rights, libc::MAP_PRIVATE, file.as_raw_fd(), 0)
    };
    if marker == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    let _ = DUMP.set(dump);
    Ok(())
}

pub fn add(symbols: &[Symbol<'_>]) {
    static INDEX: AtomicU64 = AtomicU64::new(0);
    let Some(dump) = DUMP.get() else { return };
    let mut records = Vec::new();
    for symbol in symbols {
        if let Some(text) = symbol.name.text.as_deref().filter(|_| !symbol.name.places.is_empty()) {
            let mut lines = bytes!(symbol.start as u64, symbol.name.places.len() as u64);
            for &(offset, place) in &symbol.name.places {
                let (file, line) = text.place(place);
                lines.extend_from_slice(&bytes!(symbol.start as u64 + u64::from(offset), line, 0u32));
                lines.extend(file.bytes().filter(|&byte| byte != 0));
                lines.push(0);
            }
            record(&mut records, LINES, &[&lines]);
        }
        let (start, size, index) = (symbol.start as u64, symbol.size as u64, INDEX.fetch_add(1, Ordering::Relaxed));
        // SAFETY: it only gives a number.
        let thread = unsafe { libc::gettid() };
        let load = bytes!(std::process::id(), thread, start, start, size, index);
        // SAFETY: the code was linked there, can be read, and is kept by whoever calls us.
        let code = unsafe { std::slice::from_raw_parts(symbol.start as *const u8, symbol.size) };
        record(&mut records, LOAD, &[&load, symbol.name.name.as_bytes(), &[0], code]);
    }
    dump.add(&records);
}

fn record(records: &mut Vec<u8>, kind: u32, parts: &[&[u8]]) {
    let size = PREFIX + parts.iter().map(|part| part.len()).sum::<usize>();
    records.extend_from_slice(&bytes!(kind, size as u32, now()));
    parts.iter().for_each(|part| records.extend_from_slice(part));
}

/// Nanoseconds of the clock that `perf record -k mono` goes by.
fn now() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: it writes to `time`.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
