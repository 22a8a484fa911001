//! Looking inside: CLIF as a text, each instruction with its place in the source; and what the text of machine code shares with it.
//!
//! In: a module, compiled again for the purpose, for this machine or for another that is only looked at. Out: text that does not depend on
//! where code and helpers happen to lie. Always holds: another machine that cannot do what a module needs ends as `CodeError::Target`.

use std::cell::Cell;
use std::fmt::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cranelift_codegen::Context;
use cranelift_codegen::entity::SecondaryMap;
use cranelift_codegen::ir::entities::AnyEntity;
use cranelift_codegen::ir::{self, ExternalName, SourceLoc};
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::write::{FuncWriter, PlainWriter, decorate_function};
use cranelift_frontend::FunctionBuilderContext;

use super::isa::isa;
use super::target::Target;
use super::{Face, Import, Unit};
use crate::code::{CodeError, Options, panic_message};
use crate::listing::Listing;
use crate::outside::Outside;
use crate::span::{Lines, Span};
use crate::typed::{FuncId, Module};

pub use super::dump_asm::dump_asm;

/// The CLIF of every function, as built or as Cranelift's optimiser leaves it.
pub fn dump_clif(
    module: &Module,
    outside: Outside,
    optimised: bool,
    target: Option<Target>,
    lines: &Lines,
) -> Result<Listing, CodeError> {
    let isa = machine(&Options::default(), target, false)?;
    let mut listing = Listing::default();
    each(module, outside, &*isa, |unit, planned, context| {
        if optimised {
            let optimise = || context.optimize(&*isa, &mut Default::default());
            apart(target, optimise)?.map_err(|error| refused(target, error))?;
        }
        header(&mut listing, unit, planned);
        let at = Cell::new(None);
        let mut writer = Places { unit, lines, at: &at };
        let mut out = Placed { listing: &mut listing, at: &at };
        decorate_function(&mut writer, &mut out, &context.func).map_err(internal)
    })?;
    Ok(listing)
}

/// Has Cranelift do something for a machine that may be another one: a panic there is that one's limit, not our bug.
pub(super) fn apart<T>(target: Option<Target>, run: impl FnOnce() -> T) -> Result<T, CodeError> {
    match target {
        None => Ok(run()),
        Some(_) => catch_unwind(AssertUnwindSafe(run)).map_err(|panic| refused(target, panic_message(&*panic))),
    }
}

/// The machine to compile for: this one, or the one that was asked for.
pub(super) fn machine(options: &Options, target: Option<Target>, large: bool) -> Result<Arc<dyn TargetIsa>, CodeError> {
    match target {
        None => isa(options, large).map_err(CodeError::Internal),
        Some(target) => target.isa(options, large).map_err(CodeError::Internal),
    }
}

/// What Cranelift says, which is a bug only if it was asked to compile for this machine.
pub(super) fn refused(target: Option<Target>, error: impl fmt::Display) -> CodeError {
    match target {
        None => internal(error),
        Some(target) => CodeError::Target(format!("Cranelift cannot compile this for {}: {error}", target.name())),
    }
}

/// Builds each function of a module, to be entered in this way, and hands it over.
pub(super) fn each(
    module: &Module,
    outside: Outside,
    isa: &dyn TargetIsa,
    mut show: impl FnMut(&Unit, (FuncId, Face), &mut Context) -> Result<(), CodeError>,
) -> Result<(), CodeError> {
    let mut unit = Unit::new(module, isa.frontend_config(), outside, false);
    unit.places = Some(Vec::new());
    let mut context = Context::new();
    let mut buffers = FunctionBuilderContext::new();
    for planned in unit.plan() {
        context.clear();
        unit.build(planned, &mut context.func, &mut buffers);
        show(&unit, planned, &mut context)?;
    }
    Ok(())
}

/// The text that an instruction came from.
pub(super) fn span(unit: &Unit, location: SourceLoc) -> Option<Span> {
    unit.places.as_ref()?.get(location.bits() as usize).copied()
}

pub(super) fn header(listing: &mut Listing, unit: &Unit, (id, face): (FuncId, Face)) {
    if !listing.text.is_empty() {
        listing.line("", None);
    }
    let function = &unit.module.functions[id.0 as usize];
    let how = match face {
        Face::Entry => " (entry)",
        // What a function does with whole arrays is a function of its own there, which has no other face.
        Face::Block if !unit.is_kernel(id) => " (each element)",
        _ => "",
    };
    listing.line(&format!("; {}{how}", function.name), Some(function.span));
}

pub(super) fn callee_name(unit: &Unit, func: &ir::Function, name: &ExternalName) -> String {
    let ExternalName::User(user) = name else { return name.display(Some(&func.params)).to_string() };
    let index = func.params.user_named_funcs()[*user].index as usize;
    let functions = &unit.module.functions;
    match (functions.get(index), index.checked_sub(functions.len() + 1).and_then(|i| unit.imports.get(i))) {
        (Some(function), _) => function.name.to_string(),
        (None, Some(Import::Extern { at, .. })) => unit.externs[*at as usize].of.name.to_string(),
        (None, Some(import)) => import.name().to_owned(),
        (None, None) => name.display(Some(&func.params)).to_string(),
    }
}

/// Prints as Cranelift does, with `@line:column` before an instruction and the callee's name after its reference.
struct Places<'a> {
    unit: &'a Unit<'a>,
    lines: &'a Lines,
    /// Where the lines that are written now come from.
    at: &'a Cell<Option<Span>>,
}

/// What `Places` writes to.
struct Placed<'a> {
    listing: &'a mut Listing,
    at: &'a Cell<Option<Span>>,
}

impl Write for Placed<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.listing.piece(text, self.at.get());
        Ok(())
    }
}

/// How far instructions are indented: room for the place.
const INDENT: usize = 12;

impl FuncWriter for Places<'_> {
    fn write_block_header(
        &mut self,
        w: &mut dyn Write,
        func: &ir::Function,
        block: ir::Block,
        _: usize,
    ) -> fmt::Result {
        PlainWriter.write_block_header(w, func, block, 4)
    }

    fn write_instruction(
        &mut self,
        w: &mut dyn Write,
        func: &ir::Function,
        aliases: &SecondaryMap<ir::Value, Vec<ir::Value>>,
        inst: ir::Inst,
        _: usize,
    ) -> fmt::Result {
        let mut plain = String::new();
        PlainWriter.write_instruction(&mut plain, func, aliases, inst, 0)?;
        let place = func.srcloc(inst);
        let span = span(self.unit, place);
        let mut at = String::new();
        if let Some(span) = span {
            // Cranelift puts the raw number first; ours is for people.
            plain = plain.strip_prefix(&format!("{place} ")).unwrap_or(&plain).to_owned();
            at = format!("@{}", self.lines.show(span));
        }
        self.at.set(span);
        for (i, line) in plain.lines().enumerate() {
            writeln!(w, "{:<INDENT$}{}", if i == 0 { &at } else { "" }, line.trim())?;
        }
        self.at.set(None);
        Ok(())
    }

    fn write_entity_definition(
        &mut self,
        w: &mut dyn Write,
        func: &ir::Function,
        entity: AnyEntity,
        value: &dyn fmt::Display,
    ) -> fmt::Result {
        match entity {
            AnyEntity::FuncRef(reference) => {
                let name = callee_name(self.unit, func, &func.dfg.ext_funcs[reference].name);
                writeln!(w, "    {entity} = {value} ; {name}")
            }
            _ => self.super_entity_definition(w, func, entity, value),
        }
    }
}

pub(super) fn internal(error: impl fmt::Display) -> CodeError {
    CodeError::Internal(error.to_string())
}
