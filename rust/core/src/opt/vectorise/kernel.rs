//! The kernel of a loop: what a round stores, made of what it reads.
//!
//! In: a loop of which is known where it reads and writes. Out: a function of one block that has a form in vectors, and what each of its parameters
//! is. Always holds: it computes what a round stores from the elements that the round reads; it can neither fail nor tell how often it is run. None
//! where a branch stays, where the value depends on the counter otherwise than by what is read, or where vectors have no such operations.

use std::collections::HashMap;

use super::Operand;
use super::lines::{Access, Line, Rounds};
use crate::codegen::vector::Plan;
use crate::opt::unroll::counted::{Known, Root};
use crate::opt::{dce, fold, if_convert, renumber, simplify_cfg};
use crate::typed::{Args, Block, BlockId, Const, Function, Inst, Mode, Module, Op, Target, Terminator, Value};
use crate::types::{Item, Ty};

/// How many operands a kernel may have.
const OPERANDS: usize = 16;

/// The kernel, how many elements fill its vectors, the line that it writes to, and its operands.
pub fn make(rounds: &Rounds) -> Option<(Function, usize, Line, Vec<Operand>)> {
    let function = rounds.body.function;
    let store = function.blocks[rounds.stores as usize].insts.iter().find(|inst| inst.op == Op::Store)?;
    let Access::Line(out) = rounds.access(store)? else { return None };
    let mut result = function.ty(store.args[1]).clone();
    Item::of(&result)?;
    if !rounds.in_every_round(rounds.stores) {
        result = Ty::Tuple(vec![result, Ty::Bool].into());
    }
    let kernel = Function { name: "".into(), values: Vec::new(), blocks: Vec::new(), result, span: function.span };
    let mut making = Making {
        rounds,
        kernel,
        values: HashMap::new(),
        params: Vec::new(),
        operands: Vec::new(),
        out,
        constants: Vec::new(),
    };
    making.blocks(store)?;
    let Making { kernel, operands, out, .. } = making;
    let uniform = |(i, operand): (usize, &Operand)| if matches!(operand, Operand::Line(_)) { 0 } else { 1u64 << i };
    let uniform = operands.iter().enumerate().map(uniform).sum();
    let kernel = straight(kernel)?;
    let filled = Plan::of(&kernel, uniform)?.round();
    Some((kernel, filled, out, operands))
}

/// One block, cleaned.
fn straight(mut kernel: Function) -> Option<Function> {
    simplify_cfg::straighten(&mut kernel);
    if kernel.blocks.len() > 1 {
        if_convert::run(&mut kernel);
    }
    if kernel.blocks.len() > 1 {
        return None;
    }
    let mut module = Module { functions: vec![kernel], raises: Vec::new(), text: None };
    [fold::run, dce::run, renumber::run].iter().for_each(|pass| pass(&mut module));
    module.functions.pop()
}

struct Making<'r, 'a> {
    rounds: &'r Rounds<'a>,
    kernel: Function,
    /// What values of the loop are in the kernel.
    values: HashMap<Value, Value>,
    params: Vec<Value>,
    operands: Vec<Operand>,
    out: Line,
    /// Constants from before the loop.
    constants: Vec<Inst>,
}

impl Making<'_, '_> {
    fn blocks(&mut self, store: &Inst) -> Option<()> {
        let rounds = self.rounds;
        let (function, body, latch) = (rounds.body.function, &rounds.body, rounds.latch);
        // Definitions come before their uses, whatever the numbers of blocks.
        let order: Vec<u32> = rounds.order();
        let number = |b: u32| order.iter().position(|own| *own == b).map(|i| BlockId(i as u32 + 1));
        let mut blocks = Vec::new();
        for &b in &order {
            for &param in &function.blocks[b as usize].params {
                let own = self.kernel.new_value(function.ty(param).clone());
                self.values.insert(param, own);
            }
        }
        // Of an element that is stored in some rounds only, the value and whether it is stored meet behind the store.
        let join = if rounds.in_every_round(rounds.stores) { None } else { Some(rounds.join()?) };
        let pair = join.map(|(_, everywhere)| {
            let value = if everywhere { None } else { Some(self.kernel.new_value(function.ty(store.args[1]).clone())) };
            (value, self.kernel.new_value(Ty::Bool))
        });
        for &b in &order {
            let block = &function.blocks[b as usize];
            let mut insts = Vec::new();
            for inst in &block.insts {
                self.inst(inst, &mut insts)?;
            }
            let mut params: Vec<Value> = block.params.iter().map(|param| self.values[param]).collect();
            // What is given to the join.
            let mut given = Vec::new();
            if let (Some((join, _)), Some((value, stored))) = (join, pair) {
                if b == join {
                    params.extend(value);
                    params.push(stored);
                } else if block.end.targets().any(|to| to.block.0 == join) {
                    let own = b == rounds.stores;
                    if value.is_some() {
                        let ty = function.ty(store.args[1]).clone();
                        given.push(if own {
                            self.value(store.args[1])?
                        } else {
                            self.constant(zero(&ty), ty, &mut insts)
                        });
                    }
                    given.push(self.constant(Const::Bool(own), Ty::Bool, &mut insts));
                }
            }
            let target = |this: &mut Self, target: &Target| {
                let mut args = target.args.iter().map(|arg| this.value(*arg)).collect::<Option<Vec<_>>>()?;
                if join.is_some_and(|(join, _)| join == target.block.0) {
                    args.extend(&given);
                }
                Some(Target { block: number(target.block.0)?, args })
            };
            let end = match &block.end {
                _ if b == latch => match pair {
                    None => Terminator::Return(self.value(store.args[1])?),
                    Some((value, stored)) => {
                        let value = match value {
                            Some(value) => value,
                            None => self.value(store.args[1])?,
                        };
                        let result = self.kernel.new_value(self.kernel.result.clone());
                        let args = Args::from_slice(&[value, stored]);
                        insts.push(Inst { result, op: Op::Tuple, args, span: store.span });
                        Terminator::Return(result)
                    }
                },
                Terminator::Jump(to) => Terminator::Jump(target(self, to)?),
                Terminator::Branch(condition, yes, no) => {
                    let (yes, no) = (target(self, yes)?, target(self, no)?);
                    Terminator::Branch(self.value(*condition)?, yes, no)
                }
                _ => return None,
            };
            blocks.push(Block { params, insts, end, end_span: block.end_span });
        }
        let Terminator::Branch(_, entered, _) = &function.blocks[body.head as usize].end else { return None };
        if !entered.args.is_empty() {
            return None;
        }
        let end = Terminator::Jump(Target { block: number(entered.block.0)?, args: Vec::new() });
        let insts = std::mem::take(&mut self.constants);
        let params = std::mem::take(&mut self.params);
        self.kernel.blocks.push(Block { params, insts, end, end_span: function.span });
        self.kernel.blocks.extend(blocks);
        Some(())
    }

    /// Takes an instruction over if it is known what its operands are. What is not taken over has no value here.
    fn inst(&mut self, inst: &Inst, insts: &mut Vec<Inst>) -> Option<()> {
        let function = self.rounds.body.function;
        match &inst.op {
            Op::Load => {
                let operand = match self.rounds.access(inst)? {
                    Access::Line(line) if line.place == self.out.place && line.plus < self.out.plus => return None,
                    Access::Line(line) => Operand::Line(line),
                    Access::Element(place) => Operand::Element(place, inst.span),
                };
                let param = self.param(operand, function.ty(inst.result))?;
                self.values.insert(inst.result, param);
            }
            Op::Len(axis) => {
                let known = Known { root: Root::Length(inst.args[0], *axis), plus: 0 };
                self.values.remove(&inst.result);
                // Mostly it is what an index is tested against.
                if self.is_read(inst.result) {
                    let param = self.param(Operand::Known(known), &Ty::INT)?;
                    self.values.insert(inst.result, param);
                }
            }
            Op::Store | Op::Tick(_) | Op::Index(_) => {}
            op => {
                let Some(args) = inst.args.iter().map(|arg| self.value(*arg)).collect::<Option<_>>() else {
                    return Some(());
                };
                let op = if self.rounds.divides(inst) { Op::Div(Mode::Numpy) } else { op.clone() };
                let result = self.kernel.new_value(function.ty(inst.result).clone());
                self.values.insert(inst.result, result);
                insts.push(Inst { result, op, args, span: inst.span });
            }
        }
        Some(())
    }

    fn constant(&mut self, constant: Const, ty: Ty, insts: &mut Vec<Inst>) -> Value {
        let result = self.kernel.new_value(ty);
        insts.push(Inst { result, op: Op::Const(constant), args: Args::new(), span: self.kernel.span });
        result
    }

    /// Whether the loop does something else with a length than to test indices.
    fn is_read(&self, length: Value) -> bool {
        let body = &self.rounds.body;
        let blocks = body.blocks.iter().filter(|b| **b != body.head).map(|b| &body.function.blocks[*b as usize]);
        let insts = blocks.clone().flat_map(|block| &block.insts).filter(|inst| !matches!(inst.op, Op::Index(_)));
        let mut ends = blocks.flat_map(|block| block.end.uses());
        insts.flat_map(|inst| inst.args.iter().copied()).any(|arg| arg == length) || ends.any(|arg| arg == length)
    }

    fn value(&mut self, value: Value) -> Option<Value> {
        if let Some(&own) = self.values.get(&value) {
            return Some(own);
        }
        let body = &self.rounds.body;
        let ty = body.function.ty(value).clone();
        if body.inside(value) && !self.is_from_head(value) || !ty.is_numeric() {
            return None;
        }
        let own = match body.inst(value) {
            Some(Inst { op: op @ Op::Const(_), span, .. }) => {
                let result = self.kernel.new_value(ty);
                self.constants.push(Inst { result, op: op.clone(), args: Default::default(), span: *span });
                result
            }
            _ if body.inside(value) => return None,
            _ => self.param(Operand::Known(Known { root: Root::Value(value), plus: 0 }), &ty)?,
        };
        self.values.insert(value, own);
        Some(own)
    }

    /// Constants that the head has are as good as those from before it.
    fn is_from_head(&self, value: Value) -> bool {
        let body = &self.rounds.body;
        body.function.blocks[body.head as usize].insts.iter().any(|inst| inst.result == value)
    }

    fn param(&mut self, operand: Operand, ty: &Ty) -> Option<Value> {
        let same = |known: &Operand| match (known, &operand) {
            (Operand::Element(a, _), Operand::Element(b, _)) => a == b,
            (a, b) => a == b,
        };
        if let Some(at) = self.operands.iter().position(same) {
            return Some(self.params[at]);
        }
        if self.operands.len() == OPERANDS {
            return None;
        }
        let param = self.kernel.new_value(ty.clone());
        self.params.push(param);
        self.operands.push(operand);
        Some(param)
    }
}

fn zero(ty: &Ty) -> Const {
    match ty {
        Ty::Bool => Const::Bool(false),
        Ty::Int(_) => Const::Int(0),
        _ => Const::Float(0.0),
    }
}
