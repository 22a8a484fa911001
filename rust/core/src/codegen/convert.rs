//! Conversions between the numeric types.

use cranelift_codegen::ir::condcodes::{FloatCC, IntCC};
use cranelift_codegen::ir::{self, BlockArg, InstBuilder, types};

use super::arith::overflow;
use super::{Lower, int_type, is_f32};
use crate::failure::Cause;
use crate::fault::Fault;
use crate::typed::{Mode, Value};
use crate::types::{IntTy, Ty};

impl Lower<'_, '_, '_> {
    /// Conversions that cannot fail.
    pub(super) fn convert(&mut self, arg: Value, to: &Ty) -> ir::Value {
        let x = self.one(arg);
        match (self.function.ty(arg), to) {
            (Ty::Bool, Ty::Int(_)) => self.at.ins().uextend(types::I64, x),
            (Ty::Bool, Ty::Float(_)) => {
                let int = self.at.ins().uextend(types::I64, x);
                self.at.ins().fcvt_from_sint(types::F64, int)
            }
            (Ty::Int(from), Ty::Float(_)) => {
                // Rounds once, to the width asked for.
                let width = if is_f32(to) { types::F32 } else { types::F64 };
                let value = match from {
                    IntTy::U64 => self.at.ins().fcvt_from_uint(width, x),
                    _ => self.at.ins().fcvt_from_sint(width, x),
                };
                if is_f32(to) { self.at.ins().fpromote(types::F64, value) } else { value }
            }
            (Ty::Float(_), Ty::Float(_)) => self.round_to(to, x),
            // A wider int has the same 64 bits, and so has anything of itself.
            _ => x,
        }
    }

    /// One int type to another that does not hold all its values.
    pub(super) fn narrow(&mut self, mode: Mode, arg: Value, to: &Ty) -> ir::Value {
        let x = self.one(arg);
        let (from, to) = (int_type(self.function.ty(arg)), int_type(to));
        if mode == Mode::Python && !(to.min() <= from.min() && from.max() <= to.max()) {
            let outside = if to.bits() == 64 {
                // The sign bit is the only one that i64 and u64 read differently.
                self.at.ins().icmp_imm_s(IntCC::SignedLessThan, x, 0)
            } else if !to.signed() || !from.signed() {
                // Negative numbers are large unsigned ones.
                self.at.ins().icmp_imm_s(IntCC::UnsignedGreaterThan, x, to.max() as i64)
            } else {
                let same = self.wrap(x, to);
                self.at.ins().icmp(IntCC::NotEqual, same, x)
            };
            self.fault_if(outside, Fault::SizedIntOverflow);
        }
        self.wrap(x, to)
    }

    /// A float to an int: truncates.
    pub(super) fn float_to_int(&mut self, mode: Mode, arg: Value, to: &Ty) -> ir::Value {
        let x = self.one(arg);
        let int = int_type(to);
        if mode == Mode::Python {
            let (beside, good) = (self.new_block(), self.new_block());
            // One comparison for all but -2**63, which has no positive counterpart.
            let inside = if int == IntTy::I64 {
                let (size, end) = (self.at.ins().fabs(x), self.float_constant((int.max() + 1) as f64));
                self.at.ins().fcmp(FloatCC::LessThan, size, end)
            } else {
                self.in_range(x, int)
            };
            let outside = self.not(inside);
            self.at.ins().brif(outside, beside, &[], good, &[]);
            self.enter(beside);
            self.at.set_cold_block(beside);
            let nan = self.at.ins().fcmp(FloatCC::Unordered, x, x);
            let difference = self.at.ins().fsub(x, x);
            let infinite = self.at.ins().fcmp(FloatCC::Unordered, difference, difference);
            let [of_nan, of_infinity, of_size] = [Fault::NanToInt, Fault::InfinityToInt, too_large(int)]
                .map(|fault| self.site_constant(Cause::Fault(fault)));
            let number = self.at.ins().select(infinite, of_infinity, of_size);
            let site = BlockArg::Value(self.at.ins().select(nan, of_nan, number));
            let fail = self.fail_at_block();
            if int == IntTy::I64 {
                let low = self.at.ins().f64const(int.min() as f64);
                let least = self.at.ins().fcmp(FloatCC::Equal, x, low);
                self.at.ins().brif(least, good, &[], fail, &[site]);
            } else {
                self.at.ins().jump(fail, &[site]);
            }
            self.enter(good);
        }
        // Saturating, since the plain form would trap where it must not be reached.
        let value = match int {
            IntTy::U64 => self.at.ins().fcvt_to_uint_sat(types::I64, x),
            _ => self.at.ins().fcvt_to_sint_sat(types::I64, x),
        };
        if mode == Mode::Python {
            return value;
        }
        let inside = self.in_range(x, int);
        let min = self.at.ins().iconst(types::I64, int.min() as i64);
        self.at.ins().select(inside, value, min)
    }

    /// Whether truncation gives a value of the type; false for nan. The bounds are exact doubles.
    fn in_range(&mut self, x: ir::Value, int: IntTy) -> ir::Value {
        let (low, low_cc) = match int {
            // -2**63 - 1 is no double: the next one below -2**63 is far outside.
            IntTy::I64 => (int.min() as f64, FloatCC::GreaterThanOrEqual),
            _ => ((int.min() - 1) as f64, FloatCC::GreaterThan),
        };
        let low = self.float_constant(low);
        let high = self.float_constant((int.max() + 1) as f64);
        let above = self.at.ins().fcmp(low_cc, x, low);
        let below = self.at.ins().fcmp(FloatCC::LessThan, x, high);
        self.at.ins().band(above, below)
    }
}

fn too_large(int: IntTy) -> Fault {
    if int == IntTy::U64 { Fault::UnsignedOverflow } else { overflow(int) }
}
