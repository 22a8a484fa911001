//! Bitwise operations and shifts.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, InstBuilder, types};

use super::arith::overflow;
use super::{Lower, int_type};
use crate::fault::Fault;
use crate::typed::{Mode, Op, Value};
use crate::types::{IntTy, Ty};

impl Lower<'_, '_, '_> {
    pub(super) fn bitwise(&mut self, op: &Op, args: &[Value]) -> ir::Value {
        let (a, b) = self.two(args);
        match op {
            Op::And => self.at.ins().band(a, b),
            Op::Or => self.at.ins().bor(a, b),
            _ => self.at.ins().bxor(a, b),
        }
    }

    pub(super) fn invert(&mut self, arg: Value, ty: &Ty) -> ir::Value {
        let x = self.one(arg);
        let inverted = self.at.ins().bnot(x);
        self.wrap(inverted, int_type(ty))
    }

    /// `a << n` is right when shifting back gives `a` again, and `n` is less than 64 or there was nothing to shift.
    pub(super) fn shl(&mut self, mode: Mode, args: &[Value], ty: &Ty) -> ir::Value {
        let (a, n) = self.two(args);
        let int = int_type(ty);
        // The machine shifts by n mod 64.
        let shifted = self.at.ins().ishl(a, n);
        if mode == Mode::Numpy {
            let wrapped = self.wrap(shifted, int);
            let outside = self.at.ins().icmp_imm_s(IntCC::UnsignedGreaterThanOrEqual, n, i64::from(int.bits()));
            let zero = self.at.ins().iconst(types::I64, 0);
            return self.at.ins().select(outside, zero, wrapped);
        }
        let in_word = self.int_constant(args[1]).is_some_and(|n| (0..64).contains(&n));
        if !in_word {
            self.fault_if_negative(n);
        }
        let back = self.shift_right(shifted, n, int);
        let mut lost = self.at.ins().icmp(IntCC::NotEqual, back, a);
        if !in_word {
            let beyond = self.at.ins().icmp_imm_s(IntCC::UnsignedGreaterThan, n, 63);
            let nonzero = self.at.ins().icmp_imm_s(IntCC::NotEqual, a, 0);
            let gone = self.at.ins().band(beyond, nonzero);
            lost = self.at.ins().bor(lost, gone);
        }
        self.fault_if(lost, overflow(int));
        if int.bits() < 64 { self.fit(mode, shifted, int) } else { shifted }
    }

    /// Counts of 64 and more give what is left in the end: 0, or -1 of a negative number.
    pub(super) fn shr(&mut self, mode: Mode, args: &[Value], ty: &Ty) -> ir::Value {
        let (a, n) = self.two(args);
        let int = int_type(ty);
        if self.int_constant(args[1]).is_some_and(|n| (0..64).contains(&n)) {
            return self.shift_right(a, n, int);
        }
        if mode == Mode::Python {
            self.fault_if_negative(n);
        }
        // NumPy's negative counts are large ones here.
        let beyond = self.at.ins().icmp_imm_s(IntCC::UnsignedGreaterThan, n, 63);
        if int.signed() {
            let most = self.at.ins().iconst(types::I64, 63);
            let count = self.at.ins().select(beyond, most, n);
            self.at.ins().sshr(a, count)
        } else {
            let shifted = self.at.ins().ushr(a, n);
            let zero = self.at.ins().iconst(types::I64, 0);
            self.at.ins().select(beyond, zero, shifted)
        }
    }

    fn shift_right(&mut self, a: ir::Value, n: ir::Value, int: IntTy) -> ir::Value {
        if int.signed() { self.at.ins().sshr(a, n) } else { self.at.ins().ushr(a, n) }
    }

    fn fault_if_negative(&mut self, n: ir::Value) {
        let negative = self.at.ins().icmp_imm_s(IntCC::SignedLessThan, n, 0);
        self.fault_if(negative, Fault::NegativeShift);
    }
}
