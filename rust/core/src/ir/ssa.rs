//! IR → SSA: variables become values, joins become block parameters.
//!
//! In: a decoded function. Out: the same function without `get` and `set`. Always holds: every value is defined once, in a
//! block that dominates its uses; only reachable blocks are left, in their old order; block parameters are all used. A
//! variable that may be unwritten where it is read has a second, hidden value beside it that says whether it was written, and
//! `RequireBound` asks that; one that is never written before it is read is the user's mistake.
//!
//! Parameters are placed on iterated dominance frontiers (Cytron et al. 1991), for variables read in a block before it
//! writes them; what turns out trivial or unused is taken away again.

use std::sync::Arc;

use smallvec::SmallVec;

use super::{Literal, Number, Signature};
use crate::builtins::Primitive;
use crate::diag::{Diag, Error};
use crate::span::Span;
use crate::typed::cfg::Graph;

/// A value: an index below `Function::values`.
pub type Val = u32;

/// What a variable holds before anything is written to it. Stands only in the arguments of edges.
pub const UNDEF: Val = Val::MAX;

#[derive(Debug)]
pub struct Function {
    pub signature: Signature,
    /// How many values there are; the first are the function's parameters.
    pub values: u32,
    pub blocks: Vec<Block>,
    /// The blocks in reverse post-order.
    pub order: Vec<u32>,
}

#[derive(Debug, Default)]
pub struct Block {
    pub params: Vec<Param>,
    pub insts: Vec<Inst>,
    pub end: End,
    pub end_span: Span,
}

#[derive(Debug)]
pub struct Param {
    pub value: Val,
    /// The variable it came from, for messages.
    pub name: Arc<str>,
}

#[derive(Debug)]
pub struct Inst {
    pub value: Val,
    pub op: Op,
    pub span: Span,
}

pub type Args = SmallVec<[Val; 3]>;

#[derive(Debug)]
pub enum Op {
    Literal(Literal),
    Prim(&'static Primitive, Args),
    Call(u32, Args),
    Tuple(Args),
    Unpack { value: Val, index: u32, count: u32 },
    Cast(Arc<str>, Val),
    /// The variable of this name was written if the value is true.
    RequireBound(Arc<str>, Val),
}

#[derive(Debug)]
pub enum End {
    Jump(Edge),
    Branch(Val, Edge, Edge),
    Return(Val),
    Raise(Arc<str>, Option<Arc<str>>),
}

#[derive(Debug)]
pub struct Edge {
    pub block: u32,
    pub args: Vec<Val>,
}

impl Default for End {
    fn default() -> Self {
        End::Raise("SystemError".into(), None)
    }
}

impl End {
    pub fn edges(&self) -> impl Iterator<Item = &Edge> {
        let (a, b) = match self {
            End::Jump(edge) => (Some(edge), None),
            End::Branch(_, t, e) => (Some(t), Some(e)),
            _ => (None, None),
        };
        a.into_iter().chain(b)
    }

    fn edges_mut(&mut self) -> impl Iterator<Item = &mut Edge> {
        let (a, b) = match self {
            End::Jump(edge) => (Some(edge), None),
            End::Branch(_, t, e) => (Some(t), Some(e)),
            _ => (None, None),
        };
        a.into_iter().chain(b)
    }
}

impl Op {
    pub fn operands(&self) -> &[Val] {
        match self {
            Op::Prim(_, args) | Op::Call(_, args) | Op::Tuple(args) => args,
            Op::Cast(_, v) | Op::RequireBound(_, v) | Op::Unpack { value: v, .. } => std::slice::from_ref(v),
            Op::Literal(_) => &[],
        }
    }

    fn operands_mut(&mut self) -> &mut [Val] {
        match self {
            Op::Prim(_, args) | Op::Call(_, args) | Op::Tuple(args) => args,
            Op::Cast(_, v) | Op::RequireBound(_, v) | Op::Unpack { value: v, .. } => std::slice::from_mut(v),
            Op::Literal(_) => &mut [],
        }
    }
}

/// Puts one function into SSA form.
pub fn build(function: &super::Function) -> Result<Function, Error> {
    let graph = Graph::new(
        function.blocks.iter().map(|&(_, last)| function.insts[last as usize - 1].op.successors()).collect(),
    );
    check_dominance(function, &graph)?;
    let phis = place_phis(function, &graph);
    let mut renamed = Rename::new(function, &graph, phis).run();
    renamed.take_away_trivial_params();
    renamed.require_bound()?;
    renamed.drop_unused_params();
    Ok(renamed.finish(function.signature.clone(), &graph))
}

fn check_dominance(function: &super::Function, graph: &Graph) -> Result<(), Error> {
    let mut home = vec![0u32; function.insts.len()];
    for (block, &(first, last)) in function.blocks.iter().enumerate() {
        home[first as usize..last as usize].fill(block as u32);
    }
    for &block in &graph.rpo {
        let (first, last) = function.blocks[block as usize];
        for number in first..last {
            for &operand in function.insts[number as usize].op.operands() {
                if !graph.dominates(home[operand as usize], block) {
                    return Err(Error::internal(format!("instruction {number} uses {operand}, which may not be there")));
                }
            }
        }
    }
    Ok(())
}

/// The variables that need a parameter in each block.
fn place_phis(function: &super::Function, graph: &Graph) -> Vec<Vec<u32>> {
    let nlocals = function.locals.len();
    let mut writers: Vec<Vec<u32>> = vec![vec![0]; nlocals];
    let mut crosses = vec![false; nlocals];
    let mut written_in = vec![u32::MAX; nlocals];
    for &block in &graph.rpo {
        let (first, last) = function.blocks[block as usize];
        for inst in &function.insts[first as usize..last as usize] {
            match inst.op {
                super::Op::Get(local) if written_in[local as usize] != block => crosses[local as usize] = true,
                super::Op::Set(local, _) if written_in[local as usize] != block => {
                    written_in[local as usize] = block;
                    writers[local as usize].push(block);
                }
                _ => {}
            }
        }
    }
    let frontier = dominance_frontiers(graph);
    let mut phis = vec![Vec::new(); function.blocks.len()];
    let mut placed_for = vec![u32::MAX; function.blocks.len()];
    for local in (0..nlocals).filter(|&local| crosses[local]) {
        let mut work = std::mem::take(&mut writers[local]);
        while let Some(block) = work.pop() {
            for &join in &frontier[block as usize] {
                if placed_for[join as usize] != local as u32 {
                    placed_for[join as usize] = local as u32;
                    phis[join as usize].push(local as u32);
                    work.push(join);
                }
            }
        }
    }
    phis
}

/// Where the dominance of each block ends. A walk up the dominator tree stops where an earlier one for the same join passed.
fn dominance_frontiers(graph: &Graph) -> Vec<Vec<u32>> {
    let mut frontier: Vec<Vec<u32>> = vec![Vec::new(); graph.successors.len()];
    for &join in &graph.rpo {
        let preds = &graph.preds[join as usize];
        if preds.len() < 2 {
            continue;
        }
        for &pred in preds.iter().filter(|&&p| graph.reachable(p)) {
            let mut runner = pred;
            while Some(runner) != graph.idom[join as usize] && frontier[runner as usize].last() != Some(&join) {
                frontier[runner as usize].push(join);
                match graph.idom[runner as usize] {
                    Some(up) => runner = up,
                    None => break,
                }
            }
        }
    }
    frontier
}

/// A walk over the dominator tree that knows what each variable holds.
struct Rename<'a> {
    function: &'a super::Function,
    graph: &'a Graph,
    phis: Vec<Vec<u32>>,
    /// What each variable holds now, and what to put back when a subtree is left.
    holds: Vec<Val>,
    undo: Vec<(u32, Val)>,
    /// The value that an instruction's number stands for.
    value_of: Vec<Val>,
    done: Renamed,
}

/// Renamed code before it is tidied: operands are to be read through `alias`.
struct Renamed {
    values: u32,
    blocks: Vec<Block>,
    alias: Vec<Val>,
    /// Reads of variables that may be unwritten: where (block, before which instruction), which name, which value.
    reads: Vec<Read>,
}

struct Read {
    block: u32,
    before: usize,
    name: Arc<str>,
    value: Val,
    span: Span,
}

impl<'a> Rename<'a> {
    fn new(function: &'a super::Function, graph: &'a Graph, phis: Vec<Vec<u32>>) -> Self {
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

    fn run(mut self) -> Renamed {
        for &block in &self.graph.rpo {
            let first = self.done.values;
            let locals = &self.phis[block as usize];
            self.done.values += locals.len() as u32;
            let params = locals.iter().zip(first..).map(|(&local, value)| Param {
                value,
                name: self.function.locals[local as usize].clone(),
            });
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
        use super::Op as Ir;
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

impl Renamed {
    fn resolve(&self, value: Val) -> Val {
        let mut at = value;
        while at != UNDEF && self.alias[at as usize] != at {
            at = self.alias[at as usize];
        }
        at
    }

    /// The arguments that each block parameter is given, over all edges. The function's own parameters have none.
    fn incoming(&self) -> Vec<(Val, Vec<Val>)> {
        let mut rows: Vec<Vec<(Val, Vec<Val>)>> =
            self.blocks.iter().map(|block| block.params.iter().map(|p| (p.value, Vec::new())).collect()).collect();
        rows[0].clear();
        for edge in self.blocks.iter().flat_map(|block| block.end.edges()) {
            for (row, &arg) in rows[edge.block as usize].iter_mut().zip(&edge.args) {
                row.1.push(arg);
            }
        }
        rows.into_iter().flatten().collect()
    }

    /// A parameter that is given itself or one other value is that value.
    fn take_away_trivial_params(&mut self) {
        let incoming = self.incoming();
        let mut changed = true;
        while changed {
            changed = false;
            for (param, args) in &incoming {
                if self.alias[*param as usize] != *param {
                    continue;
                }
                let mut only = None;
                let trivial = args.iter().map(|&arg| self.resolve(arg)).filter(|arg| arg != param).all(|arg| {
                    *only.get_or_insert(arg) == arg
                });
                if let (true, Some(value)) = (trivial, only) {
                    self.alias[*param as usize] = value;
                    changed = true;
                }
            }
        }
    }

    /// Gives each parameter that may stand for an unwritten variable a bool beside it, and asks that where it is read.
    fn require_bound(&mut self) -> Result<(), Error> {
        for read in &self.reads {
            if self.resolve(read.value) == UNDEF {
                return Err(Diag::new("unbound-local", read.span, &[&read.name]).into());
            }
        }
        let flag_of = self.flags();
        if flag_of.iter().all(|&flag| flag == UNDEF) {
            return Ok(());
        }
        let mut reads = std::mem::take(&mut self.reads).into_iter().peekable();
        while let Some(block) = reads.peek().map(|read| read.block) {
            // Reads come block by block, in order; one question a block and variable is enough.
            let mut asked = Vec::new();
            let old = std::mem::take(&mut self.blocks[block as usize].insts);
            let mut new = Vec::with_capacity(old.len() + 1);
            for (at, inst) in old.into_iter().map(Some).chain([None]).enumerate() {
                while let Some(read) = reads.next_if(|read| read.block == block && read.before == at) {
                    let flag = flag_of[self.resolve(read.value) as usize];
                    if flag != UNDEF && asked.last() != Some(&flag) {
                        asked.push(flag);
                        let value = self.fresh();
                        new.push(Inst { value, op: Op::RequireBound(read.name, flag), span: read.span });
                    }
                }
                new.extend(inst);
            }
            self.blocks[block as usize].insts = new;
        }
        Ok(())
    }

    fn fresh(&mut self) -> Val {
        self.alias.push(self.values);
        self.values += 1;
        self.values - 1
    }

    /// The bool beside each value that may be unwritten, `UNDEF` for the others.
    fn flags(&mut self) -> Vec<Val> {
        let incoming = self.incoming();
        let mut flag_of = vec![UNDEF; self.values as usize];
        let mut users: Vec<Vec<Val>> = vec![Vec::new(); self.values as usize];
        let mut work = Vec::new();
        for (param, args) in &incoming {
            if self.alias[*param as usize] != *param {
                continue;
            }
            for arg in args.iter().map(|&arg| self.resolve(arg)) {
                if arg == UNDEF {
                    work.push(*param);
                } else {
                    users[arg as usize].push(*param);
                }
            }
        }
        while let Some(param) = work.pop() {
            if flag_of[param as usize] == UNDEF {
                flag_of[param as usize] = self.fresh();
                work.extend(&users[param as usize]);
            }
        }
        if self.values as usize == flag_of.len() {
            return flag_of;
        }
        let [no, yes] = [false, true].map(|bit| {
            let value = self.fresh();
            let op = Op::Literal(Literal::Bool(bit));
            self.blocks[0].insts.insert(0, Inst { value, op, span: Span::default() });
            // Reads are placed by how many instructions stand before them.
            self.reads.iter_mut().filter(|r| r.block == 0).for_each(|r| r.before += 1);
            value
        });
        let mut flagged: Vec<Vec<usize>> = Vec::with_capacity(self.blocks.len());
        for block in &mut self.blocks {
            let flag = |i: usize| flag_of.get(block.params[i].value as usize).copied().unwrap_or(UNDEF);
            let wanted: Vec<usize> = (0..block.params.len()).filter(|&i| flag(i) != UNDEF).collect();
            let flags: Vec<Param> =
                wanted.iter().map(|&i| Param { value: flag(i), name: block.params[i].name.clone() }).collect();
            block.params.extend(flags);
            flagged.push(wanted);
        }
        let resolved: Vec<Val> = (0..self.values).map(|v| self.resolve(v)).collect();
        for edge in self.blocks.iter_mut().flat_map(|block| block.end.edges_mut()) {
            for &i in &flagged[edge.block as usize] {
                let bit = match edge.args[i] {
                    UNDEF => no,
                    arg => match resolved[arg as usize] {
                        UNDEF => no,
                        value => match flag_of.get(value as usize) {
                            Some(&flag) if flag != UNDEF => flag,
                            _ => yes,
                        },
                    },
                };
                edge.args.push(bit);
            }
        }
        flag_of
    }

    /// Drops parameters that nothing but other dropped parameters reads, and those that are another value by now.
    fn drop_unused_params(&mut self) {
        let incoming = self.incoming();
        let mut given: Vec<&[Val]> = vec![&[]; self.values as usize];
        for (param, args) in &incoming {
            given[*param as usize] = args;
        }
        let mut used = vec![false; self.values as usize];
        let mut work: Vec<Val> = Vec::new();
        for block in &self.blocks {
            work.extend(block.insts.iter().flat_map(|inst| inst.op.operands()));
            match &block.end {
                End::Branch(value, ..) | End::Return(value) => work.push(*value),
                _ => {}
            }
        }
        while let Some(value) = work.pop() {
            let value = self.resolve(value);
            if value != UNDEF && !std::mem::replace(&mut used[value as usize], true) {
                work.extend(given[value as usize]);
            }
        }
        let keep: Vec<Vec<bool>> = self.blocks.iter().enumerate().map(|(i, block)| {
            let alive = |p: &Param| used[p.value as usize] && self.alias[p.value as usize] == p.value;
            block.params.iter().map(|p| i == 0 || alive(p)).collect()
        }).collect();
        let resolved: Vec<Val> = (0..self.values).map(|v| self.resolve(v)).collect();
        let resolve = |value: &mut Val| {
            if *value != UNDEF {
                *value = resolved[*value as usize];
            }
        };
        for (block, keep_own) in self.blocks.iter_mut().zip(&keep) {
            let mut flags = keep_own.iter();
            block.params.retain(|_| *flags.next().unwrap_or(&true));
            block.insts.iter_mut().flat_map(|inst| inst.op.operands_mut()).for_each(resolve);
            if let End::Branch(value, ..) | End::Return(value) = &mut block.end {
                resolve(value);
            }
            for edge in block.end.edges_mut() {
                let mut flags = keep[edge.block as usize].iter();
                edge.args.retain(|_| *flags.next().unwrap_or(&true));
                edge.args.iter_mut().for_each(resolve);
            }
        }
    }

    fn finish(self, signature: Signature, graph: &Graph) -> Function {
        let mut place = vec![0u32; self.blocks.len()];
        let mut blocks = Vec::with_capacity(graph.rpo.len());
        for (i, block) in self.blocks.into_iter().enumerate().filter(|(i, _)| graph.reachable(*i as u32)) {
            place[i] = blocks.len() as u32;
            blocks.push(block);
        }
        for block in &mut blocks {
            block.end.edges_mut().for_each(|edge| edge.block = place[edge.block as usize]);
        }
        let order = graph.rpo.iter().map(|&block| place[block as usize]).collect();
        Function { signature, values: self.values, blocks, order }
    }
}
