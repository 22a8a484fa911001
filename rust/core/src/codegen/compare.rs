//! Comparisons. On floats all but "not equal" are false when an operand is nan.

use cranelift_codegen::ir::condcodes::{CondCode, FloatCC, IntCC};
use cranelift_codegen::ir::{self, BlockArg, InstBuilder, InstructionData, Opcode, types};

use super::Lower;
use crate::typed::{Cond, Value, is_u64};
use crate::types::Ty;

impl Lower<'_, '_, '_> {
    pub(super) fn cmp(&mut self, cond: Cond, args: &[Value]) -> ir::Value {
        let (a, b) = self.two(args);
        match self.function.ty(args[0]) {
            Ty::Float(_) => self.at.ins().fcmp(float_cc(cond), a, b),
            Ty::Int(int) => self.at.ins().icmp(int_cc(cond, int.signed()), a, b),
            _ => self.at.ins().icmp(int_cc(cond, false), a, b),
        }
    }

    /// The opposite of a condition that was just made: where it is a comparison, the opposite one.
    pub(super) fn not(&mut self, cond: ir::Value) -> ir::Value {
        let made = self.at.func.dfg.value_def(cond).inst().map(|inst| self.at.func.dfg.insts[inst]);
        match made {
            Some(InstructionData::IntCompare { cond, args: [a, b], .. }) => self.at.ins().icmp(cond.complement(), a, b),
            Some(InstructionData::FloatCompare { cond, args: [a, b], .. }) => {
                self.at.ins().fcmp(cond.complement(), a, b)
            }
            _ => self.at.ins().icmp_imm_s(IntCC::Equal, cond, 0),
        }
    }

    /// Whether a float is 0. One that was made of an int is if the int is, since others are at least 1 apart from it: a comparison without
    /// the question whether there is a nan.
    pub(super) fn is_zero(&mut self, float: ir::Value) -> ir::Value {
        let made = self.at.func.dfg.value_def(float).inst().map(|inst| self.at.func.dfg.insts[inst]);
        if let Some(InstructionData::Unary { opcode: Opcode::FcvtFromSint | Opcode::FcvtFromUint, arg }) = made {
            return self.at.ins().icmp_imm_s(IntCC::Equal, arg, 0);
        }
        let zero = self.at.ins().f64const(0.0);
        self.at.ins().fcmp(FloatCC::Equal, float, zero)
    }

    /// An int with a float, exactly: as floats when the int is one, else the runtime looks.
    pub(super) fn cmp_int_float(&mut self, cond: Cond, args: &[Value]) -> ir::Value {
        let (i, x) = self.two(args);
        let unsigned = is_u64(self.function.ty(args[0]));
        let inexact = if unsigned {
            self.at.ins().ushr_imm_s(i, 53)
        } else {
            let offset = self.at.ins().iadd_imm_s(i, 1 << 53);
            self.at.ins().ushr_imm_s(offset, 54)
        };
        let (slow, fast, done) = (self.new_block(), self.new_block(), self.new_block());
        let result = self.at.append_block_param(done, types::I8);
        self.at.ins().brif(inexact, slow, &[], fast, &[]);
        self.enter(fast);
        let exact = self.at.ins().fcvt_from_sint(types::F64, i);
        let answer = self.at.ins().fcmp(float_cc(cond), exact, x);
        self.at.ins().jump(done, &[BlockArg::Value(answer)]);

        self.enter(slow);
        self.at.set_cold_block(slow);
        let name = if unsigned { "cmp_uint_float" } else { "cmp_int_float" };
        let order = self.runtime(name, &[i, x])[0];
        let answer = self.at.ins().icmp_imm_s(int_cc(cond, true), order, 0);
        // The order says nothing about nan.
        let answer = if cond == Cond::Ne {
            let nan = self.at.ins().fcmp(FloatCC::Unordered, x, x);
            self.at.ins().bor(answer, nan)
        } else {
            let number = self.at.ins().fcmp(FloatCC::Ordered, x, x);
            self.at.ins().band(answer, number)
        };
        self.at.ins().jump(done, &[BlockArg::Value(answer)]);
        self.enter(done);
        result
    }
}

pub(super) fn int_cc(cond: Cond, signed: bool) -> IntCC {
    let cc = match cond {
        Cond::Lt => IntCC::SignedLessThan,
        Cond::Le => IntCC::SignedLessThanOrEqual,
        Cond::Gt => IntCC::SignedGreaterThan,
        Cond::Ge => IntCC::SignedGreaterThanOrEqual,
        Cond::Eq => IntCC::Equal,
        Cond::Ne => IntCC::NotEqual,
    };
    if signed { cc } else { cc.unsigned() }
}

pub(super) fn float_cc(cond: Cond) -> FloatCC {
    match cond {
        Cond::Lt => FloatCC::LessThan,
        Cond::Le => FloatCC::LessThanOrEqual,
        Cond::Gt => FloatCC::GreaterThan,
        Cond::Ge => FloatCC::GreaterThanOrEqual,
        Cond::Eq => FloatCC::Equal,
        // Unordered or not equal.
        Cond::Ne => FloatCC::NotEqual,
    }
}
