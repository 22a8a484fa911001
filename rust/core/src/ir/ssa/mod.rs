//! IR → SSA: variables become values, joins become block parameters.
//!
//! In: a decoded function. Out: the same function without `get` and `set`. Always holds: every value is defined once, in a
//! block that dominates its uses; only reachable blocks are left, in their old order; block parameters are all used. A
//! variable that may be unwritten where it is read has a second, hidden value beside it that says whether it was written, and
//! `RequireBound` asks that; one that is never written before it is read is the user's mistake.
//!
//! Parameters are placed on iterated dominance frontiers (Cytron et al. 1991), where somebody reads them; what turns out
//! trivial is taken away again.

mod place;
mod rename;
mod tidy;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use smallvec::SmallVec;

use super::{Literal, Signature};
use crate::builtins::Primitive;
use crate::diag::{Diag, Error};
use crate::externs::ExternRef;
use crate::limits::Limits;
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
    Extern(ExternRef, Args),
    Tuple(Args),
    Unpack {
        value: Val,
        index: u32,
        count: u32,
    },
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
            Op::Prim(_, args) | Op::Call(_, args) | Op::Extern(_, args) | Op::Tuple(args) => args,
            Op::Cast(_, v) | Op::RequireBound(_, v) | Op::Unpack { value: v, .. } => std::slice::from_ref(v),
            Op::Literal(_) => &[],
        }
    }

    fn operands_mut(&mut self) -> &mut [Val] {
        match self {
            Op::Prim(_, args) | Op::Call(_, args) | Op::Extern(_, args) | Op::Tuple(args) => args,
            Op::Cast(_, v) | Op::RequireBound(_, v) | Op::Unpack { value: v, .. } => std::slice::from_mut(v),
            Op::Literal(_) => &mut [],
        }
    }
}

/// Puts one function into SSA form. `joins` is how many of the arguments that the limits allow are left.
pub fn build(function: &super::Function, limits: &Limits, joins: &mut usize) -> Result<Function, Error> {
    let graph = graph(function);
    check_dominance(function, &graph)?;
    let phis = place::phis(function, &graph, joins)
        .ok_or_else(|| Diag::new("limit-joins", function.signature.span, &[&limits.joins]))?;
    let mut renamed = rename::Rename::new(function, &graph, phis).run();
    renamed.take_away_trivial_params();
    renamed.require_bound()?;
    renamed.drop_unused_params();
    Ok(renamed.finish(function.signature.clone(), &graph))
}

fn graph(function: &super::Function) -> Graph {
    Graph::new(function.blocks.iter().map(|&(_, last)| function.insts[last as usize - 1].op.successors()).collect())
}

/// Whether every operand dominates its use.
pub fn check(function: &super::Function) -> Result<(), Error> {
    check_dominance(function, &graph(function))
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
                    let name = &function.signature.name;
                    return Err(Error::broken(format!(
                        "in '{name}': instruction {number} uses the result of {operand}, which is not there on every path"
                    )));
                }
            }
        }
    }
    Ok(())
}
