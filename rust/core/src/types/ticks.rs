//! Ticks: a bounded run needs a count of what can go on for long.
//!
//! In: a module as inference made it. Out: the same with a `Tick` in every block that goes back in a loop or makes a call that
//! counts: one for all that the block counts, before the first of its calls, or at its end when it makes none. Always holds:
//! between two ticks a run takes a number of steps that the size of the text bounds, in whatever order its blocks stand and
//! however they jump. Before all passes, so that every engine and every level of optimisation counts the same.

use super::Ty;
use crate::failure::POLL_INTERVAL;
use crate::span::Span;
use crate::typed::calls::{callees, components, cycles, is_cycle};
use crate::typed::cfg::reverse_post_order;
use crate::typed::reduction::BLOCK;
use crate::typed::{Args, Function, Inst, Module, Op};

/// What a run counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Counting {
    /// Whatever could go on for long: rounds of loops, calls that lead back to their function, and now and then a call when
    /// there are very many.
    Polls,
    /// Fuel: every round of a loop and every call of a function of the module, but for the one from outside.
    Fuel,
    /// Nothing: a run cannot be stopped. What counting costs is measured against this.
    Nothing,
}

/// How many calls may go by without a tick: fifty functions that each call the next one twice would else be for ever, with
/// neither loop nor recursion.
const CALLS: u32 = 64;

pub fn insert(module: &mut Module, counting: Counting) {
    if counting == Counting::Nothing {
        return;
    }
    let cycles = cycles(module);
    // How many calls one call of a function makes until the next tick, itself included.
    let mut calls = vec![0u32; module.functions.len()];
    for f in components(module).into_iter().flatten() {
        let cycle = cycles[f as usize];
        let comes_back = |callee: u32| cycle.is_some() && cycle == cycles[callee as usize];
        let counts = |callee: u32| counting == Counting::Fuel || comes_back(callee);
        let function = &mut module.functions[f as usize];
        let uncounted = callees(function).filter(|callee| !counts(*callee));
        let made = uncounted.fold(1, |sum: u32, callee| sum.saturating_add(calls[callee as usize]));
        let entry = counting == Counting::Polls && made > CALLS;
        calls[f as usize] = if entry { 0 } else { made };
        place(function, entry, counts);
    }
}

/// Puts ticks where a function counts: at its entry if it says so, in its loops, and at the calls that do.
fn place(function: &mut Function, entry: bool, counts: impl Fn(u32) -> bool) {
    let goes_back = goes_back(function);
    for (b, goes_back) in goes_back.into_iter().enumerate() {
        let block = &function.blocks[b];
        let counted = |inst: &Inst| matches!(inst.op, Op::Call(callee) if counts(callee.0));
        let calls = block.insts.iter().filter(|inst| counted(inst)).count();
        let entered = entry && b == 0;
        let units = calls as u32 + u32::from(goes_back) + u32::from(entered);
        let (at, span) = match block.insts.iter().position(counted) {
            _ if entered => (0, function.span),
            Some(at) => (at, block.insts[at].span),
            None => (block.insts.len(), block.end_span),
        };
        if units > 0 {
            let tick = tick(function, units, span);
            function.blocks[b].insts.insert(at, tick);
        }
    }
}

/// Of each block, whether it goes back in a loop: every way round one leads back to a block at or before where it comes from,
/// in an order that puts dominators first.
fn goes_back(function: &Function) -> Vec<bool> {
    let mut back = vec![false; function.blocks.len()];
    // True of any order: no edge back, no loop.
    let backwards = |(b, block): (usize, &crate::typed::Block)| block.end.targets().any(|t| t.block.0 as usize <= b);
    if function.blocks.iter().enumerate().any(backwards) {
        let mut seen = vec![false; function.blocks.len()];
        for b in reverse_post_order(function) {
            seen[b as usize] = true;
            back[b as usize] = function.blocks[b as usize].end.targets().any(|target| seen[target.block.0 as usize]);
        }
    }
    back
}

fn tick(function: &mut Function, units: u32, span: Span) -> Inst {
    let result = function.new_value(Ty::None);
    Inst { result, op: Op::Tick(units), args: Args::new(), span }
}

/// How many ticks may pass between two polls of a module: less than `POLL_INTERVAL` when much may lie between two ticks, so
/// that a poll comes after some 20 ms at the latest. `step` is how long an engine takes for an instruction, in nanoseconds.
pub fn interval(module: &Module, step: u64) -> u64 {
    const APART: u64 = 20_000_000;
    // What a call of each function may take until it ticks, at most: all that is in it, and in what it calls.
    let mut costs = vec![0u64; module.functions.len()];
    for component in components(module) {
        let own = component.iter().map(|f| steps(&module.functions[*f as usize], &costs));
        let cost = own.fold(0, u64::saturating_add);
        // A cycle ticks whenever it goes round.
        component.iter().for_each(|f| costs[*f as usize] = cost);
        debug_assert!(component.len() == 1 || is_cycle(module, &component));
    }
    let most = costs.into_iter().max().unwrap_or(1);
    (APART / most.max(1).saturating_mul(step)).clamp(1, POLL_INTERVAL)
}

fn steps(function: &Function, costs: &[u64]) -> u64 {
    let step = |inst: &Inst| match &inst.op {
        Op::Call(callee) => costs[callee.0 as usize].saturating_add(1),
        // It ticks for each block.
        Op::Map(kernel) | Op::MapInto(kernel) | Op::Reduce(_, kernel) => {
            costs[kernel.0 as usize].saturating_add(2).saturating_mul(BLOCK as u64)
        }
        Op::Helper(helper, _) => helper.0.nanos(),
        // Nobody knows what a function of the host takes: a Python callable, about this.
        Op::Print(_) | Op::Extern(_) => 1000,
        // The system may take the pages of some arrays back.
        Op::Keep => 1000,
        _ => 1,
    };
    function.blocks.iter().flat_map(|block| &block.insts).map(step).fold(0, u64::saturating_add)
}

#[cfg(test)]
mod tests;
