//! Ticks: a bounded run needs a count of what can go on for long.
//!
//! In: a module as inference made it. Out: the same with a `Tick` at the end of every block that goes back in a loop, and at
//! the entry of functions that recur or call very much. Always holds: between two ticks a run takes a number of steps that
//! the size of the text bounds, in whatever order its blocks stand and however they jump. Before all passes, so that every
//! engine and every level of optimisation counts the same.

use super::Ty;
use crate::span::Span;
use crate::typed::calls::{callees, components, is_cycle};
use crate::typed::cfg::Graph;
use crate::typed::{Args, Function, Inst, Module, Op};

/// How many calls may go by without a tick: fifty functions that each call the next one twice would else be for ever, with
/// neither loop nor recursion.
const CALLS: u32 = 64;

pub fn insert(module: &mut Module) {
    module.functions.iter_mut().for_each(loops);
    // How many calls one call of a function makes until the next tick, itself included.
    let mut calls = vec![0u32; module.functions.len()];
    for component in components(module) {
        let recursive = is_cycle(module, &component);
        for f in component {
            let function = &mut module.functions[f as usize];
            let made = callees(function).fold(1, |sum: u32, callee| sum.saturating_add(calls[callee as usize]));
            if recursive || made > CALLS {
                let tick = tick(function, function.span);
                function.blocks[0].insts.insert(0, tick);
            } else {
                calls[f as usize] = made;
            }
        }
    }
}

/// Every way round a loop leads back to a block at or before where it comes from, in an order that puts dominators first.
fn loops(function: &mut Function) {
    let goes_back = |(b, block): (usize, &crate::typed::Block)| block.end.targets().any(|t| t.block.0 as usize <= b);
    // True of any order: no edge back, no loop.
    if !function.blocks.iter().enumerate().any(goes_back) {
        return;
    }
    let order = Graph::of(function).rpo;
    let mut seen = vec![false; function.blocks.len()];
    for b in order {
        seen[b as usize] = true;
        let block = &function.blocks[b as usize];
        if block.end.targets().any(|target| seen[target.block.0 as usize]) {
            let tick = tick(function, block.end_span);
            function.blocks[b as usize].insts.push(tick);
        }
    }
}

fn tick(function: &mut Function, span: Span) -> Inst {
    let result = function.new_value(Ty::None);
    Inst { result, op: Op::Tick, args: Args::new(), span }
}

#[cfg(test)]
mod tests;
