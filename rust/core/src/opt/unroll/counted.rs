//! Loops that count: what one question answers for several rounds.
//!
//! In: a small loop. Out: what to ask before its copies run, so that they need not ask: `i < n`, in every one of them, and
//! whether indices are inside. Of a loop whose ways round all say `next_index i, 1` and whose head asks `i < n` with the same n in every
//! round, and nothing else, so many rounds from i on are made together only if `i < last`, where last is the least of
//!
//! ```text
//! n - (rounds - 1)               then i, …, i + rounds - 1 are less than n
//! len - k - (rounds - 1)         for `index.upper i + k, len`: then i + k, …, i + k + rounds - 1 are less than len
//! MIN, unless 0 ≤ x < len        for `index x, len` with an x that is the same in every round: no rounds at all
//! ```
//!
//! None of it changes in the loop, and nothing of it has an effect, so that code generation computes it before. Where the question is answered
//! with no, rounds are made as the text says, and what is outside fails when and where it does.
//!
//! n - (rounds - 1) may wrap; then it is the least int. i + k in the copies may not wrap for k > 0, and may be negative for k < 0: `upper` says that it
//! is known not to be negative, which neither would be. That of an array that is there, len < 2⁶⁰, makes len - k - (rounds - 1) a difference that fits for
//! all k of less than 2³². False of an index that is not `upper`: -1 is inside as well.

use crate::typed::cfg::Graph;
use crate::typed::{Block, Bounds, Cond, Const, Function, Inst, Mode, Op, Terminator, Value};
use crate::types::Ty;

/// How many indices are asked about.
const INDICES: usize = 12;
/// What is added to a counter or taken from it, at most.
const FAR: i64 = 1 << 32;

/// How a loop counts: its head asks whether the parameter at this position is less than the limit.
pub struct Counted {
    pub position: usize,
    pub limit: Known,
    indices: Vec<Index>,
}

/// An index that a copy does not test.
struct Index {
    result: Value,
    operand: Value,
    from: From,
    bounds: Bounds,
    length: Known,
}

/// What an index is: so much more than the counter, or the same in every round.
enum From {
    Counter(i64),
    Known(Known),
}

/// What does not change in a loop, and a constant.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Known {
    pub root: Root,
    pub plus: i64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Root {
    Number,
    Value(Value),
    Length(Value, u8),
}

/// Where values of a function are defined.
pub struct Origins(Vec<Option<(u32, u32)>>);

impl Origins {
    pub fn new(function: &Function) -> Origins {
        let mut origins = vec![None; function.values.len()];
        for (b, block) in function.blocks.iter().enumerate() {
            block.params.iter().for_each(|param| origins[param.0 as usize] = Some((b as u32, u32::MAX)));
            for (i, inst) in block.insts.iter().enumerate() {
                origins[inst.result.0 as usize] = Some((b as u32, i as u32));
            }
        }
        Origins(origins)
    }

    /// The block that defines a value.
    pub fn block(&self, value: Value) -> Option<u32> {
        self.0[value.0 as usize].map(|(block, _)| block)
    }
}

/// What is looked at.
pub struct Body<'a> {
    pub function: &'a Function,
    pub graph: &'a Graph,
    pub origins: &'a Origins,
    pub head: u32,
    pub blocks: &'a [u32],
}

impl Body<'_> {
    fn block(&self) -> &Block {
        &self.function.blocks[self.head as usize]
    }

    pub fn inside(&self, value: Value) -> bool {
        self.origins.0[value.0 as usize].is_none_or(|(block, _)| self.blocks.contains(&block))
    }

    pub fn inst(&self, value: Value) -> Option<&Inst> {
        let (block, inst) = self.origins.0[value.0 as usize]?;
        self.function.blocks[block as usize].insts.get(inst as usize)
    }

    fn constant(&self, value: Value) -> Option<i64> {
        match self.inst(value)?.op {
            Op::Const(Const::Int(bits)) if *self.function.ty(value) == Ty::INT => Some(bits as i64),
            _ => None,
        }
    }

    pub fn counted(&self) -> Option<Counted> {
        let block = self.block();
        let Terminator::Branch(condition, body, exit) = &block.end else { return None };
        let (test, before) = block.insts.split_last()?;
        if test.op != Op::Cmp(Cond::Lt) || test.result != *condition {
            return None;
        }
        let pure = |inst: &Inst| matches!(inst.op, Op::Const(_) | Op::Len(_));
        let counter = test.args[0];
        let position = block.params.iter().position(|param| *param == counter)?;
        let leads_in = self.blocks.contains(&body.block.0) && !self.blocks.contains(&exit.block.0);
        if *self.function.ty(counter) != Ty::INT || !leads_in || !before.iter().all(pure) {
            return None;
        }
        let limit = self.known(test.args[1])?;
        // A sum that raises does not: i is less than something.
        let steps = |value: Value| {
            let next = self.inst(value).filter(|inst| matches!(inst.op, Op::NextIndex | Op::Add(_)));
            next.is_some_and(|inst| inst.args[0] == counter && self.constant(inst.args[1]) == Some(1))
        };
        let latches = self.graph.preds[self.head as usize].iter().filter(|from| self.blocks.contains(from));
        let targets = latches.flat_map(|from| self.function.blocks[*from as usize].end.targets());
        let mut rounds = targets.filter(|target| target.block.0 == self.head);
        if !rounds.all(|target| steps(target.args[position])) {
            return None;
        }
        let insts = self.blocks.iter().flat_map(|b| &self.function.blocks[*b as usize].insts);
        let indices = insts.filter_map(|inst| self.index(inst, counter)).take(INDICES).collect();
        Some(Counted { position, limit, indices })
    }

    fn index(&self, inst: &Inst, counter: Value) -> Option<Index> {
        let Op::Index(bounds) = inst.op else { return None };
        let length =
            self.known(inst.args[1]).filter(|known| matches!(known, Known { root: Root::Length(..), plus: 0 }))?;
        let operand = inst.args[0];
        let from = match (self.known(operand), self.beyond_counter(operand, counter)) {
            (Some(known), _) => From::Known(known),
            (_, Some(plus)) if bounds == Bounds::Upper => From::Counter(plus),
            _ => return None,
        };
        Some(Index { result: inst.result, operand, from, bounds, length })
    }

    /// A value that does not change in the loop.
    pub fn known(&self, value: Value) -> Option<Known> {
        let (base, plus) = self.apart(value);
        if let Some(constant) = self.constant(base) {
            return Some(Known { root: Root::Number, plus: constant.wrapping_add(plus) });
        }
        let root = match self.inst(base) {
            Some(Inst { op: Op::Len(axis), args, .. }) if !self.inside(args[0]) => Root::Length(args[0], *axis),
            _ if self.inside(base) => return None,
            _ => Root::Value(base),
        };
        Some(Known { root, plus })
    }

    pub fn beyond_counter(&self, value: Value, counter: Value) -> Option<i64> {
        let (base, plus) = self.apart(value);
        (base == counter && (-FAR..FAR).contains(&plus)).then_some(plus)
    }

    /// What a value is a constant away from, wrapping.
    fn apart(&self, value: Value) -> (Value, i64) {
        let (mut at, mut plus) = (value, 0i64);
        // Sums of the loop; a bounded number of them.
        for _ in 0..8 {
            let Some(inst) = self.inst(at).filter(|inst| self.inside(inst.result)) else { break };
            if *self.function.ty(at) != Ty::INT || inst.args.len() != 2 {
                break;
            }
            let (left, right) = (self.constant(inst.args[0]), self.constant(inst.args[1]));
            (at, plus) = match (&inst.op, left, right) {
                (Op::Add(_) | Op::NextIndex, _, Some(k)) => (inst.args[0], plus.wrapping_add(k)),
                (Op::Add(_), Some(k), _) => (inst.args[1], plus.wrapping_add(k)),
                (Op::Sub(_), _, Some(k)) => (inst.args[0], plus.wrapping_sub(k)),
                _ => break,
            };
        }
        (at, plus)
    }
}

/// New instructions, with the type of their result.
pub type Emit<'a> = dyn FnMut(Op, &[Value], Ty) -> Value + 'a;

pub fn number(emit: &mut Emit, value: i64) -> Value {
    emit(Op::Const(Const::Int(value as u64)), &[], Ty::INT)
}

impl Known {
    pub fn emit(&self, emit: &mut Emit) -> Value {
        let root = match self.root {
            Root::Number => return number(emit, self.plus),
            Root::Value(value) => value,
            Root::Length(array, axis) => emit(Op::Len(axis), &[array], Ty::INT),
        };
        if self.plus == 0 {
            return root;
        }
        let plus = number(emit, self.plus);
        emit(Op::Add(Mode::Numpy), &[root, plus], Ty::INT)
    }

    /// So much more, which does not wrap: of lengths.
    pub fn more(&self, by: i64, emit: &mut Emit) -> Value {
        Known { plus: self.plus.wrapping_add(by), ..*self }.emit(emit)
    }

    /// So much less, or the least int if that wraps.
    fn less(&self, by: i64, emit: &mut Emit) -> Value {
        match self.root {
            Root::Number => number(emit, self.plus.saturating_sub(by)),
            Root::Length(..) if self.plus == 0 => Known { plus: -by, ..*self }.emit(emit),
            _ => {
                let (known, by) = (self.emit(emit), number(emit, by));
                let below = emit(Op::Sub(Mode::Numpy), &[known, by], Ty::INT);
                let wrapped = emit(Op::Cmp(Cond::Gt), &[below, known], Ty::Bool);
                let least = number(emit, i64::MIN);
                emit(Op::Select, &[wrapped, least, below], Ty::INT)
            }
        }
    }
}

impl Counted {
    /// What the counter must be less than for so many rounds, at least one.
    pub fn last(&self, rounds: usize, emit: &mut Emit) -> Value {
        let fewer = rounds as i64 - 1;
        let mut last = self.limit.less(fewer, emit);
        for index in &self.indices {
            last = match index.from {
                From::Counter(plus) => {
                    let bound = index.length.less(fewer + plus, emit);
                    let less = emit(Op::Cmp(Cond::Lt), &[bound, last], Ty::Bool);
                    emit(Op::Select, &[less, bound, last], Ty::INT)
                }
                From::Known(known) => {
                    let (i, length) = (known.emit(emit), index.length.emit(emit));
                    let mut inside = emit(Op::Cmp(Cond::Lt), &[i, length], Ty::Bool);
                    if index.bounds == Bounds::Both {
                        let zero = number(emit, 0);
                        let positive = emit(Op::Cmp(Cond::Ge), &[i, zero], Ty::Bool);
                        inside = emit(Op::And, &[inside, positive], Ty::Bool);
                    }
                    let least = number(emit, i64::MIN);
                    emit(Op::Select, &[inside, last, least], Ty::INT)
                }
            };
        }
        last
    }

    /// What stands for the result of an index that need not be tested.
    pub fn inside(&self, result: Value) -> Option<Value> {
        self.indices.iter().find(|index| index.result == result).map(|index| index.operand)
    }

    pub fn untested(&self) -> usize {
        self.indices.len()
    }
}
