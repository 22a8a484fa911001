//! The numeric runtime: CPython's answers bit for bit, or CPython's exception.
//!
//! In: 64-bit slots (`i64`, the bits of an `f64`, a 0/1 bool). Out: slots of the same kinds, or a [`Fault`].
//! Generated code, the constant folder and the interpreter call the same rows of [`HELPERS`], so that they cannot
//! disagree. What always holds: a helper neither panics nor blocks, runs for microseconds at most, reads and writes
//! its slots only, and leaves no state behind but `errno`. Should one panic, `panicked` says so after the run.
//!
//! Rows named `np_*` follow NumPy's rules instead (inf and nan, wrapping ints) and never fail, but for a negative
//! integer power. For a [`Body::Libm1`] row NumPy's rule is the bare function.
//!
//! Rules are CPython 3.11's; each function names the one it follows. Where later versions differ in a last bit
//! (`hypot` since 3.12), 3.11 is kept.

mod combinatorics;
mod decimal;
mod float;
pub mod fold;
mod int;
mod integer_math;
mod libm;
mod math;
pub mod memory;
mod norm;
mod numpy;
mod panics;
mod special;
mod table;

use crate::fault::Fault;
pub use panics::{flag as panics_flag, panicked};
pub use table::HELPERS;

/// How a 64-bit slot is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// An `i64`, or a `u64` in the rows named `uint_*` and where a row says so.
    Int,
    /// The bits of an `f64`.
    Float,
    /// 0 or 1.
    Bool,
}

/// A helper behind slots: reads as many `args` as it has parameters; on 0 it has written as many `out` as it has
/// results, else it has written nothing and the value is the code of a [`Fault`].
pub type SlotFn = unsafe extern "C" fn(args: *const u64, out: *mut u64) -> u32;

/// What there is to call.
#[derive(Clone, Copy, Debug)]
pub enum Body {
    /// A function of libm, called with the bare double; its result is to be checked by [`libm1_fault`].
    Libm1 { f: unsafe extern "C" fn(f64) -> f64, overflow: bool },
    /// Everything else.
    Slots(SlotFn),
}

/// One function of the runtime.
#[derive(Debug)]
pub struct Helper {
    pub name: &'static str,
    pub params: &'static [Kind],
    pub results: &'static [Kind],
    pub body: Body,
    /// Never returns a fault: the caller may leave the check out.
    pub infallible: bool,
}

impl Helper {
    /// How long a call may take at most, in nanoseconds of an ordinary processor: not for speed, but to know when to poll.
    pub fn nanos(&self) -> u64 {
        match self.name {
            // Decimals of hundreds of digits: 15 us for 1.5e300 and -299.
            "float_round_digits" => 16_000,
            // The slowest of the others: gamma, comb, fmod of far apart, pow with a modulus.
            _ => 400,
        }
    }
}

/// The helper of that name.
pub fn helper(name: &str) -> Option<&'static Helper> {
    HELPERS.iter().find(|helper| helper.name == name)
}

/// CPython's rule for libm functions of one argument (`math_1` in Modules/mathmodule.c): a NaN out of a number is
/// outside the domain; an infinity out of a finite number is an overflow, or a singularity where the function cannot
/// overflow.
pub fn libm1_fault(x: f64, result: f64, overflow: bool) -> Option<Fault> {
    if result.is_nan() && !x.is_nan() {
        Some(Fault::MathDomain)
    } else if result.is_infinite() && x.is_finite() {
        Some(if overflow { Fault::MathRange } else { Fault::MathDomain })
    } else {
        None
    }
}

impl Helper {
    /// Calls the helper with its checks, as the interpreter and the folder do. `args` and `out` must have the row's
    /// lengths.
    pub fn eval(&self, args: &[u64], out: &mut [u64]) -> Result<(), Fault> {
        // A caller that miscounts has a bug of ours: stop before a stray read.
        assert_eq!(args.len(), self.params.len(), "arguments of {}", self.name);
        assert_eq!(out.len(), self.results.len(), "results of {}", self.name);
        match self.body {
            Body::Libm1 { f, overflow } => {
                let x = f64::from_bits(args[0]);
                // SAFETY: `f` is a libm function of one double by value; no pointers.
                let result = unsafe { f(x) };
                match libm1_fault(x, result, overflow) {
                    Some(fault) => Err(fault),
                    None => {
                        out[0] = result.to_bits();
                        Ok(())
                    }
                }
            }
            Body::Slots(f) => {
                // SAFETY: the slices live across the call and have the lengths that the row reads and writes,
                // asserted above.
                let code = unsafe { f(args.as_ptr(), out.as_mut_ptr()) };
                // On to whoever guards this call: outside of generated code a panic may go its way.
                assert!(!panicked(), "a panic in {}", self.name);
                Fault::from_code(code).map_or(Ok(()), Err)
            }
        }
    }

    /// Whether it is a bare function of libm, which NumPy's rules take as it comes.
    pub fn is_libm1(&self) -> bool {
        matches!(self.body, Body::Libm1 { .. })
    }

    /// `eval` by NumPy's rules: a libm function's result is not checked.
    pub fn eval_raw(&self, args: &[u64], out: &mut [u64]) -> Result<(), Fault> {
        match self.body {
            Body::Libm1 { f, .. } => {
                // SAFETY: `f` is a libm function of one double by value; no pointers.
                out[0] = unsafe { f(f64::from_bits(args[0])) }.to_bits();
                Ok(())
            }
            Body::Slots(_) => self.eval(args, out),
        }
    }

    /// Where the function is, for the linker of generated code.
    pub fn address(&self) -> *const u8 {
        match self.body {
            Body::Libm1 { f, .. } => f as *const u8,
            Body::Slots(f) => f as *const u8,
        }
    }
}

/// A type that travels in a slot.
trait Slot: Copy {
    const KIND: Kind;
    fn from_slot(bits: u64) -> Self;
    fn to_slot(self) -> u64;
}

impl Slot for i64 {
    const KIND: Kind = Kind::Int;
    fn from_slot(bits: u64) -> i64 {
        bits as i64
    }
    fn to_slot(self) -> u64 {
        self as u64
    }
}

impl Slot for u64 {
    const KIND: Kind = Kind::Int;
    fn from_slot(bits: u64) -> u64 {
        bits
    }
    fn to_slot(self) -> u64 {
        self
    }
}

impl Slot for f64 {
    const KIND: Kind = Kind::Float;
    fn from_slot(bits: u64) -> f64 {
        f64::from_bits(bits)
    }
    fn to_slot(self) -> u64 {
        self.to_bits()
    }
}

impl Slot for bool {
    const KIND: Kind = Kind::Bool;
    fn from_slot(bits: u64) -> bool {
        bits != 0
    }
    fn to_slot(self) -> u64 {
        u64::from(self)
    }
}

/// What a helper's Rust function returns: one or two slots, or a fault in their place.
trait Outcome {
    type Slots: AsRef<[u64]>;
    const KINDS: &'static [Kind];
    const INFALLIBLE: bool;
    fn into_slots(self) -> Result<Self::Slots, Fault>;
}

impl<T: Slot> Outcome for T {
    type Slots = [u64; 1];
    const KINDS: &'static [Kind] = &[T::KIND];
    const INFALLIBLE: bool = true;
    fn into_slots(self) -> Result<[u64; 1], Fault> {
        Ok([self.to_slot()])
    }
}

impl<A: Slot, B: Slot> Outcome for (A, B) {
    type Slots = [u64; 2];
    const KINDS: &'static [Kind] = &[A::KIND, B::KIND];
    const INFALLIBLE: bool = true;
    fn into_slots(self) -> Result<[u64; 2], Fault> {
        Ok([self.0.to_slot(), self.1.to_slot()])
    }
}

impl<T: Outcome> Outcome for Result<T, Fault> {
    type Slots = T::Slots;
    const KINDS: &'static [Kind] = T::KINDS;
    const INFALLIBLE: bool = false;
    fn into_slots(self) -> Result<T::Slots, Fault> {
        self.and_then(T::into_slots)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names: Vec<_> = HELPERS.iter().map(|h| h.name).collect();
        names.sort_unstable();
        let rows = names.len();
        names.dedup();
        assert_eq!(names.len(), rows);
    }

    #[test]
    fn every_row_evaluates_on_ordinary_and_extreme_slots() {
        let extreme = [
            0,
            1,
            u64::MAX,
            1 << 63,
            i64::MAX as u64,
            1.0f64.to_bits(),
            f64::NAN.to_bits(),
            f64::INFINITY.to_bits(),
            f64::MAX.to_bits(),
        ];
        for h in HELPERS {
            assert!(!h.params.is_empty() && !h.results.is_empty() && !h.address().is_null());
            for a in extreme {
                for b in extreme {
                    let args = [a, b, a, b, a];
                    let mut out = [0; 2];
                    let answer = h.eval(&args[..h.params.len()], &mut out[..h.results.len()]);
                    assert!(answer.is_ok() || !h.infallible, "{} {a:#x} {b:#x}", h.name);
                }
            }
        }
    }

    #[test]
    fn faults_come_through_and_leave_the_results_alone() {
        let mut out = [7];
        assert_eq!(helper("int_floordiv").map(|h| h.eval(&[1, 0], &mut out)), Some(Err(Fault::IntFloorDivisionByZero)));
        assert_eq!(out, [7]);
        assert_eq!(helper("exp").map(|h| h.eval(&[1000f64.to_bits()], &mut out)), Some(Err(Fault::MathRange)));
        assert_eq!(helper("sqrt").map(|h| h.eval(&[(-1f64).to_bits()], &mut out)), Some(Err(Fault::MathDomain)));
        assert!(helper("no such").is_none());
    }
}
