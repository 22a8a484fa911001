//! The outermost function of a unit, as `Outside` asks for it: takes a host's objects or C's numbers, runs the body, gives one back.
//!
//! A unit that needs nothing of a run — no ticks, no prints, no recursion — is its own outermost function: the body stands between
//! taking and giving, and the context is a few words on its frame. Any other stores slots and has `Code::run` called.
//!
//! Objects are looked at in place. Whatever is not exactly what the code takes — another class, another number of arguments, keywords,
//! an int beyond 64 bits — goes to the host's `other` before anything else has happened.

use std::mem::{offset_of, size_of};

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::{
    self, AbiParam, Block, BlockArg, InstBuilder, MemFlagsData, Signature, StackSlotData, StackSlotKind, types,
};

use super::abi::Import;
use super::hooks::{self, Context};
use super::{Face, Lower, Scalars, Unit, clif_type};
use crate::failure::Cause;
use crate::fault::Fault;
use crate::outside::{IntLayout, Layout, Outside, TOLD};
use crate::runtime::{self, Body, Helper};
use crate::typed::calls::cycles;
use crate::typed::{Module, Op};
use crate::types::{FloatTy, IntTy, Ty};

/// What the frames of a unit that is its own outermost function may take.
pub(crate) const LIGHT_STACK: usize = 8 << 10;

/// A function of so few values has a frame that any C function might have: nobody asks whether there is room for it.
const FEW_VALUES: usize = 64;

/// Whether a unit needs nothing of a run.
pub(crate) fn is_light(module: &Module, ticks: bool) -> bool {
    let needs = |op: &Op| {
        let counts = matches!(op, Op::Prepay(_) | Op::PrepayMost | Op::Refund(_) | Op::Tick(_));
        counts || matches!(op, Op::Print(_) | Op::Extern(_) | Op::Mark | Op::Keep)
    };
    let insts = module.functions.iter().flat_map(|function| &function.blocks).flat_map(|block| &block.insts);
    !ticks && insts.into_iter().all(|inst| !needs(&inst.op)) && cycles(module).iter().all(Option::is_none)
}

/// Whether the body may need more of the stack than a small C function does: it calls helpers of ours, or has a large frame.
fn needs_room(module: &Module) -> bool {
    let calls = |op: &Op| match op {
        Op::Helper(helper, _) => matches!(helper.0.body, Body::Slots(_)),
        // What is partly done by the runtime.
        Op::IntDiv(_) | Op::CmpIntFloat(_) => true,
        _ => false,
    };
    let [only] = &module.functions[..] else { return true };
    only.values.len() > FEW_VALUES || only.blocks.iter().flat_map(|block| &block.insts).any(|inst| calls(&inst.op))
}

/// More arguments than this are not taken where they lie: each takes some blocks.
const MOST_OBJECTS: usize = 32;

/// Whether objects of these types can be taken where they lie.
pub(crate) fn takes_objects(module: &Module) -> bool {
    let first = &module.functions[0];
    first.params().len() <= MOST_OBJECTS
        && first.params().iter().all(|&param| !matches!(first.ty(param), Ty::Tuple(_) | Ty::Array(_) | Ty::Str))
}

const fn flags() -> MemFlagsData {
    MemFlagsData::trusted()
}

impl Unit<'_> {
    pub(super) fn outer_signature(&self) -> Signature {
        match self.outside {
            Outside::Objects { .. } => self.extern_signature(&[types::I64; 4], types::I64),
            Outside::Numbers { .. } => {
                let first = &self.module.functions[0];
                let mut signature = Signature::new(self.target.default_call_conv);
                for &param in first.params() {
                    signature.params.extend(first.ty(param).scalars().iter().map(c_param));
                }
                signature.returns.extend(first.result.scalars().iter().map(c_param));
                signature
            }
            Outside::Slots | Outside::Elements { .. } => self.entry_signature(),
        }
    }
}

/// A number as C's functions take and give it.
fn c_param(ty: &Ty) -> AbiParam {
    let param = AbiParam::new(c_type(ty));
    match ty {
        Ty::Bool => param.uext(),
        Ty::Int(int) if int.bits() < 64 => {
            if int.signed() {
                param.sext()
            } else {
                param.uext()
            }
        }
        _ => param,
    }
}

fn c_type(ty: &Ty) -> ir::Type {
    match ty {
        Ty::Int(int) => ir::Type::int(int.bits() as u16).unwrap_or(types::I64),
        Ty::Float(FloatTy::F32) => types::F32,
        other => clif_type(other),
    }
}

impl Lower<'_, '_, '_> {
    /// The context of a unit that needs nothing of a run: what is written of it before it is read.
    pub(super) fn own_context(&mut self) {
        let size =
            if self.unit.module.functions.len() > 1 { size_of::<Context>() } else { offset_of!(Context, results) };
        self.ctx = self.words(size / 8);
    }

    /// Takes the arguments from outside; what comes next is in a block where they are known.
    pub(super) fn take(&mut self) {
        match self.unit.outside {
            Outside::Objects { layout, .. } => self.take_objects(layout),
            _ => self.take_numbers(),
        }
    }

    /// Between taking and the body: asks for room, if the body is not any C function's equal.
    pub(super) fn ask_for_room(&mut self) {
        if needs_room(self.unit.module) {
            let bytes = self.at.ins().iconst(types::I64, LIGHT_STACK as i64);
            let room = self.call_address(hooks::room as *const () as usize, &[bytes], types::I32);
            self.exit_unless(room, Cause::Fault(Fault::Recursion));
        }
    }

    fn take_objects(&mut self, layout: &'static Layout) {
        let function = self.function;
        let params = self.at.block_params(self.entry).to_vec();
        let (args, count, names) = (params[1], params[2], params[3]);
        // The highest bit of the count says something about the array, not about how many there are.
        let count = self.at.ins().iadd(count, count);
        let wrong = self.at.ins().bxor_imm_s(count, function.params().len() as i64 * 2);
        let wrong = self.at.ins().bor(wrong, names);
        self.other_if(wrong);
        let params = function.params().iter().enumerate();
        let objects: Vec<_> =
            params.map(|(i, _)| self.at.ins().load(types::I64, flags(), args, i as i32 * 8)).collect();
        // First what they all are, in one question; then, since nothing is read of what is something else, their values.
        let differing = function.params().iter().zip(&objects);
        let differing: Vec<_> =
            differing.map(|(&param, &object)| self.differs(layout, function.ty(param), object)).collect();
        if let Some(any) = differing.into_iter().reduce(|any, one| self.at.ins().bor(any, one)) {
            self.other_if(any);
        }
        let mut in_place = None;
        for (&param, &object) in function.params().iter().zip(&objects) {
            let scalar = match function.ty(param) {
                Ty::Float(width) => {
                    let double = self.at.ins().load(types::F64, flags(), object, layout.float);
                    Some(if *width == FloatTy::F32 { self.single(double) } else { double })
                }
                Ty::Int(ty) => {
                    let (there, value) = self.small_int(layout, object, *ty);
                    in_place = Some(in_place.map_or(there, |all| self.at.ins().band(all, there)));
                    Some(value)
                }
                Ty::Bool => Some(self.is_constant(object, layout.true_)),
                _ => None,
            };
            self.define(param, scalar.as_slice());
        }
        if let Some(in_place) = in_place {
            self.go_on_with_ints(in_place);
        }
    }

    /// Goes on where the arguments' values are known: these, if all ints have theirs in place; else `unfit` says them.
    fn go_on_with_ints(&mut self, in_place: ir::Value) {
        let values: Scalars = self.function.params().iter().flat_map(|&param| self.of(param).iter().copied()).collect();
        let types: Vec<ir::Type> = values.iter().map(|&value| self.at.func.dfg.value_type(value)).collect();
        let (known, other) = (self.new_block(), self.other());
        let params: Scalars = types.iter().map(|&ty| self.at.append_block_param(known, ty)).collect();
        let values: Vec<_> = values.into_iter().map(BlockArg::Value).collect();
        self.at.ins().brif(in_place, known, &values, other, &[]);
        // A jump to it comes from there too.
        self.at.switch_to_block(known);
        self.known = Some((known, types));
        let mut next = 0;
        let function = self.function;
        for &param in function.params() {
            let after = next + function.ty(param).width();
            self.define(param, &params[next..after]);
            next = after;
        }
    }

    /// Whether an object is not of the class that stands for a type.
    fn differs(&mut self, layout: &Layout, ty: &Ty, object: ir::Value) -> ir::Value {
        match ty {
            Ty::Float(_) => self.has_other_class(layout, object, layout.float_class),
            Ty::Int(_) => self.has_other_class(layout, object, layout.int_class),
            Ty::Bool => {
                let truth = self.is_constant(object, layout.true_);
                let falsehood = self.is_constant(object, layout.false_);
                let either = self.at.ins().bor(truth, falsehood);
                self.at.ins().bxor_imm_s(either, 1)
            }
            Ty::None => {
                let none = self.is_constant(object, layout.none);
                self.at.ins().bxor_imm_s(none, 1)
            }
            Ty::Tuple(_) | Ty::Array(_) | Ty::Str => unreachable!("takes_objects was asked"),
        }
    }

    fn single(&mut self, double: ir::Value) -> ir::Value {
        let single = self.at.ins().fdemote(types::F32, double);
        self.at.ins().fpromote(types::F64, single)
    }

    fn is_constant(&mut self, object: ir::Value, constant: usize) -> ir::Value {
        let constant = self.address(constant);
        self.at.ins().icmp(IntCC::Equal, object, constant)
    }

    fn has_other_class(&mut self, layout: &Layout, object: ir::Value, class: usize) -> ir::Value {
        let of = self.at.ins().load(types::I64, flags(), object, layout.class);
        let class = self.address(class);
        self.at.ins().icmp(IntCC::NotEqual, of, class)
    }

    /// Whether an int has its value in place, and what that is then.
    fn small_int(&mut self, layout: &Layout, object: ir::Value, ty: IntTy) -> (ir::Value, ir::Value) {
        let (IntLayout::Sized { size: head, digit } | IntLayout::Tagged { tag: head, digit }) = layout.int;
        let head = self.at.ins().load(types::I64, flags(), object, head);
        let digit = self.at.ins().uload32(flags(), object, digit);
        let (small, factor) = match layout.int {
            IntLayout::Sized { .. } => {
                let shifted = self.at.ins().iadd_imm_s(head, 1);
                (self.at.ins().icmp_imm_u(IntCC::UnsignedLessThanOrEqual, shifted, 2), head)
            }
            IntLayout::Tagged { .. } => {
                let small = self.at.ins().icmp_imm_u(IntCC::UnsignedLessThan, head, 16);
                let sign = self.at.ins().band_imm_u(head, 3);
                let one = self.at.ins().iconst(types::I64, 1);
                (small, self.at.ins().isub(one, sign))
            }
        };
        let value = self.at.ins().imul(digit, factor);
        let fits = if ty == IntTy::U64 {
            self.at.ins().icmp_imm_s(IntCC::SignedGreaterThanOrEqual, value, 0)
        } else if ty.bits() < 64 {
            let narrow = self.at.ins().ireduce(c_type(&Ty::Int(ty)), value);
            let again = self.widened(&Ty::Int(ty), narrow);
            self.at.ins().icmp(IntCC::Equal, again, value)
        } else {
            return (small, value);
        };
        (self.at.ins().band(small, fits), value)
    }

    fn other_if(&mut self, cond: ir::Value) {
        let (other, next) = (self.other(), self.new_block());
        self.at.ins().brif(cond, other, &[], next, &[]);
        self.enter(next);
    }

    /// Where arguments go that are not what this code takes.
    fn other(&mut self) -> Block {
        match self.other {
            Some(block) => block,
            None => *self.other.insert(self.at.create_block()),
        }
    }

    /// Writes what `other` leads to.
    pub(super) fn finish_other(&mut self) {
        let (Some(block), Outside::Objects { layout, token }) = (self.other.take(), self.unit.outside) else { return };
        self.enter(block);
        self.cold_here();
        let mut args = self.at.block_params(self.entry).to_vec();
        let Some((known, types)) = self.known.take() else {
            let object = self.call_address(layout.other, &args, types::I64);
            self.at.ins().return_(&[object]);
            return;
        };
        let out = self.words(types.len());
        args.extend([self.address(token), out]);
        let object = self.call_address(layout.unfit, &args, types::I64);
        let told = self.at.ins().icmp_imm_u(IntCC::Equal, object, TOLD as i64);
        let (read, done) = (self.new_block(), self.new_block());
        self.at.ins().brif(told, read, &[], done, &[]);
        self.enter(read);
        self.cold_here();
        let values = types.into_iter().enumerate();
        let values: Vec<_> = values.map(|(i, ty)| BlockArg::Value(self.load_slot(ty, out, i as i32 * 8))).collect();
        self.at.ins().jump(known, &values);
        self.enter(done);
        self.cold_here();
        self.at.ins().return_(&[object]);
    }

    fn take_numbers(&mut self) {
        let function = self.function;
        let given = self.at.block_params(self.entry).to_vec();
        let mut given = given.into_iter();
        for &param in function.params() {
            let types = function.ty(param).scalars();
            let scalars: Scalars = types.iter().zip(given.by_ref()).map(|(ty, x)| self.widened(ty, x)).collect();
            self.define(param, &scalars);
        }
    }

    /// A number of C as our 64 bits.
    fn widened(&mut self, ty: &Ty, number: ir::Value) -> ir::Value {
        match ty {
            // C's caller extends it, but need not: what is above the lowest bit is not looked at.
            Ty::Bool => self.at.ins().band_imm_u(number, 1),
            Ty::Int(int) if int.bits() < 64 && int.signed() => self.at.ins().sextend(types::I64, number),
            Ty::Int(int) if int.bits() < 64 => self.at.ins().uextend(types::I64, number),
            Ty::Float(FloatTy::F32) => self.at.ins().fpromote(types::F64, number),
            _ => number,
        }
    }

    /// Our 64 bits as a number of C.
    fn narrowed(&mut self, ty: &Ty, scalar: ir::Value) -> ir::Value {
        match ty {
            Ty::Int(int) if int.bits() < 64 => self.at.ins().ireduce(c_type(ty), scalar),
            Ty::Float(FloatTy::F32) => self.at.ins().fdemote(types::F32, scalar),
            _ => scalar,
        }
    }

    /// Gives the result, of the first function's type, to the outside.
    pub(super) fn give(&mut self, scalars: &[ir::Value]) {
        let result = &self.function.result;
        if self.face == Face::Outer && self.unit.calls_helpers() {
            self.look_for_panics();
        }
        match self.unit.outside {
            Outside::Objects { layout, token } => {
                let object = self.object(layout, token, result, scalars);
                self.at.ins().return_(&[object]);
            }
            _ => {
                let types = result.scalars();
                let numbers: Scalars =
                    types.iter().zip(scalars).map(|(ty, &scalar)| self.narrowed(ty, scalar)).collect();
                self.at.ins().return_(&numbers);
            }
        }
    }

    fn object(&mut self, layout: &Layout, token: usize, ty: &Ty, scalars: &[ir::Value]) -> ir::Value {
        match ty {
            Ty::Float(_) => self.call_address(layout.new_float, scalars, types::I64),
            Ty::Int(IntTy::U64) => self.call_address(layout.new_uint, scalars, types::I64),
            Ty::Int(_) => self.call_address(layout.new_int, scalars, types::I64),
            Ty::Bool => {
                let (yes, no) = (self.address(layout.true_), self.address(layout.false_));
                let object = self.at.ins().select(scalars[0], yes, no);
                self.referred(layout, object)
            }
            Ty::None | Ty::Str => {
                let object = self.address(layout.none);
                self.referred(layout, object)
            }
            Ty::Tuple(_) | Ty::Array(_) => {
                let slots = self.words(scalars.len());
                for (i, &scalar) in scalars.iter().enumerate() {
                    self.store_slot(scalar, slots, i as i32 * 8);
                }
                let token = self.address(token);
                self.call_address(layout.new_tuple, &[token, slots], types::I64)
            }
        }
    }

    /// One more reference to a constant.
    fn referred(&mut self, layout: &Layout, object: ir::Value) -> ir::Value {
        if let Some(references) = layout.references {
            let count = self.at.ins().load(types::I64, flags(), object, references);
            let more = self.at.ins().iadd_imm_s(count, 1);
            self.at.ins().store(flags(), more, object, references);
        }
        object
    }

    /// A helper that never fails may have had a bug of ours in it: the code that it returned is no fault's, and was not looked at.
    fn look_for_panics(&mut self) {
        let ever = self.address(runtime::panics_flag());
        let ever = self.at.ins().load(types::I8, flags(), ever, 0);
        let (look, fine) = (self.new_block(), self.new_block());
        self.at.ins().brif(ever, look, &[], fine, &[]);
        self.enter(look);
        self.cold_here();
        let panicked = self.call_address(hooks::panicked as *const () as usize, &[], types::I32);
        let (failed, site) = self.exit_aside(Cause::Host);
        self.at.ins().brif(panicked, failed, &[site], fine, &[]);
        self.enter(fine);
    }

    /// Tells the outside of the failure that the context knows, and leaves.
    pub(super) fn give_failure(&mut self) {
        let site = self.at.ins().load(types::I32, flags(), self.ctx, offset_of!(Context, site) as i32);
        let code = self.at.ins().load(types::I32, flags(), self.ctx, offset_of!(Context, code) as i32);
        match self.unit.outside {
            Outside::Objects { layout, token } => {
                let (callable, token) = (self.at.block_params(self.entry)[0], self.address(token));
                let null = self.call_address(layout.fail, &[callable, token, site, code], types::I64);
                self.at.ins().return_(&[null]);
            }
            Outside::Numbers { calls, token } => {
                let token = self.address(token);
                self.call_address(calls.fail, &[token, site, code], types::I32);
                self.give_nothing();
            }
            Outside::Slots | Outside::Elements { .. } => unreachable!("they have a status"),
        }
    }

    /// What C gets of a call that failed: nan, 0 or False.
    fn give_nothing(&mut self) {
        let types = self.function.result.scalars();
        let nothing: Scalars = (types.iter())
            .map(|ty| match c_type(ty) {
                types::F64 => self.at.ins().f64const(f64::NAN),
                types::F32 => self.at.ins().f32const(f32::NAN),
                int => self.at.ins().iconst(int, 0),
            })
            .collect();
        self.at.ins().return_(&nothing);
    }

    /// The outermost function of a unit whose body is `Face::Entry`: has it run by the host.
    pub(super) fn stub(&mut self) {
        let function = self.function;
        self.place(function.span);
        self.take();
        let scalars: Scalars = function.params().iter().flat_map(|&param| self.of(param).iter().copied()).collect();
        let types = function.result.scalars();
        let slots = self.words(scalars.len() + types.len());
        for (i, &scalar) in scalars.iter().enumerate() {
            self.store_slot(scalar, slots, i as i32 * 8);
        }
        let out = self.at.ins().iadd_imm_s(slots, scalars.len() as i64 * 8);
        let status = match self.unit.outside {
            Outside::Objects { layout, token } => {
                let (callable, token) = (self.at.block_params(self.entry)[0], self.address(token));
                self.call_address(layout.run, &[callable, token, slots, out], types::I32)
            }
            Outside::Numbers { calls, token } => {
                let token = self.address(token);
                self.call_address(calls.run, &[token, slots, out], types::I32)
            }
            Outside::Slots | Outside::Elements { .. } => unreachable!("they need no stub"),
        };
        let (failed, fine) = (self.new_block(), self.new_block());
        self.at.ins().brif(status, failed, &[], fine, &[]);
        self.enter(failed);
        self.cold_here();
        match self.unit.outside {
            Outside::Objects { .. } => {
                let null = self.at.ins().iconst(types::I64, 0);
                self.at.ins().return_(&[null]);
            }
            _ => self.give_nothing(),
        }
        self.enter(fine);
        let results: Scalars =
            (types.iter().enumerate()).map(|(i, ty)| self.load_slot(clif_type(ty), out, i as i32 * 8)).collect();
        self.give(&results);
    }

    /// The address of so many words on our frame.
    fn words(&mut self, words: usize) -> ir::Value {
        let data = StackSlotData::new(StackSlotKind::ExplicitSlot, words.max(1) as u32 * 8, 3);
        let slot = self.at.func.create_sized_stack_slot(data);
        self.at.ins().stack_addr(types::I64, slot, 0)
    }

    fn address(&mut self, address: usize) -> ir::Value {
        self.at.ins().iconst(types::I64, address as i64)
    }

    /// Calls a C function that lies where it lies.
    pub(super) fn call_address(&mut self, address: usize, args: &[ir::Value], result: ir::Type) -> ir::Value {
        let params: Vec<ir::Type> = args.iter().map(|&arg| self.at.func.dfg.value_type(arg)).collect();
        let signature = self.unit.extern_signature(&params, result);
        let signature = self.at.import_signature(signature);
        let address = self.address(address);
        let call = self.at.ins().call_indirect(signature, address, args);
        self.at.func.dfg.first_result(call)
    }
}

impl Unit<'_> {
    /// Whether anything built so far calls a helper of the runtime that is more than a function of libm.
    fn calls_helpers(&self) -> bool {
        let slots = |import: &Import| matches!(import, Import::Helper(Helper { body: Body::Slots(_), .. }));
        self.imports.iter().any(slots)
    }
}
