//! Integer division: floor, modulo, and true division of ints.
//!
//! The machine's division truncates and faults on a zero divisor and on MIN / -1, so both are excluded first: by an exit in
//! Python's mode, by another divisor in NumPy's, by looking when the divisor is constant.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, BlockArg, InstBuilder, types};

use super::arith::overflow;
use super::hooks;
use super::{Lower, int_type};
use crate::fault::Fault;
use crate::outside::Outside;
use crate::typed::{Bits, Mode, Value, is_u64};
use crate::types::{IntTy, Ty};

/// What `hooks::raise_flag` is told.
const BY_ZERO: i64 = 0;
const OVERFLOW: i64 = 1;

impl Lower<'_, '_, '_> {
    pub(super) fn floor_div(&mut self, mode: Mode, args: &[Value], ty: &Ty) -> ir::Value {
        let (a, b) = self.two(args);
        let int = int_type(ty);
        match self.int_constant(args[1]) {
            Some(c) if easy(c, int) => return self.floor_div_constant(a, b, c, int),
            _ => {}
        }
        if mode == Mode::Python {
            let zero = self.at.ins().icmp_imm_s(IntCC::Equal, b, 0);
            self.fault_if(zero, Fault::IntFloorDivisionByZero);
            if !int.signed() {
                return self.at.ins().udiv(a, b);
            }
            let is_min = self.at.ins().icmp_imm_s(IntCC::Equal, a, int.min() as i64);
            let is_minus_one = self.at.ins().icmp_imm_s(IntCC::Equal, b, -1);
            let both = self.at.ins().band(is_min, is_minus_one);
            self.fault_if(both, overflow(int));
            return self.floor_quotient(a, b);
        }
        let (divisor, is_zero) = self.safe_divisor(b, int);
        self.flag_if(is_zero, BY_ZERO);
        let zero = self.at.ins().iconst(types::I64, 0);
        if !int.signed() {
            let quotient = self.at.ins().udiv(a, divisor);
            return self.at.ins().select(is_zero, zero, quotient);
        }
        let quotient = self.floor_quotient(a, divisor);
        let is_minus_one = self.at.ins().icmp_imm_s(IntCC::Equal, b, -1);
        if self.tells_by_flags() {
            let is_min = self.at.ins().icmp_imm_s(IntCC::Equal, a, int.min() as i64);
            let both = self.at.ins().band(is_min, is_minus_one);
            self.flag_if(both, OVERFLOW);
        }
        let negated = self.at.ins().ineg(a);
        let negated = self.wrap(negated, int);
        let quotient = self.at.ins().select(is_minus_one, negated, quotient);
        self.at.ins().select(is_zero, zero, quotient)
    }

    pub(super) fn modulo(&mut self, mode: Mode, args: &[Value], ty: &Ty) -> ir::Value {
        let (a, b) = self.two(args);
        let int = int_type(ty);
        match self.int_constant(args[1]) {
            Some(c) if easy(c, int) => return self.modulo_constant(a, b, c, int),
            _ => {}
        }
        let divisor = if mode == Mode::Python {
            let zero = self.at.ins().icmp_imm_s(IntCC::Equal, b, 0);
            self.fault_if(zero, Fault::IntModuloByZero);
            if !int.signed() {
                return self.at.ins().urem(a, b);
            }
            self.not_minus_one(b)
        } else {
            let (divisor, is_zero) = self.safe_divisor(b, int);
            self.flag_if(is_zero, BY_ZERO);
            divisor
        };
        if !int.signed() {
            return self.at.ins().urem(a, divisor);
        }
        let quotient = self.at.ins().sdiv(a, divisor);
        let (rest, wrong) = self.rest(a, divisor, quotient);
        let other = self.at.ins().iadd(rest, divisor);
        self.at.ins().select(wrong, other, rest)
    }

    /// Neither operand is negative, and the divisor is not 0. The machine divides half as many bits in less time.
    pub(super) fn quotient(&mut self, bits: Bits, args: &[Value]) -> ir::Value {
        let (a, b) = self.of_bits(bits, args);
        let quotient = self.at.ins().udiv(a, b);
        self.of_int(bits, quotient)
    }

    pub(super) fn remainder(&mut self, bits: Bits, args: &[Value]) -> ir::Value {
        let (a, b) = self.of_bits(bits, args);
        let rest = self.at.ins().urem(a, b);
        self.of_int(bits, rest)
    }

    /// Both operands in so many bits. A divisor that is proven not to be 0 is replaced where it is 0 all the same: a wrong proof would
    /// give a wrong number, and not end the process.
    fn of_bits(&mut self, bits: Bits, args: &[Value]) -> (ir::Value, ir::Value) {
        let (a, b) = self.two(args);
        let (ty, a, b) = match bits {
            Bits::All => (types::I64, a, b),
            Bits::Half => (types::I32, self.at.ins().ireduce(types::I32, a), self.at.ins().ireduce(types::I32, b)),
        };
        match self.int_constant(args[1]) {
            Some(c) if c != 0 => (a, self.at.ins().iconst(ty, c)),
            _ => {
                let zero = self.at.ins().icmp_imm_s(IntCC::Equal, b, 0);
                let one = self.at.ins().iconst(ty, 1);
                (a, self.at.ins().select(zero, one, b))
            }
        }
    }

    fn of_int(&mut self, bits: Bits, value: ir::Value) -> ir::Value {
        match bits {
            Bits::All => value,
            Bits::Half => self.at.ins().uextend(types::I64, value),
        }
    }

    /// `a // c` for a divisor that needs no test: Cranelift makes it a multiplication or a shift.
    fn floor_div_constant(&mut self, a: ir::Value, b: ir::Value, c: i64, int: IntTy) -> ir::Value {
        if c > 0 && c.count_ones() == 1 {
            let shift = i64::from(c.trailing_zeros());
            return if int.signed() { self.at.ins().sshr_imm_s(a, shift) } else { self.at.ins().ushr_imm_s(a, shift) };
        }
        if int.signed() { self.floor_quotient(a, b) } else { self.at.ins().udiv(a, b) }
    }

    fn modulo_constant(&mut self, a: ir::Value, b: ir::Value, c: i64, int: IntTy) -> ir::Value {
        if c > 0 && c.count_ones() == 1 {
            return self.at.ins().band_imm_s(a, c - 1);
        }
        if !int.signed() {
            let quotient = self.at.ins().udiv(a, b);
            let whole = self.at.ins().imul(quotient, b);
            return self.at.ins().isub(a, whole);
        }
        let quotient = self.at.ins().sdiv(a, b);
        let (rest, wrong) = self.rest(a, b, quotient);
        let other = self.at.ins().iadd(rest, b);
        self.at.ins().select(wrong, other, rest)
    }

    /// Signed, divisor neither 0 nor -1 with MIN.
    fn floor_quotient(&mut self, a: ir::Value, b: ir::Value) -> ir::Value {
        let quotient = self.at.ins().sdiv(a, b);
        let (_, wrong) = self.rest(a, b, quotient);
        let one_less = self.at.ins().uextend(types::I64, wrong);
        self.at.ins().isub(quotient, one_less)
    }

    /// What the truncated quotient leaves, and whether its sign is not the divisor's: then the floor is one less.
    fn rest(&mut self, a: ir::Value, b: ir::Value, quotient: ir::Value) -> (ir::Value, ir::Value) {
        let whole = self.at.ins().imul(quotient, b);
        let rest = self.at.ins().isub(a, whole);
        let signs = self.at.ins().bxor(rest, b);
        let differ = self.at.ins().icmp_imm_s(IntCC::SignedLessThan, signs, 0);
        let nonzero = self.at.ins().icmp_imm_s(IntCC::NotEqual, rest, 0);
        let wrong = self.at.ins().band(differ, nonzero);
        (rest, wrong)
    }

    /// Whether the flags of the floating-point unit are looked at after the run: NumPy's are.
    fn tells_by_flags(&self) -> bool {
        matches!(self.unit.outside, Outside::Elements { .. })
    }

    fn flag_if(&mut self, cond: ir::Value, which: i64) {
        if !self.tells_by_flags() {
            return;
        }
        let (flag, next) = (self.new_block(), self.new_block());
        self.at.ins().brif(cond, flag, &[], next, &[]);
        self.enter(flag);
        self.cold_here();
        let which = self.at.ins().iconst(types::I64, which);
        self.call_address(hooks::raise_flag as *const () as usize, &[which], types::I32);
        self.at.ins().jump(next, &[]);
        self.enter(next);
    }

    /// The divisor with 0 (and -1) replaced by 1, so that the rest is 0; and whether it was 0.
    fn safe_divisor(&mut self, b: ir::Value, int: IntTy) -> (ir::Value, ir::Value) {
        let is_zero = self.at.ins().icmp_imm_s(IntCC::Equal, b, 0);
        let one = self.at.ins().iconst(types::I64, 1);
        let divisor = self.at.ins().select(is_zero, one, b);
        (if int.signed() { self.not_minus_one(divisor) } else { divisor }, is_zero)
    }

    /// a % -1 is 0, as a % 1 is; MIN / -1 would fault.
    fn not_minus_one(&mut self, b: ir::Value) -> ir::Value {
        let is_minus_one = self.at.ins().icmp_imm_s(IntCC::Equal, b, -1);
        let one = self.at.ins().iconst(types::I64, 1);
        self.at.ins().select(is_minus_one, one, b)
    }

    /// True division of ints: two doubles' division when both are exact, else the runtime's.
    pub(super) fn int_div(&mut self, mode: Mode, args: &[Value]) -> ir::Value {
        let (a, b) = self.two(args);
        let unsigned = is_u64(self.function.ty(args[0]));
        if mode == Mode::Python && self.int_constant(args[1]).is_none_or(|c| c == 0) {
            let zero = self.at.ins().icmp_imm_s(IntCC::Equal, b, 0);
            self.fault_if(zero, Fault::DivisionByZero);
        }
        // -2**53 <= x < 2**53, for both in one test: the sums x + 2**53 have no bit above the 54th.
        let inexact = if unsigned {
            let bits = self.at.ins().bor(a, b);
            self.at.ins().ushr_imm_s(bits, 53)
        } else {
            let offset = self.at.ins().iconst(types::I64, 1 << 53);
            let (x, y) = (self.at.ins().iadd(a, offset), self.at.ins().iadd(b, offset));
            let bits = self.at.ins().bor(x, y);
            self.at.ins().ushr_imm_s(bits, 54)
        };
        let (slow, fast, done) = (self.new_block(), self.new_block(), self.new_block());
        let result = self.at.append_block_param(done, types::F64);
        self.at.ins().brif(inexact, slow, &[], fast, &[]);
        self.enter(fast);
        // Both are less than 2**63: the signed conversion serves.
        let (x, y) = (self.at.ins().fcvt_from_sint(types::F64, a), self.at.ins().fcvt_from_sint(types::F64, b));
        let quotient = self.at.ins().fdiv(x, y);
        self.at.ins().jump(done, &[BlockArg::Value(quotient)]);
        self.enter(slow);
        self.at.set_cold_block(slow);
        let exact = self.slow_int_div(mode, a, b, unsigned);
        self.at.ins().jump(done, &[BlockArg::Value(exact)]);
        self.enter(done);
        result
    }

    fn slow_int_div(&mut self, mode: Mode, a: ir::Value, b: ir::Value, unsigned: bool) -> ir::Value {
        let name = if unsigned { "uint_truediv" } else { "int_truediv" };
        if mode == Mode::Python {
            return self.runtime(name, &[a, b])[0];
        }
        // By zero as floats divide; the runtime, which would raise, gets another divisor.
        let is_zero = self.at.ins().icmp_imm_s(IntCC::Equal, b, 0);
        let one = self.at.ins().iconst(types::I64, 1);
        let divisor = self.at.ins().select(is_zero, one, b);
        let quotient = self.runtime(name, &[a, divisor])[0];
        let x = match unsigned {
            true => self.at.ins().fcvt_from_uint(types::F64, a),
            false => self.at.ins().fcvt_from_sint(types::F64, a),
        };
        let zero = self.at.ins().f64const(0.0);
        let by_zero = self.at.ins().fdiv(x, zero);
        self.at.ins().select(is_zero, by_zero, quotient)
    }
}

/// A constant divisor that needs no test. (As unsigned, -1 is the largest number.)
fn easy(c: i64, int: IntTy) -> bool {
    c != 0 && (c != -1 || !int.signed())
}
