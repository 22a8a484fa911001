//! The texts of the stages that Rust has: typed-ir, clif, clif-opt, asm, cfg.
//!
//! In: a function, a signature, and what is to be seen. Out: the text, and for each line the place that it came from. Always holds: what another
//! machine cannot do is the asker's mistake, and no bug. A signature with arrays, of a function of numbers, is about a call with such arrays: the
//! kernel that goes through their elements.

use std::sync::Arc;

use jib_core::code::{CodeError, OptLevel};
use jib_core::codegen::dump::{dump_asm, dump_clif};
use jib_core::codegen::target::{Target, host, targets};
use jib_core::diag::Error;
use jib_core::listing::Listing;
use jib_core::outside::{HowMany, Outside};
use jib_core::span::Lines;
use jib_core::typed::{self, Module};
use jib_core::types::Ty;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;

use crate::errors::compile_error;
use crate::kernels::Compiled;
use crate::program::Program;
use crate::specialise::{Options, code_error, typed_ir, with_room};

/// What is to be seen.
#[derive(Clone, Copy)]
pub struct Wish<'a> {
    pub stage: &'a str,
    /// None: this machine.
    pub target: Option<&'a str>,
    /// Whether instructions stand beside their bytes.
    pub bytes: bool,
}

/// Of what it is to be seen.
pub enum Subject {
    /// A call with arguments of these types, and the result that is fixed.
    Call(Vec<Ty>, Option<Ty>),
    /// One for each element.
    Elements(Arc<Compiled>),
}

/// As Python gets it: the text, and for each of its lines the span that it came from.
pub type Seen = (String, Vec<Option<(u32, u32)>>);

/// The text of a stage.
pub fn dump(py: Python<'_>, program: &Program, wish: Wish, subject: &Subject) -> PyResult<Seen> {
    let target = wish.target.map(Target::named).transpose().map_err(PyValueError::new_err)?;
    if !matches!(wish.stage, "typed-ir" | "clif" | "clif-opt" | "asm" | "cfg") {
        return Err(PyValueError::new_err(format!("there is no stage called '{}'", wish.stage)));
    }
    let (options, lines) = (program.options, &program.unit.lines);
    let text = || match subject {
        Subject::Call(params, result) => {
            let (module, _) = typed_ir(&program.unit, params, result.as_ref(), options)?;
            listing(&module, Outside::Slots, wish, target, options, lines)
        }
        Subject::Elements(compiled) => {
            let kernel = &compiled.kernel;
            let shown = listing(kernel.module(), kernel.outside(), wish, target, options, lines)?;
            match (shown, kernel.outside()) {
                // Not every machine has every instruction on vectors: there elements are gone through one by one.
                (Err(_), Outside::Elements { uniform, .. }) => {
                    let outside = Outside::Elements { uniform, how: HowMany::One };
                    listing(kernel.module(), outside, wish, target, options, lines)
                }
                (shown, _) => Ok(shown),
            }
        }
    };
    match with_room(text).map_err(|error| compile_error(py, &program.source, error))? {
        Ok(Listing { text, places }) => {
            Ok((text, places.into_iter().map(|place| place.map(|span| (span.start, span.end))).collect()))
        }
        Err(words) => Err(PyValueError::new_err(words)),
    }
}

fn listing(
    module: &Module,
    outside: Outside,
    wish: Wish,
    target: Option<Target>,
    options: Options,
    lines: &Lines,
) -> Result<Result<Listing, String>, Error> {
    let listing = match wish.stage {
        "typed-ir" => Ok(typed::text::listing(module, lines)),
        "cfg" => Ok(typed::dot::listing(module)),
        "asm" => dump_asm(module, outside, &options.code(), target, wish.bytes, lines),
        clif => {
            let optimised = clif == "clif-opt" && options.opt_level == OptLevel::Speed;
            dump_clif(module, outside, optimised, target, lines)
        }
    };
    match listing {
        Ok(listing) => Ok(Ok(listing)),
        Err(CodeError::Target(words)) => Ok(Err(words)),
        Err(error) => Err(code_error(error)),
    }
}

/// The machines whose code can be shown, and whether this build has each.
#[pyfunction]
pub fn _targets() -> Vec<(&'static str, bool)> {
    targets().collect()
}

/// The machine that code is made for, and which of its extensions are used.
#[pyfunction]
pub fn _host() -> PyResult<(String, Vec<&'static str>)> {
    host().map_err(PyRuntimeError::new_err)
}
