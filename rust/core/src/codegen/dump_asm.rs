//! Looking inside: machine code as a text.
//!
//! In: a module, compiled again for the purpose. Out: a line for each instruction: offset, its bytes if they are asked for, the
//! instruction, place, what it calls; behind them the constants that the code reads. Always holds: the text takes time that is linear
//! in the code.

use std::fmt::Write;

use cranelift_codegen::ir::Endianness;
use cranelift_codegen::{CompiledCode, FinalizedRelocTarget};

use super::Unit;
use super::dump::{apart, callee_name, each, header, internal, machine, refused, span};
use super::isa::is_large;
use super::target::Target;
use crate::code::{CodeError, Options};
use crate::listing::Listing;
use crate::outside::Outside;
use crate::span::{Lines, Span};
use crate::typed::Module;

/// How much room bytes have on a line; few instructions are longer.
const MOST_BYTES: usize = 10;

/// One line: an instruction, or data.
struct Line<'c> {
    at: usize,
    bytes: &'c [u8],
    text: String,
    place: Option<Span>,
    callee: String,
}

/// The machine code of every function.
pub fn dump_asm(
    module: &Module,
    outside: Outside,
    options: &Options,
    target: Option<Target>,
    bytes: bool,
    lines: &Lines,
) -> Result<Listing, CodeError> {
    let isa = machine(options, target, false)?;
    let mut capstone = isa.to_capstone().map_err(internal)?;
    // What it does not know is shown as bytes, and what follows is not left out.
    capstone.set_skipdata(true).map_err(internal)?;
    let mut listing = Listing::default();
    let mut blocks = 0;
    each(module, outside, &*isa, |unit, planned, context| {
        blocks += context.func.dfg.num_blocks();
        let isa = machine(options, target, is_large(&context.func, blocks))?;
        let compile = || context.compile(&*isa, &mut Default::default()).map(drop).map_err(|error| error.inner);
        apart(target, compile)?.map_err(|error| refused(target, error))?;
        let code = context.compiled_code().ok_or_else(|| internal("nothing was compiled"))?;
        header(&mut listing, unit, planned);
        let end = end_of_instructions(code);
        let instructions = capstone.disasm_all(&code.code_buffer()[..end], 0).map_err(internal)?;
        let mut found: Vec<Line> = Vec::with_capacity(instructions.len());
        for instruction in instructions.iter() {
            let (mnemonic, operands) = (instruction.mnemonic().unwrap_or("?"), instruction.op_str().unwrap_or(""));
            found.push(Line {
                at: instruction.address() as usize,
                bytes: &code.code_buffer()[instruction.address() as usize..][..instruction.bytes().len()],
                text: format!("{mnemonic} {operands}").trim_end().to_owned(),
                place: None,
                callee: String::new(),
            });
        }
        set_places(&mut found, unit, code);
        set_callees(&mut found, unit, &context.func, code);
        found.extend(data(code.code_buffer(), end, isa.endianness()));
        write_lines(&mut listing, &found, bytes, lines);
        Ok(())
    })?;
    Ok(listing)
}

/// Where the constants begin: every function ends with an instruction that has a place.
fn end_of_instructions(code: &CompiledCode) -> usize {
    let ends = code.buffer.get_srclocs_sorted().iter().map(|range| range.end as usize);
    ends.max().unwrap_or(code.code_buffer().len())
}

fn set_places(found: &mut [Line], unit: &Unit, code: &CompiledCode) {
    let mut ranges = code.buffer.get_srclocs_sorted().iter().peekable();
    for line in found {
        while ranges.next_if(|range| range.end as usize <= line.at).is_some() {}
        let range = ranges.peek().filter(|range| range.start as usize <= line.at);
        line.place = range.and_then(|range| span(unit, range.loc));
    }
}

fn set_callees(found: &mut [Line], unit: &Unit, func: &cranelift_codegen::ir::Function, code: &CompiledCode) {
    let mut relocs: Vec<_> = code.buffer.relocs().iter().collect();
    relocs.sort_by_key(|reloc| reloc.offset);
    let mut relocs = relocs.into_iter().peekable();
    for line in found {
        while let Some(reloc) = relocs.next_if(|reloc| (reloc.offset as usize) < line.at + line.bytes.len()) {
            if let FinalizedRelocTarget::ExternalName(name) = &reloc.target {
                let _ = write!(line.callee, " {}", callee_name(unit, func, name));
            }
        }
    }
}

/// What the code reads: words where they are aligned, as the machine reads them.
fn data(code: &[u8], end: usize, endianness: Endianness) -> impl Iterator<Item = Line<'_>> {
    let mut at = end;
    std::iter::from_fn(move || {
        let left = &code[at..];
        let (bytes, text) = match (left, left.first_chunk::<8>()) {
            ([], _) => return None,
            (_, Some(word)) if at.is_multiple_of(8) => {
                let word = match endianness {
                    Endianness::Little => u64::from_le_bytes(*word),
                    Endianness::Big => u64::from_be_bytes(*word),
                };
                (&left[..8], format!(".quad {word:#018x}"))
            }
            _ => {
                let bytes = &left[..left.len().min(8 - at % 8)];
                let texts: Vec<String> = bytes.iter().map(|byte| format!("{byte:#04x}")).collect();
                (bytes, format!(".byte {}", texts.join(", ")))
            }
        };
        let line = Line { at, bytes, text, place: None, callee: String::new() };
        at += bytes.len();
        Some(line)
    })
}

fn write_lines(listing: &mut Listing, found: &[Line], bytes: bool, lines: &Lines) {
    let longest = found.iter().map(|line| line.bytes.len()).max().unwrap_or(0).min(MOST_BYTES);
    for Line { at, bytes: raw, text, place, callee } in found {
        let mut line = format!("{at:5x}  ");
        if bytes {
            let hex: Vec<String> = raw.iter().map(|byte| format!("{byte:02x}")).collect();
            let _ = write!(line, "{:<width$}  ", hex.join(" "), width = longest * 3 - 1);
        }
        let _ = write!(line, "{text:<40}");
        if let Some(place) = place {
            let _ = write!(line, " ; {}", lines.show(*place));
        }
        line.push_str(callee);
        listing.line(line.trim_end(), *place);
    }
}
