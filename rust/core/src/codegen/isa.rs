//! The machine we compile for: the host, with its features, built once per combination of options.

use std::sync::{Arc, OnceLock};

use cranelift_codegen::ir;
use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::settings::{self, Configurable};

use crate::code::{OptLevel, Options};

/// A function of more blocks than this is large: there Cranelift's optimiser takes time and memory that grow with the square of
/// their number, and sometimes with their cube. It moves what cannot fail to where it is used: a chain of such values, each used on
/// both sides of a branch and before it only by the next, is made anew on every side of every branch (`max` of 400 numbers,
/// int and float by turns: 1.6 seconds and 450 MB, without the optimiser 30 ms). The register allocator is the usual one for all: the
/// one-pass allocator is not for text that is not trusted, and is quadratic in loops.
const LARGE: usize = 800;

/// In a module of more blocks than this, the functions that come last are taken for large too: many just below would add up.
const MANY: usize = 3_000;

/// Whether a function is for the target for large ones; `blocks` are those of the module so far, its own included.
pub(crate) fn is_large(function: &ir::Function, blocks: usize) -> bool {
    function.dfg.num_blocks() > LARGE || blocks > MANY
}

/// The target for these options; an error in words when the host is none of Cranelift's. The one for large functions
/// differs in nothing that another function could see.
pub(crate) fn isa(options: &Options, large: bool) -> Result<Arc<dyn TargetIsa>, String> {
    static ISAS: [OnceLock<Result<Arc<dyn TargetIsa>, String>>; 8] = [const { OnceLock::new() }; 8];
    let speed = options.opt_level == OptLevel::Speed;
    let index = usize::from(speed) * 4 + usize::from(options.verify) * 2 + usize::from(large);
    ISAS[index].get_or_init(|| make(options, large)).clone()
}

fn make(options: &Options, large: bool) -> Result<Arc<dyn TargetIsa>, String> {
    let builder = cranelift_native::builder().map_err(str::to_owned)?;
    builder.finish(flags(options, large)?).map_err(|error| error.to_string())
}

/// What is asked of Cranelift on any machine.
pub(super) fn flags(options: &Options, large: bool) -> Result<settings::Flags, String> {
    let speed = options.opt_level == OptLevel::Speed && !large;
    let mut flags = settings::builder();
    let choices = [
        ("opt_level", if speed { "speed" } else { "none" }),
        ("regalloc_algorithm", "backtracking"),
        ("enable_verifier", if options.verify { "true" } else { "false" }),
        // Both are what cranelift-jit asks for.
        ("is_pic", "false"),
        ("use_colocated_libcalls", "false"),
        // Nothing unwinds through generated code, and nobody reads its tables.
        ("unwind_info", "false"),
        // Frames larger than a page touch each page on the way, so that the guard page cannot be stepped over.
        ("enable_probestack", "true"),
        ("probestack_strategy", "inline"),
    ];
    for (name, value) in choices {
        flags.set(name, value).map_err(|error| format!("setting {name}: {error}"))?;
    }
    Ok(settings::Flags::new(flags))
}
