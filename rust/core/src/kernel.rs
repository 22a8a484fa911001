//! Kernels: a scalar function applied to each element of runs in memory, by NumPy's rules.
//!
//! In: a unit, what the elements of each argument are, and how to compile. Out: `Kernel`, which many threads may run at once. Always holds:
//! an element's results are those that the function gives for that element alone; nothing outside of the runs is touched; the first
//! failure is that of the first element that fails.

mod memory;

use std::mem::replace;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::code::{self, Code, CodeError, OptLevel, Timings};
use crate::codegen::ticks;
use crate::codegen::vector::{Plan, is_ordering};
use crate::diag::{Diag, Error};
use crate::failure::{Failure, Host};
use crate::opt;
use crate::outside::{HowMany, Outside};
use crate::typed::{self, Mode, Op, Terminator};
use crate::types::ticks::Counting;
use crate::types::{IntTy, Item, Ty};
use crate::unit::Unit;

/// One operand of a kernel.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Param {
    pub item: Item,
    /// A Python scalar: gives way to arrays' types as a literal does (NumPy 2). Where the text declares a sized type it has that.
    pub weak: bool,
    /// One value for all elements, not a run of them.
    pub uniform: bool,
}

/// How many operands a kernel may have, results included: as many as a NumPy ufunc.
pub const MOST_OPERANDS: usize = 64;

/// A compiled kernel.
pub struct Kernel {
    module: typed::Module,
    /// The same with its branches, if they became choices.
    branches: Option<typed::Module>,
    outs: Vec<Item>,
    uniform: u64,
    bounds: Vec<(usize, IntTy)>,
    options: code::Options,
    can_fail: bool,
    ticks: bool,
    is_vector: bool,
    flags_are_exact: bool,
    code: Code,
    /// What `run_exact` runs, if that is something else: compiled when it is needed.
    exact: OnceLock<Option<Code>>,
    stages: Stages,
}

/// Where the time went before machine code, in microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stages {
    pub types: f64,
    pub passes: f64,
}

pub fn compile(unit: &Unit, params: &[Param], options: &code::Options, counting: Counting) -> Result<Kernel, Error> {
    let start = Instant::now();
    let args: Vec<Ty> = params.iter().map(|param| param.item.ty()).collect();
    let types = unit.accept(&args)?;
    let weak: Vec<bool> = params.iter().zip(&types).map(|(param, ty)| param.weak && *ty == param.item.ty()).collect();
    let mut module = unit.specialise_among(&types, &weak, None, Mode::Numpy, counting)?;
    let entry = &module.functions[0];
    let items: Option<Vec<Item>> = entry.result.scalars().iter().map(Item::of).collect();
    let outs = items.filter(|outs| !outs.is_empty() && !has_array(&entry.result));
    let outs = outs.ok_or_else(|| Diag::new("elementwise-result", entry.span, &[&entry.name, &entry.result]))?;
    if params.len() + outs.len() > MOST_OPERANDS {
        return Err(Diag::new("elementwise-operands", entry.span, &[&entry.name, &MOST_OPERANDS]).into());
    }
    let bounds = bounds(&module.functions[0], &weak);
    memory::take_items(&mut module, params.iter().map(|param| param.item));
    typed::verify::seam(&module, "taking elements")?;
    let types = start.elapsed();
    let uniform = (params.iter().enumerate()).fold(0, |mask, (i, param)| mask | u64::from(param.uniform) << i);
    let mut kernel = of_module(module, outs, uniform, options)?;
    (kernel.stages.types, kernel.bounds) = (micros(types), bounds);
    Ok(kernel)
}

/// A kernel of a module whose entry takes items and gives `outs`.
fn of_module(
    mut module: typed::Module,
    outs: Vec<Item>,
    uniform: u64,
    options: &code::Options,
) -> Result<Kernel, Error> {
    let start = Instant::now();
    let (mut branches, mut speculates) = (None, false);
    if options.opt_level == OptLevel::Speed {
        opt::optimize(&mut module)?;
        if let Some((straight, flags)) = opt::without_branches(&module)? {
            speculates = flags;
            branches = Some(replace(&mut module, straight));
        }
    }
    let stages = Stages { types: 0.0, passes: micros(start.elapsed()) };
    let options = *options;
    let plan = Plan::of(&module.functions[0], uniform).filter(|_| options.opt_level == OptLevel::Speed);
    let compile =
        |module: &_, how| code::compile_for(module, &options, Outside::Elements { uniform, how }).map_err(refused);
    // Not every machine has every instruction on vectors.
    let vector = plan.and_then(|plan| Some((plan, compile(&module, HowMany::Several).ok()?)));
    let (code, plan) = match vector {
        Some((plan, code)) => (code, Some(plan)),
        None => (compile(&module, HowMany::One)?, None),
    };
    let signals = plan.as_ref().map_or_else(|| has_extremes(&module), Plan::signals);
    let ticks = ticks::ticking(&module)[0];
    let can_fail = ticks || can_fail(&module);
    let (flags_are_exact, exact) = (!signals && !speculates, OnceLock::new());
    let is_vector = plan.is_some();
    Ok(Kernel {
        module,
        branches,
        outs,
        uniform,
        bounds: Vec::new(),
        options,
        can_fail,
        ticks,
        is_vector,
        flags_are_exact,
        code,
        exact,
        stages,
    })
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

impl Kernel {
    /// What it gives for each element: one item for each scalar of the function's result.
    pub fn outs(&self) -> &[Item] {
        &self.outs
    }

    /// Parameters that are Python's ints and become ints of these types: NumPy raises OverflowError where one does not fit, here it would
    /// wrap. So who has the number asks before it runs the kernel.
    pub fn bounds(&self) -> &[(usize, IntTy)] {
        &self.bounds
    }

    /// Whether a run can end in a failure.
    pub fn can_fail(&self) -> bool {
        self.can_fail
    }

    /// Whether a run may ask the host whether to go on.
    pub fn ticks(&self) -> bool {
        self.ticks
    }

    /// Whether several elements are done at once.
    pub fn is_vector(&self) -> bool {
        self.is_vector
    }

    /// Whether a run sets the floating-point exception flags that doing each element by itself would set, and no others.
    pub fn flags_are_exact(&self) -> bool {
        self.flags_are_exact
    }

    /// Applies it to `count` elements.
    ///
    /// # Safety
    /// `operands` are pointers to the first element of each parameter (of a uniform one: to the one element), then of each out; behind
    /// each lie `count` elements, one after the other, at any alignment. An out may be the very same memory as an input run of items of
    /// the same size, and else overlaps with nothing. Nobody else writes to any of it meanwhile.
    pub unsafe fn run(&self, operands: &[*mut u8], count: usize, host: &mut dyn Host) -> Result<(), Failure> {
        // SAFETY: what the operands point to is the caller's to vouch for, in the same words.
        unsafe { self.code.run_elements(operands, count, host) }
    }

    /// The same values, with exactly the floating-point exception flags that doing each element by itself sets.
    ///
    /// # Safety
    /// As `run`.
    pub unsafe fn run_exact(&self, operands: &[*mut u8], count: usize, host: &mut dyn Host) -> Result<(), Failure> {
        let exact =
            (!self.flags_are_exact).then(|| self.exact.get_or_init(|| self.compile_exactly().ok())).map(Option::as_ref);
        let code = exact.flatten().unwrap_or(&self.code);
        // SAFETY: likewise.
        unsafe { code.run_elements(operands, count, host) }
    }

    /// Refused memory leaves the flags inexact, which are warnings in the end.
    fn compile_exactly(&self) -> Result<Code, CodeError> {
        let how = HowMany::OneQuietly;
        let module = self.branches.as_ref().unwrap_or(&self.module);
        code::compile_for(module, &self.options, Outside::Elements { uniform: self.uniform, how })
    }

    /// The function that is applied, after the passes: its parameters are the elements as they lie in memory.
    pub fn module(&self) -> &typed::Module {
        &self.module
    }

    /// How its code is entered, for who looks inside.
    pub fn outside(&self) -> Outside {
        let how = if self.is_vector { HowMany::Several } else { HowMany::One };
        Outside::Elements { uniform: self.uniform, how }
    }

    pub fn size_bytes(&self) -> usize {
        self.code.size_bytes()
    }

    pub fn stages(&self) -> Stages {
        self.stages
    }

    pub fn timings(&self) -> Timings {
        self.code.timings()
    }

    /// How many instructions could trap without a test before them: none, or we have a bug.
    pub fn traps(&self) -> usize {
        self.code.traps()
    }
}

/// Which weak parameters are narrowed, and to what.
fn bounds(entry: &typed::Function, weak: &[bool]) -> Vec<(usize, IntTy)> {
    let mut bounds = Vec::new();
    for inst in entry.blocks.iter().flat_map(|block| &block.insts) {
        let Op::Narrow(_) = inst.op else { continue };
        let param = entry.params().iter().position(|param| *param == inst.args[0]);
        if let (Some(param), Ty::Int(int)) = (param, entry.ty(inst.result))
            && weak.get(param) == Some(&true)
            && !bounds.contains(&(param, *int))
        {
            bounds.push((param, *int));
        }
    }
    bounds
}

fn has_array(ty: &Ty) -> bool {
    match ty {
        Ty::Tuple(items) => items.iter().any(has_array),
        other => matches!(other, Ty::Array(_)),
    }
}

/// Whether it compares two floats to choose between them, for which the machine has an instruction that tells nans by a flag.
fn has_extremes(module: &typed::Module) -> bool {
    module.functions.iter().any(|function| {
        let insts = || function.blocks.iter().flat_map(|block| &block.insts);
        insts().any(|inst| is_ordering(function, inst))
            && insts().any(|inst| inst.op == Op::Select && matches!(function.ty(inst.result), Ty::Float(_)))
    })
}

/// Whether anything in the module can end a run. A loop that does not tick cannot: it runs on.
fn can_fail(module: &typed::Module) -> bool {
    let blocks = || module.functions.iter().flat_map(|function| function.blocks.iter().map(move |b| (function, b)));
    let fails = |function: &typed::Function, inst: &typed::Inst| match &inst.op {
        // What is called is looked at by itself; but calls that lead back can go too deep.
        Op::Call(_) => typed::calls::cycles(module).iter().any(Option::is_some),
        Op::Prepay(_) | Op::PrepayMost | Op::Refund(_) | Op::Mark | Op::Keep => false,
        op => op.can_raise(function.ty(inst.result)),
    };
    blocks().any(|(_, block)| matches!(block.end, Terminator::Raise(_)))
        || blocks().any(|(function, block)| block.insts.iter().any(|inst| fails(function, inst)))
}

fn refused(error: CodeError) -> Error {
    match error {
        CodeError::Limit { code, limit, span } => Diag::new(code, span, &[&limit]).into(),
        CodeError::Memory(words) => Error::Memory(words.into()),
        CodeError::Target(words) | CodeError::Internal(words) => Error::internal(words),
    }
}

#[cfg(test)]
mod tests;
