//! Inference: SSA and the types of the arguments → typed IR.
//!
//! In: the functions of a unit in SSA form and the types of one call. Out: a typed module, the entry first, one function for
//! each combination of argument types that is really called. Always holds: every conversion is an instruction.
//!
//! Types only rise — nothing, then bool, int, float — so iterating to a fixed point ends. Nothing is assumed of code behind a
//! call that has not been seen to return, which is how recursion gets its type from the case that ends it. Mistakes are only
//! reported while emitting, from final types: on the way up a variable may hold a type that it does not keep.

use std::collections::HashMap;
use std::sync::Arc;

use super::emit::{Emit, KERNELS, Operand, Raises, Sink};
use super::rules::convert;
use super::settle::{Progress, Uses};
use super::{Ty, join, lift, parse};
use crate::builtins::Primitive;
use crate::diag::{Diag, Error};
use crate::externs::ExternRef;
use crate::ir::ssa::{self, Edge, End, UNDEF};
use crate::ir::{Literal, Signature};
use crate::limits::Limits;
use crate::span::Span;
use crate::typed::{self, BlockId, FuncId, MAX_RESULT, Mode, Op, Raise, Target, Terminator};

/// More specialisations than this, beyond one for each function, are a runaway, such as a recursion that wraps its argument in tuples.
const SPARE_INSTANCES: usize = 1000;

/// A function of the unit and what its annotations say.
pub struct Declared {
    pub ssa: ssa::Function,
    pub params: Vec<Option<Ty>>,
    pub result: Option<Ty>,
    pub(super) uses: Uses,
}

impl Declared {
    /// Reads the annotations.
    pub fn new(mut ssa: ssa::Function) -> Result<Declared, Error> {
        // It may live for long, one of many.
        ssa.blocks.shrink_to_fit();
        for block in &mut ssa.blocks {
            block.insts.shrink_to_fit();
            block.params.shrink_to_fit();
        }
        let read = |text: &Option<Arc<str>>, span: Span| match text {
            Some(text) => read_type(text, span).map(Some),
            None => Ok(None),
        };
        let signature = &ssa.signature;
        let params: Result<_, Diag> = signature.params.iter().map(|p| read(&p.ty, p.span)).collect();
        let result = read(&signature.result, signature.result_span)?;
        Ok(Declared { params: params?, result, uses: Uses::new(&ssa), ssa })
    }
}

fn read_type(text: &str, span: Span) -> Result<Ty, Diag> {
    parse::ty(text).map_err(|wrong| Diag::new(wrong.code, span, &[&wrong.piece]))
}

/// Infers a module for a call of function 0 with arguments of these types, returning `result` where that is given. `weak` says which
/// arguments are numbers of Python's among NumPy's, if any are.
pub fn infer(
    unit: &[Declared],
    params: &[Ty],
    weak: &[bool],
    result: Option<&Ty>,
    mode: Mode,
    limits: &Limits,
) -> Result<typed::Module, Error> {
    let mut inference = Inference {
        unit,
        mode,
        instances: Vec::new(),
        by_types: HashMap::new(),
        most: limits.values,
        size: 0,
        work: 0,
    };
    let entry = inference.instance(0, params.to_vec(), weak)?;
    if weak.contains(&true) {
        // Who calls function 0 from inside has no weak arguments.
        inference.by_types.clear();
    }
    inference.instances[entry].declared = result.cloned().or_else(|| unit[0].result.clone());
    let mut work = vec![entry];
    while let Some(at) = work.pop() {
        work.extend(inference.settle(at)?);
    }
    inference.emit_module(entry)
}

/// An instruction of a function: its block, by its place in the order, and its place in that.
pub(super) type Site = (u32, u32);

/// One function for one combination of argument types.
pub(super) struct Instance {
    pub function: usize,
    /// Which parameters are weak; empty if none is.
    weak: Box<[bool]>,
    /// What the annotation or the signature says it returns.
    declared: Option<Ty>,
    /// None only while it is being settled.
    pub progress: Option<Progress>,
    /// What it was seen to return.
    pub result: Option<Ty>,
    /// Whose types depend on `result`, and where.
    pub callers: Vec<(usize, Site)>,
    /// The instances that its own calls mean.
    callees: HashMap<Site, usize>,
}

pub(super) struct Inference<'a> {
    pub unit: &'a [Declared],
    pub mode: Mode,
    pub instances: Vec<Instance>,
    by_types: HashMap<(usize, Vec<Ty>), usize>,
    /// How many values all instances may have together, and how many they have.
    most: usize,
    size: usize,
    /// The work that settling them took.
    pub work: usize,
}

impl<'a> Inference<'a> {
    fn instance(&mut self, function: usize, params: Vec<Ty>, weak: &[bool]) -> Result<usize, Diag> {
        if let Some(&known) = self.by_types.get(&(function, params.clone())) {
            return Ok(known);
        }
        let declared = &self.unit[function];
        let limit = self.unit.len() + SPARE_INSTANCES;
        if self.instances.len() == limit {
            let span = declared.ssa.signature.span;
            return Err(Diag::new("limit-instances", span, &[&declared.ssa.signature.name, &limit]));
        }
        self.size += declared.ssa.values as usize;
        if self.size > self.most {
            return Err(Diag::new("limit-values", declared.ssa.signature.span, &[&self.most]));
        }
        self.instances.push(Instance {
            function,
            progress: Some(Progress::new(&declared.ssa, &params, weak)),
            weak: weak.into(),
            declared: declared.result.clone(),
            result: None,
            callers: Vec::new(),
            callees: HashMap::new(),
        });
        self.by_types.insert((function, params), self.instances.len() - 1);
        Ok(self.instances.len() - 1)
    }

    /// The type of what an instance returns, if it was seen to return.
    fn result_of(&self, at: usize) -> Option<Ty> {
        let instance = &self.instances[at];
        instance.result.as_ref().map(|ty| instance.declared.clone().unwrap_or_else(|| ty.clone()))
    }

    /// One instruction, where it stands unless that is known already. None: an operand is not known yet, or a call was not seen
    /// to return.
    pub(super) fn apply(
        &mut self,
        e: &mut Emit,
        (at, site): (usize, Option<Site>),
        env: &[Option<Operand>],
        op: &ssa::Op,
    ) -> Result<Option<Operand>, Diag> {
        let operands: Option<Vec<Operand>> = op.operands().iter().map(|&v| env[v as usize].clone()).collect();
        let Some(operands) = operands else { return Ok(None) };
        Ok(Some(match op {
            ssa::Op::Literal(literal) => Operand::literal(literal.clone()),
            ssa::Op::Prim(primitive, _) => {
                if let (Some(text), false) = (operands.iter().find(|o| o.ty == Ty::Str), primitive.name == "print") {
                    return Err(e.diag("text-value", &[&Emit::text(text).unwrap_or_default()]));
                }
                if !primitive.whole && lift::any_array(&operands) {
                    return lift::map(e, primitive, &operands).map(Some);
                }
                let result = (primitive.rule)(e, primitive, &operands)?;
                let weak = stays_weak(e.mode, primitive, &operands, &result);
                result.with_weak(weak)
            }
            ssa::Op::Call(callee, _) => {
                let (callee, args) = self.arguments(e, *callee as usize, &operands)?;
                if let Some(site) = site
                    && self.instances[at].callees.insert(site, callee) != Some(callee)
                {
                    self.instances[callee].callers.push((at, site));
                }
                match self.result_of(callee) {
                    Some(ty) => e.call(FuncId(callee as u32), &args, ty),
                    None => {
                        // It has the type that it is emitted with, though nobody will see a value of it.
                        let ty = self.instances[callee].declared.clone().unwrap_or(Ty::None);
                        e.call(FuncId(callee as u32), &args, ty);
                        return Ok(None);
                    }
                }
            }
            ssa::Op::Extern(callee, _) => call_extern(e, callee, &operands)?,
            ssa::Op::Tuple(_) => {
                if let Some(text) = operands.iter().find(|o| o.ty == Ty::Str) {
                    return Err(e.diag("text-value", &[&Emit::text(text).unwrap_or_default()]));
                }
                if operands.iter().map(|o| o.ty.size()).sum::<usize>() >= Ty::LARGEST {
                    return Err(e.diag("limit-tuple", &[&Ty::LARGEST]));
                }
                if operands.iter().any(|o| o.ty.depth() >= Ty::DEEPEST) {
                    return Err(e.diag("limit-tuple-depth", &[&Ty::DEEPEST]));
                }
                e.tuple(&operands)
            }
            ssa::Op::Unpack { index, count, .. } => unpack(e, &operands[0], *index as usize, *count as usize)?,
            ssa::Op::Cast(text, _) => {
                let ty = read_type(text, e.span)?;
                e.convert(&operands[0], &ty).ok_or_else(|| e.diag("no-conversion", &[&operands[0].ty, &ty]))?
            }
            ssa::Op::RequireBound(name, _) => {
                e.op(Op::RequireBound(name.clone()), &[&operands[0]], Ty::None);
                Operand::none()
            }
        }))
    }

    /// The instance that a call means, and the arguments as it takes them.
    fn arguments(&mut self, e: &mut Emit, callee: usize, operands: &[Operand]) -> Result<(usize, Vec<Operand>), Diag> {
        let unit = self.unit;
        let callee_declared = &unit[callee];
        let name = &callee_declared.ssa.signature.name;
        let mut args = Vec::with_capacity(operands.len());
        for (i, operand) in operands.iter().enumerate() {
            let param = &callee_declared.ssa.signature.params[i].name;
            let arg = match &callee_declared.params[i] {
                None if operand.ty == Ty::Str => {
                    return Err(e.diag("text-value", &[&Emit::text(operand).unwrap_or_default()]));
                }
                None => operand.clone(),
                // An array keeps its layout: what is declared is what it must at least be.
                Some(Ty::Array(wanted))
                    if let Ty::Array(given) = operand.ty
                        && let Some(ty) = wanted.accept(given) =>
                {
                    e.convert(operand, &Ty::Array(ty)).unwrap_or_else(|| operand.clone())
                }
                Some(ty) => {
                    e.convert(operand, ty).ok_or_else(|| e.diag("argument-type", &[name, param, ty, &operand.ty]))?
                }
            };
            args.push(arg);
        }
        let params = args.iter().map(|arg| arg.ty.clone()).collect();
        Ok((self.instance(callee, params, &[])?, args))
    }

    /// Emits the entry and all that it calls.
    fn emit_module(&mut self, entry: usize) -> Result<typed::Module, Error> {
        let mut order = vec![entry];
        let mut places = HashMap::from([(entry, 0)]);
        let mut functions = Vec::new();
        let mut raises = Raises::default();
        let mut emitted = 0;
        let mut kernels = Vec::new();
        while functions.len() < order.len() {
            let at = order[functions.len()];
            let mut function = self.emit(at, &mut raises, &mut kernels, &mut emitted)?;
            // Calls were emitted with instance numbers; number them as functions of the module.
            for inst in function.blocks.iter_mut().flat_map(|block| &mut block.insts) {
                if let Op::Call(callee) = &mut inst.op {
                    let instance = callee.0 as usize;
                    let place = *places.entry(instance).or_insert_with(|| {
                        order.push(instance);
                        order.len() as u32 - 1
                    });
                    *callee = FuncId(place);
                }
            }
            functions.push(function);
        }
        // Kernels come after all functions.
        let first = functions.len() as u32;
        functions.append(&mut kernels);
        for inst in functions.iter_mut().flat_map(|function| &mut function.blocks).flat_map(|block| &mut block.insts) {
            if let Some(id) = inst.op.function_mut().filter(|id| id.0 >= KERNELS) {
                *id = FuncId(id.0 - KERNELS + first);
            }
        }
        Ok(typed::Module { functions, raises: raises.all, text: None })
    }

    fn emit(
        &mut self,
        at: usize,
        raises: &mut Raises,
        kernels: &mut Vec<typed::Function>,
        emitted: &mut usize,
    ) -> Result<typed::Function, Error> {
        let unit = self.unit;
        let ssa = &unit[self.instances[at].function].ssa;
        // Nobody asks for it again: a module is emitted once.
        let progress = self.instances[at].progress.take();
        let types: Vec<Option<Ty>> =
            progress.iter().flat_map(|p| &p.env).map(|o| o.as_ref().map(|operand| operand.ty.clone())).collect();
        drop(progress);
        let instance = &self.instances[at];
        let result = instance.declared.clone().or_else(|| instance.result.clone()).unwrap_or(Ty::None);
        let Signature { name, span, .. } = &ssa.signature;
        if result.width() > MAX_RESULT {
            return Err(Diag::new("limit-result", *span, &[name, &MAX_RESULT]).into());
        }
        let mut sink = Sink {
            function: typed::Function {
                name: name.clone(),
                values: Vec::new(),
                blocks: Vec::new(),
                result: result.clone(),
                span: *span,
            },
            insts: Vec::new(),
            raises: std::mem::take(raises),
            kernels: std::mem::take(kernels),
            most: self.most,
            before: *emitted,
        };
        let mut env: Vec<Option<Operand>> = vec![None; ssa.values as usize];
        let mut params: Vec<Vec<typed::Value>> = Vec::with_capacity(ssa.blocks.len());
        for block in &ssa.blocks {
            let values = block.params.iter().map(|param| {
                let ty = types[param.value as usize].clone().unwrap_or(Ty::None);
                let value = sink.function.new_value(ty.clone());
                let weak = is_weak(&instance.weak, param.value as usize);
                env[param.value as usize] = Some(Operand::of(ty, value).with_weak(weak));
                value
            });
            params.push(values.collect());
        }
        let mut blocks: Vec<Option<typed::Block>> = vec![None; ssa.blocks.len()];
        let mut reached = vec![false; ssa.blocks.len()];
        reached[0] = true;
        for &number in &ssa.order {
            if !reached[number as usize] {
                continue;
            }
            let block = &ssa.blocks[number as usize];
            let mut e = Emit::into(self.mode, &mut sink);
            let mut returns = true;
            for inst in &block.insts {
                e.span = inst.span;
                env[inst.value as usize] = self.apply(&mut e, (at, None), &env, &inst.op)?;
                e.room()?;
                if env[inst.value as usize].is_none() {
                    returns = false;
                    break;
                }
            }
            e.span = block.end_span;
            let end = if returns {
                block.end.edges().for_each(|edge| reached[edge.block as usize] = true);
                let declared = self.instances[at].declared.is_some();
                terminator(&mut e, ssa, block, &env, &types, (&result, declared))?
            } else {
                let never =
                    Raise { exception: "SystemError".into(), message: Some("a call that never returns did".into()) };
                Terminator::Raise(e.raise(never))
            };
            let insts = std::mem::take(&mut sink.insts);
            let params = std::mem::take(&mut params[number as usize]);
            blocks[number as usize] = Some(typed::Block { params, insts, end, end_span: block.end_span });
        }
        *raises = sink.raises;
        *kernels = sink.kernels;
        *emitted += sink.function.values.len();
        let mut function = sink.function;
        function.blocks = renumber(blocks);
        Ok(function)
    }
}

/// Whether a parameter is weak, where those that are not need not be listed.
pub(super) fn is_weak(weak: &[bool], param: usize) -> bool {
    weak.get(param).copied().unwrap_or(false)
}

/// Python computes with its own numbers by itself, before NumPy sees one of them: what comes of numbers that give way gives way too.
/// Not so where the text names the type.
fn stays_weak(mode: Mode, primitive: &Primitive, operands: &[Operand], result: &Operand) -> bool {
    mode == Mode::Numpy
        && matches!(result.ty, Ty::Bool | Ty::INT | Ty::FLOAT)
        && result.literal.is_none()
        && !convert::names_a_type(primitive)
        && operands.iter().all(Operand::gives_way)
}

/// A call of a function of the host: its operands become what it takes, as those of declared parameters do.
fn call_extern(e: &mut Emit, callee: &ExternRef, operands: &[Operand]) -> Result<Operand, Diag> {
    let mut args = Vec::with_capacity(operands.len());
    for (i, (operand, ty)) in operands.iter().zip(&callee.of.params).enumerate() {
        if operand.ty == Ty::Str {
            return Err(e.diag("text-value", &[&Emit::text(operand).unwrap_or_default()]));
        }
        let misfit = |e: &Emit| e.diag("extern-argument", &[&callee.of.name, &(i + 1), ty, &operand.ty]);
        args.push(e.convert(operand, ty).ok_or_else(|| misfit(e))?);
    }
    let args: Vec<&Operand> = args.iter().collect();
    Ok(e.op(Op::Extern(callee.clone()), &args, callee.of.result.clone()))
}

fn unpack(e: &mut Emit, operand: &Operand, index: usize, count: usize) -> Result<Operand, Diag> {
    match &operand.ty {
        Ty::Tuple(items) if items.len() == count => Ok(e.item(operand, index)),
        Ty::Tuple(items) if items.len() > count => Err(e.diag("unpack-too-many", &[&count, &items.len()])),
        Ty::Tuple(items) => Err(e.diag("unpack-not-enough", &[&count, &items.len()])),
        Ty::Array(_) => super::rules::array::unpack(e, operand, index, count),
        other => Err(e.diag("unpack-not-tuple", &[other])),
    }
}

fn terminator(
    e: &mut Emit,
    ssa: &ssa::Function,
    block: &ssa::Block,
    env: &[Option<Operand>],
    types: &[Option<Ty>],
    (result, declared): (&Ty, bool),
) -> Result<Terminator, Diag> {
    Ok(match &block.end {
        End::Jump(edge) => Terminator::Jump(target(e, ssa, edge, env, types)?),
        End::Branch(value, then, otherwise) => {
            let operand = env[*value as usize].clone().unwrap_or_else(Operand::none);
            let truth = e.truth(&operand).ok_or_else(|| match operand.ty {
                Ty::Array(_) => e.diag("array-truth", &[]),
                ref ty => e.diag("no-truth", &[ty]),
            })?;
            let condition = e.value(&truth);
            Terminator::Branch(condition, target(e, ssa, then, env, types)?, target(e, ssa, otherwise, env, types)?)
        }
        End::Return(value) => {
            let operand = env[*value as usize].clone().unwrap_or_else(Operand::none);
            let joins = declared || join(&operand.ty, result).is_some();
            let converted = e.convert(&operand, result).filter(|_| joins).ok_or_else(|| {
                let name = &ssa.signature.name;
                match (&operand.ty, result) {
                    (Ty::Str, _) => e.diag("text-value", &[&Emit::text(&operand).unwrap_or_default()]),
                    (Ty::None, other) | (other, Ty::None) if ssa.signature.result.is_none() => {
                        e.diag("missing-return", &[name, other])
                    }
                    (Ty::None, _) => e.diag("missing-return", &[name, result]),
                    (ty, _) => e.diag("return-type", &[name, result, ty]),
                }
            })?;
            if converted.ty == Ty::Str {
                return Err(e.diag("text-value", &[&Emit::text(&converted).unwrap_or_default()]));
            }
            Terminator::Return(e.value(&converted))
        }
        End::Raise(exception, message) => {
            Terminator::Raise(e.raise(Raise { exception: exception.clone(), message: message.clone() }))
        }
    })
}

/// An edge with its arguments in the types of the block's parameters.
fn target(
    e: &mut Emit,
    ssa: &ssa::Function,
    edge: &Edge,
    env: &[Option<Operand>],
    types: &[Option<Ty>],
) -> Result<Target, Diag> {
    let mut args = Vec::with_capacity(edge.args.len());
    for (param, &arg) in ssa.blocks[edge.block as usize].params.iter().zip(&edge.args) {
        let ty = types[param.value as usize].clone().unwrap_or(Ty::None);
        let operand = if arg == UNDEF { None } else { env[arg as usize].clone() };
        let operand = operand.unwrap_or_else(|| zero(e, &ty));
        // A pair of types without a common one must not be forced into the one that came first.
        let joins = join(&operand.ty, &ty).is_some();
        let converted = e.convert(&operand, &ty).filter(|o| joins && o.ty != Ty::Str).ok_or_else(|| {
            if param.name.starts_with('.') {
                e.diag("no-common-type-expression", &[&ty, &operand.ty])
            } else {
                e.diag("no-common-type", &[&param.name, &ty, &operand.ty])
            }
        })?;
        args.push(e.value(&converted));
        e.room()?;
    }
    Ok(Target { block: BlockId(edge.block), args })
}

/// Any value of a type, where nobody will look at it.
fn zero(e: &mut Emit, ty: &Ty) -> Operand {
    match ty {
        Ty::Bool => Operand::bool(false),
        Ty::Tuple(items) => {
            let items: Vec<Operand> = items.iter().map(|item| zero(e, item)).collect();
            e.tuple(&items)
        }
        Ty::Array(_) => e.op(Op::NoArray, &[], ty.clone()),
        Ty::None | Ty::Str => Operand::literal(Literal::None),
        number => e.convert(&Operand::int(0), number).unwrap_or_else(Operand::none),
    }
}

/// Leaves out the blocks that were not reached.
fn renumber(blocks: Vec<Option<typed::Block>>) -> Vec<typed::Block> {
    let mut place = vec![0u32; blocks.len()];
    let mut next = 0;
    for (block, place) in blocks.iter().zip(&mut place) {
        *place = next;
        next += u32::from(block.is_some());
    }
    let mut kept: Vec<typed::Block> = blocks.into_iter().flatten().collect();
    for target in kept.iter_mut().flat_map(|block| block.end.targets_mut()) {
        target.block = BlockId(place[target.block.0 as usize]);
    }
    kept
}
