//! `engine="auto"`: interprets first, and compiles when that would have been cheaper.
//!
//! In: typed IR. Out: runs. Always holds: what is interpreted has no effect but its result, so that a run that turns out long is
//! begun again natively; a program that prints, writes to an array, or calls a function of the host that is not pure, is compiled at
//! its first call. Where the system refuses memory for machine code, everything is interpreted, with one warning per process.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use jib_core::code::{self, Code, CodeError};
use jib_core::interp::Program;
use jib_core::outside::Outside;
use jib_core::typed::calls::externs;
use jib_core::typed::{Inst, Module, Op};
use pyo3::exceptions::PyRuntimeWarning;
use pyo3::intern;
use pyo3::prelude::*;

use crate::calls::call_method;
use crate::host::Run;
use crate::specialise::{Stop, code_error, interpret, no_room, with_room};

pub struct Tiers {
    program: Program,
    options: code::Options,
    outside: Outside,
    /// How many instructions may still be interpreted.
    steps: AtomicU64,
    /// None: there is no memory for machine code, or it would be beyond a limit.
    code: OnceLock<Option<Code>>,
}

/// What compiling costs, in interpreted instructions: for a module, and for each of its instructions; measured by
/// benches/own/tiers.py. Whoever compiles when he has interpreted for as long as compiling takes never needs more than
/// twice the time of the better choice.
const MODULE: u64 = 1_000;
const INSTRUCTION: u64 = 50;

fn insts(module: &Module) -> impl Iterator<Item = &Inst> {
    module.functions.iter().flat_map(|function| &function.blocks).flat_map(|block| &block.insts)
}

/// Whether a run has other effects than its result, so that it is not begun again.
pub fn acts(module: &Module) -> bool {
    insts(module).any(|inst| matches!(inst.op, Op::Print(_)) || inst.op.writes())
        || externs(module).any(|callee| !callee.of.pure)
}

impl Tiers {
    pub fn new(module: Module, options: code::Options, outside: Outside) -> Tiers {
        // A run that was begun is begun again from its slots.
        let options = code::Options { slots: true, ..options };
        let steps = if acts(&module) { 0 } else { MODULE + INSTRUCTION * insts(&module).count() as u64 };
        Tiers { program: Program::new(module), options, outside, steps: AtomicU64::new(steps), code: OnceLock::new() }
    }

    pub fn code(&self) -> Option<&Code> {
        self.code.get()?.as_ref()
    }

    pub fn run(&self, args: &[u64], out: &mut [u64], host: &mut Run<'_>) -> Result<(), Stop> {
        if self.code.get().is_none() {
            if self.interpreted(args, out, host)? {
                return Ok(());
            }
            let code = host.not_counting(|py| self.compile(py))?;
            // Another thread may have been faster.
            let _ = self.code.set(code);
            host.refuel();
        }
        match self.code() {
            Some(code) => Ok(code.run(args, out, host)?),
            None => Ok(interpret(&self.program, args, out, host)?),
        }
    }

    /// Whether a run came to its end while interpreting was the cheaper choice.
    fn interpreted(&self, args: &[u64], out: &mut [u64], host: &mut Run<'_>) -> Result<bool, Stop> {
        let before = self.steps.load(Ordering::Relaxed);
        if before > 0 && !self.program.has_room() {
            return Err(no_room(&self.program).into());
        }
        let mut left = before;
        let ended = self.program.run_for(args, out, host, &mut left);
        let count = |steps: u64| Some(steps.saturating_sub(before - left));
        let _ = self.steps.fetch_update(Ordering::Relaxed, Ordering::Relaxed, count);
        Ok(ended?)
    }

    fn compile(&self, py: Python<'_>) -> Result<Option<Code>, Stop> {
        let compiled = with_room(|| match code::compile_for(self.program.module(), &self.options, self.outside) {
            Ok(code) => Ok(Ok(code)),
            Err(CodeError::Memory(words)) => Ok(Err(Some(words))),
            // What was interpreted so far, without a word about limits, goes on so.
            Err(CodeError::Limit { .. }) => Ok(Err(None)),
            Err(error) => Err(code_error(error)),
        });
        match compiled.map_err(Stop::Compiling)? {
            Ok(code) => Ok(Some(code)),
            Err(None) => Ok(None),
            Err(Some(words)) => warn(py, &words).map(|()| None).map_err(Stop::Raised),
        }
    }
}

fn warn(py: Python<'_>, words: &str) -> PyResult<()> {
    static WARNED: AtomicBool = AtomicBool::new(false);
    if WARNED.swap(true, Ordering::Relaxed) {
        return Ok(());
    }
    let warning = format!("jib interprets from here on: the system refuses memory for machine code ({words})");
    call_method(py.import("warnings")?.as_any(), intern!(py, "warn"), (warning, py.get_type::<PyRuntimeWarning>()))
        .map(|_| ())
}
