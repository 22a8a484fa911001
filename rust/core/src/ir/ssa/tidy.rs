//! Tidying: trivial parameters are what they stand for, unused ones go, and reads that may find nothing written are asked about.
//!
//! In: `Renamed`. Out: `ssa::Function`. Always holds afterwards: every block parameter is used, none is trivial.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{Block, End, Function, Inst, Op, Param, UNDEF, Val};
use crate::diag::{Diag, Error};
use crate::ir::{Literal, Signature};
use crate::span::Span;
use crate::typed::cfg::Graph;

/// Renamed code before it is tidied: operands are to be read through `alias`.
pub struct Renamed {
    pub values: u32,
    pub blocks: Vec<Block>,
    pub alias: Vec<Val>,
    /// Reads of variables that may be unwritten: where (block, before which instruction), which name, which value.
    pub reads: Vec<Read>,
}

/// A read of a variable that may be unwritten.
pub struct Read {
    pub block: u32,
    /// How many instructions of the block stand before it.
    pub before: usize,
    pub name: Arc<str>,
    pub value: Val,
    pub span: Span,
}

impl Renamed {
    fn resolve(&mut self, value: Val) -> Val {
        let mut at = value;
        while at != UNDEF && self.alias[at as usize] != at {
            let next = self.alias[at as usize];
            // Halves the path, so that long chains stay cheap.
            if next != UNDEF {
                self.alias[at as usize] = self.alias[next as usize];
            }
            at = next;
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

    /// A parameter that is given itself or one other value is that value. Where one goes, those that it was given to are asked again.
    pub fn take_away_trivial_params(&mut self) {
        let incoming = self.incoming();
        let mut users: Vec<Vec<u32>> = vec![Vec::new(); self.values as usize];
        for (row, (_, args)) in incoming.iter().enumerate() {
            for &arg in args.iter().filter(|&&arg| arg != UNDEF) {
                users[arg as usize].push(row as u32);
            }
        }
        let mut work: VecDeque<u32> = (0..incoming.len() as u32).collect();
        let mut waits = vec![true; incoming.len()];
        while let Some(row) = work.pop_front() {
            waits[row as usize] = false;
            let (param, args) = &incoming[row as usize];
            if self.alias[*param as usize] != *param {
                continue;
            }
            let mut only = None;
            let trivial = args
                .iter()
                .map(|&arg| self.resolve(arg))
                .filter(|arg| arg != param)
                .all(|arg| *only.get_or_insert(arg) == arg);
            if let (true, Some(value)) = (trivial, only) {
                self.alias[*param as usize] = value;
                let asked = std::mem::take(&mut users[*param as usize]);
                work.extend(asked.iter().filter(|&&row| !std::mem::replace(&mut waits[row as usize], true)));
                // What it stood for is given to them now.
                if value != UNDEF {
                    users[value as usize].extend(asked);
                }
            }
        }
    }

    /// Gives each parameter that may stand for an unwritten variable a bool beside it, and asks that where it is read.
    pub fn require_bound(&mut self) -> Result<(), Error> {
        for at in 0..self.reads.len() {
            if self.resolve(self.reads[at].value) == UNDEF {
                let read = &self.reads[at];
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
    pub fn drop_unused_params(&mut self) {
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
        let keep: Vec<Vec<bool>> = self
            .blocks
            .iter()
            .enumerate()
            .map(|(i, block)| {
                let alive = |p: &Param| used[p.value as usize] && self.alias[p.value as usize] == p.value;
                block.params.iter().map(|p| i == 0 || alive(p)).collect()
            })
            .collect();
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

    pub fn finish(self, signature: Signature, graph: &Graph) -> Function {
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
