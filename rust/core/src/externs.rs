//! Functions of the host that a text calls by their names.
//!
//! In: what the host says of a function: its name, its types, whether it is pure, and for a C function its address. Out: rows that
//! the IR refers to by index, and their calls on slots. Always holds: parameters are numbers or bools, at most `MOST` of them, and
//! so is the result, or None; an address is only taken from who answers for it (`Extern::c`), and never travels in the IR.

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::code::{CodeError, Trampoline};
use crate::failure::{Cause, Host};
use crate::types::Ty;
use crate::types::parse::{self, Wrong};

/// How many parameters a function of the host may have.
pub const MOST: usize = 16;

/// A function of the host.
pub struct Extern {
    pub name: Arc<str>,
    pub params: Vec<Ty>,
    pub result: Ty,
    /// Whether a call has no effect but its result, so that one that nobody needs may be left out, and one may be made again.
    pub pure: bool,
    target: Target,
    /// How others than generated code call a C function: made on first need.
    trampoline: OnceLock<Result<Trampoline, CodeError>>,
}

#[derive(Clone, Copy)]
enum Target {
    /// The address of a function of the platform's C convention.
    C(usize),
    /// The host calls it: `Host::call`.
    Host,
}

/// A function of the host as IR and typed IR refer to it; equal when it is the same one.
#[derive(Clone)]
pub struct ExternRef {
    /// Its place among those that the unit was given.
    pub index: u32,
    pub of: Arc<Extern>,
}

impl Extern {
    /// A C function.
    ///
    /// # Safety
    /// At `address` is a function of the platform's C convention that takes and returns these types, does not unwind, needs no
    /// more than `codegen::externs::ROOM` bytes of stack, and stays there as long as anything that was compiled with this row runs.
    pub unsafe fn c(name: &str, signature: &str, pure: bool, address: usize) -> Result<Extern, Wrong> {
        Extern::new(name, signature, pure, Target::C(address))
    }

    /// A function that the host calls: `Host::call` with its index.
    pub fn host(name: &str, signature: &str, pure: bool) -> Result<Extern, Wrong> {
        Extern::new(name, signature, pure, Target::Host)
    }

    fn new(name: &str, signature: &str, pure: bool, target: Target) -> Result<Extern, Wrong> {
        let (params, result) = read(signature)?;
        Ok(Extern { name: name.into(), params, result, pure, target, trampoline: OnceLock::new() })
    }

    /// Where the C function is; None for one that the host calls.
    pub fn address(&self) -> Option<usize> {
        match self.target {
            Target::C(address) => Some(address),
            Target::Host => None,
        }
    }

    /// `float(float, int)`: as `parse::signature` reads it back.
    pub fn signature(&self) -> String {
        let params: Vec<String> = self.params.iter().map(Ty::to_string).collect();
        format!("{}({})", self.result, params.join(", "))
    }

    /// Calls a C function on slots, as many as it has parameters and results.
    pub fn call(&self, args: &[u64], out: &mut [u64]) -> Result<(), CodeError> {
        assert_eq!((args.len(), out.len()), (self.params.len(), self.result.width()), "slots of a call");
        let made = match self.trampoline.get() {
            Some(made) => made,
            // Not made within `get_or_init`: a child forked meanwhile would wait for it.
            None => {
                let made = Trampoline::new(self);
                self.trampoline.get_or_init(|| made)
            }
        };
        made.as_ref().map(|trampoline| trampoline.call(args, out)).map_err(CodeError::clone)
    }
}

impl ExternRef {
    /// Calls it on slots, for the interpreter.
    pub fn call(&self, host: &mut dyn Host, args: &[u64], out: &mut [u64]) -> Result<(), Cause> {
        match self.of.target {
            Target::Host => host.call(self.index, args, out).map_err(|_| Cause::Host),
            Target::C(_) => self.of.call(args, out).map_err(|error| match error {
                CodeError::Memory(words) => Cause::NoMemory(words.into()),
                // A bug of ours; what guards the host's call makes its words an exception.
                other => panic!("no trampoline for {}: {other:?}", self.of.name),
            }),
        }
    }
}

/// The types of a signature, if a function of the host may have them.
pub fn read(signature: &str) -> Result<(Vec<Ty>, Ty), Wrong> {
    let wrong = |code, piece: String| Err(Wrong { code, piece });
    let parse::Signature { params, result } = parse::signature(signature)?;
    let Some(result) = result else { return wrong("extern-result", signature.to_owned()) };
    if let Some(ty) = params.iter().find(|ty| !ty.is_numeric()) {
        return wrong("extern-type", ty.to_string());
    }
    if !result.is_numeric() && result != Ty::None {
        return wrong("extern-type", result.to_string());
    }
    if params.len() > MOST {
        return wrong("limit-extern", MOST.to_string());
    }
    Ok((params, result))
}

impl PartialEq for ExternRef {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.of, &other.of)
    }
}

impl fmt::Debug for Extern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.signature())
    }
}

impl fmt::Debug for ExternRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.of.fmt(f)
    }
}

#[cfg(test)]
mod tests;
