//! The renaming walk: each read of a variable becomes the value that it holds there.
//!
//! In: a function with variables, and where parameters are needed. Out: `Renamed`: SSA that still has trivial and unused parameters,
//! and the list of reads that may find nothing written. No recursion: the dominator tree is walked with a list.

use super::tidy::{Read, Renamed};
use super::{Args, Block, Edge, End, Inst, Op, Param, UNDEF, Val};
use crate::ir::{self, Number};
use crate::typed::cfg::Graph;

/// A walk over the dominator tree that knows what each variable holds.
pub struct Rename<'a> {
    function: &'a ir::Function,
    graph: &'a Graph,
    phis: Vec<Vec<u32>>,
    /// What each variable holds now, and what to put back when a subtree is left.
    holds: Vec<Val>,
    undo: Vec<(u32, Val)>,
    /// The value that an instruction's number stands for.
    value_of: Vec<Val>,
    done: Renamed,
}

impl<'a> Rename<'a> {
    pub fn new(function: &'a ir::Function, graph: &'a Graph, phis: Vec<Vec<u32>>) -> Self {
        let nparams = function.signature.params.len();
        let mut holds = vec![UNDEF; function.locals.len()];
        for (param, held) in holds.iter_mut().enumerate().take(nparams) {
            *held = param as Val;
        }
        let mut blocks: Vec<Block> = Vec::new();
        blocks.resize_with(function.blocks.len(), Block::default);
        blocks[0].params = function
            .signature
            .params
            .iter()
            .enumerate()
            .map(|(i, p)| Param { value: i as Val, name: p.name.clone() })
            .collect();
        let done = Renamed { values: nparams as u32, blocks, alias: Vec::new(), reads: Vec::new() };
        let value_of = vec![UNDEF; function.insts.len()];
        Rename { function, graph, phis, holds, undo: Vec::new(), value_of, done }
    }

    pub fn run(mut self) -> Renamed {
        for &block in &self.graph.rpo {
            let first = self.done.values;
            let locals = &self.phis[block as usize];
            self.done.values += locals.len() as u32;
            let params = locals
                .iter()
                .zip(first..)
                .map(|(&local, value)| Param { value, name: self.function.locals[local as usize].clone() });
            self.done.blocks[block as usize].params.extend(params);
        }
        let mut children: Vec<Vec<u32>> = vec![Vec::new(); self.phis.len()];
        for &block in self.graph.rpo.iter().rev() {
            if let Some(parent) = self.graph.idom[block as usize] {
                children[parent as usize].push(block);
            }
        }
        // (block, how much of `undo` to keep when it is left); `None` before it is entered.
        let mut stack: Vec<(u32, Option<usize>)> = vec![(0, None)];
        while let Some((block, entered)) = stack.pop() {
            match entered {
                None => {
                    stack.push((block, Some(self.undo.len())));
                    self.block(block);
                    stack.extend(children[block as usize].iter().map(|&child| (child, None)));
                }
                Some(mark) => {
                    for (local, value) in self.undo.drain(mark..).rev() {
                        self.holds[local as usize] = value;
                    }
                }
            }
        }
        self.done.alias = (0..self.done.values).collect();
        self.done
    }

    fn set(&mut self, local: u32, value: Val) {
        let old = std::mem::replace(&mut self.holds[local as usize], value);
        self.undo.push((local, old));
    }

    fn block(&mut self, block: u32) {
        let at = block as usize;
        let own = self.done.blocks[at].params.len() - self.phis[at].len();
        for (i, local) in std::mem::take(&mut self.phis[at]).into_iter().enumerate() {
            let value = self.done.blocks[at].params[own + i].value;
            self.set(local, value);
            self.phis[at].push(local);
        }
        let (first, last) = self.function.blocks[at];
        for number in first..last {
            self.inst(block, number);
        }
    }

    fn inst(&mut self, block: u32, number: Number) {
        use ir::Op as Ir;
        let inst = &self.function.insts[number as usize];
        let value = |operand: &Number| self.value_of[*operand as usize];
        let values = |operands: &[Number]| operands.iter().map(value).collect::<Args>();
        let op = match &inst.op {
            Ir::Get(local) => return self.get(block, number, *local),
            Ir::Set(local, operand) => {
                let (local, held) = (*local, value(operand));
                return self.set(local, held);
            }
            Ir::Const(literal) => Op::Literal(literal.clone()),
            Ir::Prim(primitive, args) => Op::Prim(primitive, values(args)),
            Ir::Call(callee, args) => Op::Call(*callee, values(args)),
            Ir::Extern(callee, args) => Op::Extern(callee.clone(), values(args)),
            Ir::Tuple(args) => Op::Tuple(values(args)),
            Ir::Unpack { value: v, index, count } => Op::Unpack { value: value(v), index: *index, count: *count },
            Ir::Cast(ty, v) => Op::Cast(ty.clone(), value(v)),
            end => {
                let end = match end {
                    Ir::Jump(to) => End::Jump(self.edge(*to)),
                    Ir::Branch(v, t, e) => End::Branch(value(v), self.edge(*t), self.edge(*e)),
                    Ir::Return(v) => End::Return(value(v)),
                    Ir::Raise(exception, message) => End::Raise(exception.clone(), message.clone()),
                    _ => End::default(),
                };
                let home = &mut self.done.blocks[block as usize];
                home.end = end;
                home.end_span = inst.span;
                return;
            }
        };
        let result = self.done.values;
        self.done.values += 1;
        self.value_of[number as usize] = result;
        self.done.blocks[block as usize].insts.push(Inst { value: result, op, span: inst.span });
    }

    fn get(&mut self, block: u32, number: Number, local: u32) {
        let value = self.holds[local as usize];
        self.value_of[number as usize] = value;
        // Parameters of the function are written by its callers, but a block's parameter may stand for one too.
        if value == UNDEF || value >= self.function.signature.params.len() as u32 {
            self.done.reads.push(Read {
                block,
                before: self.done.blocks[block as usize].insts.len(),
                name: self.function.locals[local as usize].clone(),
                value,
                span: self.function.insts[number as usize].span,
            });
        }
    }

    fn edge(&self, to: u32) -> Edge {
        let args = self.phis[to as usize].iter().map(|&local| self.holds[local as usize]).collect();
        Edge { block: to, args }
    }
}
