//! Identities of floats: fewer than of ints, for zeros have signs and nan is not itself. Payloads of nan aside.

use super::{Folder, Rewrite, becomes};
use crate::typed::{Args, Const, Inst, Mode, Op};
use crate::types::{FloatTy, Ty};

impl Folder<'_> {
    pub(super) fn floats(&mut self, inst: &Inst, float: FloatTy) -> Option<Rewrite> {
        use Rewrite::Value as Is;
        let x = inst.args[0];
        let Some(&y) = inst.args.get(1) else { return self.float_unary(inst) };
        let is = |given: Option<f64>, want: f64| given.is_some_and(|g| g.to_bits() == want.to_bits());
        let (a, b) = (self.float(x), self.float(y));
        match &inst.op {
            // x + -0.0 → x. Not x + 0.0, for -0.0.
            Op::Add(_) if is(b, -0.0) => Some(Is(x)),
            Op::Add(_) if is(a, -0.0) => Some(Is(y)),
            // x - 0.0 → x. Not x - -0.0, for -0.0.
            Op::Sub(_) if is(b, 0.0) => Some(Is(x)),
            // x * 1.0 → x, x / 1.0 → x. Not x * 0.0 (signs, inf, nan), and not x * -1.0 → -x: the sign of a nan.
            Op::Mul(_) if is(b, 1.0) => Some(Is(x)),
            Op::Mul(_) if is(a, 1.0) => Some(Is(y)),
            Op::Div(_) if is(b, 1.0) => Some(Is(x)),
            // x / c → x * (1 / c) for c = ±2**k: both are the rounding of the same number, as long as 1 / c is exact. It never
            // raises: c is not 0. Not for other c, whose reciprocal is rounded first.
            Op::Div(mode) => {
                let reciprocal = exact_reciprocal(b?, float)?;
                let factor = self.emit(Op::Const(Const::Float(reciprocal)), &[], Ty::Float(float), inst.span);
                becomes(Op::Mul(*mode), &[x, factor])
            }
            _ => None,
        }
    }

    fn float_unary(&self, inst: &Inst) -> Option<Rewrite> {
        let x = inst.args[0];
        let (inner, args) = self.definition(x)?;
        match (&inst.op, inner) {
            // -(-x) → x; abs(-x) → abs(x); abs(abs(x)) → abs(x): only the sign bit is touched, also of nan.
            (Op::Neg(_), Op::Neg(_)) => Some(Rewrite::Value(args[0])),
            (Op::Abs(_), Op::Neg(_)) => Some(Rewrite::Op(inst.op.clone(), Args::from_slice(args))),
            (Op::Abs(_), Op::Abs(_)) => Some(Rewrite::Value(x)),
            // Rounding to an integral value changes none; an int that was converted is one, rounded or not.
            (Op::Floor | Op::Ceil | Op::Trunc | Op::Nearest, Op::Floor | Op::Ceil | Op::Trunc | Op::Nearest) => {
                Some(Rewrite::Value(x))
            }
            (Op::Floor | Op::Ceil | Op::Trunc | Op::Nearest, Op::Convert) => {
                (!matches!(self.ty(args[0]), Ty::Float(_))).then_some(Rewrite::Value(x))
            }
            _ => None,
        }
    }

    /// x**0.0 → 1.0 (also for nan, in CPython and in C); x**1.0 → x: libm's error is far below half a place, so that what is
    /// representable comes out. NumPy: x**2.0 → x*x, which is what its power does.
    ///
    /// Not in Python's mode: glibc's `pow(x, 2.0)` differs from `x*x` for one x in a thousand, and raises OverflowError where x*x
    /// is inf. Nowhere x**0.5 → sqrt(x): they differ in the last place, and for -0.0 and -inf.
    pub(super) fn float_power(&mut self, name: &str, inst: &Inst) -> Option<Rewrite> {
        let (x, exponent) = (inst.args[0], self.float(inst.args[1])?);
        if exponent == 0.0 {
            return Some(Rewrite::Const(Const::Float(1.0)));
        }
        if exponent == 1.0 {
            return Some(Rewrite::Value(x));
        }
        if exponent == 2.0 && name == "np_float_pow" {
            return becomes(Op::Mul(Mode::Numpy), &[x, x]);
        }
        None
    }
}

/// 1 / c, when c is a power of two and the type has its reciprocal, subnormals included.
fn exact_reciprocal(c: f64, float: FloatTy) -> Option<f64> {
    let power_of_two = |x: f64| {
        let bits = x.to_bits();
        let (exponent, fraction) = (bits >> 52 & 0x7ff, bits & ((1 << 52) - 1));
        match exponent {
            0 => fraction.is_power_of_two(),
            0x7ff => false,
            _ => fraction == 0,
        }
    };
    let reciprocal = 1.0 / c;
    let held = float == FloatTy::F64 || (reciprocal as f32) as f64 == reciprocal;
    (power_of_two(c) && power_of_two(reciprocal) && held).then_some(reciprocal)
}
