//! perf's map of generated code, `/tmp/perf-PID.map`: a line `START SIZE NAME` for each function, in hexadecimal.
//!
//! In: symbols. Out: lines, those of a unit in one write to the end of the file, so that threads and others who add lines (CPython's
//! `-X perf`) never meet within one. Always holds: the file is as `Own` says.
//!
//! The place is perf's, in a folder where everybody may put things: hence what `Own` does to find out that the file is ours.

use std::cell::Cell;
use std::fmt::Write as _;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;

use super::Symbol;
use super::own::Own;

static MAP: OnceLock<Own> = OnceLock::new();

thread_local! {
    /// How long the file was when this thread began to fork.
    static LENGTH: Cell<u64> = const { Cell::new(0) };
}

/// Opens this process's map. What an older process with the same number left in it is taken out, unless somebody else writes to it too.
pub fn open(shared: bool) -> io::Result<()> {
    let map = Own::open(&path())?;
    if !shared {
        empty(&map)?;
    }
    if MAP.set(map).is_ok() {
        // SAFETY: the handlers are functions of this library, which is never unloaded: nor are Python's extensions.
        unsafe { libc::pthread_atfork(Some(prepare), None, Some(child)) };
    }
    Ok(())
}

fn path() -> String {
    format!("/tmp/perf-{}.map", std::process::id())
}

fn empty(map: &Own) -> io::Result<()> {
    map.file().map_or(Ok(()), |file| file.set_len(0))
}

pub fn add(symbols: &[Symbol<'_>]) {
    let Some(map) = MAP.get() else { return };
    let mut lines = String::new();
    for Symbol { start, size, name } in symbols {
        let _ = writeln!(lines, "{start:x} {size:x} {}", name.name);
    }
    map.add(lines.as_bytes());
}

extern "C" fn prepare() {
    let length = MAP.get().and_then(Own::file).and_then(|file| file.metadata().ok()).map_or(0, |about| about.len());
    LENGTH.set(length);
}

/// A child has code of its parent's, and a number of its own, so it has a map of its own, which begins as its parent's was.
extern "C" fn child() {
    let Some((map, of_parent)) = MAP.get().and_then(|map| Some((map, map.file()?))) else { return };
    let copied = Own::open(&path()).and_then(|own| {
        empty(&own)?;
        let (mut at, mut part) = (0, [0; 4096]);
        while at < LENGTH.get() {
            let wanted = part.len().min((LENGTH.get() - at) as usize);
            let read = of_parent.read_at(&mut part[..wanted], at)?;
            if read == 0 {
                break;
            }
            own.add(&part[..read]);
            at += read as u64;
        }
        // Where not all could be written, nothing more is.
        own.file().ok_or(io::ErrorKind::StorageFull)?;
        map.turn_into(&own)
    });
    if copied.is_err() {
        map.end();
    }
}
