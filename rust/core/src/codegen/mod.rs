//! Typed IR → CLIF, one function at a time.
//!
//! In: a verified `typed::Module`. Out: for each function a CLIF function, and what they share (`Unit`): the places where
//! they can fail, what they print, what they call. Always holds: no emitted instruction can trap when it is reached (divisions
//! stand behind tests, conversions saturate, memory is the context's, the caller's or the stack's); a failure leaves by a
//! status; every instruction carries the place in the text it was made for.
//!
//! Machine values: an int of any width is an I64, extended as its type says; a bool is an I8 of 0 or 1; a float of either
//! width is an F64. None is no value, a tuple is its scalars one after the other, so that a typed value is a run of CLIF values.

mod abi;
pub mod alone;
mod arith;
mod array;
mod bits;
mod calls;
mod checks;
mod compare;
mod convert;
mod divide;
pub mod dump;
mod dump_asm;
pub(crate) mod elements;
pub mod externs;
pub(crate) mod hooks;
pub(crate) mod isa;
pub(crate) mod kept;
pub(crate) mod outer;
mod range;
mod rows;
pub mod target;
#[cfg(test)]
mod tests;
pub(crate) mod ticks;
pub(crate) mod vector;
mod whole;

use cranelift_codegen::ir::{
    self, Block, BlockArg, InstBuilder, MemFlagsData, SourceLoc, StackSlot, UserFuncName, types,
};
use cranelift_codegen::isa::TargetFrontendConfig;
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use smallvec::SmallVec;

use crate::externs::ExternRef;
use crate::failure::Cause;
use crate::outside::{HowMany, Outside};
use crate::span::Span;
use crate::typed::calls::{cycles, is_called};
use crate::typed::cfg::{Graph, Loops};
use crate::typed::{Const, FuncId, Function, Inst, Module, Op, Target, Terminator, Value};
use crate::types::{FloatTy, IntTy, Ty};

pub(crate) use abi::{Import, MAX_RETURN, PrintSite, Site};
use checks::Exit;
pub(crate) use whole::WholeSite;

/// The CLIF values of one typed value.
type Scalars = SmallVec<[ir::Value; 4]>;

/// What the functions of one module share.
pub(crate) struct Unit<'m> {
    pub module: &'m Module,
    /// Where generated code can fail; exits store an index into it.
    pub sites: Vec<Site>,
    pub prints: Vec<PrintSite>,
    pub wholes: Vec<WholeSite>,
    /// What is called outside the module; numbered after the module's functions and the entry.
    pub imports: Vec<Import>,
    /// The C functions of the host that are called.
    pub externs: Vec<&'m ExternRef>,
    /// How much stack must be left for functions of the host.
    pub room: usize,
    /// Which functions are kernels, and which of their parameters are the same for all elements.
    kernels: Vec<Option<u64>>,
    /// The cycle of calls that a function lies on.
    cycles: Vec<Option<u32>>,
    /// Whether a call of a function may tick.
    ticking: Vec<bool>,
    target: TargetFrontendConfig,
    outside: Outside,
    /// Whether the outermost function is the body itself.
    light: bool,
    /// What source locations count, for who looks inside: then they are places in this list, one for each change; else they are the
    /// offsets at which the text begins.
    pub places: Option<Vec<Span>>,
}

/// How a function is entered and left.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Face {
    /// `extern "C" fn(ctx, args, out) -> status`: what Rust calls.
    Entry,
    /// `fn(ctx, scalars…) -> (result, status)`: what other functions of the module call.
    Inner,
    /// As `Outside` asks: the body itself, or a stub that has the entry run.
    Outer,
    /// `extern "C" fn(ctx, operands, count) -> status`: the function for each of so many elements.
    Block,
}

impl<'m> Unit<'m> {
    /// For an outside that takes slots `light` says nothing; for another it must be `outer::is_light`, or false.
    pub fn new(module: &'m Module, target: TargetFrontendConfig, outside: Outside, light: bool) -> Unit<'m> {
        let (sites, prints, wholes, imports, externs) = Default::default();
        let kernels = whole::kernels(module);
        let (cycles, ticking) = (cycles(module), ticks::ticking(module));
        Unit {
            module,
            sites,
            prints,
            wholes,
            kernels,
            imports,
            externs,
            room: 0,
            cycles,
            ticking,
            target,
            outside,
            light,
            places: None,
        }
    }

    /// Whether a call of `callee` in `caller` can lead back to `caller`.
    fn may_recur(&self, caller: FuncId, callee: FuncId) -> bool {
        let cycle = |id: FuncId| self.cycles[id.0 as usize];
        cycle(caller).is_some() && cycle(caller) == cycle(callee)
    }

    /// Whether a run counts ticks at all.
    pub fn ticks(&self) -> bool {
        self.ticking[0]
    }

    /// What there is to build: the functions under their own numbers, and the entry under the number after them; then the outermost
    /// function, if that is another one, which has no number of its own: nobody calls it from here.
    ///
    /// An entry that nobody in the module calls is function 0 itself with another face; else it is a bridge to it.
    pub fn plan(&self) -> Vec<(FuncId, Face)> {
        let called = is_called(self.module, FuncId(0));
        let first = match self.outside {
            Outside::Elements { .. } => usize::from(self.is_in_place(FuncId(0)) && !called),
            _ => usize::from(!called),
        };
        let face = |i: usize| if self.kernels[i].is_some() { Face::Block } else { Face::Inner };
        let inner = (first..self.module.functions.len()).map(|i| (FuncId(i as u32), face(i)));
        let entry = match (self.outside, self.light) {
            (Outside::Slots, _) => &[Face::Entry][..],
            (Outside::Elements { .. }, _) => &[Face::Block],
            (_, true) => &[Face::Outer],
            (_, false) => &[Face::Entry, Face::Outer],
        };
        inner.chain(entry.iter().map(|&face| (FuncId(0), face))).collect()
    }

    /// The number under which the linker knows a planned function.
    pub fn number(&self, planned: (FuncId, Face)) -> u32 {
        match planned.1 {
            Face::Inner => planned.0.0,
            Face::Block if self.is_kernel(planned.0) => planned.0.0,
            Face::Entry | Face::Outer | Face::Block => self.module.functions.len() as u32,
        }
    }

    /// Builds one planned function into `func`, which must be empty. `buffers` are as empty before as after.
    pub fn build(&mut self, planned: (FuncId, Face), func: &mut ir::Function, buffers: &mut FunctionBuilderContext) {
        let (id, face) = planned;
        func.name = UserFuncName::user(0, self.number(planned));
        func.signature = match face {
            Face::Inner => self.signature(id),
            Face::Entry | Face::Block => self.entry_signature(),
            Face::Outer => self.outer_signature(),
        };
        let bridge = face == Face::Entry && is_called(self.module, FuncId(0));
        let stub = face == Face::Outer && !self.light;
        let mut lower = Lower::new(self, id, face, FunctionBuilder::new(func, buffers));
        if face == Face::Block {
            lower.elements();
        } else if bridge {
            lower.bridge();
        } else if stub {
            lower.stub();
        } else {
            lower.body();
        }
        lower.finish();
    }
}

/// One function on its way to CLIF.
pub(crate) struct Lower<'u, 'm, 'f> {
    unit: &'u mut Unit<'m>,
    id: FuncId,
    function: &'m Function,
    face: Face,
    at: FunctionBuilder<'f>,
    /// The first block; its parameters are the function's.
    entry: Block,
    /// `hooks::Context`: the first parameter, or on our own frame.
    ctx: ir::Value,
    /// Where the scalars of a typed value begin in `scalars`.
    starts: Vec<u32>,
    scalars: Vec<ir::Value>,
    /// The bits of values that are constant ints or floats.
    constants: Vec<Option<u64>>,
    blocks: Vec<Option<Block>>,
    exits: Vec<Exit>,
    /// Where failures go that have told their sites.
    fail_at: Option<Block>,
    /// Where a failure goes whose site is stored: returns the status.
    fail: Option<Block>,
    callees: Vec<(abi::Callee, ir::FuncRef)>,
    budget: ticks::Budget,
    /// Whether there are loops.
    loops: bool,
    /// Memory for the slots of helpers and prints; as large as the largest of them.
    scratch: Option<StackSlot>,
    /// Whether this block asked for stack already: the pointer does not move within a function.
    stack_checked: bool,
    /// Where an outermost function leads arguments that it does not take.
    other: Option<Block>,
    /// Where it goes on with values that it is told instead of those it finds, and of what types they are.
    known: Option<(Block, Vec<ir::Type>)>,
    /// Of the instruction being lowered.
    span: Span,
}

impl<'u, 'm, 'f> Lower<'u, 'm, 'f> {
    fn new(unit: &'u mut Unit<'m>, id: FuncId, face: Face, mut at: FunctionBuilder<'f>) -> Self {
        let function = &unit.module.functions[id.0 as usize];
        let entry = at.create_block();
        at.append_block_params_for_function_params(entry);
        at.switch_to_block(entry);
        // An outermost function has its own.
        let ctx = at.block_params(entry).first().copied().unwrap_or(ir::Value::from_u32(0));
        Lower {
            id,
            function,
            face,
            at,
            entry,
            ctx,
            starts: vec![u32::MAX; function.values.len()],
            scalars: Vec::with_capacity(function.values.len()),
            constants: vec![None; function.values.len()],
            blocks: vec![None; function.blocks.len()],
            exits: Vec::new(),
            fail_at: None,
            fail: None,
            callees: Vec::new(),
            budget: ticks::Budget::InContext,
            loops: function.blocks.iter().skip(1).any(|block| block.insts.iter().any(|i| matches!(i.op, Op::Tick(_)))),
            scratch: None,
            stack_checked: false,
            other: None,
            known: None,
            span: function.span,
            unit,
        }
    }

    fn body(&mut self) {
        let function = self.function;
        let graph = Graph::of(function);
        let loops = Loops::of(&graph);
        let (order, inward) = (&graph.rpo, inward(function, &graph, &loops));
        self.place(function.span);
        self.parameters();
        self.start_budget(&loops);
        for &index in &order[1..] {
            let block = self.new_block();
            self.blocks[index as usize] = Some(block);
            for &param in &function.blocks[index as usize].params {
                let scalars: Scalars = (function.ty(param).scalars().iter())
                    .map(|ty| self.at.append_block_param(block, clif_type(ty)))
                    .collect();
                self.define(param, &scalars);
            }
        }
        for &index in order {
            if let Some(block) = self.blocks[index as usize] {
                self.at.switch_to_block(block);
            }
            self.stack_checked = false;
            let block = &function.blocks[index as usize];
            if let Some((units, paid, unpaid)) = ticks::prepaying(block) {
                self.insts(&block.insts[..block.insts.len() - 1]);
                self.place(block.end_span);
                self.prepay(units, paid, unpaid);
                continue;
            }
            self.insts(&block.insts);
            self.place(block.end_span);
            self.end(&block.end, inward[index as usize]);
        }
    }

    fn insts(&mut self, insts: &'m [Inst]) {
        for inst in insts {
            self.place(inst.span);
            self.inst(inst);
        }
    }

    fn inst(&mut self, inst: &'m Inst) {
        let args = &inst.args;
        let ty = self.function.ty(inst.result);
        let result = match &inst.op {
            Op::Const(constant) => return self.constant(inst.result, *constant),
            Op::Tuple => {
                let scalars: Scalars = args.iter().flat_map(|&a| self.of(a).iter().copied()).collect();
                return self.define(inst.result, &scalars);
            }
            Op::Item(k) => return self.item(inst.result, args[0], *k),
            Op::Select => return self.select(inst.result, args),
            Op::At(_) | Op::Cut(_) | Op::Transpose | Op::Loosen | Op::NoArray => {
                return self.array_op(&inst.op, inst.result, args);
            }
            Op::Fits => {
                self.fits(args);
                return self.define(inst.result, &[]);
            }
            Op::Store => {
                self.store_element(args);
                return self.define(inst.result, &[]);
            }
            Op::Map(_) | Op::MapInto(_) | Op::Reduce(..) => return self.whole(inst),
            Op::Rows(kernel) => {
                self.rows(*kernel, args);
                return self.define(inst.result, &[]);
            }
            Op::Apart => self.apart(args),
            Op::Reach => self.reach(args),
            Op::PrepayMost => self.prepay_most(args[0]),
            Op::Mark => self.mark(),
            Op::Keep => {
                self.keep(args);
                return self.define(inst.result, &[]);
            }
            Op::Len(axis) => self.len(args[0], *axis),
            Op::Index(bounds) => self.index(*bounds, args),
            Op::Load => self.load_element(args),
            Op::Call(callee) => return self.call(inst.result, *callee, args),
            Op::Helper(helper, mode) => return self.helper(inst.result, helper.0, *mode, args),
            Op::Extern(callee) => return self.call_extern(inst.result, callee, args),
            Op::Fail(fault) => {
                let cond = self.one(args[0]);
                self.exit_if(cond, Cause::Fault(*fault));
                return self.define(inst.result, &[]);
            }
            Op::RequireBound(name) => {
                let bound = self.one(args[0]);
                self.exit_unless(bound, Cause::Unbound(name.clone()));
                return self.define(inst.result, &[]);
            }
            Op::Print(print) => {
                self.print(print, args);
                return self.define(inst.result, &[]);
            }
            Op::Tick(units) => {
                self.tick(*units);
                return self.define(inst.result, &[]);
            }
            Op::Prepay(units) => self.prepaid(*units),
            Op::Refund(units) => {
                self.refund(*units);
                return self.define(inst.result, &[]);
            }
            Op::Add(mode) => self.add(*mode, args, ty),
            Op::Sub(mode) => self.sub(*mode, args, ty),
            Op::Mul(mode) => self.mul(*mode, args, ty),
            Op::Div(mode) => self.div(*mode, args, ty),
            Op::IntDiv(mode) => self.int_div(*mode, args),
            Op::FloorDiv(mode) => self.floor_div(*mode, args, ty),
            Op::Mod(mode) => self.modulo(*mode, args, ty),
            Op::Quotient(bits) => self.quotient(*bits, args),
            Op::Remainder(bits) => self.remainder(*bits, args),
            Op::And | Op::Or | Op::Xor => self.bitwise(&inst.op, args),
            Op::Shl(mode) => self.shl(*mode, args, ty),
            Op::Shr(mode) => self.shr(*mode, args, ty),
            Op::Neg(mode) => self.neg(*mode, args[0], ty),
            Op::Invert => self.invert(args[0], ty),
            Op::Abs(mode) => self.abs(*mode, args[0], ty),
            Op::Not => {
                let x = self.one(args[0]);
                self.at.ins().bxor_imm_s(x, 1)
            }
            Op::Sqrt | Op::Floor | Op::Ceil | Op::Trunc | Op::Nearest => self.rounding(&inst.op, args[0], ty),
            Op::CopySign => {
                let (x, y) = self.two(args);
                self.at.ins().fcopysign(x, y)
            }
            Op::Cmp(cond) => self.cmp(*cond, args),
            Op::CmpIntFloat(cond) => self.cmp_int_float(*cond, args),
            Op::Convert => self.convert(args[0], ty),
            Op::Narrow(mode) => self.narrow(*mode, args[0], ty),
            Op::ToInt(mode) => self.float_to_int(*mode, args[0], ty),
            Op::NextIndex => {
                let (x, y) = self.two(args);
                self.at.ins().iadd(x, y)
            }
        };
        self.define(inst.result, &[result]);
    }

    /// A branch goes out of loops first, and inward where its condition does not hold: see `inward`.
    fn end(&mut self, end: &Terminator, inward: bool) {
        match end {
            Terminator::Jump(target) => {
                let (block, args) = self.edge(target);
                self.at.ins().jump(block, &args);
            }
            Terminator::Branch(cond, yes, no) => {
                let cond = self.one(*cond);
                let (yes, yes_args) = self.edge(yes);
                let (no, no_args) = self.edge(no);
                if inward {
                    let cond = self.not(cond);
                    self.at.ins().brif(cond, no, &no_args, yes, &yes_args);
                    return;
                }
                self.at.ins().brif(cond, yes, &yes_args, no, &no_args);
            }
            Terminator::Return(value) => {
                let scalars: Scalars = self.of(*value).into();
                self.return_values(*value, &scalars);
            }
            Terminator::Raise(index) => {
                let cause = Cause::Raised(self.unit.module.raises[*index as usize].clone());
                self.exit_now(cause);
            }
        }
    }

    /// Where a jump leads and what it takes along.
    fn edge(&mut self, target: &Target) -> (Block, SmallVec<[BlockArg; 4]>) {
        let args = target.args.iter().flat_map(|&v| self.of(v).iter().map(|&scalar| BlockArg::Value(scalar))).collect();
        let block = self.blocks[target.block.0 as usize].expect("a target is reachable and not block 0");
        (block, args)
    }

    fn constant(&mut self, result: Value, constant: Const) {
        let scalar = match constant {
            Const::None => return self.define(result, &[]),
            Const::Bool(value) => self.at.ins().iconst(types::I8, i64::from(value)),
            Const::Int(bits) => {
                self.constants[result.0 as usize] = Some(bits);
                self.at.ins().iconst(types::I64, bits as i64)
            }
            Const::Float(value) => {
                self.constants[result.0 as usize] = Some(value.to_bits());
                self.float_constant(value)
            }
        };
        self.define(result, &[scalar]);
    }

    /// An element of a tuple is a part of its run of scalars.
    /// A float. Cranelift makes a scalar constant anew in every block that reads it, by way of an integer register; in a loop that
    /// costs more than what is done with it. A lane of a constant vector it takes out of loops.
    fn float_constant(&mut self, value: f64) -> ir::Value {
        // 0.0 is a register less itself.
        if !self.loops || value.to_bits() == 0 {
            return self.at.ins().f64const(value);
        }
        let bits = value.to_bits().to_le_bytes();
        let bytes: Vec<u8> = bits.into_iter().chain(bits).collect();
        let constant = self.at.func.dfg.constants.insert(bytes.into());
        let both = self.at.ins().vconst(types::F64X2, constant);
        self.at.ins().extractlane(both, 0)
    }

    fn item(&mut self, result: Value, tuple: Value, k: u32) {
        let Ty::Tuple(items) = self.function.ty(tuple) else { unreachable!("Item is of a tuple") };
        let before: usize = items[..k as usize].iter().map(Ty::width).sum();
        self.starts[result.0 as usize] = self.starts[tuple.0 as usize] + before as u32;
    }

    fn select(&mut self, result: Value, args: &[Value]) {
        let cond = self.one(args[0]);
        let (yes, no): (Scalars, Scalars) = (self.of(args[1]).into(), self.of(args[2]).into());
        let quietly = matches!(self.unit.outside, Outside::Elements { how: HowMany::OneQuietly, .. });
        let chosen: Scalars = yes.iter().zip(&no).map(|(&y, &n)| self.select_one(cond, y, n, quietly)).collect();
        self.define(result, &chosen);
    }

    /// Of a comparison of two floats and a choice between them Cranelift makes the machine's minimum, which tells nans by a flag; not so
    /// where the bits are chosen between.
    fn select_one(&mut self, cond: ir::Value, yes: ir::Value, no: ir::Value, quietly: bool) -> ir::Value {
        if !quietly || self.at.func.dfg.value_type(yes) != types::F64 {
            return self.at.ins().select(cond, yes, no);
        }
        let [yes, no] = [yes, no].map(|float| self.at.ins().bitcast(types::I64, MemFlagsData::new(), float));
        let bits = self.at.ins().select(cond, yes, no);
        self.at.ins().bitcast(types::F64, MemFlagsData::new(), bits)
    }

    /// The CLIF values of a typed value.
    fn of(&self, value: Value) -> &[ir::Value] {
        let width = self.function.ty(value).width();
        if width == 0 {
            return &[];
        }
        let start = self.starts[value.0 as usize] as usize;
        &self.scalars[start..start + width]
    }

    fn one(&self, value: Value) -> ir::Value {
        self.scalars[self.starts[value.0 as usize] as usize]
    }

    fn two(&self, values: &[Value]) -> (ir::Value, ir::Value) {
        (self.one(values[0]), self.one(values[1]))
    }

    fn define(&mut self, value: Value, scalars: &[ir::Value]) {
        debug_assert_eq!(self.function.ty(value).width(), scalars.len());
        self.starts[value.0 as usize] = self.scalars.len() as u32;
        self.scalars.extend_from_slice(scalars);
    }

    fn int_constant(&self, value: Value) -> Option<i64> {
        self.constants[value.0 as usize].map(|bits| bits as i64)
    }

    fn new_block(&mut self) -> Block {
        self.at.create_block()
    }

    /// Goes on in a new block, laid out after all others. Every jump to it has been written: only blocks of typed IR, which
    /// are not entered here, have loops lead back to them.
    fn enter(&mut self, block: Block) {
        self.at.switch_to_block(block);
        self.at.seal_block(block);
    }

    /// Writes what was left for the end.
    fn finish(mut self) {
        self.finish_exits();
        self.finish_other();
        self.at.seal_all_blocks();
        self.at.finalize(self.unit.target);
    }

    /// A place in the text for the instructions that follow: see `Unit::places`.
    fn place(&mut self, span: Span) {
        self.span = span;
        let location = match &mut self.unit.places {
            None => span.start,
            Some(places) => {
                if places.last() != Some(&span) {
                    places.push(span);
                }
                places.len() as u32 - 1
            }
        };
        self.at.set_srcloc(SourceLoc::new(location));
    }
}

/// Of each block, whether its branch stays in more loops if its condition holds.
///
/// Where Cranelift has two ways to go it lays out the second one first, and walks down the dominator tree in the same order, on the
/// way taking out of loops what is the same in all rounds. It stops that where it meets a block outside. So the way out of a loop is
/// the first of the two.
fn inward(function: &Function, graph: &Graph, loops: &Loops) -> Vec<bool> {
    let inward = |(b, block): (usize, &crate::typed::Block)| match &block.end {
        Terminator::Branch(_, yes, no) if graph.reachable(b as u32) => {
            loops.shared(b as u32, yes.block.0) > loops.shared(b as u32, no.block.0)
        }
        _ => false,
    };
    function.blocks.iter().enumerate().map(inward).collect()
}

/// The machine type of a scalar.
fn clif_type(ty: &Ty) -> ir::Type {
    match ty {
        Ty::Bool => types::I8,
        Ty::Int(_) => types::I64,
        Ty::Float(_) => types::F64,
        Ty::None | Ty::Str | Ty::Tuple(_) | Ty::Array(_) => unreachable!("not a scalar"),
    }
}

fn int_type(ty: &Ty) -> IntTy {
    match ty {
        Ty::Int(int) => *int,
        _ => unreachable!("verified: an int type"),
    }
}

fn is_f32(ty: &Ty) -> bool {
    *ty == Ty::Float(FloatTy::F32)
}
