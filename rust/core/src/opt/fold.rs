//! Folding: operations on constants, and identities that hold bit for bit.
//!
//! Constants go through `eval`, so that the folder and the interpreter cannot disagree. An operation that would raise stays, to
//! raise when it is reached; so does one whose answer is nan, whose sign the machine decides and `copysign` sees. Every
//! operation takes a bounded number of steps, so that no text makes the folder work long. The identities are in the files of
//! `fold/`, by the type of the operand; each returns what an instruction may become, given its operands' definitions.

mod conversions;
mod floats;
mod ints;
mod logic;

use super::rewrite::{Aliases, drop_unreachable};
use crate::eval::{Slots, constant_slots, eval};
use crate::span::Span;
use crate::typed::cfg::reverse_post_order;
use crate::typed::{Args, Const, Function, Inst, Module, Op, Terminator, Value};
use crate::types::{IntTy, Ty};

/// How often one instruction may become another.
const REWRITES: usize = 8;

pub fn run(module: &mut Module) {
    for function in &mut module.functions {
        let order = reverse_post_order(function);
        let aliases = Aliases::new(function);
        let definitions = vec![None; function.values.len()];
        let mut folder = Folder { function, aliases, definitions, done: Vec::new() };
        // Definitions come before their uses in this order, but for what loops bring back.
        order.into_iter().for_each(|block| folder.block(block as usize));
        folder.aliases.apply(function);
        drop_unreachable(function);
    }
}

/// What an instruction may become.
enum Rewrite {
    /// Nothing: its result is that value.
    Value(Value),
    Const(Const),
    Op(Op, Args),
}

struct Folder<'f> {
    function: &'f mut Function,
    aliases: Aliases,
    /// The operation that defines a value, with its operands resolved; None for parameters and calls.
    definitions: Vec<Option<(Op, Args)>>,
    /// The instructions of the block at hand, as far as they are settled.
    done: Vec<Inst>,
}

impl Folder<'_> {
    fn block(&mut self, b: usize) {
        let insts = std::mem::take(&mut self.function.blocks[b].insts);
        self.done.reserve(insts.len());
        for mut inst in insts {
            for arg in &mut inst.args {
                *arg = self.aliases.resolve(*arg);
            }
            if self.settle(&mut inst) {
                self.define(inst);
            }
        }
        self.function.blocks[b].insts = std::mem::take(&mut self.done);
        let mut end = std::mem::replace(&mut self.function.blocks[b].end, Terminator::Raise(0));
        end.map_uses(|value| self.aliases.resolve(value));
        self.function.blocks[b].end = self.terminator(end);
    }

    /// Rewrites an instruction as long as that helps; false when it has become another value.
    fn settle(&mut self, inst: &mut Inst) -> bool {
        for _ in 0..REWRITES {
            let rewrite = match self.evaluate(inst) {
                Some(constant) => Some(Rewrite::Const(constant)),
                None => self.identity(inst),
            };
            match rewrite {
                None => return true,
                Some(Rewrite::Value(value)) => {
                    self.aliases.set(inst.result, value);
                    return false;
                }
                Some(Rewrite::Const(constant)) => {
                    (inst.op, inst.args) = (Op::Const(constant), Args::new());
                    return true;
                }
                Some(Rewrite::Op(op, args)) => (inst.op, inst.args) = (op, args),
            }
        }
        true
    }

    fn define(&mut self, inst: Inst) {
        let index = inst.result.0 as usize;
        if index >= self.definitions.len() {
            self.definitions.resize(index + 1, None);
        }
        if !matches!(inst.op, Op::Call(_) | Op::Extern(_) | Op::Print(_) | Op::Prepay(_) | Op::PrepayMost) {
            self.definitions[index] = Some((inst.op.clone(), inst.args.clone()));
        }
        self.done.push(inst);
    }

    /// A new instruction before the one at hand.
    fn emit(&mut self, op: Op, args: &[Value], ty: Ty, span: Span) -> Value {
        let result = self.function.new_value(ty);
        self.define(Inst { result, op, args: Args::from_slice(args), span });
        result
    }

    /// The answer, when all operands are constants and there is one.
    fn evaluate(&self, inst: &Inst) -> Option<Const> {
        let counts = matches!(inst.op, Op::Tick(_) | Op::Prepay(_) | Op::PrepayMost | Op::Refund(_));
        let counts = counts || matches!(inst.op, Op::Mark | Op::Keep);
        if counts || matches!(inst.op, Op::Const(_) | Op::Call(_) | Op::Extern(_) | Op::Print(_) | Op::Tuple) {
            return None;
        }
        let mut slots = Slots::new();
        for &arg in &inst.args {
            slots.extend(constant_slots(&self.constant(arg)?));
        }
        let types: Vec<&Ty> = inst.args.iter().map(|arg| self.ty(*arg)).collect();
        let result = self.ty(inst.result);
        let answer = eval(&inst.op, &types, result, &slots).ok()?;
        match (result, answer.first()) {
            (Ty::None, None) => Some(Const::None),
            (Ty::Bool, Some(bits)) => Some(Const::Bool(*bits != 0)),
            (Ty::Int(_), Some(bits)) => Some(Const::Int(*bits)),
            (Ty::Float(_), Some(bits)) => Some(f64::from_bits(*bits)).filter(|x| !x.is_nan()).map(Const::Float),
            _ => None,
        }
    }

    fn identity(&mut self, inst: &Inst) -> Option<Rewrite> {
        match inst.op {
            Op::Helper(helper, _) => self.power(helper.0.name, inst),
            Op::Item(k) => match self.definition(inst.args[0])? {
                // Item k of a tuple that was just made is what was put there.
                (Op::Tuple, items) => Some(Rewrite::Value(items[k as usize])),
                _ => None,
            },
            Op::Not | Op::Select => self.logic(inst),
            Op::Cmp(_) => self.comparison(inst),
            Op::Convert | Op::Narrow(_) | Op::ToInt(_) | Op::CmpIntFloat(_) => self.conversion(inst),
            _ => match self.ty(*inst.args.first()?) {
                Ty::Int(int) => self.ints(inst, *int),
                Ty::Bool => self.bools(inst),
                Ty::Float(float) => self.floats(inst, *float),
                _ => None,
            },
        }
    }

    fn power(&mut self, name: &str, inst: &Inst) -> Option<Rewrite> {
        match name {
            "int_pow" | "np_int_pow" | "uint_pow" | "np_uint_pow" => self.int_power(name, inst),
            "float_pow" | "np_float_pow" => self.float_power(name, inst),
            _ => None,
        }
    }

    /// A branch on a constant is a jump; a branch on `not x` is the other way round on `x`.
    fn terminator(&self, end: Terminator) -> Terminator {
        let Terminator::Branch(condition, then, otherwise) = end else { return end };
        match self.definition(condition) {
            Some((Op::Const(Const::Bool(truth)), _)) => Terminator::Jump(if *truth { then } else { otherwise }),
            Some((Op::Not, args)) => Terminator::Branch(args[0], otherwise, then),
            _ if then == otherwise => Terminator::Jump(then),
            _ => Terminator::Branch(condition, then, otherwise),
        }
    }

    fn ty(&self, value: Value) -> &Ty {
        self.function.ty(value)
    }

    fn definition(&self, value: Value) -> Option<&(Op, Args)> {
        self.definitions.get(value.0 as usize)?.as_ref()
    }

    fn constant(&self, value: Value) -> Option<Const> {
        match self.definition(value)? {
            (Op::Const(constant), _) => Some(*constant),
            _ => None,
        }
    }

    fn int(&self, value: Value) -> Option<i128> {
        match (self.constant(value)?, self.ty(value)) {
            (Const::Int(bits), Ty::Int(int)) => Some(int.read(bits)),
            _ => None,
        }
    }

    fn float(&self, value: Value) -> Option<f64> {
        match self.constant(value)? {
            Const::Float(x) => Some(x),
            _ => None,
        }
    }

    fn truth(&self, value: Value) -> Option<bool> {
        match self.constant(value)? {
            Const::Bool(truth) => Some(truth),
            _ => None,
        }
    }

    fn emit_int(&mut self, int: IntTy, value: i128, span: Span) -> Value {
        self.emit(Op::Const(Const::Int(int.wrap(value))), &[], Ty::Int(int), span)
    }
}

fn becomes(op: Op, args: &[Value]) -> Option<Rewrite> {
    Some(Rewrite::Op(op, Args::from_slice(args)))
}
