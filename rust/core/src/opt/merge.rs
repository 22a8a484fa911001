//! What is computed twice is computed once, where that saves a call of the runtime.
//!
//! In: `a = op x; … b = op x`, the first dominating the second. Out: uses of b are uses of a, for every operation whose answer depends on
//! its operands alone and that cannot raise: `log(x / y)` twice is two divisions and two calls. False of what reads memory, which may have
//! changed, and of what has an effect. Cranelift does the same for its own instructions, so functions without two such calls are left alone.

use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};

use super::rewrite::Aliases;
use crate::typed::cfg::Graph;
use crate::typed::{Args, Const, Function, Inst, Module, Op, Value};

/// What an operation is, apart from its operands.
type Kind = (Discriminant<Op>, u64);

pub fn run(module: &mut Module) {
    for function in &mut module.functions {
        let calls = function.blocks.iter().flat_map(|block| &block.insts).filter(|inst| is_call(function, inst));
        if calls.take(2).count() == 2 {
            merge(function);
        }
    }
}

fn is_call(function: &Function, inst: &Inst) -> bool {
    matches!(inst.op, Op::Helper(..)) && !inst.op.can_raise(function.ty(inst.result))
}

/// None for what must stay where it is, or may have another answer each time.
fn kind(function: &Function, inst: &Inst) -> Option<Kind> {
    if inst.op.can_raise(function.ty(inst.result)) {
        return None;
    }
    let rest = match &inst.op {
        Op::Const(Const::None) => 0,
        Op::Const(Const::Bool(bit)) => u64::from(*bit),
        Op::Const(Const::Int(bits)) => *bits,
        Op::Const(Const::Float(float)) => float.to_bits(),
        Op::Helper(helper, mode) => std::ptr::from_ref(helper.0).addr() as u64 ^ *mode as u64,
        Op::Add(mode) | Op::Sub(mode) | Op::Mul(mode) | Op::Div(mode) | Op::Neg(mode) | Op::Abs(mode) => *mode as u64,
        Op::IntDiv(mode) | Op::FloorDiv(mode) | Op::Mod(mode) | Op::Narrow(mode) | Op::ToInt(mode) => *mode as u64,
        Op::Cmp(cond) | Op::CmpIntFloat(cond) => *cond as u64,
        Op::Sqrt | Op::Floor | Op::Ceil | Op::Trunc | Op::Nearest | Op::CopySign | Op::Select | Op::Convert => 0,
        _ => return None,
    };
    Some((discriminant(&inst.op), rest))
}

fn merge(function: &mut Function) {
    let graph = Graph::of(function);
    let mut known: HashMap<(Kind, Args, crate::types::Ty), Vec<(u32, Value)>> = HashMap::new();
    let mut aliases = Aliases::new(function);
    for &b in &graph.rpo {
        for at in 0..function.blocks[b as usize].insts.len() {
            let inst = &function.blocks[b as usize].insts[at];
            let Some(kind) = kind(function, inst) else { continue };
            let args: Args = inst.args.iter().map(|&arg| aliases.resolve(arg)).collect();
            let (ty, result) = (function.ty(inst.result).clone(), inst.result);
            let same = known.entry((kind, args, ty)).or_default();
            match same.iter().find(|(block, _)| *block == b || graph.dominates(*block, b)) {
                Some(&(_, first)) => aliases.set(result, first),
                None => same.push((b, result)),
            }
        }
    }
    aliases.apply(function);
}
