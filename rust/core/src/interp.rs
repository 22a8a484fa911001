//! The interpreter: runs typed IR as it stands. Oracle, fallback and cold tier.
//!
//! In: a verified module and the entry's arguments as slots (see `eval`). Out: the result's slots, or the failure and its place.
//! Always holds: faults and spans are those of native code; no recursion in Rust, whatever the program does: calls deeper than
//! `MAX_FRAMES`, or needing more than `MAX_SLOTS` slots for their values, raise RecursionError at the call.

use std::sync::Arc;

use smallvec::SmallVec;

use crate::arrays::whole::{Engine, Kind, Stop, Whole};
use crate::code::{has_room, has_room_for};
use crate::codegen::externs::room;
use crate::eval::{Slots, eval};
use crate::externs::Extern;
use crate::failure::{Cause, Failure, Host, HostError, refill};
use crate::fault::Fault;
use crate::format;
use crate::runtime::memory;
use crate::span::Span;
use crate::typed::calls::externs;
use crate::typed::{FuncId, Function, Inst, Module, Op, Target, Terminator, Value};
use crate::types::ticks::interval;
use crate::types::{Item, Ty};

/// How deep calls may nest, the entry included.
pub const MAX_FRAMES: usize = 100_000;
/// How many slots the values of all running calls may take: 64 MiB.
pub const MAX_SLOTS: usize = 1 << 23;

/// Runs the entry of a verified module. `args` are the slots of its parameters; `out` takes the slots of its result, as many
/// as the type's width.
pub fn run(module: &Module, args: &[u64], out: &mut [u64], host: &mut dyn Host) -> Result<(), Failure> {
    Program::new(module.clone()).run(args, out, host)
}

/// A module and where its values live, to be run many times.
pub struct Program {
    module: Module,
    layouts: Vec<Layout>,
    /// How many ticks may pass until the host is asked.
    interval: u64,
    /// The function of the host that needs the most stack.
    deepest: Option<Arc<Extern>>,
}

/// Where each value of a function begins in its frame, and, last, how large the frame is.
struct Layout(Vec<u32>);

impl Layout {
    fn new(function: &Function) -> Layout {
        let mut starts = Vec::with_capacity(function.values.len() + 1);
        let mut next = 0;
        for ty in &function.values {
            starts.push(next);
            next += ty.width() as u32;
        }
        starts.push(next);
        Layout(starts)
    }

    fn range(&self, value: Value) -> std::ops::Range<usize> {
        self.0[value.0 as usize] as usize..self.0[value.0 as usize + 1] as usize
    }

    fn size(&self) -> usize {
        self.0.last().copied().unwrap_or(0) as usize
    }
}

/// A call under way: where it stands in its function, and where its values begin.
struct Frame {
    function: u32,
    block: u32,
    inst: u32,
    base: usize,
}

struct Machine<'p> {
    program: &'p Program,
    frames: Vec<Frame>,
    values: Vec<u64>,
    /// How many ticks may pass until the host is asked whether to go on.
    budget: u64,
    /// How many instructions may be run.
    steps: u64,
    host: &'p mut dyn Host,
}

impl Program {
    pub fn new(module: Module) -> Program {
        let layouts = module.functions.iter().map(Layout::new).collect();
        let interval = interval(&module, 32);
        let deepest = externs(&module).map(|callee| &callee.of).max_by_key(|of| room(of)).cloned();
        Program { module, layouts, interval, deepest }
    }

    pub fn module(&self) -> &Module {
        &self.module
    }

    /// Whether the current thread's stack has room for a run: it needs little itself, but the functions of the host may.
    pub fn has_room(&self) -> bool {
        self.deepest.as_ref().map_or_else(|| has_room(0), |of| has_room_for(of))
    }

    pub fn run(&self, args: &[u64], out: &mut [u64], host: &mut dyn Host) -> Result<(), Failure> {
        let mut steps = u64::MAX;
        self.run_for(args, out, host, &mut steps).map(|_| ())
    }

    /// Runs at most so many instructions, and counts them off; whether that was enough. If not, `out` is as it was.
    pub fn run_for(
        &self,
        args: &[u64],
        out: &mut [u64],
        host: &mut dyn Host,
        steps: &mut u64,
    ) -> Result<bool, Failure> {
        crate::trip!("interp");
        let budget = host.interval(self.interval);
        let (frames, values) = Default::default();
        let mut machine = Machine { program: self, frames, values, budget, steps: *steps, host };
        machine.enter(0, args);
        let result = machine.run();
        *steps = machine.steps;
        Ok(result?.map(|slots| out.copy_from_slice(&slots)).is_some())
    }
}

impl<'p> Machine<'p> {
    /// None when there are no steps left.
    fn run(&mut self) -> Result<Option<Slots>, Failure> {
        let program = self.program;
        loop {
            let at = self.frames.len() - 1;
            let frame = &mut self.frames[at];
            let function = &program.module.functions[frame.function as usize];
            let block = &function.blocks[frame.block as usize];
            if let Some(inst) = block.insts.get(frame.inst as usize) {
                // A call finds its way back past itself.
                frame.inst += 1;
                if self.steps == 0 {
                    return Ok(None);
                }
                self.steps -= 1;
                self.step(function, inst).map_err(|cause| Failure { cause, span: inst.span })?;
            } else if let Some(result) = self.leave_block(function, &block.end, block.end_span)? {
                return Ok(Some(result));
            }
        }
    }

    /// A whole-array operation. Not where all others are: what it needs of the stack, small stacks have only when it is needed.
    #[inline(never)]
    fn whole(&mut self, function: &'p Function, inst: &Inst, args: &[u64]) -> Result<(), Cause> {
        let operands = types(function, &inst.args).into_iter().cloned().collect();
        let Some((whole, kernel)) = Whole::of(&self.program.module, &inst.op, operands) else { return Ok(()) };
        let numbers = numbers(&whole);
        let done = whole.run(args, &mut Elements { machine: self, kernel, item: whole.item, numbers });
        let result = done.map_err(|stop| match stop {
            Stop::Fault(fault) => Cause::Fault(fault),
            Stop::Host => Cause::Host,
            Stop::Kernel(cause) => cause,
        })?;
        self.write(inst.result, &result);
        Ok(())
    }

    /// The kernel on the elements of lines, one after the other.
    #[inline(never)]
    fn rows(&mut self, function: &'p Function, kernel: FuncId, inst: &Inst, args: &[u64]) -> Result<(), Cause> {
        let mut places: SmallVec<[(u64, Option<Item>); 8]> = SmallVec::new();
        let mut rest = args;
        for ty in types(function, &inst.args) {
            places.push((rest[0], if let Ty::Array(array) = ty { Some(array.item) } else { None }));
            rest = &rest[ty.width()..];
        }
        let (Some(((out, Some(item)), operands)), Some(&count)) = (places.split_first(), args.get(1)) else {
            return Ok(());
        };
        let at = |first: u64, item: Item, i: u64| first.wrapping_add(i.wrapping_mul(item.size() as u64));
        for i in 0..count {
            let element = |&(first, item): &(u64, Option<Item>)| match item {
                // SAFETY: the operands are lines of so many elements at least, which are there while code runs.
                Some(item) => unsafe { memory::load(item, at(first, item, i)) },
                None => first,
            };
            let elements: Slots = operands.iter().map(element).collect();
            let result = self.call_now(kernel.0, &elements)?;
            if result.get(1) != Some(&0) {
                // SAFETY: likewise, and the first is writable.
                unsafe { memory::store(*item, at(*out, *item, i), result[0]) };
            }
        }
        Ok(())
    }

    /// Runs a function to its end, in the midst of an instruction.
    fn call_now(&mut self, function: u32, args: &[u64]) -> Result<Slots, Cause> {
        let (before, steps) = (std::mem::take(&mut self.frames), std::mem::replace(&mut self.steps, u64::MAX));
        let base = self.values.len();
        self.enter(function, args);
        let done = self.run();
        self.values.truncate(base);
        (self.frames, self.steps) = (before, steps);
        match done {
            Ok(result) => Ok(result.unwrap_or_default()),
            Err(failure) => Err(failure.cause),
        }
    }

    fn step(&mut self, function: &'p Function, inst: &Inst) -> Result<(), Cause> {
        let args = self.gather(&inst.args);
        match &inst.op {
            Op::Call(callee) => {
                let size = self.program.layouts[callee.0 as usize].size();
                if self.frames.len() >= MAX_FRAMES || self.values.len() + size > MAX_SLOTS {
                    return Err(Cause::Fault(Fault::Recursion));
                }
                self.enter(callee.0, &args);
            }
            Op::Print(print) => {
                let text = format::print_line(print, &types(function, &inst.args), &args);
                self.host.print(&text).map_err(|_| Cause::Host)?;
            }
            Op::Extern(callee) => {
                let mut out = Slots::from_elem(0, callee.of.result.width());
                callee.call(self.host, &args, &mut out)?;
                self.write(inst.result, &out);
            }
            Op::Map(_) | Op::MapInto(_) | Op::Reduce(..) => self.whole(function, inst, &args)?,
            Op::Tick(units) => self.tick(u64::from(*units))?,
            Op::Prepay(units) => {
                let there = self.budget >= u64::from(*units);
                self.budget -= if there { u64::from(*units) } else { 0 };
                self.write(inst.result, &[u64::from(there)]);
            }
            Op::Mark => {
                let mark = self.host.mark();
                self.write(inst.result, &[mark]);
            }
            Op::Keep => {
                let mut at = 0;
                // The mark, and each array's address, is the first slot of its operand.
                let first = inst.args.iter().map(|&arg| {
                    at += function.ty(arg).width();
                    args[at - function.ty(arg).width()]
                });
                let first: Slots = first.collect();
                self.host.keep(first[0], &first[1..]);
            }
            Op::Refund(units) => self.budget += u64::from(*units),
            Op::PrepayMost => {
                let paid = self.budget.min(args[0]);
                self.budget -= paid;
                self.write(inst.result, &[paid]);
            }
            Op::Rows(kernel) => self.rows(function, *kernel, inst, &args)?,
            op => {
                let result = eval(op, &types(function, &inst.args), function.ty(inst.result), &args)?;
                self.write(inst.result, &result);
            }
        }
        Ok(())
    }

    /// Follows a terminator; the entry's result once it has returned.
    fn leave_block(&mut self, function: &Function, end: &Terminator, span: Span) -> Result<Option<Slots>, Failure> {
        let fail = |cause| Failure { cause, span };
        match end {
            Terminator::Jump(target) => {
                self.jump(function, target);
            }
            Terminator::Branch(condition, then, otherwise) => {
                let truth = self.gather(&[*condition])[0] != 0;
                self.jump(function, if truth { then } else { otherwise });
            }
            Terminator::Return(value) => return Ok(self.leave(*value)),
            Terminator::Raise(index) => {
                return Err(fail(Cause::Raised(self.program.module.raises[*index as usize].clone())));
            }
        }
        Ok(None)
    }

    /// Arguments are all read before the first parameter is written: they may be the same values.
    fn jump(&mut self, function: &Function, target: &Target) {
        let args = self.gather(&target.args);
        let frame = self.frames.last_mut().expect("a frame runs");
        (frame.block, frame.inst) = (target.block.0, 0);
        self.write_params(&function.blocks[target.block.0 as usize].params, &args);
    }

    fn enter(&mut self, function: u32, args: &[u64]) {
        let base = self.values.len();
        self.values.resize(base + self.program.layouts[function as usize].size(), 0);
        self.frames.push(Frame { function, block: 0, inst: 0, base });
        self.write_params(self.program.module.functions[function as usize].params(), args);
    }

    /// Ends a call and gives its result to the caller's instruction, or back when there is no caller.
    fn leave(&mut self, value: Value) -> Option<Slots> {
        let result = self.gather(&[value]);
        if let Some(frame) = self.frames.pop() {
            self.values.truncate(frame.base);
        }
        let Some(caller) = self.frames.last() else { return Some(result) };
        let function = &self.program.module.functions[caller.function as usize];
        let call = &function.blocks[caller.block as usize].insts[caller.inst as usize - 1];
        self.write(call.result, &result);
        None
    }

    fn gather(&self, values: &[Value]) -> Slots {
        let frame = self.frames.last().expect("a frame runs");
        let layout = &self.program.layouts[frame.function as usize];
        let local = &self.values[frame.base..];
        values.iter().flat_map(|&value| local[layout.range(value)].iter().copied()).collect()
    }

    fn write(&mut self, value: Value, slots: &[u64]) {
        let frame = self.frames.last().expect("a frame runs");
        let range = self.program.layouts[frame.function as usize].range(value);
        self.values[frame.base..][range].copy_from_slice(slots);
    }

    fn write_params(&mut self, params: &[Value], args: &[u64]) {
        let frame = self.frames.last().expect("a frame runs");
        let layout = &self.program.layouts[frame.function as usize];
        let local = &mut self.values[frame.base..];
        let mut rest = args;
        for &param in params {
            let range = layout.range(param);
            let (mine, others) = rest.split_at(range.len());
            local[range].copy_from_slice(mine);
            rest = others;
        }
    }

    fn tick(&mut self, units: u64) -> Result<(), Cause> {
        self.budget = refill(self.host, self.budget, units, self.program.interval).map_err(|_| Cause::Host)?;
        Ok(())
    }
}

/// The kernel of a whole-array operation, interpreted element by element.
struct Elements<'m, 'p> {
    machine: &'m mut Machine<'p>,
    kernel: FuncId,
    item: Item,
    /// Of each operand of the kernel, whether it is one number for all elements.
    numbers: Vec<bool>,
}

fn numbers(whole: &Whole) -> Vec<bool> {
    let target = usize::from(whole.kind == Kind::Into);
    whole.operands[target..].iter().map(|ty| !matches!(ty, Ty::Array(_))).collect()
}

impl Engine for Elements<'_, '_> {
    type Error = Cause;

    fn block(&mut self, operands: &[*mut u8], count: usize) -> Result<(), Cause> {
        let function = &self.machine.program.module.functions[self.kernel.0 as usize];
        let items: Vec<Item> = function.params().iter().filter_map(|&param| Item::of(function.ty(param))).collect();
        let (out, operands) = operands.split_last().expect("a result");
        let at = |first: *mut u8, item: Item, i: usize| (first.expose_provenance() + i * item.size()) as u64;
        for i in 0..count {
            let elements = operands.iter().zip(&items).zip(&self.numbers);
            // SAFETY: so many elements lie behind each operand, and room for as many results behind `out`: that is what `walk` gives.
            let args: Slots = elements
                .map(|((&first, &item), &one)| unsafe { memory::load(item, at(first, item, if one { 0 } else { i })) })
                .collect();
            let result = self.machine.call_now(self.kernel.0, &args)?;
            // SAFETY: likewise.
            unsafe { memory::store(self.item, at(*out, self.item, i), result[0]) };
        }
        Ok(())
    }

    fn tick(&mut self) -> Result<(), HostError> {
        self.machine.tick(1).map_err(|_| HostError)
    }

    fn memory(&mut self, bytes: usize) -> Result<u64, HostError> {
        self.machine.host.memory(bytes)
    }
}

fn types<'f>(function: &'f Function, values: &[Value]) -> SmallVec<[&'f Ty; 3]> {
    values.iter().map(|&value| function.ty(value)).collect()
}

#[cfg(test)]
mod tests;
