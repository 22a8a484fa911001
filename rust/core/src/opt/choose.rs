//! Two short ways that meet again become a choice between their values.
//!
//! In: any function. Out: the same, where
//!
//! ```text
//! if c: x = f else: x = g     is x = select(c, f, g)     for ints f and g of at most `MOST` operations each, at least one
//! ```
//!
//! all of them sums, shifts and bits that cannot raise, products by a constant among them. Which way is taken the processor would have to guess; a wrong guess costs it
//! more than both ways do. False when f or g can raise, count, call or print, or read memory. Where one way does nothing, a branch stays: that is
//! how the greatest of many is found, and there the guess is nearly always right.

use super::rewrite::drop_unreachable;
use super::simplify_cfg::straighten;
use crate::typed::{Args, Const, Function, Inst, Mode, Module, Op, Target, Terminator, Value};
use crate::types::Ty;

/// How many operations a way may have, constants aside.
const MOST: usize = 3;
/// How many values are chosen between.
const CHOSEN: usize = 2;

pub fn run(module: &mut Module) {
    for function in &mut module.functions {
        if convert(function) {
            drop_unreachable(function);
            straighten(function);
        }
    }
}

fn convert(function: &mut Function) -> bool {
    let branches = |block: &crate::typed::Block| matches!(block.end, Terminator::Branch(..));
    if !function.blocks.iter().any(branches) {
        return false;
    }
    let mut preds = vec![0u32; function.blocks.len()];
    for target in function.blocks.iter().flat_map(|block| block.end.targets()) {
        preds[target.block.0 as usize] += 1;
    }
    let constants = constants(function);
    let mut converted = false;
    for head in 0..function.blocks.len() {
        let Terminator::Branch(condition, yes, no) = &function.blocks[head].end else { continue };
        let condition = *condition;
        let Some((then, to)) = way(function, &preds, &constants, yes) else { continue };
        let Some((otherwise, other)) = way(function, &preds, &constants, no) else { continue };
        let differ = to.args.iter().zip(&other.args).filter(|(a, b)| a != b);
        let fits = |(a, _): (&Value, &Value)| *function.ty(*a) == Ty::INT;
        if to.block != other.block || then == otherwise || differ.clone().count() > CHOSEN || !differ.clone().all(fits)
        {
            continue;
        }
        let (to, other, span) = (to.clone(), other.clone(), function.blocks[head].end_span);
        for side in [then, otherwise] {
            let insts = std::mem::take(&mut function.blocks[side].insts);
            function.blocks[head].insts.extend(insts);
        }
        let mut args = Vec::new();
        for (&a, &b) in to.args.iter().zip(&other.args) {
            args.push(if a == b {
                a
            } else {
                let result = function.new_value(Ty::INT);
                let args = Args::from_slice(&[condition, a, b]);
                function.blocks[head].insts.push(Inst { result, op: Op::Select, args, span });
                result
            });
        }
        function.blocks[head].end = Terminator::Jump(Target { block: to.block, args });
        converted = true;
    }
    converted
}

fn constants(function: &Function) -> Vec<bool> {
    let mut constants = vec![false; function.values.len()];
    for inst in function.blocks.iter().flat_map(|block| &block.insts) {
        constants[inst.result.0 as usize] = matches!(inst.op, Op::Const(Const::Int(_)));
    }
    constants
}

/// A block that only this branch leads to, and that only computes a little, and where it goes on.
fn way<'f>(function: &'f Function, preds: &[u32], constants: &[bool], to: &Target) -> Option<(usize, &'f Target)> {
    let block = to.block.0 as usize;
    let Terminator::Jump(on) = &function.blocks[block].end else { return None };
    let insts = &function.blocks[block].insts;
    let work = insts.iter().filter(|inst| !matches!(inst.op, Op::Const(_))).count();
    let little = (1..=MOST).contains(&work) && insts.iter().all(|inst| is_little(function, constants, inst));
    let alone = preds[block] == 1 && function.blocks[block].params.is_empty() && on.block.0 as usize != block;
    (little && alone).then_some((block, on))
}

fn is_little(function: &Function, constants: &[bool], inst: &Inst) -> bool {
    use Op::*;
    let constant = |value: &Value| constants.get(value.0 as usize).copied().unwrap_or(false);
    *function.ty(inst.result) == Ty::INT
        && match &inst.op {
            Const(_) | Add(Mode::Numpy) | Sub(Mode::Numpy) | Neg(Mode::Numpy) | And | Or | Xor | Invert => true,
            Mul(Mode::Numpy) => inst.args.iter().any(constant),
            Shl(Mode::Numpy) | Shr(Mode::Numpy) => constant(&inst.args[1]),
            _ => false,
        }
}
