//! The texts of the stages that Rust has: typed-ir, clif, clif-opt, asm, cfg.

use jib_core::code::OptLevel;
use jib_core::codegen::dump;
use jib_core::diag::Error;
use jib_core::typed;
use jib_core::types::Ty;
use jib_core::unit::Unit;

use crate::specialise::{Options, code_error, typed_ir, with_room};

/// The text of one stage for arguments of these types; None for a stage that Rust does not know.
pub fn dump(
    unit: &Unit,
    stage: &str,
    params: &[Ty],
    result: Option<&Ty>,
    options: Options,
) -> Option<Result<String, Error>> {
    if !matches!(stage, "typed-ir" | "clif" | "clif-opt" | "asm" | "cfg") {
        return None;
    }
    let text = || {
        let (module, _) = typed_ir(unit, params, result, options)?;
        match stage {
            "typed-ir" => Ok(typed::text::to_text(&module, &unit.lines)),
            "cfg" => Ok(typed::dot::to_dot(&module)),
            "asm" => dump::dump_asm(&module, &options.code(), &unit.lines).map_err(code_error),
            clif => {
                let optimised = clif == "clif-opt" && options.opt_level == OptLevel::Speed;
                dump::dump_clif(&module, optimised, &unit.lines).map_err(code_error)
            }
        }
    };
    Some(with_room(text))
}
