//! The machine we compile for: the host, with its features, built once per combination of options.

use std::sync::{Arc, OnceLock};

use cranelift_codegen::isa::TargetIsa;
use cranelift_codegen::settings::{self, Configurable};

use crate::code::{OptLevel, Options};

/// The target for these options; an error in words when the host is none of Cranelift's.
pub(crate) fn isa(options: &Options) -> Result<Arc<dyn TargetIsa>, String> {
    static ISAS: [OnceLock<Result<Arc<dyn TargetIsa>, String>>; 4] = [const { OnceLock::new() }; 4];
    let speed = options.opt_level == OptLevel::Speed;
    let index = usize::from(speed) * 2 + usize::from(options.verify);
    ISAS[index].get_or_init(|| make(speed, options.verify)).clone()
}

fn make(speed: bool, verify: bool) -> Result<Arc<dyn TargetIsa>, String> {
    let mut flags = settings::builder();
    let choices = [
        ("opt_level", if speed { "speed" } else { "none" }),
        ("enable_verifier", if verify { "true" } else { "false" }),
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
    let builder = cranelift_native::builder().map_err(str::to_owned)?;
    builder.finish(settings::Flags::new(flags)).map_err(|error| error.to_string())
}
