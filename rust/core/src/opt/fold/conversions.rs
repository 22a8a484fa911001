//! Identities of conversions: a step that loses nothing can be left out.

use super::{Folder, Rewrite, becomes};
use crate::typed::{Cond, Const, Inst, Op, Value};
use crate::types::{FloatTy, IntTy, Ty};

impl Folder<'_> {
    pub(super) fn conversion(&mut self, inst: &Inst) -> Option<Rewrite> {
        let x = inst.args[0];
        let (from, to) = (self.ty(x).clone(), self.ty(inst.result).clone());
        match &inst.op {
            Op::Convert if from == to => Some(Rewrite::Value(x)),
            // A → B → C is A → C when A → B is exact. False for int → float → f32: that rounds twice.
            Op::Convert => {
                let origin = self.exact_origin(x)?;
                self.convert(origin, &to)
            }
            Op::Narrow(_) if holds_ints(&to, &from) => self.convert(x, &to),
            // What was widened before: the same number, so the same answer and the same fault.
            Op::Narrow(mode) => {
                let origin = self.exact_origin(x)?;
                if holds_ints(&to, self.ty(origin)) {
                    return self.convert(origin, &to);
                }
                becomes(Op::Narrow(*mode), &[origin])
            }
            Op::ToInt(mode) => match self.definition(x)? {
                // Truncating twice is truncating once.
                (Op::Trunc, args) => becomes(Op::ToInt(*mode), &[args[0]]),
                // int(float(i)) → i when the float holds every such i, and the result does. False for 64 bits.
                _ => {
                    let origin = self.exact_origin(x)?;
                    if holds_ints(&to, self.ty(origin)) { self.convert(origin, &to) } else { None }
                }
            },
            Op::CmpIntFloat(cond) => {
                let Ty::Int(int) = from else { return None };
                let bound = self.float(inst.args[1])?;
                self.compare_with_float(inst, *cond, int, bound)
            }
            _ => None,
        }
    }

    /// `x` itself, or a conversion of it that cannot raise.
    fn convert(&self, x: Value, to: &Ty) -> Option<Rewrite> {
        if self.ty(x) == to { Some(Rewrite::Value(x)) } else { becomes(Op::Convert, &[x]) }
    }

    /// What `x` was converted from without loss.
    fn exact_origin(&self, x: Value) -> Option<Value> {
        match self.definition(x)? {
            (Op::Convert, args) if exact(self.ty(args[0]), self.ty(x)) => Some(args[0]),
            _ => None,
        }
    }

    /// An int compared with a known float is the int compared with the float's floor or ceiling:
    /// i < c ⇔ i < ceil(c), i ≥ c ⇔ i ≥ ceil(c), i ≤ c ⇔ i ≤ floor(c), i > c ⇔ i > floor(c); i == c only if c is integral.
    /// Beyond the type's range, and for nan, the answer is known.
    fn compare_with_float(&mut self, inst: &Inst, cond: Cond, int: IntTy, bound: f64) -> Option<Rewrite> {
        let truth = |truth| Some(Rewrite::Const(Const::Bool(truth)));
        if bound.is_nan() || (matches!(cond, Cond::Eq | Cond::Ne) && bound.floor() != bound) {
            return truth(cond == Cond::Ne);
        }
        // Saturates far outside of every integer type.
        let whole = match cond {
            Cond::Lt | Cond::Ge => bound.ceil() as i128,
            _ => bound.floor() as i128,
        };
        if !int.holds(whole) {
            let below = whole > int.max();
            return truth(match cond {
                Cond::Lt | Cond::Le => below,
                Cond::Gt | Cond::Ge => !below,
                Cond::Eq => false,
                Cond::Ne => true,
            });
        }
        let whole = self.emit_int(int, whole, inst.span);
        becomes(Op::Cmp(cond), &[inst.args[0], whole])
    }
}

/// Whether every number of `from` is one of `to`.
fn exact(from: &Ty, to: &Ty) -> bool {
    match (from, to) {
        (Ty::Bool, _) => true,
        (Ty::Int(int), Ty::Float(FloatTy::F64)) => int.bits() <= 32,
        (Ty::Int(int), Ty::Float(FloatTy::F32)) => int.bits() <= 16,
        (Ty::Int(_), Ty::Int(_)) => holds_ints(to, from),
        (Ty::Float(a), Ty::Float(b)) => a == b || *b == FloatTy::F64,
        _ => false,
    }
}

/// Whether an integer type holds every number of another, or of bool.
fn holds_ints(to: &Ty, from: &Ty) -> bool {
    match (to, from) {
        (Ty::Int(_), Ty::Bool) => true,
        (Ty::Int(to), Ty::Int(from)) => to.holds(from.min()) && to.holds(from.max()),
        _ => false,
    }
}
