//! The processor's floating-point exception flags, of this thread.
//!
//! In: nothing, or flags. Out: flags, in NumPy's bits. Always holds: modes of rounding and traps stay as they are, and so does the flag for
//! inexact results, which NumPy does not look at. What sets flags besides generated code is the C library, whose functions of doubles
//! set those of the same register.

/// In the bits that NumPy has for them.
pub type Flags = u32;

const DIVIDE: Flags = 1;
const OVERFLOW: Flags = 2;
const UNDERFLOW: Flags = 4;
const INVALID: Flags = 8;

#[cfg(target_arch = "x86_64")]
mod machine {
    use super::{DIVIDE, Flags, INVALID, OVERFLOW, UNDERFLOW};
    use std::arch::asm;

    /// (MXCSR's bit, NumPy's)
    const BITS: [(u32, Flags); 4] = [(1, INVALID), (4, DIVIDE), (8, OVERFLOW), (16, UNDERFLOW)];
    const ALL: u32 = 1 | 4 | 8 | 16;

    fn control() -> u32 {
        let mut word = 0u32;
        // SAFETY: it stores 32 bits, where a word of ours is.
        unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut word, options(nostack, preserves_flags)) };
        word
    }

    fn set_control(word: u32) {
        // SAFETY: a word that `control` gave, but for flags of exceptions, which change no instruction.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const word, options(nostack, preserves_flags)) };
    }

    pub fn read() -> Flags {
        let word = control();
        if word & ALL == 0 {
            return 0;
        }
        BITS.iter().filter(|(bit, _)| word & bit != 0).map(|(_, flag)| flag).sum()
    }

    pub fn write(flags: Flags) {
        let word = control();
        let wanted: u32 = BITS.iter().filter(|(_, flag)| flags & flag != 0).map(|(bit, _)| bit).sum();
        if word & ALL != wanted {
            set_control(word & !ALL | wanted);
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
mod machine {
    use super::{DIVIDE, Flags, INVALID, OVERFLOW, UNDERFLOW};
    use std::ffi::c_int;

    // Of the C library's <fenv.h>, for aarch64.
    const BITS: [(c_int, Flags); 4] = [(1, INVALID), (2, DIVIDE), (4, OVERFLOW), (8, UNDERFLOW)];
    const ALL: c_int = 1 | 2 | 4 | 8;

    unsafe extern "C" {
        safe fn fetestexcept(flags: c_int) -> c_int;
        safe fn feclearexcept(flags: c_int) -> c_int;
        safe fn feraiseexcept(flags: c_int) -> c_int;
    }

    pub fn read() -> Flags {
        let found = fetestexcept(ALL);
        BITS.iter().filter(|(bit, _)| found & bit != 0).map(|(_, flag)| flag).sum()
    }

    pub fn write(flags: Flags) {
        feclearexcept(ALL);
        feraiseexcept(BITS.iter().filter(|(_, flag)| flags & flag != 0).map(|(bit, _)| bit).sum());
    }
}

pub use machine::{read, write};

/// Does something with no flag set, and says which it has set; before and after it the flags are the same.
pub fn of<T>(work: impl FnOnce() -> T) -> (T, Flags) {
    let before = read();
    write(0);
    let done = work();
    let set = read();
    write(before);
    (done, set)
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::*;

    #[test]
    fn what_divisions_set() {
        let of = |x: f64, y: f64| of(|| black_box(black_box(x) / black_box(y))).1;
        assert_eq!(of(1.0, 3.0), 0);
        assert_eq!(of(1.0, 0.0), DIVIDE);
        assert_eq!(of(0.0, 0.0), INVALID);
        assert_eq!(of(1e300, 1e-300), OVERFLOW);
        assert_eq!(of(1e-300, 1e300), UNDERFLOW);
        write(DIVIDE);
        assert_eq!((of(0.0, 0.0), read()), (INVALID, DIVIDE));
        write(0);
        assert_eq!(read(), 0);
    }
}
