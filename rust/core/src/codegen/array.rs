//! Arrays: their lengths, their elements, and views of them.
//!
//! A view is arithmetic on an array's scalars; only `Load` and `Store` touch memory. They may not be misaligned: x86 and AArch64 do not mind.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{self, BlockArg, InstBuilder, InstructionData, MemFlagsData, Opcode, types};

use super::{Lower, Scalars};
use crate::failure::Cause;
use crate::fault::Fault;
use crate::typed::{Bounds, Op, Value};
use crate::types::{ArrayTy, FloatTy, Item, Ty};

/// An array's scalars, by what they are.
pub(super) struct Parts {
    pub ty: ArrayTy,
    pub address: ir::Value,
    pub lengths: Scalars,
    /// In bytes; none of what is contiguous.
    strides: Scalars,
}

/// Elements: no access to them traps, whatever their alignment.
pub(super) fn element() -> MemFlagsData {
    MemFlagsData::new().with_notrap()
}

/// How an element lies in memory.
pub(super) fn memory_type(item: Item) -> ir::Type {
    match item.size() {
        1 => types::I8,
        2 => types::I16,
        4 if matches!(item, Item::Float(_)) => types::F32,
        4 => types::I32,
        _ if matches!(item, Item::Float(_)) => types::F64,
        _ => types::I64,
    }
}

impl Lower<'_, '_, '_> {
    pub(super) fn len(&mut self, array: Value, axis: u8) -> ir::Value {
        self.of(array)[1 + usize::from(axis)]
    }

    /// `i` if it is one of `0..n`, else `i + n` if that is. One comparison suffices: both are unsigned, and no length is negative. Nobody
    /// counts from the end but seldom: what is beside `0..n` is looked at beside the way.
    pub(super) fn index(&mut self, bounds: Bounds, args: &[Value]) -> ir::Value {
        let (i, n) = self.two(args);
        let from_start = match (bounds, self.int_constant(args[0])) {
            (Bounds::Upper, _) => i,
            (Bounds::Both, Some(constant)) if constant >= 0 => i,
            (Bounds::Both, Some(_)) => self.at.ins().iadd(i, n),
            (Bounds::Both, None) => return self.index_either(i, n),
        };
        let outside = self.at.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, from_start, n);
        self.fault_if(outside, Fault::IndexRange);
        from_start
    }

    fn index_either(&mut self, i: ir::Value, n: ir::Value) -> ir::Value {
        let (beside, next) = (self.new_block(), self.new_block());
        let from_start = self.at.append_block_param(next, types::I64);
        let inside = self.at.ins().icmp(IntCC::UnsignedLessThan, i, n);
        self.at.ins().brif(inside, next, &[BlockArg::Value(i)], beside, &[]);

        self.enter(beside);
        self.at.set_cold_block(beside);
        let from_end = self.at.ins().iadd(i, n);
        let outside = self.at.ins().icmp(IntCC::UnsignedGreaterThanOrEqual, from_end, n);
        let (exit, site) = self.exit_aside(Cause::Fault(Fault::IndexRange));
        self.at.ins().brif(outside, exit, &[site], next, &[BlockArg::Value(from_end)]);

        self.enter(next);
        from_start
    }

    pub(super) fn load_element(&mut self, args: &[Value]) -> ir::Value {
        let array = self.parts(args[0]);
        let (address, offset) = self.address_of(&array, &args[1..]);
        self.load_item(array.ty.item, address, offset)
    }

    /// The element so far from an address, as scalars of its type travel.
    pub(super) fn load_item(&mut self, item: Item, address: ir::Value, offset: i32) -> ir::Value {
        let raw = self.at.ins().load(memory_type(item), element(), address, offset);
        match item {
            // Any other byte than 0 is true.
            Item::Bool => self.at.ins().icmp_imm_s(IntCC::NotEqual, raw, 0),
            Item::Float(FloatTy::F64) => raw,
            Item::Float(FloatTy::F32) => self.at.ins().fpromote(types::F64, raw),
            Item::Int(int) if int.bits() == 64 => raw,
            Item::Int(int) if int.signed() => self.at.ins().sextend(types::I64, raw),
            Item::Int(_) => self.at.ins().uextend(types::I64, raw),
        }
    }

    pub(super) fn store_element(&mut self, args: &[Value]) {
        let array = self.parts(args[0]);
        let (address, offset) = self.address_of(&array, &args[2..]);
        let value = self.one(args[1]);
        self.store_item(array.ty.item, value, address, offset);
    }

    pub(super) fn store_item(&mut self, item: Item, value: ir::Value, address: ir::Value, offset: i32) {
        let raw = match item {
            Item::Float(FloatTy::F32) => self.at.ins().fdemote(types::F32, value),
            Item::Int(int) if int.bits() < 64 => self.at.ins().ireduce(memory_type(item), value),
            _ => value,
        };
        self.at.ins().store(element(), raw, address, offset);
    }

    pub(super) fn at_index(&mut self, axis: u8, args: &[Value]) -> Scalars {
        let array = self.parts(args[0]);
        let axis = usize::from(axis);
        let offset = self.offset_along(&array, axis, self.one(args[1]));
        let address = self.at.ins().iadd(array.address, offset);
        let strides = if array.ty.contiguous && axis > 0 { self.strides(&array) } else { array.strides };
        let others = |all: &Scalars| -> Scalars {
            let others = all.iter().enumerate().filter(|(i, _)| *i != axis);
            others.map(|(_, &scalar)| scalar).collect()
        };
        std::iter::once(address).chain(others(&array.lengths)).chain(others(&strides)).collect()
    }

    /// Operands: the array, the first element, how many, and the step.
    pub(super) fn cut(&mut self, axis: u8, args: &[Value], ty: ArrayTy) -> Scalars {
        let array = self.parts(args[0]);
        let axis = usize::from(axis);
        let (first, count, step) = (self.one(args[1]), self.one(args[2]), self.one(args[3]));
        let offset = self.offset_along(&array, axis, first);
        let address = self.at.ins().iadd(array.address, offset);
        let mut lengths = array.lengths.clone();
        lengths[axis] = count;
        let mut strides = Scalars::new();
        if !ty.contiguous {
            strides = self.strides(&array);
            strides[axis] = self.at.ins().imul(strides[axis], step);
        }
        std::iter::once(address).chain(lengths).chain(strides).collect()
    }

    pub(super) fn transpose(&mut self, array: Value) -> Scalars {
        let mut array = self.parts(array);
        if array.ty.ndim > 1 {
            array.strides = self.strides(&array);
            array.lengths.reverse();
            array.strides.reverse();
        }
        std::iter::once(array.address).chain(array.lengths).chain(array.strides).collect()
    }

    /// The same, with strides if the other type has them.
    pub(super) fn loosen(&mut self, array: Value, ty: ArrayTy) -> Scalars {
        let array = self.parts(array);
        let strides = if ty.contiguous { Scalars::new() } else { self.strides(&array) };
        std::iter::once(array.address).chain(array.lengths).chain(strides).collect()
    }

    /// Fails where shapes do not fit: along each dimension, counted from the last, lengths are one number or 1.
    pub(super) fn fits(&mut self, args: &[Value]) {
        let shapes: Vec<Scalars> = args.iter().map(|&arg| self.parts(arg).lengths).collect();
        let ndim = shapes.iter().map(|lengths| lengths.len()).max().unwrap_or(0);
        let mut wrong = None;
        for from_end in 1..=ndim {
            let along = shapes.iter().filter_map(|lengths| Some(lengths[lengths.len().checked_sub(from_end)?]));
            let along: Scalars = along.collect();
            let mut common = along[0];
            for &length in &along[1..] {
                let differ = self.at.ins().icmp(IntCC::NotEqual, common, length);
                let [many, others] = [common, length].map(|n| self.at.ins().icmp_imm_s(IntCC::NotEqual, n, 1));
                let both = self.at.ins().band(many, others);
                let misfit = self.at.ins().band(differ, both);
                common = self.at.ins().select(many, common, length);
                wrong = Some(match wrong {
                    Some(before) => self.at.ins().bor(before, misfit),
                    None => misfit,
                });
            }
        }
        if let Some(wrong) = wrong {
            self.fault_if(wrong, Fault::Shapes);
        }
    }

    /// An array of nothing.
    pub(super) fn no_array(&mut self, ty: ArrayTy) -> Scalars {
        let zero = self.at.ins().iconst(types::I64, 0);
        std::iter::repeat_n(zero, ty.width()).collect()
    }

    pub(super) fn parts(&self, value: Value) -> Parts {
        let Ty::Array(ty) = *self.function.ty(value) else { unreachable!("verified: an array") };
        let scalars = self.of(value);
        let (lengths, strides) = scalars[1..].split_at(ty.ndim.into());
        Parts { ty, address: scalars[0], lengths: lengths.into(), strides: strides.into() }
    }

    /// Bytes from one element to the next, along each dimension.
    fn strides(&mut self, array: &Parts) -> Scalars {
        if !array.ty.contiguous {
            return array.strides.clone();
        }
        let mut stride = self.at.ins().iconst(types::I64, array.ty.item.size() as i64);
        let mut strides: Scalars = array.lengths.clone();
        for axis in (0..array.lengths.len()).rev() {
            let length = std::mem::replace(&mut strides[axis], stride);
            if axis > 0 {
                stride = self.at.ins().imul(stride, length);
            }
        }
        strides
    }

    /// How many bytes an index of one dimension is away from the first element.
    fn offset_along(&mut self, array: &Parts, axis: usize, index: ir::Value) -> ir::Value {
        if !array.ty.contiguous {
            return self.at.ins().imul(index, array.strides[axis]);
        }
        let mut elements = index;
        for &length in &array.lengths[axis + 1..] {
            elements = self.at.ins().imul(elements, length);
        }
        self.bytes(array.ty.item, elements)
    }

    /// Where an element is, as an address and what instructions add to it by themselves: what is constant in the last index of a contiguous
    /// array. `(i·n + j + c)·size = (i·n + j)·size + c·size`, which wraps as addresses do; so neighbours share an address.
    pub(super) fn address_of(&mut self, array: &Parts, indices: &[Value]) -> (ir::Value, i32) {
        let (last, before) = indices.split_last().expect("arrays have dimensions");
        if array.ty.contiguous {
            let mut elements = None;
            for (axis, &index) in before.iter().enumerate() {
                let index = self.one(index);
                let sum = self.plus(elements, index);
                elements = Some(self.at.ins().imul(sum, array.lengths[axis + 1]));
            }
            let (index, constant) = self.less_constant(self.one(*last));
            if let Some(index) = index {
                elements = Some(self.plus(elements, index));
            }
            let address = match elements {
                Some(elements) => {
                    let offset = self.bytes(array.ty.item, elements);
                    self.at.ins().iadd(array.address, offset)
                }
                None => array.address,
            };
            return (address, constant * array.ty.item.size() as i32);
        }
        let mut address = array.address;
        for (&index, &stride) in indices.iter().zip(&array.strides) {
            let index = self.one(index);
            let offset = self.at.ins().imul(index, stride);
            address = self.at.ins().iadd(address, offset);
        }
        (address, 0)
    }

    fn plus(&mut self, sum: Option<ir::Value>, value: ir::Value) -> ir::Value {
        match sum {
            Some(sum) => self.at.ins().iadd(sum, value),
            None => value,
        }
    }

    /// An int as a value and a small constant that are added; no value where it is the constant.
    fn less_constant(&self, value: ir::Value) -> (Option<ir::Value>, i32) {
        /// Offsets of elements of 8 bytes stay far from the ends of 32 bits.
        const SMALL: i64 = 1 << 20;
        let dfg = &self.at.func.dfg;
        let inst = |value| dfg.value_def(value).inst().map(|inst| dfg.insts[inst]);
        let constant = |value| match inst(value) {
            Some(InstructionData::UnaryImm { opcode: Opcode::Iconst, imm }) => Some(imm.bits()),
            _ => None,
        };
        let small = |constant: i64| (-SMALL..SMALL).contains(&constant);
        if let Some(constant) = constant(value).filter(|constant| small(*constant)) {
            return (None, constant as i32);
        }
        let (mut at, mut sum) = (value, 0);
        // A bounded number of sums: copies of a loop's body count on from each other.
        for _ in 0..8 {
            let (base, more) = match inst(at) {
                Some(InstructionData::Binary { opcode: Opcode::Iadd, args: [a, b] }) => (a, constant(b)),
                Some(InstructionData::Binary { opcode: Opcode::Isub, args: [a, b] }) => {
                    (a, constant(b).and_then(i64::checked_neg))
                }
                _ => break,
            };
            match more.filter(|more| small(*more) && small(sum + more)) {
                Some(more) => (at, sum) = (base, sum + more),
                None => break,
            }
        }
        (Some(at), sum as i32)
    }

    pub(super) fn bytes(&mut self, item: Item, elements: ir::Value) -> ir::Value {
        match item.size().trailing_zeros() {
            0 => elements,
            shift => self.at.ins().ishl_imm_u(elements, i64::from(shift)),
        }
    }

    pub(super) fn array_op(&mut self, op: &Op, result: Value, args: &[Value]) {
        let scalars = match (op, self.function.ty(result)) {
            (Op::At(axis), _) => self.at_index(*axis, args),
            (Op::Cut(axis), Ty::Array(ty)) => self.cut(*axis, args, *ty),
            (Op::Transpose, _) => self.transpose(args[0]),
            (Op::Loosen, Ty::Array(ty)) => self.loosen(args[0], *ty),
            (Op::NoArray, Ty::Array(ty)) => self.no_array(*ty),
            _ => unreachable!("verified: gives an array"),
        };
        self.define(result, &scalars);
    }
}
