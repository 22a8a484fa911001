//! Functions in bytes → functions that can be called, in pages of their own.
//!
//! In: what Cranelift compiled, function by function. Out: addresses, and the `Pages` they lie in. Always holds: nothing is mapped or written
//! before all sizes are known, so that a unit takes no page more than it needs; nothing is left of the linker afterwards.

use std::sync::{Arc, OnceLock};

use cranelift_codegen::binemit::Reloc;
use cranelift_codegen::ir::LibCall;
use cranelift_codegen::isa::OwnedTargetIsa;
use cranelift_jit::{JITBuilder, JITModule};
use cranelift_module::{FuncId, Linkage, Module as _, ModuleError, ModuleReloc};

use super::CodeError;
use super::memory::{Pages, Writer};
use super::symbols::{self, Name, Symbol};
use crate::code::Options;
use crate::codegen::isa::isa;
use crate::codegen::{Import, ticks};
use crate::codegen::{externs, hooks};
use crate::runtime;

/// The functions of one unit, not yet linked.
pub(super) struct Linker {
    isa: OwnedTargetIsa,
    functions: usize,
    parts: Vec<Part>,
    /// Those of all parts, one after the other.
    bytes: Vec<u8>,
    relocs: Vec<ModuleReloc>,
}

/// One function: how many of the linker's bytes and relocations are its own.
struct Part {
    id: FuncId,
    align: u64,
    bytes: usize,
    relocs: usize,
    /// What profilers are told, if they are.
    name: Option<Name>,
}

impl Linker {
    /// `functions` of the module and the entry get the numbers that `Unit` gives them.
    pub fn new(isa: OwnedTargetIsa, functions: usize) -> Linker {
        Linker { isa, functions, parts: Vec::new(), bytes: Vec::new(), relocs: Vec::new() }
    }

    /// `name` is asked for where somebody is to be told.
    pub fn define(
        &mut self,
        id: FuncId,
        compiler: &cranelift_codegen::Context,
        name: impl FnOnce() -> Name,
    ) -> Result<(), CodeError> {
        let code = compiler.compiled_code().ok_or_else(|| CodeError::Internal("nothing was compiled".into()))?;
        let (bytes, relocs) = (code.code_buffer(), code.buffer.relocs());
        // What cranelift-jit makes of a function's alignment.
        let usual = u64::from(self.isa.function_alignment().minimum).max(self.isa.symbol_alignment());
        let align = u64::from(code.buffer.alignment).max(usual);
        let name = symbols::wanted().then(|| name().with_places(&code.buffer));
        self.parts.push(Part { id, align, bytes: bytes.len(), relocs: relocs.len(), name });
        self.bytes.extend_from_slice(bytes);
        self.relocs.extend(relocs.iter().map(|reloc| ModuleReloc::from_mach_reloc(reloc, &compiler.func, id)));
        Ok(())
    }

    /// The addresses of some of the functions. They are good as long as the pages are kept.
    pub fn finish<const N: usize>(
        self,
        imports: &[Import],
        wanted: [FuncId; N],
    ) -> Result<([*const u8; N], Pages), CodeError> {
        let pages = Arc::new(Pages::take(self.size()).map_err(|error| CodeError::Memory(error.to_string()))?);
        let mut builder = JITBuilder::with_isa(self.isa, Box::new(libcall_name));
        builder.symbol_lookup_fn(Box::new(symbol));
        builder.memory_provider(Box::new(Writer::new(pages.clone())));
        let mut module = JITModule::new(builder);
        let signature = module.make_signature();
        for _ in 0..=self.functions {
            module.declare_anonymous_function(&signature).map_err(refused_by)?;
        }
        for import in imports {
            let name = match import {
                Import::Helper(helper) => format!("{HELPER}{}", helper.name),
                Import::Print => PRINT.to_owned(),
                Import::CallHost => CALL.to_owned(),
                Import::Whole => WHOLE.to_owned(),
                Import::Mark => MARK.to_owned(),
                Import::Keep => KEEP.to_owned(),
                Import::Extern { at, address } => format!("{EXTERN}{at}.{address:x}"),
                Import::Poll => {
                    poll()?;
                    POLL.to_owned()
                }
            };
            module.declare_function(&name, Linkage::Import, &signature).map_err(refused_by)?;
        }
        let declared = self.functions + 1 + imports.len();
        // An outermost function that nobody calls has the next number.
        let last = self.parts.iter().map(|part| part.id.as_u32() as usize).max().unwrap_or(0);
        for _ in declared..=last {
            module.declare_anonymous_function(&signature).map_err(refused_by)?;
        }
        let (mut bytes, mut relocs) = (&self.bytes[..], &self.relocs[..]);
        for part in &self.parts {
            let ((code, rest), (its, others)) = (bytes.split_at(part.bytes), relocs.split_at(part.relocs));
            (bytes, relocs) = (rest, others);
            module.define_function_bytes(part.id, part.align, code, its).map_err(refused_by)?;
        }
        module.finalize_definitions().map_err(refused_by)?;
        let addresses = wanted.map(|id| module.get_finalized_function(id));
        if symbols::wanted() {
            let named = self.parts.iter().filter_map(|part| Some((part, part.name.as_ref()?)));
            let symbols = named.map(|(part, name)| {
                let start = module.get_finalized_function(part.id).addr();
                Symbol { start, size: part.bytes, name }
            });
            symbols::tell(&symbols.collect::<Vec<_>>());
        }
        drop(module);
        let pages = Arc::into_inner(pages).ok_or_else(|| CodeError::Internal("the linker kept its pages".into()))?;
        Ok((addresses, pages))
    }

    /// How much memory cranelift-jit will ask for.
    fn size(&self) -> usize {
        // Each direct call on this processor may have to be led to its target.
        const VENEER: usize = 24;
        let (mut end, mut relocs) = (0usize, &self.relocs[..]);
        for part in &self.parts {
            let (its, rest) = relocs.split_at(part.relocs);
            relocs = rest;
            let calls = its.iter().filter(|reloc| reloc.kind == Reloc::Arm64Call).count();
            end = end.next_multiple_of(part.align as usize) + part.bytes + calls * VENEER;
        }
        end
    }
}

/// How the linker's names begin, so that no library's symbol is taken for ours.
const HELPER: &str = "jib.helper.";
const LIBCALL: &str = "jib.libcall.";
const PRINT: &str = "jib.print";
const POLL: &str = "jib.poll";
const CALL: &str = "jib.call";
const WHOLE: &str = "jib.whole";
const MARK: &str = "jib.mark";
const KEEP: &str = "jib.keep";
const EXTERN: &str = "jib.extern.";

fn symbol(name: &str) -> Option<*const u8> {
    match name {
        PRINT => Some(hooks::print as *const u8),
        POLL => poll().ok(),
        CALL => Some(externs::hook as *const u8),
        WHOLE => Some(hooks::whole as *const u8),
        MARK => Some(hooks::mark as *const u8),
        KEEP => Some(hooks::keep as *const u8),
        _ => match (name.strip_prefix(HELPER), name.strip_prefix(EXTERN)) {
            (Some(helper), _) => runtime::helper(helper).map(|helper| helper.address()),
            (_, Some(known)) => address(known),
            _ => name.strip_prefix(LIBCALL).and_then(hooks::libcall),
        },
    }
}

/// The address in the name of a function of the host: its number, a point, and hexadecimal digits.
fn address(name: &str) -> Option<*const u8> {
    let (_, digits) = name.split_once('.')?;
    usize::from_str_radix(digits, 16).ok().map(|address| address as *const u8)
}

/// The stub by which generated code asks the host: made on first need, and kept for ever.
pub(super) fn poll() -> Result<*const u8, CodeError> {
    static STUB: OnceLock<(usize, Pages)> = OnceLock::new();
    if let Some(&(address, _)) = STUB.get() {
        return Ok(address as *const u8);
    }
    let isa = isa(&Options::default(), false).map_err(CodeError::Internal)?;
    let mut context = cranelift_codegen::Context::new();
    ticks::poll_stub(&mut context.func, isa.frontend_config(), hooks::poll as *const () as usize);
    let compiled = context.compile(&*isa, &mut Default::default());
    compiled.map_err(|error| CodeError::Internal(error.inner.to_string()))?;
    let id = FuncId::from_u32(0);
    let mut linker = Linker::new(isa, 0);
    linker.define(id, &context, || Name::of("poll"))?;
    let ([address], pages) = linker.finish(&[], [id])?;
    // Of two threads that come here one keeps its stub.
    Ok(STUB.get_or_init(|| (address as usize, pages)).0 as *const u8)
}

fn libcall_name(call: LibCall) -> String {
    format!("{LIBCALL}{call:?}")
}

fn refused_by(error: ModuleError) -> CodeError {
    match error {
        // What the memory provider says when it cannot get memory, or cannot make it executable.
        ModuleError::Allocation { err } => CodeError::Memory(err.to_string()),
        ModuleError::Backend(error) => CodeError::Memory(format!("{error:#}")),
        other => CodeError::Internal(other.to_string()),
    }
}

#[cfg(test)]
mod tests;
