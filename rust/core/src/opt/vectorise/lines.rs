//! What a loop reads and writes, and what must be asked before its rounds are done at once.
//!
//! In: the blocks of a loop. Out: where each access is, as a function of the counter; the indices that may be outside. Always holds: what is
//! given is known before the loop, but for the counter; all accesses of a round come before its store, which comes before its tick.

use crate::opt::unroll::counted::{Body, Known, Origins, Root};
use crate::typed::cfg::Graph;
use crate::typed::{Bounds, Function, Inst, Mode, Op, Terminator, Value};
use crate::types::Ty;

/// How many blocks a loop may have, and how many instructions.
const BLOCKS: usize = 12;
const INSTS: usize = 120;
/// How many indices are asked about.
const ASKED: usize = 24;
/// Counters of less than this are far from the ends of int.
const FAR: i64 = 1 << 62;

/// Elements of an array whose last index changes: those at these indices of all dimensions but the last; or one element, at these.
#[derive(Clone, PartialEq)]
pub struct Place {
    pub array: Value,
    pub before: Vec<Known>,
}

/// The elements at so much more than the counter.
#[derive(Clone, PartialEq)]
pub struct Line {
    pub place: Place,
    pub plus: i64,
}

pub enum Access {
    Line(Line),
    Element(Place),
}

/// An index, as it is in every round.
#[derive(Clone, Copy, PartialEq)]
pub enum Position {
    Counter(i64),
    Known(Known),
}

/// An index that must be inside in every round.
#[derive(PartialEq)]
pub struct Asked {
    pub position: Position,
    pub length: Known,
    pub bounds: Bounds,
}

pub struct Rounds<'a> {
    pub body: Body<'a>,
    pub counter: Value,
    pub limit: Known,
    pub latch: u32,
    /// The block of the store.
    pub stores: u32,
    graph: &'a Graph,
}

/// The blocks of the loop with this head, if it has a single way round and contains no other.
pub fn blocks(graph: &Graph, head: u32) -> Option<Vec<u32>> {
    let latches: Vec<u32> =
        graph.preds[head as usize].iter().copied().filter(|from| graph.dominates(head, *from)).collect();
    let [latch] = latches[..] else { return None };
    let mut blocks = vec![head];
    let mut work = vec![latch];
    while let Some(b) = work.pop() {
        if !blocks.contains(&b) {
            if blocks.len() == BLOCKS {
                return None;
            }
            blocks.push(b);
            work.extend(graph.preds[b as usize].iter().filter(|from| graph.reachable(**from)));
        }
    }
    let nested = |b: &u32| *b != head && graph.preds[*b as usize].iter().any(|from| graph.dominates(*b, *from));
    (latch != head && !blocks.iter().any(nested)).then_some(blocks)
}

impl<'a> Rounds<'a> {
    pub fn of(
        function: &'a Function,
        graph: &'a Graph,
        origins: &'a Origins,
        head: u32,
        blocks: &'a [u32],
    ) -> Option<Self> {
        let body = Body { function, graph, origins, head, blocks };
        let counted = body.counted()?;
        let &[counter] = &function.blocks[head as usize].params[..] else { return None };
        let latch = graph.preds[head as usize].iter().copied().find(|from| blocks.contains(from))?;
        let insts: usize = blocks.iter().map(|b| function.blocks[*b as usize].insts.len()).sum();
        let stays = |b: &u32| {
            let end = &function.blocks[*b as usize].end;
            let inside = end.targets().all(|target| blocks.contains(&target.block.0));
            *b == head || inside && matches!(end, Terminator::Jump(_) | Terminator::Branch(..))
        };
        if insts > INSTS
            || !blocks.iter().all(stays)
            || !matches!(function.blocks[latch as usize].end, Terminator::Jump(_))
        {
            return None;
        }
        let has_store = |b: &&u32| function.blocks[**b as usize].insts.iter().any(|inst| inst.op == Op::Store);
        let stores = *blocks.iter().find(has_store)?;
        let rounds = Rounds { body, counter, limit: counted.limit, latch, stores, graph };
        rounds.in_order().then_some(rounds)
    }

    fn insts(&self) -> impl Iterator<Item = (u32, &Inst)> {
        let insts = |b: u32| self.body.function.blocks[b as usize].insts.iter().map(move |inst| (b, inst));
        self.body.blocks.iter().flat_map(move |b| insts(*b))
    }

    /// The one store comes after all that is read and before the one tick.
    fn in_order(&self) -> bool {
        let count = |is: fn(&Op) -> bool| self.insts().filter(|(_, inst)| is(&inst.op)).count();
        let counts = |op: &Op| matches!(op, Op::Tick(_) | Op::Prepay(_) | Op::Refund(_) | Op::PrepayMost);
        if count(|op| *op == Op::Store) != 1 || count(|op| matches!(op, Op::Tick(1))) != 1 || count(counts) != 1 {
            return false;
        }
        let block = |b: u32| &self.body.function.blocks[b as usize].insts;
        let is_load = |inst: &Inst| inst.op == Op::Load;
        let is_tick = |inst: &Inst| matches!(inst.op, Op::Tick(_));
        let own = block(self.stores);
        let at = own.iter().position(|inst| inst.op == Op::Store).unwrap_or(0);
        let tick_after = self.stores != self.latch || own[at..].iter().any(is_tick);
        let mut after = vec![self.stores];
        let mut next = 0;
        while let Some(&b) = after.get(next) {
            next += 1;
            for to in self.body.function.blocks[b as usize].end.targets().map(|target| target.block.0) {
                if to != self.body.head && !after.contains(&to) {
                    after.push(to);
                }
            }
        }
        let reads_after = own[at..].iter().any(is_load) || after[1..].iter().any(|b| block(*b).iter().any(is_load));
        tick_after && block(self.latch).iter().any(is_tick) && !reads_after
    }

    pub fn in_every_round(&self, block: u32) -> bool {
        self.graph.dominates(block, self.latch)
    }

    /// All blocks but the head, each after those from which values come to it.
    pub fn order(&self) -> Vec<u32> {
        let own = |b: &u32| *b != self.body.head && self.body.blocks.contains(b);
        self.graph.rpo.iter().copied().filter(own).collect()
    }

    /// Where rounds that store meet those that do not: the block after the store, from which all ways lead on; and whether the stored value is there in both.
    pub fn join(&self) -> Option<(u32, bool)> {
        let function = self.body.function;
        let block = &function.blocks[self.stores as usize];
        let Terminator::Jump(to) = &block.end else { return None };
        let store = block.insts.iter().find(|inst| inst.op == Op::Store)?;
        let everywhere = match self.body.origins.block(store.args[1]) {
            Some(home) => self.graph.dominates(home, to.block.0),
            None => false,
        };
        self.in_every_round(to.block.0).then_some((to.block.0, everywhere))
    }

    /// Where a load or a store is; None: it is not known, or not contiguous from round to round.
    pub fn access(&self, inst: &Inst) -> Option<Access> {
        let array = inst.args[0];
        let Ty::Array(ty) = self.body.function.ty(array) else { return None };
        if !ty.contiguous || self.body.inside(array) {
            return None;
        }
        let indices = &inst.args[if inst.op == Op::Store { 2 } else { 1 }..];
        let (last, before) = indices.split_last()?;
        let known = |index: &Value| match self.position(*index) {
            Some(Position::Known(known)) => Some(known),
            _ => None,
        };
        let mut before: Vec<Known> = before.iter().map(known).collect::<Option<_>>()?;
        Some(match self.position(*last)? {
            Position::Counter(plus) => Access::Line(Line { place: Place { array, before }, plus }),
            Position::Known(known) => {
                before.push(known);
                Access::Element(Place { array, before })
            }
        })
    }

    /// An index, if those of its tests that are made in the loop do not change it.
    fn position(&self, index: Value) -> Option<Position> {
        let mut at = index;
        while let Some(inst) = self.body.inst(at).filter(|inst| matches!(inst.op, Op::Index(_)) && self.body.inside(at))
        {
            at = inst.args[0];
        }
        let known = self.body.known(at).map(Position::Known);
        known.or_else(|| self.body.beyond_counter(at, self.counter).map(Position::Counter))
    }

    /// What must be asked so that nothing fails and everything is inside; None: there is more that can fail.
    pub fn asked(&self) -> Option<Vec<Asked>> {
        let mut asked = Vec::new();
        let mut ask = |position, length, bounds| {
            let new = Asked { position, length, bounds };
            if !asked.contains(&new) {
                asked.push(new);
            }
        };
        let function = self.body.function;
        for (b, inst) in self.insts() {
            match &inst.op {
                Op::Index(bounds) => {
                    let length = self.body.known(inst.args[1])?;
                    if !matches!(length, Known { root: Root::Length(..), plus: 0 }) {
                        return None;
                    }
                    ask(self.position(inst.args[0])?, length, *bounds);
                }
                // What says that it is inside may be said in some rounds only.
                Op::Load | Op::Store if !self.in_every_round(b) => {
                    let first = if inst.op == Op::Store { 2 } else { 1 };
                    for (axis, index) in inst.args[first..].iter().enumerate() {
                        let length = Known { root: Root::Length(inst.args[0], axis as u8), plus: 0 };
                        ask(self.position(*index)?, length, Bounds::Both);
                    }
                }
                Op::Store | Op::Tick(_) => {}
                Op::Add(Mode::Python) | Op::Sub(Mode::Python) if *function.ty(inst.result) == Ty::INT => {
                    // A sum with a small number does not overflow between these.
                    let near = |value: &Value| self.body.beyond_counter(*value, self.counter).is_some();
                    if !near(&inst.result) || !inst.args.iter().any(near) {
                        return None;
                    }
                    ask(Position::Counter(0), Known { root: Root::Number, plus: FAR }, Bounds::Both);
                }
                _ if self.divides(inst) => {}
                op if op.can_raise(function.ty(inst.result)) => return None,
                _ if matches!(function.ty(inst.result), Ty::Array(_)) => return None,
                _ => {}
            }
        }
        (asked.len() <= ASKED).then_some(asked)
    }

    /// Whether it is a division of floats by a number that is not 0.
    pub fn divides(&self, inst: &Inst) -> bool {
        let by = || self.body.inst(inst.args[1]).map(|inst| &inst.op);
        let float = matches!(self.body.function.ty(inst.result), Ty::Float(_));
        matches!(inst.op, Op::Div(_))
            && float
            && matches!(by(), Some(Op::Const(crate::typed::Const::Float(number))) if *number != 0.0)
    }
}
