//! Looking inside: CLIF and machine code as texts, each instruction with its place in the source.
//!
//! In: a module, compiled again for the purpose. Out: text that does not depend on where code and helpers happen to lie.

use std::fmt::{self, Write};

use cranelift_codegen::Context;
use cranelift_codegen::entity::SecondaryMap;
use cranelift_codegen::ir::entities::AnyEntity;
use cranelift_codegen::ir::{self, ExternalName, SourceLoc};
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::write::{FuncWriter, PlainWriter, decorate_function};
use cranelift_frontend::FunctionBuilderContext;

use super::isa::{is_large, isa};
use super::{Face, Import, Unit};
use crate::code::{CodeError, Options};
use crate::outside::Outside;
use crate::span::Lines;
use crate::typed::{FuncId, Module};

/// The CLIF of every function, as built or as Cranelift's optimiser leaves it.
pub fn dump_clif(module: &Module, optimised: bool, lines: &Lines) -> Result<String, CodeError> {
    let isa = isa(&Options::default(), false).map_err(CodeError::Internal)?;
    let mut text = String::new();
    each(module, &*isa, |unit, planned, context| {
        if optimised {
            context.optimize(&*isa, &mut Default::default()).map_err(internal)?;
        }
        header(&mut text, unit, planned);
        let mut writer = Places { unit, lines };
        decorate_function(&mut writer, &mut text, &context.func).map_err(internal)
    })?;
    Ok(text)
}

/// The machine code of every function: offset, instruction, place.
pub fn dump_asm(module: &Module, options: &Options, lines: &Lines) -> Result<String, CodeError> {
    let isa = isa(options, false).map_err(CodeError::Internal)?;
    let capstone = isa.to_capstone().map_err(internal)?;
    let mut text = String::new();
    let mut blocks = 0;
    each(module, &*isa, |unit, planned, context| {
        blocks += context.func.dfg.num_blocks();
        let isa = self::isa(options, is_large(&context.func, blocks)).map_err(CodeError::Internal)?;
        context.compile(&*isa, &mut Default::default()).map_err(|error| internal(error.inner))?;
        let code = context.compiled_code().ok_or_else(|| internal("nothing was compiled"))?;
        header(&mut text, unit, planned);
        let places = code.buffer.get_srclocs_sorted();
        let instructions = capstone.disasm_all(code.code_buffer(), 0).map_err(internal)?;
        for instruction in instructions.iter() {
            let at = instruction.address();
            let body = format!("{} {}", instruction.mnemonic().unwrap_or("?"), instruction.op_str().unwrap_or(""));
            let mut line = format!("{at:5x}  {:<40}", body.trim_end());
            let place = places.iter().find(|range| (range.start.into()..u64::from(range.end)).contains(&at));
            if let Some(place) = place.filter(|range| !range.loc.is_default()) {
                let _ = write!(line, " ; {}", position(lines, place.loc));
            }
            let within = at..at + instruction.bytes().len() as u64;
            for reloc in code.buffer.relocs().iter().filter(|reloc| within.contains(&u64::from(reloc.offset))) {
                if let cranelift_codegen::FinalizedRelocTarget::ExternalName(name) = &reloc.target {
                    let _ = write!(line, " {}", callee_name(unit, &context.func, name));
                }
            }
            let _ = writeln!(text, "{}", line.trim_end());
        }
        Ok(())
    })?;
    Ok(text)
}

/// Builds each function of a module and hands it over.
fn each(
    module: &Module,
    isa: &dyn TargetIsa,
    mut show: impl FnMut(&Unit, (FuncId, Face), &mut Context) -> Result<(), CodeError>,
) -> Result<(), CodeError> {
    let mut unit = Unit::new(module, isa.frontend_config(), Outside::Slots, false);
    let mut context = Context::new();
    let mut buffers = FunctionBuilderContext::new();
    for planned in unit.plan() {
        context.clear();
        unit.build(planned, &mut context.func, &mut buffers);
        show(&unit, planned, &mut context)?;
    }
    Ok(())
}

fn header(text: &mut String, unit: &Unit, (id, face): (FuncId, Face)) {
    let blank = if text.is_empty() { "" } else { "\n" };
    let name = &unit.module.functions[id.0 as usize].name;
    let entry = if face == Face::Entry { " (entry)" } else { "" };
    let _ = writeln!(text, "{blank}; {name}{entry}");
}

fn callee_name(unit: &Unit, func: &ir::Function, name: &ExternalName) -> String {
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

fn position(lines: &Lines, place: SourceLoc) -> String {
    let (line, column) = lines.position(place.bits());
    format!("{line}:{column}")
}

/// Prints as Cranelift does, with `@line:column` before an instruction and the callee's name after its reference.
struct Places<'a> {
    unit: &'a Unit<'a>,
    lines: &'a Lines,
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
        let at = match place.is_default() {
            true => String::new(),
            false => {
                // Cranelift puts the raw offset first; ours is for people.
                plain = plain.strip_prefix(&format!("{place} ")).unwrap_or(&plain).to_owned();
                format!("@{}", position(self.lines, place))
            }
        };
        for (i, line) in plain.lines().enumerate() {
            writeln!(w, "{:<INDENT$}{}", if i == 0 { &at } else { "" }, line.trim())?;
        }
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

fn internal(error: impl fmt::Display) -> CodeError {
    CodeError::Internal(error.to_string())
}
