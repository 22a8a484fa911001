//! Identities of ints, of every width, and of bools as bits. All of them hold for every value of the type.

use super::{Folder, Rewrite, becomes};
use crate::typed::{Const, Inst, Mode, Op};
use crate::types::{IntTy, Ty};

impl Folder<'_> {
    pub(super) fn ints(&mut self, inst: &Inst, int: IntTy) -> Option<Rewrite> {
        use Rewrite::Value as Is;
        let x = inst.args[0];
        let Some(&y) = inst.args.get(1) else { return self.int_unary(inst) };
        let (a, b) = (self.int(x), self.int(y));
        let ones = int.read(int.wrap(-1));
        let number = |value: i128| Some(Rewrite::Const(Const::Int(int.wrap(value))));
        match (&inst.op, a, b) {
            // x + 0 → x, x - 0 → x, x - x → 0: exact, so nothing overflows.
            (Op::Add(_), Some(0), _) => Some(Is(y)),
            (Op::Add(_) | Op::Sub(_), _, Some(0)) => Some(Is(x)),
            (Op::Sub(_), ..) if x == y => number(0),
            // x * 1 → x, x * 0 → 0.
            (Op::Mul(_), Some(1), _) => Some(Is(y)),
            (Op::Mul(_), _, Some(1)) => Some(Is(x)),
            (Op::Mul(_), Some(0), _) | (Op::Mul(_), _, Some(0)) => number(0),
            // x // 1 → x, x % 1 → 0, x % -1 → 0, in both modes: the divisor is not 0, and MIN % -1 has the answer 0.
            (Op::FloorDiv(_), _, Some(1)) => Some(Is(x)),
            (Op::Mod(_), _, Some(1 | -1)) => number(0),
            // x // 2**k → x >> k and x % 2**k → x & (2**k - 1): both floor, also for negative x, as two's complement goes on to
            // the left for ever. Neither can raise. False for x // -2**k, and for division that truncates.
            (Op::FloorDiv(_), _, Some(d)) if d > 1 && d & (d - 1) == 0 => {
                let count = self.emit_int(IntTy::I64, d.trailing_zeros() as i128, inst.span);
                becomes(Op::Shr(Mode::Numpy), &[x, count])
            }
            (Op::Mod(_), _, Some(d)) if d > 1 && d & (d - 1) == 0 => {
                let mask = self.emit_int(int, d - 1, inst.span);
                becomes(Op::And, &[x, mask])
            }
            // x << 0 → x, x >> 0 → x. A known count that is not negative cannot raise to the right; beyond the width both modes
            // give 0 or -1.
            (Op::Shl(_) | Op::Shr(_), _, Some(0)) => Some(Is(x)),
            (Op::Shr(Mode::Python), _, Some(count)) if count > 0 => becomes(Op::Shr(Mode::Numpy), &[x, y]),
            // Bits: x & x, x & ~0, x | 0, x ^ 0 → x; x & 0, x ^ x → 0; x | ~0 → ~0.
            (Op::And | Op::Or, ..) if x == y => Some(Is(x)),
            (Op::Xor, ..) if x == y => number(0),
            (Op::And, Some(0), _) | (Op::And, _, Some(0)) => number(0),
            (Op::And, Some(m), _) if m == ones => Some(Is(y)),
            (Op::And, _, Some(m)) if m == ones => Some(Is(x)),
            (Op::Or | Op::Xor, Some(0), _) => Some(Is(y)),
            (Op::Or | Op::Xor, _, Some(0)) => Some(Is(x)),
            (Op::Or, Some(m), _) | (Op::Or, _, Some(m)) if m == ones => number(ones),
            // int / 2**k → float(int) * 2**-k: the conversion rounds once to nearest, and the multiplication is exact as nothing
            // becomes subnormal, so the product is the correctly rounded quotient, its zero signed alike. False for other
            // divisors: two roundings.
            (Op::IntDiv(_), _, Some(d)) if d > 0 && d & (d - 1) == 0 => {
                let dividend = self.emit(Op::Convert, &[x], Ty::FLOAT, inst.span);
                let factor = self.emit(Op::Const(Const::Float(1.0 / d as f64)), &[], Ty::FLOAT, inst.span);
                becomes(Op::Mul(Mode::Numpy), &[dividend, factor])
            }
            _ => None,
        }
    }

    fn int_unary(&self, inst: &Inst) -> Option<Rewrite> {
        let (inner, args) = self.definition(inst.args[0])?;
        match (&inst.op, inner) {
            // -(-x) → x. When both raise, the inner one has not: x is not MIN. When both wrap, MIN is its own negative. False when
            // the inner wraps and the outer raises: for MIN that is OverflowError.
            (Op::Neg(outer), Op::Neg(inner)) if (*outer, *inner) != (Mode::Python, Mode::Numpy) => {
                Some(Rewrite::Value(args[0]))
            }
            // abs(abs(x)) → abs(x), under the same condition.
            (Op::Abs(outer), Op::Abs(inner)) if (*outer, *inner) != (Mode::Python, Mode::Numpy) => {
                Some(Rewrite::Value(inst.args[0]))
            }
            // ~~x → x.
            (Op::Invert, Op::Invert) => Some(Rewrite::Value(args[0])),
            _ => None,
        }
    }

    /// x & True, x | False, x ^ False, x & x, x | x → x; x & False, x ^ x → False; x | True → True; x ^ True → not x.
    pub(super) fn bools(&mut self, inst: &Inst) -> Option<Rewrite> {
        let &[x, y] = inst.args.as_slice() else { return None };
        if x == y {
            return match inst.op {
                Op::And | Op::Or => Some(Rewrite::Value(x)),
                Op::Xor => Some(Rewrite::Const(Const::Bool(false))),
                _ => None,
            };
        }
        let (known, other) = match (self.truth(x), self.truth(y)) {
            (Some(known), _) => (known, y),
            (_, Some(known)) => (known, x),
            _ => return None,
        };
        match (&inst.op, known) {
            (Op::And, true) | (Op::Or, false) | (Op::Xor, false) => Some(Rewrite::Value(other)),
            (Op::And, false) => Some(Rewrite::Const(Const::Bool(false))),
            (Op::Or, true) => Some(Rewrite::Const(Const::Bool(true))),
            (Op::Xor, true) => becomes(Op::Not, &[other]),
            _ => None,
        }
    }

    /// x**0 → 1 (also 0**0), x**1 → x, x**2 → x*x, x**3 → x*x*x, x**4 → (x*x)*(x*x).
    ///
    /// The same OverflowError at the same place: if x*x overflows then |x| > 1 and x*x is at least 2**63, so that |x**3| and x**4
    /// are larger still and outside, too; MIN itself, 2**63 on the negative side, is (-2**21)**3, whose square fits. If x*x fits,
    /// the last product is the power itself. NumPy's powers wrap, and wrapping multiplication associates.
    pub(super) fn int_power(&mut self, name: &str, inst: &Inst) -> Option<Rewrite> {
        let (x, exponent) = (inst.args[0], self.int(inst.args[1])?);
        let mode = if name.starts_with("np_") { Mode::Numpy } else { Mode::Python };
        let ty = self.ty(inst.result).clone();
        match exponent {
            0 => Some(Rewrite::Const(Const::Int(1))),
            1 => Some(Rewrite::Value(x)),
            2 => becomes(Op::Mul(mode), &[x, x]),
            3 | 4 => {
                let square = self.emit(Op::Mul(mode), &[x, x], ty, inst.span);
                becomes(Op::Mul(mode), &[square, if exponent == 3 { x } else { square }])
            }
            _ => None,
        }
    }
}
