//! Leaves out what ints cannot need, by where they lie: tests for overflow, for a divisor of 0, and floors that are already floors.
//!
//! In: any function of ints. Out: the same, where, for ints of 64 bits,
//!
//! ```text
//! add, sub, mul, neg, abs   do not test        if 64 bits hold all that operands of these intervals can give
//! shl x, c                  does not test      if they hold x · 2ᶜ
//! floordiv a, b             is quotient        if 0 ≤ a and 1 ≤ b: the machine's division cuts off, which is to floor here; there is no
//! mod a, b                  is remainder         divisor of 0 and no MIN // -1, and the remainder needs no sign
//! ```
//!
//! and `quotient.32`, `remainder.32` if both are less than 2³². Always holds: what is left out could not have raised, at this place, whatever
//! the arguments. `interval` says what operations make of intervals, `walk` what is known where.
//!
//! A loop's parameters are first taken to lie where they begin. If a walk gives them more, they are taken to lie there too, and if the next one gives more
//! again, without end on that side: so a few walks are enough to find bounds that no round leaves, if it begins there. They hold where the loop is entered: so they hold
//! in all rounds. From there on a walk gives less or the same, which holds as well; one is made for what branches say of what has no end.

pub mod interval;
mod walk;

use crate::typed::cfg::Graph;
use crate::typed::{Bits, Function, Inst, Mode, Module, Op, Value};
use crate::types::Ty;
use interval::{ALL, Interval, from_to};
pub use walk::Walk;

/// How many walks are made until nothing leaves its bounds; then ints may lie anywhere.
const PATIENCE: usize = 5;
/// Larger functions are left as they are: work is walks times instructions.
const MOST: usize = 50_000;

pub fn run(module: &mut Module) {
    for function in &mut module.functions {
        if worth_it(function) {
            let graph = Graph::of(function);
            let changes = changes(function, &graph);
            for (block, inst, op) in changes {
                function.blocks[block as usize].insts[inst].op = op;
            }
        }
    }
}

fn worth_it(function: &Function) -> bool {
    function.values.len() < MOST
        && function.blocks.iter().flat_map(|block| &block.insts).any(|inst| is_tested(function, inst))
}

/// Whether there is something to leave out.
pub fn is_tested(function: &Function, inst: &Inst) -> bool {
    let python = matches!(
        inst.op,
        Op::Add(Mode::Python)
            | Op::Sub(Mode::Python)
            | Op::Mul(Mode::Python)
            | Op::Neg(Mode::Python)
            | Op::Abs(Mode::Python)
            | Op::Shl(Mode::Python)
    );
    (python || matches!(inst.op, Op::FloorDiv(_) | Op::Mod(_))) && *function.ty(inst.result) == Ty::INT
}

fn changes(function: &Function, graph: &Graph) -> Vec<(u32, usize, Op)> {
    let mut walk = Walk::new(function, graph);
    let mut changes = Vec::new();
    if !walk.natural {
        return changes;
    }
    settle(&mut walk);
    walk.walk(&mut |walk, b, i, inst| changes.extend(untested(walk, inst).map(|op| (b, i, op))));
    changes
}

/// Finds where the parameters of loops lie.
fn settle(walk: &mut Walk) {
    let params = walk.head_params();
    if params.is_empty() {
        return;
    }
    for round in 0.. {
        walk.walk(&mut |_, _, _, _| {});
        let mut settled = true;
        for &param in &params {
            let Some(given) = walk.given(param) else { continue };
            let assumed = match walk.assumed(param) {
                Some(assumed) if given.within(assumed.low, assumed.high) => continue,
                // In the first walk nothing was said of ways back but what they gave.
                None => given,
                Some(assumed) => endless(assumed, given),
            };
            settled = false;
            walk.assume_param(param, Some(assumed));
        }
        if settled || round == PATIENCE {
            // Anything, of all, is true in any case.
            for &param in params.iter().filter(|_| !settled) {
                walk.assume_param(param, Some(ALL));
            }
            break;
        }
    }
    // What ways back give if rounds begin there is true too, and may be less.
    walk.walk(&mut |_, _, _, _| {});
    for &param in &params {
        let given = walk.given(param);
        walk.assume_param(param, given);
    }
}

/// What leaves its bounds is let go without end, on that side.
fn endless(from: Interval, to: Interval) -> Interval {
    from_to(if to.low < from.low { i64::MIN } else { from.low }, if to.high > from.high { i64::MAX } else { from.high })
}

/// The operation that an instruction may be instead, here.
pub fn untested(walk: &Walk, inst: &Inst) -> Option<Op> {
    if !is_tested(walk.function, inst) {
        return None;
    }
    let lies = |value: Value| walk.lies(value);
    match inst.op {
        Op::FloorDiv(_) | Op::Mod(_) => {
            let (a, b) = (lies(inst.args[0]), lies(inst.args[1]));
            if a.low < 0 || b.low < 1 {
                return None;
            }
            let most = u32::MAX.into();
            let bits = if a.high <= most && b.high <= most { Bits::Half } else { Bits::All };
            Some(if matches!(inst.op, Op::Mod(_)) { Op::Remainder(bits) } else { Op::Quotient(bits) })
        }
        _ => {
            interval::exact(walk.wide(inst)?)?;
            Some(match inst.op {
                Op::Add(_) => Op::Add(Mode::Numpy),
                Op::Sub(_) => Op::Sub(Mode::Numpy),
                Op::Mul(_) => Op::Mul(Mode::Numpy),
                Op::Neg(_) => Op::Neg(Mode::Numpy),
                Op::Abs(_) => Op::Abs(Mode::Numpy),
                _ => Op::Shl(Mode::Numpy),
            })
        }
    }
}
