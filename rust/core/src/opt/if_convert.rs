//! Branches between cheap operations become choices between their values, so that a kernel is one block.
//!
//! `if c: x = f else: x = g` is `x = select(c, f, g)`, and `if a: if b: …` is one branch on `a and b`. False when f or g can raise, count, call or
//! print: such blocks stay. An untaken division divides by 1 and an untaken root is that of 1, so that both raise no flag of the
//! floating-point unit that nobody asked for; sums and products may overflow where they are not taken: `run` says whether there are any.
//!
//! Not among `PASSES`: which branch is taken is often known to the processor, and then a branch is cheaper.

use super::rewrite::{Aliases, drop_unreachable};
use crate::typed::cfg::Graph;
use crate::typed::{Args, Const, Function, Inst, Mode, Op, Target, Terminator, Value};
use crate::types::Ty;

/// More operations than this are not done in vain.
const MOST: usize = 24;

/// Where there are more blocks than this, some branch will stay.
const MOST_BLOCKS: usize = 100;

/// Converts what can be. Whether a flag may be raised that the branches would not have raised.
pub fn run(function: &mut Function) -> bool {
    let mut flags = false;
    if function.blocks.len() > MOST_BLOCKS {
        return flags;
    }
    while let Some(raises_flags) = convert_one(function) {
        flags |= raises_flags;
        merge(function);
    }
    flags
}

/// Converts one branch, the innermost first; None: there is none to convert.
fn convert_one(function: &mut Function) -> Option<bool> {
    let graph = Graph::of(function);
    for &head in graph.rpo.iter().rev() {
        let Terminator::Branch(condition, yes, no) = function.blocks[head as usize].end.clone() else { continue };
        if yes.block == no.block {
            if !yes.args.iter().all(|&arg| function.ty(arg).is_numeric()) {
                continue;
            }
            let mut into = Into::new(function, head, condition);
            let args = into.choose_all(&yes.args, &no.args);
            return Some(into.done(Terminator::Jump(Target { block: yes.block, args })));
        }
        let side = |target: &Target| {
            let b = target.block.0;
            (graph.preds[b as usize].len() == 1 && b != head && is_cheap(function, b)).then_some(b)
        };
        let (then, otherwise) = (side(&yes), side(&no));
        let merged = match (then, otherwise) {
            (Some(t), Some(e)) => both(function, (head, condition), (t, &yes), (e, &no)),
            _ => None,
        };
        let merged = merged
            .or_else(|| then.and_then(|t| one(function, (head, condition), true, (t, &yes), &no)))
            .or_else(|| otherwise.and_then(|e| one(function, (head, condition), false, (e, &no), &yes)));
        if merged.is_some() {
            return merged;
        }
    }
    None
}

/// Both sides go to one block, or both return.
fn both(
    function: &mut Function,
    (head, condition): (u32, Value),
    (t, yes): (u32, &Target),
    (e, no): (u32, &Target),
) -> Option<bool> {
    let ends = (function.blocks[t as usize].end.clone(), function.blocks[e as usize].end.clone());
    let values = match &ends {
        (Terminator::Jump(a), Terminator::Jump(b)) if a.block == b.block => (a.args.clone(), b.args.clone()),
        (Terminator::Return(a), Terminator::Return(b)) => (vec![*a], vec![*b]),
        _ => return None,
    };
    let choosable = values.0.iter().all(|&value| function.ty(value).is_numeric());
    if !choosable && !same_but_tuples(function, &values) {
        return None;
    }
    let mut into = Into::new(function, head, condition);
    let a = into.take(t, yes, true, &values.0);
    let b = into.take(e, no, false, &values.1);
    let chosen = into.choose_all(&a, &b);
    let end = match ends.0 {
        Terminator::Jump(target) => Terminator::Jump(Target { block: target.block, args: chosen }),
        _ => Terminator::Return(chosen[0]),
    };
    Some(into.done(end))
}

/// One side is cheap. Where it leads to the block that the other side is, the branch falls away; where it branches to it, the two branches
/// are one.
fn one(
    function: &mut Function,
    (head, condition): (u32, Value),
    taken_if: bool,
    (side, way): (u32, &Target),
    other: &Target,
) -> Option<bool> {
    let numeric = |values: &[Value]| values.iter().all(|&value| function.ty(value).is_numeric());
    if !numeric(&other.args) || other.block.0 == side || other.block.0 == head {
        return None;
    }
    match function.blocks[side as usize].end.clone() {
        Terminator::Jump(target) if target.block == other.block => {
            let mut into = Into::new(function, head, condition);
            let args = into.take(side, way, taken_if, &target.args);
            let args = if taken_if { into.choose_all(&args, &other.args) } else { into.choose_all(&other.args, &args) };
            Some(into.done(Terminator::Jump(Target { block: target.block, args })))
        }
        Terminator::Branch(inner, yes, no) if (yes.block == other.block) != (no.block == other.block) => {
            let out_if = yes.block == other.block;
            let (out, on) = if out_if { (yes, no) } else { (no, yes) };
            let mut into = Into::new(function, head, condition);
            let mut values = vec![inner];
            values.extend(out.args.iter().chain(&on.args));
            let values = into.take(side, way, taken_if, &values);
            let (out_args, on_args) = values[1..].split_at(out.args.len());
            // On goes who takes the side and is not led out there.
            let stays = if out_if { into.not(values[0]) } else { values[0] };
            let takes = if taken_if { condition } else { into.not(condition) };
            let goes_on = into.op(Op::And, &[takes, stays], Ty::Bool);
            let args =
                if taken_if { into.choose_all(out_args, &other.args) } else { into.choose_all(&other.args, out_args) };
            let on = Target { block: on.block, args: on_args.to_vec() };
            Some(into.done(Terminator::Branch(goes_on, on, Target { block: other.block, args })))
        }
        _ => None,
    }
}

/// Tuples are chosen between element by element.
fn same_but_tuples(function: &Function, values: &(Vec<Value>, Vec<Value>)) -> bool {
    let flat = |&value: &Value| match function.ty(value) {
        Ty::Tuple(items) => items.iter().all(Ty::is_numeric),
        ty => ty.is_numeric(),
    };
    values.0.iter().chain(&values.1).all(flat)
}

/// A block that takes in others.
struct Into<'f> {
    function: &'f mut Function,
    head: u32,
    condition: Value,
    aliases: Vec<(Value, Value)>,
    flags: bool,
}

impl Into<'_> {
    fn new(function: &mut Function, head: u32, condition: Value) -> Into<'_> {
        Into { function, head, condition, aliases: Vec::new(), flags: false }
    }

    fn push(&mut self, inst: Inst) {
        self.function.blocks[self.head as usize].insts.push(inst);
    }

    fn op(&mut self, op: Op, args: &[Value], ty: Ty) -> Value {
        let result = self.function.new_value(ty);
        let span = self.function.blocks[self.head as usize].end_span;
        self.push(Inst { result, op, args: Args::from_slice(args), span });
        result
    }

    fn not(&mut self, value: Value) -> Value {
        self.op(Op::Not, &[value], Ty::Bool)
    }

    /// Takes a block's operations, which count if the condition is `taken_if`; gives `values` as they are known now.
    fn take(&mut self, block: u32, way: &Target, taken_if: bool, values: &[Value]) -> Vec<Value> {
        let taken = &mut self.function.blocks[block as usize];
        let insts = std::mem::take(&mut taken.insts);
        let params = std::mem::take(&mut taken.params);
        // What is left of it nobody reaches.
        taken.end = Terminator::Raise(0);
        self.aliases.extend(params.into_iter().zip(way.args.iter().copied()));
        for mut inst in insts {
            let ty = self.function.ty(inst.result).clone();
            if let (Op::Div(_) | Op::Sqrt, Ty::Float(_)) = (&inst.op, &ty) {
                let last = inst.args.len() - 1;
                let one = self.op(Op::Const(Const::Float(1.0)), &[], ty.clone());
                let pair = if taken_if { [inst.args[last], one] } else { [one, inst.args[last]] };
                inst.args[last] = self.op(Op::Select, &[self.condition, pair[0], pair[1]], ty.clone());
            }
            self.flags |= may_raise_a_flag(&inst.op, &ty);
            self.push(inst);
        }
        let alias = |value: &Value| self.aliases.iter().find(|(from, _)| from == value).map_or(*value, |pair| pair.1);
        values.iter().map(alias).collect()
    }

    fn choose_all(&mut self, yes: &[Value], no: &[Value]) -> Vec<Value> {
        yes.iter().zip(no).map(|(&a, &b)| self.choose(a, b)).collect()
    }

    fn choose(&mut self, a: Value, b: Value) -> Value {
        if a == b {
            return a;
        }
        let ty = self.function.ty(a).clone();
        let Ty::Tuple(items) = &ty else { return self.op(Op::Select, &[self.condition, a, b], ty) };
        let chosen: Vec<Value> = (items.iter().enumerate())
            .map(|(i, item)| {
                let [a, b] = [a, b].map(|tuple| self.op(Op::Item(i as u32), &[tuple], item.clone()));
                self.choose(a, b)
            })
            .collect();
        self.op(Op::Tuple, &chosen, ty.clone())
    }

    fn done(self, end: Terminator) -> bool {
        self.function.blocks[self.head as usize].end = end;
        let mut aliases = Aliases::new(self.function);
        self.aliases.iter().for_each(|&(from, to)| aliases.set(from, to));
        aliases.apply(self.function);
        drop_unreachable(self.function);
        self.flags
    }
}

/// A block whose only way in is one jump becomes a part of where that comes from.
fn merge(function: &mut Function) {
    super::simplify_cfg::straighten(function);
}

/// Overflow and invalid operations, of values that nobody may look at.
fn may_raise_a_flag(op: &Op, ty: &Ty) -> bool {
    let single = *ty == Ty::Float(crate::types::FloatTy::F32);
    match op {
        Op::Add(_) | Op::Sub(_) | Op::Mul(_) => matches!(ty, Ty::Float(_)),
        Op::Convert => single,
        _ => false,
    }
}

/// Whether a block is so little that it may be done in vain, and nobody can tell.
fn is_cheap(function: &Function, block: u32) -> bool {
    let insts = &function.blocks[block as usize].insts;
    insts.len() <= MOST && insts.iter().all(|inst| is_speculable(function, inst))
}

fn is_speculable(function: &Function, inst: &Inst) -> bool {
    use Op::*;
    if inst.op.can_raise(function.ty(inst.result)) {
        return false;
    }
    match &inst.op {
        Const(_) | Add(_) | Sub(_) | Mul(_) | Neg(_) | Abs(_) | Div(Mode::Numpy) | Sqrt | CopySign => true,
        Floor | Ceil | Trunc | Nearest | And | Or | Xor | Not | Invert | Cmp(_) | Convert | Narrow(_) => true,
        Shl(_) | Shr(_) | Tuple | Item(_) => true,
        Select => function.ty(inst.result).is_numeric(),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
