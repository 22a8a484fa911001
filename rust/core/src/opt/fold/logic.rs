//! Identities of truth: `not`, comparisons, choices.

use super::{Folder, Rewrite, becomes};
use crate::typed::{Cond, Const, Inst, Op, Value};
use crate::types::Ty;

impl Folder<'_> {
    pub(super) fn logic(&mut self, inst: &Inst) -> Option<Rewrite> {
        if inst.op == Op::Not {
            return self.not(inst);
        }
        let &[condition, x, y] = inst.args.as_slice() else { return None };
        // x if c else x → x; x if True else y → x.
        if x == y {
            return Some(Rewrite::Value(x));
        }
        if let Some(truth) = self.truth(condition) {
            return Some(Rewrite::Value(if truth { x } else { y }));
        }
        // True if c else False → c; False if c else True → not c.
        match (self.truth(x), self.truth(y)) {
            (Some(true), Some(false)) => return Some(Rewrite::Value(condition)),
            (Some(false), Some(true)) => return becomes(Op::Not, &[condition]),
            _ => {}
        }
        // x if not c else y → y if c else x.
        match self.definition(condition)? {
            (Op::Not, args) => becomes(Op::Select, &[args[0], y, x]),
            _ => None,
        }
    }

    fn not(&self, inst: &Inst) -> Option<Rewrite> {
        let (inner, args) = self.definition(inst.args[0])?;
        match inner {
            Op::Not => Some(Rewrite::Value(args[0])),
            // not x == y → x != y, always. not x < y → x >= y, except for floats: both are false of nan.
            Op::Cmp(cond) if matches!(cond, Cond::Eq | Cond::Ne) || !matches!(self.ty(args[0]), Ty::Float(_)) => {
                becomes(Op::Cmp(opposite(*cond)), args)
            }
            Op::CmpIntFloat(cond @ (Cond::Eq | Cond::Ne)) => becomes(Op::CmpIntFloat(opposite(*cond)), args),
            _ => None,
        }
    }

    pub(super) fn comparison(&mut self, inst: &Inst) -> Option<Rewrite> {
        let (Op::Cmp(cond), &[x, y]) = (&inst.op, inst.args.as_slice()) else { return None };
        if x == y {
            let reflexive = matches!(cond, Cond::Le | Cond::Ge | Cond::Eq);
            // x < x, x > x are false of everything; the others have answers only where x is x, which nan is not.
            let known = matches!(cond, Cond::Lt | Cond::Gt) || !matches!(self.ty(x), Ty::Float(_));
            return known.then_some(Rewrite::Const(Const::Bool(reflexive)));
        }
        match cond {
            Cond::Eq | Cond::Ne => self.truth_compared(*cond, x, y).or_else(|| self.truth_compared(*cond, y, x)),
            _ => None,
        }
    }

    /// b == True → b, b != True → not b, and so on; also when b has become an int and the other side is 0 or 1.
    fn truth_compared(&self, cond: Cond, b: Value, with: Value) -> Option<Rewrite> {
        let (b, with) = match self.ty(b) {
            Ty::Bool => (b, self.truth(with)?),
            Ty::Int(_) => match (self.definition(b)?, self.int(with)?) {
                ((Op::Convert, args), number @ (0 | 1)) if *self.ty(args[0]) == Ty::Bool => (args[0], number == 1),
                _ => return None,
            },
            _ => return None,
        };
        if with == (cond == Cond::Eq) { Some(Rewrite::Value(b)) } else { becomes(Op::Not, &[b]) }
    }
}

fn opposite(cond: Cond) -> Cond {
    match cond {
        Cond::Lt => Cond::Ge,
        Cond::Le => Cond::Gt,
        Cond::Gt => Cond::Le,
        Cond::Ge => Cond::Lt,
        Cond::Eq => Cond::Ne,
        Cond::Ne => Cond::Eq,
    }
}
