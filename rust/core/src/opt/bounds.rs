//! Leaves out the tests that cannot fail: of indices against lengths, and of int arithmetic for overflow.
//!
//! In: a function whose values are named once for each meaning that the passes before could see. Out: the same, where
//!
//! ```text
//! index i, n      is i                      if 0 ≤ i ≤ n - 1 is proven,
//!                 is add.wrap i, n          if -n ≤ i ≤ -1 is,
//!                 is an earlier index i, n  if one stands on every way here,
//!                 tests the upper bound     if 0 ≤ i is;
//! add, sub, mul   do not test               if no sum, difference, product of what the operands can be is outside of int.
//! ```
//!
//! Always holds: what is left out could not have raised, at this place, whatever the arguments. `facts` says what is known and from where
//! on, `prove` what follows from it. Every question takes a bounded number of steps; a function that neither indexes nor loops is not
//! looked at.

mod facts;
mod prove;
mod stride;

use std::collections::HashMap;

use super::rewrite::Aliases;
use crate::typed::cfg::Graph;
use crate::typed::{Bounds, Function, Inst, Mode, Module, Op, Value};
use crate::types::Ty;
use facts::{Facts, Place, Term};
use prove::Prover;

pub fn run(module: &mut Module) {
    for function in &mut module.functions {
        if worth_it(function) {
            bounds(function);
        }
    }
}

fn worth_it(function: &Function) -> bool {
    let mut insts = function.blocks.iter().flat_map(|block| &block.insts);
    insts.any(|inst| matches!(inst.op, Op::Index(_) | Op::Tick(_) | Op::NextIndex))
}

/// What becomes of an instruction.
enum Change {
    /// It is that value.
    Is(Value),
    Op(Op),
}

fn bounds(function: &mut Function) {
    let graph = Graph::of(function);
    let facts = Facts::new(function, &graph);
    let mut prover = Prover::new(&facts);
    let mut changes = Vec::new();
    // The last index op of these terms.
    let mut earlier: HashMap<(Term, Term), (Value, u32)> = HashMap::new();
    for &b in &graph.rpo {
        for (i, inst) in function.blocks[b as usize].insts.iter().enumerate() {
            let place = Place { block: b, inst: i as u32 };
            let change = match &inst.op {
                Op::Index(bounds) => {
                    let known = index(&mut prover, inst, *bounds, place);
                    match known {
                        Some(Change::Is(_)) => known,
                        _ => {
                            let terms = (facts.term(inst.args[0]), facts.term(inst.args[1]));
                            match earlier.get(&terms) {
                                Some(&(same, at)) if graph.dominates(at, b) => Some(Change::Is(same)),
                                _ => {
                                    earlier.insert(terms, (inst.result, b));
                                    known
                                }
                            }
                        }
                    }
                }
                Op::Add(Mode::Python) | Op::Sub(Mode::Python) | Op::Mul(Mode::Python)
                    if *function.ty(inst.result) == Ty::INT && prover.fits(inst, place) =>
                {
                    Some(Change::Op(match inst.op {
                        Op::Add(_) => Op::Add(Mode::Numpy),
                        Op::Sub(_) => Op::Sub(Mode::Numpy),
                        _ => Op::Mul(Mode::Numpy),
                    }))
                }
                _ => None,
            };
            changes.extend(change.map(|change| (place, change)));
        }
    }
    apply(function, changes);
}

fn index(prover: &mut Prover, inst: &Inst, bounds: Bounds, place: Place) -> Option<Change> {
    let &[i, n] = inst.args.as_slice() else { return None };
    let (index, length) = (prover.facts.term(i), prover.facts.term(n));
    let zero = Term::constant(0);
    if prover.holds(zero, index, 0, place) {
        // i ≤ n - 1.
        if prover.holds(index, length, -1, place) {
            return Some(Change::Is(i));
        }
        return (bounds == Bounds::Both).then_some(Change::Op(Op::Index(Bounds::Upper)));
    }
    // From the end: of indices that are constant, as sums of two variables are not what the prover compares.
    let from_end = index.is_constant().filter(|k| *k < 0 && bounds == Bounds::Both)?;
    prover.holds(zero, length, from_end, place).then_some(Change::Op(Op::Add(Mode::Numpy)))
}

fn apply(function: &mut Function, changes: Vec<(Place, Change)>) {
    let mut aliases = Aliases::new(function);
    let mut gone = vec![false; function.values.len()];
    for (place, change) in changes {
        let inst = &mut function.blocks[place.block as usize].insts[place.inst as usize];
        match change {
            Change::Op(op) => inst.op = op,
            Change::Is(value) => {
                gone[inst.result.0 as usize] = true;
                aliases.set(inst.result, value);
            }
        }
    }
    for block in &mut function.blocks {
        block.insts.retain(|inst| !gone[inst.result.0 as usize]);
    }
    aliases.apply(function);
}
