//! A file of this user's own, which only grows.
//!
//! In: a path, in a folder where others may put things too; pieces. Out: each piece in one write to the end of the file. Always holds: the
//! file is a plain one of this user, with one name, and nobody else can read it; a write that fails is the last. A program may close numbers
//! that it has not opened, as daemons do, and open files of its own that get them: those are never written to.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

pub struct Own {
    file: File,
    /// Which file it is: device, and number there.
    id: [AtomicU64; 2],
    /// Nothing is written any more.
    ended: AtomicBool,
}

fn id(about: &Metadata) -> [u64; 2] {
    [about.dev(), about.ino()]
}

impl Own {
    /// New or old.
    pub fn open(path: &str) -> io::Result<Own> {
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
        Ok(Own { file, id: id(&about).map(AtomicU64::new), ended: AtomicBool::new(false) })
    }

    /// The file, if it is still written to.
    pub fn file(&self) -> Option<&File> {
        if self.ended.load(Ordering::Relaxed) {
            return None;
        }
        let is = self.file.metadata().map(|about| id(&about));
        if !is.is_ok_and(|is| is == self.id.each_ref().map(|part| part.load(Ordering::Relaxed))) {
            self.end();
            return None;
        }
        Some(&self.file)
    }

    /// A part of a piece would spoil the next: so much for a full disk.
    pub fn add(&self, piece: &[u8]) {
        let Some(mut file) = self.file() else { return };
        if !matches!(file.write(piece), Ok(written) if written == piece.len()) {
            self.end();
        }
    }

    pub fn end(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    /// From here on it is the other, by the same number. Where there is one thread, and `file` gave one.
    pub fn turn_into(&self, other: &Own) -> io::Result<()> {
        // SAFETY: nobody else is using the number, which is this file's.
        if unsafe { libc::dup3(other.file.as_raw_fd(), self.file.as_raw_fd(), libc::O_CLOEXEC) } == -1 {
            return Err(io::Error::last_os_error());
        }
        self.id.iter().zip(&other.id).for_each(|(part, of)| part.store(of.load(Ordering::Relaxed), Ordering::Relaxed));
        Ok(())
    }
}
