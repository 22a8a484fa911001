//! perf's map of generated code, `/tmp/perf-PID.map`: a line `START SIZE NAME` for each function, in hexadecimal.
//!
//! In: symbols. Out: lines, those of a unit in one write to the end of the file, so that threads and others who add lines (CPython's
//! `-X perf`) never meet within one. Always holds: the file is a plain one of this user, with one name, and nobody else can read it; a write
//! that fails is the last.
//!
//! The place is perf's, in a folder where everybody may put things: hence what is done to find out that the file is ours.

use std::cell::Cell;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Symbol;

static MAP: OnceLock<File> = OnceLock::new();

/// Nothing is written any more.
static ENDED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// How long the file was when this thread began to fork.
    static LENGTH: Cell<u64> = const { Cell::new(0) };
}

/// Opens this process's map. What an older process with the same number left in it is taken out, unless somebody else writes to it too.
pub fn open(shared: bool) -> io::Result<()> {
    let file = file(shared)?;
    if MAP.set(file).is_ok() {
        // SAFETY: the handlers are functions of this library, which is never unloaded: nor are Python's extensions.
        unsafe { libc::pthread_atfork(Some(prepare), None, Some(child)) };
    }
    Ok(())
}

fn file(shared: bool) -> io::Result<File> {
    let file = own(&format!("/tmp/perf-{}.map", std::process::id()))?;
    if !shared {
        file.set_len(0)?;
    }
    Ok(file)
}

/// A file of this user's own, new or old, to be written at its end.
pub fn own(path: &str) -> io::Result<File> {
    // No link is followed; and nobody can have us wait at a pipe.
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let mut options = OpenOptions::new();
    let file = options.read(true).append(true).create(true).mode(0o600).custom_flags(flags).open(path);
    let file = file.map_err(|error| io::Error::new(error.kind(), format!("{path}: {error}")))?;
    let about = file.metadata()?;
    // SAFETY: it only gives a number.
    let user = unsafe { libc::geteuid() };
    if !about.is_file() || about.uid() != user || about.nlink() != 1 {
        return Err(io::Error::other(format!("{path}: it is not this process's own file")));
    }
    Ok(file)
}

pub fn add(symbols: &[Symbol<'_>]) {
    let Some(mut file) = MAP.get().filter(|_| !ENDED.load(Ordering::Relaxed)) else { return };
    let mut lines = String::new();
    for Symbol { start, size, name } in symbols {
        let _ = writeln!(lines, "{start:x} {size:x} {}", name.name);
    }
    // A part of a line would spoil the next: so much for a full disk.
    if !matches!(file.write(lines.as_bytes()), Ok(written) if written == lines.len()) {
        ENDED.store(true, Ordering::Relaxed);
    }
}

extern "C" fn prepare() {
    let length = MAP.get().and_then(|file| file.metadata().ok()).map_or(0, |about| about.len());
    LENGTH.set(length);
}

/// A child has code of its parent's, and a number of its own, so it has a map of its own, which begins as its parent's was.
extern "C" fn child() {
    let Some(of_parent) = MAP.get().filter(|_| !ENDED.load(Ordering::Relaxed)) else { return };
    let copied = file(false).and_then(|own| {
        let (mut at, mut part) = (0, [0; 4096]);
        while at < LENGTH.get() {
            let wanted = part.len().min((LENGTH.get() - at) as usize);
            let read = of_parent.read_at(&mut part[..wanted], at)?;
            if read == 0 {
                break;
            }
            (&own).write_all(&part[..read])?;
            at += read as u64;
        }
        // SAFETY: the child has one thread, so nobody is using the number, which from here on stands for the child's own file.
        match unsafe { libc::dup3(own.as_raw_fd(), of_parent.as_raw_fd(), libc::O_CLOEXEC) } {
            -1 => Err(io::Error::last_os_error()),
            _ => Ok(()),
        }
    });
    if copied.is_err() {
        ENDED.store(true, Ordering::Relaxed);
    }
}
