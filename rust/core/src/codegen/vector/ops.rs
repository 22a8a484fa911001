//! One operation on vectors: as an instruction, or lane by lane where there is none.

use cranelift_codegen::ir::{self, InstBuilder, types};

use super::super::compare::{float_cc, int_cc};
use super::super::{Lower, Scalars, int_type};
use super::Round;
use super::plan::{How, Plan, how};
use crate::typed::{Cond, Inst, Op, Value};
use crate::types::{FloatTy, Item, Ty};

impl<'m> Lower<'_, 'm, '_> {
    pub(super) fn vector_inst(&mut self, round: &mut Round, inst: &'m Inst) {
        let plan = round.plan;
        let way = how(self.function, inst, plan.bits(), |value| plan.is_hoisted(value)).expect("planned");
        match (way, &inst.op) {
            (_, Op::Tuple | Op::Item(_)) => self.inst(inst),
            (How::Lanes, _) => self.lane_by_lane(round, inst),
            (How::Free, _) => {
                let same = self.vector_of(plan, inst.args[0]);
                self.define(inst.result, &[same]);
            }
            (How::Vector, _) => {
                let vector = self.whole_vector(plan, inst);
                self.define(inst.result, &[vector]);
            }
        }
    }

    /// The vector of a value: what is the same for all elements is in every lane.
    fn vector_of(&mut self, plan: &Plan, value: Value) -> ir::Value {
        let item = Item::of(self.function.ty(value)).expect("planned: numbers and bools");
        let scalar = self.one(value);
        self.as_vector(plan, item, scalar)
    }

    pub(super) fn as_vector(&mut self, plan: &Plan, item: Item, scalar: ir::Value) -> ir::Value {
        if self.at.func.dfg.value_type(scalar).is_vector() {
            return scalar;
        }
        let lane = self.as_lane(plan, item, scalar);
        self.at.ins().splat(plan.vector(item), lane)
    }

    /// A scalar as it travels, as it is in a lane.
    fn as_lane(&mut self, plan: &Plan, item: Item, scalar: ir::Value) -> ir::Value {
        let lane = plan.vector(item).lane_type();
        match item {
            Item::Float(FloatTy::F64) => scalar,
            Item::Float(FloatTy::F32) => self.at.ins().fdemote(types::F32, scalar),
            Item::Int(_) if lane == types::I64 => scalar,
            Item::Int(_) => self.at.ins().ireduce(lane, scalar),
            Item::Bool => {
                let wide = if lane == types::I8 { scalar } else { self.at.ins().uextend(lane, scalar) };
                self.at.ins().ineg(wide)
            }
        }
    }

    /// The other way.
    fn out_of_lane(&mut self, item: Item, lane: ir::Value) -> ir::Value {
        match item {
            Item::Float(FloatTy::F64) => lane,
            Item::Float(FloatTy::F32) => self.at.ins().fpromote(types::F64, lane),
            Item::Int(int) if int.bits() == 64 => lane,
            Item::Int(int) if int.signed() => self.at.ins().sextend(types::I64, lane),
            Item::Int(_) => self.at.ins().uextend(types::I64, lane),
            Item::Bool => {
                let ty = self.at.func.dfg.value_type(lane);
                let low = if ty == types::I8 { lane } else { self.at.ins().ireduce(types::I8, lane) };
                self.at.ins().band_imm_s(low, 1)
            }
        }
    }

    fn lane_by_lane(&mut self, round: &mut Round, inst: &'m Inst) {
        let plan = round.plan;
        let lanes = plan.lanes();
        let operands: Vec<(Value, Scalars)> = inst
            .args
            .iter()
            .map(|&arg| (arg, if plan.is_hoisted(arg) { Scalars::new() } else { self.lanes_of(round, arg) }))
            .collect();
        let vectors: Scalars = inst.args.iter().map(|&arg| self.one(arg)).collect();
        let mut results = Scalars::new();
        for lane in 0..lanes {
            for (arg, scalars) in &operands {
                if let Some(&scalar) = scalars.get(lane) {
                    self.define(*arg, &[scalar]);
                }
            }
            self.inst(inst);
            results.push(self.one(inst.result));
        }
        for (&arg, vector) in inst.args.iter().zip(vectors) {
            self.define(arg, &[vector]);
        }
        let item = Item::of(self.function.ty(inst.result)).expect("planned: one number or bool");
        let first = self.as_lane(plan, item, results[0]);
        let mut vector = self.at.ins().splat(plan.vector(item), first);
        for lane in 1..lanes {
            let scalar = self.as_lane(plan, item, results[lane]);
            vector = self.at.ins().insertlane(vector, scalar, lane as u8);
        }
        round.lanes.insert(vector, results);
        self.define(inst.result, &[vector]);
    }

    fn lanes_of(&mut self, round: &mut Round, value: Value) -> Scalars {
        let vector = self.one(value);
        if let Some(lanes) = round.lanes.get(&vector) {
            return lanes.clone();
        }
        let item = Item::of(self.function.ty(value)).expect("planned: numbers and bools");
        let lanes: Scalars = (0..round.plan.lanes())
            .map(|lane| {
                let lane = self.at.ins().extractlane(vector, lane as u8);
                self.out_of_lane(item, lane)
            })
            .collect();
        round.lanes.insert(vector, lanes.clone());
        lanes
    }

    fn whole_vector(&mut self, plan: &Plan, inst: &'m Inst) -> ir::Value {
        let function = self.function;
        let ty = function.ty(inst.result);
        let from = function.ty(inst.args[0]);
        if let Op::Shl(_) | Op::Shr(_) = inst.op {
            return self.shift_vector(plan, inst);
        }
        let args: Scalars = inst.args.iter().map(|&arg| self.vector_of(plan, arg)).collect();
        let float = matches!(from, Ty::Float(_));
        let (x, y) = (args[0], args.get(1).copied().unwrap_or(args[0]));
        match &inst.op {
            Op::Add(_) if float => self.at.ins().fadd(x, y),
            Op::Sub(_) if float => self.at.ins().fsub(x, y),
            Op::Mul(_) if float => self.at.ins().fmul(x, y),
            Op::Neg(_) if float => self.at.ins().fneg(x),
            Op::Abs(_) if float => self.at.ins().fabs(x),
            Op::Add(_) => self.at.ins().iadd(x, y),
            Op::Sub(_) => self.at.ins().isub(x, y),
            Op::Mul(_) => self.at.ins().imul(x, y),
            Op::Neg(_) => self.at.ins().ineg(x),
            Op::Abs(_) if int_type(ty).signed() => self.at.ins().iabs(x),
            Op::Abs(_) => x,
            Op::Div(_) => self.at.ins().fdiv(x, y),
            Op::Sqrt => self.at.ins().sqrt(x),
            Op::Floor => self.at.ins().floor(x),
            Op::Ceil => self.at.ins().ceil(x),
            Op::Trunc => self.at.ins().trunc(x),
            Op::Nearest => self.at.ins().nearest(x),
            Op::CopySign => {
                let sign = self.splat_int(types::I64X2, i64::MIN);
                let sign = self.bitcast(types::F64X2, sign);
                self.at.ins().bitselect(sign, y, x)
            }
            Op::And => self.at.ins().band(x, y),
            Op::Or => self.at.ins().bor(x, y),
            Op::Xor => self.at.ins().bxor(x, y),
            Op::Not | Op::Invert => self.at.ins().bnot(x),
            Op::Cmp(cond) => self.compare_vectors(*cond, from, x, y),
            Op::Select => self.select_vector(plan, ty, &args),
            Op::Convert if *from == Ty::Bool => {
                // A mask is all ones where it is true: 1 or 1.0 is what stays of that number.
                let one = match ty {
                    Ty::Float(FloatTy::F64) => self.splat_int(plan.mask(), 1f64.to_bits() as i64),
                    Ty::Float(FloatTy::F32) => self.splat_int(plan.mask(), i64::from(1f32.to_bits())),
                    _ => self.splat_int(plan.mask(), 1),
                };
                let number = self.at.ins().band(x, one);
                let item = Item::of(ty).expect("planned: a number");
                self.bitcast(plan.vector(item), number)
            }
            Op::Convert => {
                let item = Item::of(ty).expect("planned: a number");
                self.at.ins().fcvt_from_sint(plan.vector(item), x)
            }
            other => unreachable!("planned: {other:?} is no vector's"),
        }
    }

    fn compare_vectors(&mut self, cond: Cond, ty: &Ty, x: ir::Value, y: ir::Value) -> ir::Value {
        match ty {
            Ty::Float(_) => self.at.ins().fcmp(float_cc(cond), x, y),
            Ty::Int(int) => self.at.ins().icmp(int_cc(cond, int.signed()), x, y),
            // True is all ones, the greatest number without a sign.
            _ => self.at.ins().icmp(int_cc(cond, false), x, y),
        }
    }

    fn select_vector(&mut self, plan: &Plan, ty: &Ty, args: &[ir::Value]) -> ir::Value {
        let vector = plan.vector(Item::of(ty).expect("planned: numbers and bools"));
        // As floats, of which Cranelift makes no maximum that the machine lacks for 64 bits.
        let through = if vector == types::I64X2 { types::F64X2 } else { vector };
        let [mask, yes, no] = [args[0], args[1], args[2]].map(|arg| self.bitcast(through, arg));
        let chosen = self.at.ins().bitselect(mask, yes, no);
        self.bitcast(vector, chosen)
    }

    /// By a count that is the same for all: NumPy's rules for those outside of the width.
    fn shift_vector(&mut self, plan: &Plan, inst: &Inst) -> ir::Value {
        let int = int_type(self.function.ty(inst.result));
        let x = self.vector_of(plan, inst.args[0]);
        let count = self.one(inst.args[1]);
        let bits = i64::from(int.bits());
        let outside = {
            let most = self.at.ins().iconst(types::I64, bits);
            self.at.ins().icmp(ir::condcodes::IntCC::UnsignedGreaterThanOrEqual, count, most)
        };
        let most = self.at.ins().iconst(types::I64, bits - 1);
        let within = self.at.ins().select(outside, most, count);
        if matches!(inst.op, Op::Shr(_)) && int.signed() {
            return self.at.ins().sshr(x, within);
        }
        let shifted =
            if matches!(inst.op, Op::Shr(_)) { self.at.ins().ushr(x, within) } else { self.at.ins().ishl(x, within) };
        // A mask of ones where the count is inside.
        let wide = self.at.ins().uextend(types::I64, outside);
        let keep = self.at.ins().iadd_imm_s(wide, -1);
        let lane = plan.mask().lane_type();
        let keep = if lane == types::I64 { keep } else { self.at.ins().ireduce(lane, keep) };
        let keep = self.at.ins().splat(plan.mask(), keep);
        self.at.ins().band(shifted, keep)
    }
}
