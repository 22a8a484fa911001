//! How Rust calls a C function of any signature: by a small function made for it, slots in, slots out.
//!
//! In: an `Extern` with an address. Out: its trampoline, which owns its memory. Always holds: it is called with as many slots as
//! the function has parameters and results.

use std::panic::{AssertUnwindSafe, catch_unwind};

use cranelift_module::FuncId;

use super::symbols::Name;
use super::{CodeError, Linker, Options, Pages, isa, panic_message};
use crate::codegen::{Import, externs};
use crate::externs::Extern;

pub(crate) struct Trampoline {
    entry: unsafe extern "C" fn(*const u64, *mut u64),
    params: usize,
    results: usize,
    /// Not used, but kept: the code is in there.
    _memory: Pages,
}

impl Trampoline {
    pub fn new(of: &Extern) -> Result<Trampoline, CodeError> {
        let made = catch_unwind(AssertUnwindSafe(|| Trampoline::make(of)));
        made.unwrap_or_else(|panic| Err(CodeError::Internal(panic_message(&*panic))))
    }

    fn make(of: &Extern) -> Result<Trampoline, CodeError> {
        let address = of.address().ok_or_else(|| CodeError::Internal("a trampoline to nowhere".into()))?;
        let isa = isa(&Options::default(), false).map_err(CodeError::Internal)?;
        let mut context = cranelift_codegen::Context::new();
        externs::trampoline(&mut context.func, isa.frontend_config(), of);
        let compiled = context.compile(&*isa, &mut Default::default());
        compiled.map_err(|error| CodeError::Internal(error.inner.to_string()))?;
        let id = FuncId::from_u32(0);
        let mut linker = Linker::new(isa, 0);
        linker.define(id, &context, || Name::of(&format!("{} [trampoline]", of.name)))?;
        let ([entry], memory) = linker.finish(&[Import::Extern { at: 0, address }], [id])?;
        Ok(Trampoline {
            // SAFETY: the address is that of a finished function of this type; its memory belongs to `_memory` below.
            entry: unsafe { std::mem::transmute::<*const u8, unsafe extern "C" fn(*const u64, *mut u64)>(entry) },
            params: of.params.len(),
            results: of.result.width(),
            _memory: memory,
        })
    }

    /// Calls the C function.
    ///
    /// Panics when there are not as many slots as it has scalars: a bug of the caller's.
    pub fn call(&self, args: &[u64], out: &mut [u64]) {
        assert_eq!((args.len(), out.len()), (self.params, self.results), "slots of a call");
        // SAFETY: the slots are as many as the code reads and writes, as was checked; who made the `Extern` answers for what is
        // at its address.
        unsafe { (self.entry)(args.as_ptr(), out.as_mut_ptr()) };
    }
}
