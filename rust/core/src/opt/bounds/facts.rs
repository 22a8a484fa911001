//! What is known of a function's ints, and from where on.
//!
//! A term is a base and a constant. Bases are 0, an array's length along a dimension, and a value of which nothing simpler is known. Values that
//! are always equal have equal terms: `Len` of an array is one base wherever it is asked for, also by way of a view; `x + 1`
//! that raises when it overflows is the term of `x`, and one more. False of addition that wraps.
//!
//! A fact is `a ≤ b + k` between bases. It holds at every place that its own dominates, after it:
//! - where only one branch leads: what the branch compared;
//! - after `fail c`: that c is false;
//! - after `index i, n`: i ≤ n - 1 and 1 ≤ n, as it would have raised;
//! - after a cut of n elements: 0 ≤ n < 2⁶⁰;
//! - in the body of a loop over `range` with a step: see `stride`.
//!
//! That a place dominates another says: since it was passed last, no value that both know has got another meaning.

use std::collections::HashMap;

use smallvec::SmallVec;

use super::stride;
use crate::typed::cfg::Graph;
use crate::typed::{Cond, Const, Function, Inst, Mode, Op, Terminator, Value};
use crate::types::{ArrayTy, Ty};

const LONGEST: i128 = ArrayTy::LONGEST as i128;

/// Which way values are bounded. A question downwards is one upwards of all values' negatives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    Up,
    Down,
}

impl Way {
    pub fn sign(self) -> i128 {
        match self {
            Way::Up => 1,
            Way::Down => -1,
        }
    }

    pub fn back(self) -> Way {
        match self {
            Way::Up => Way::Down,
            Way::Down => Way::Up,
        }
    }
}

/// 0, then the values of the function, then lengths.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Base(pub u32);

impl Base {
    pub const ZERO: Base = Base(0);
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Term {
    pub base: Base,
    pub plus: i128,
}

impl Term {
    pub fn constant(value: i128) -> Term {
        Term { base: Base::ZERO, plus: value }
    }

    pub fn is_constant(self) -> Option<i128> {
        (self.base == Base::ZERO).then_some(self.plus)
    }

    pub fn plus(self, more: i128) -> Term {
        Term { plus: self.plus + more, ..self }
    }
}

/// Before an instruction of a block; its number may be beyond the last.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    pub block: u32,
    pub inst: u32,
}

/// For a base and a way: s·base ≤ s·other + plus, s being the way's sign.
#[derive(Clone, Copy)]
pub struct Fact {
    pub other: Base,
    pub plus: i128,
    pub from: Place,
}

/// Where a value comes from.
#[derive(Clone, Copy)]
pub enum Origin {
    Nowhere,
    Param(u32, u32),
    Inst(u32, u32),
}

pub struct Facts<'f> {
    pub function: &'f Function,
    pub graph: &'f Graph,
    origins: Vec<Origin>,
    terms: Vec<Term>,
    /// Of arrays that are views of others.
    views: HashMap<Value, SmallVec<[Term; ArrayTy::MOST_DIMENSIONS]>>,
    lengths: HashMap<(Value, u8), Base>,
    /// The array of each base that is a length.
    measured: Vec<Value>,
    /// By base.
    up: Vec<Vec<Fact>>,
    down: Vec<Vec<Fact>>,
}

impl<'f> Facts<'f> {
    pub fn new(function: &'f Function, graph: &'f Graph) -> Facts<'f> {
        let values = function.values.len();
        let mut facts = Facts {
            function,
            graph,
            origins: vec![Origin::Nowhere; values],
            terms: (0..values as u32).map(|v| Term { base: Base(v + 1), plus: 0 }).collect(),
            views: HashMap::new(),
            lengths: HashMap::new(),
            measured: Vec::new(),
            up: vec![Vec::new(); values + 1],
            down: vec![Vec::new(); values + 1],
        };
        for &b in &graph.rpo {
            let block = &function.blocks[b as usize];
            for (i, param) in block.params.iter().enumerate() {
                facts.origins[param.0 as usize] = Origin::Param(b, i as u32);
            }
            for (i, inst) in block.insts.iter().enumerate() {
                facts.origins[inst.result.0 as usize] = Origin::Inst(b, i as u32);
                if let Some(term) = facts.term_of(inst) {
                    facts.terms[inst.result.0 as usize] = term;
                }
                facts.after(inst, Place { block: b, inst: i as u32 + 1 });
            }
        }
        for &b in &graph.rpo {
            if let Terminator::Branch(condition, then, otherwise) = &function.blocks[b as usize].end {
                for (target, truth) in [(then, true), (otherwise, false)] {
                    if graph.preds[target.block.0 as usize].len() == 1 {
                        facts.condition(*condition, truth, Place { block: target.block.0, inst: 0 });
                    }
                }
            }
        }
        stride::loops(&mut facts);
        facts
    }

    pub fn term(&self, value: Value) -> Term {
        self.terms[value.0 as usize]
    }

    /// The value that a base is, if it is one.
    pub fn value(&self, base: Base) -> Option<Value> {
        (base != Base::ZERO && base.0 as usize <= self.terms.len()).then(|| Value(base.0 - 1))
    }

    /// The array whose length a base is.
    fn array(&self, base: Base) -> Option<Value> {
        let index = (base.0 as usize).checked_sub(self.terms.len() + 1)?;
        self.measured.get(index).copied()
    }

    /// The instruction that defines a value.
    pub fn inst(&self, value: Value) -> Option<(&'f Inst, Place)> {
        match self.origins[value.0 as usize] {
            Origin::Inst(block, inst) => {
                Some((&self.function.blocks[block as usize].insts[inst as usize], Place { block, inst }))
            }
            _ => None,
        }
    }

    /// The block and the position of which a value is a parameter; none of the function's own.
    pub fn param(&self, value: Value) -> Option<(u32, usize)> {
        match self.origins[value.0 as usize] {
            Origin::Param(block, i) if block > 0 => Some((block, i as usize)),
            _ => None,
        }
    }

    pub fn constant(&self, value: Value) -> Option<i128> {
        self.term(value).is_constant()
    }

    /// Whether a base means the same from one passage of a block's head to the next: it is known before.
    pub fn outlives(&self, base: Base, head: u32) -> bool {
        let value = match self.value(base).or_else(|| self.array(base)) {
            Some(value) => value,
            None => return true,
        };
        match self.origins[value.0 as usize] {
            Origin::Param(block, _) | Origin::Inst(block, _) => block != head && self.graph.dominates(block, head),
            Origin::Nowhere => false,
        }
    }

    /// The least and the greatest number that a base can be, by its type.
    pub fn extent(&self, base: Base) -> (i128, i128) {
        match self.value(base) {
            None if base == Base::ZERO => (0, 0),
            None => (0, LONGEST - 1),
            Some(value) => match self.function.ty(value) {
                Ty::Int(int) => (int.min(), int.max()),
                _ => (0, 1),
            },
        }
    }

    pub fn known(&self, way: Way, base: Base) -> &[Fact] {
        let facts = if way == Way::Up { &self.up } else { &self.down };
        &facts[base.0 as usize]
    }

    pub fn holds_at(&self, fact: &Fact, place: Place) -> bool {
        match fact.from.block == place.block {
            true => fact.from.inst <= place.inst,
            false => self.graph.dominates(fact.from.block, place.block),
        }
    }

    /// From here on a ≤ b.
    pub fn assume(&mut self, a: Term, b: Term, from: Place) {
        let plus = b.plus - a.plus;
        if a.base == b.base {
            return;
        }
        // Of 0 all is said by the other side.
        if a.base != Base::ZERO {
            self.up[a.base.0 as usize].push(Fact { other: b.base, plus, from });
        }
        if b.base != Base::ZERO {
            self.down[b.base.0 as usize].push(Fact { other: a.base, plus, from });
        }
    }

    /// What a comparison says: pairs a ≤ b.
    pub fn compared(&self, condition: Value, truth: bool) -> SmallVec<[(Term, Term); 2]> {
        let mut pairs = SmallVec::new();
        let Some((inst, _)) = self.inst(condition) else { return pairs };
        let (Op::Cmp(cond), [a, b]) = (&inst.op, inst.args.as_slice()) else { return pairs };
        if !matches!(self.function.ty(*a), Ty::Int(_)) {
            return pairs;
        }
        let (a, b) = (self.term(*a), self.term(*b));
        match (cond, truth) {
            // a < b is a + 1 ≤ b: they are whole numbers.
            (Cond::Lt, true) | (Cond::Ge, false) => pairs.push((a.plus(1), b)),
            (Cond::Le, true) | (Cond::Gt, false) => pairs.push((a, b)),
            (Cond::Gt, true) | (Cond::Le, false) => pairs.push((b.plus(1), a)),
            (Cond::Ge, true) | (Cond::Lt, false) => pairs.push((b, a)),
            (Cond::Eq, true) | (Cond::Ne, false) => pairs.extend([(a, b), (b, a)]),
            // Of a number that is not the least of its type, that it is greater: the least that a length can be is 0.
            (Cond::Ne, true) | (Cond::Eq, false) => {
                for (x, y) in [(a, b), (b, a)] {
                    if let Some(k) = y.is_constant()
                        && self.extent(x.base).0 + x.plus == k
                    {
                        pairs.push((y.plus(1), x));
                    }
                }
            }
        }
        pairs
    }

    fn condition(&mut self, condition: Value, truth: bool, from: Place) {
        for (a, b) in self.compared(condition, truth) {
            self.assume(a, b, from);
        }
        // Both, if it is true; neither, if it is false. One level: what is written with `and` and `or` is branches.
        if let Some((inst, _)) = self.inst(condition) {
            let both = matches!((&inst.op, truth), (Op::And, true) | (Op::Or, false));
            for &part in inst.args.iter().filter(|_| both) {
                for (a, b) in self.compared(part, truth) {
                    self.assume(a, b, from);
                }
            }
        }
    }

    /// What is known once an instruction has not raised.
    fn after(&mut self, inst: &Inst, from: Place) {
        match (&inst.op, inst.args.as_slice()) {
            (Op::Fail(_), [condition]) => self.condition(*condition, false, from),
            (Op::Index(_), [i, n]) => {
                let (i, n) = (self.term(*i), self.term(*n));
                self.assume(i.plus(1), n, from);
                // Also of one that counts from the end: -n ≤ i.
                self.assume(Term::constant(i.is_constant().map_or(1, |k| (-k).max(1))), n, from);
            }
            (Op::Cut(_), [_, _, count, _]) => {
                let count = self.term(*count);
                self.assume(Term::constant(0), count, from);
                self.assume(count, Term::constant(LONGEST - 1), from);
            }
            _ => {}
        }
    }

    /// What an int is, if it is another or a constant away from it.
    fn term_of(&mut self, inst: &Inst) -> Option<Term> {
        let int = |value: Value| matches!(self.function.ty(value), Ty::Int(_));
        match (&inst.op, inst.args.as_slice(), self.function.ty(inst.result)) {
            (Op::Const(Const::Int(bits)), _, Ty::Int(ty)) => Some(Term::constant(ty.read(*bits))),
            (Op::Len(axis), [array], _) => Some(self.length(*array, *axis)),
            // Exact, as they raise where they would not be.
            (Op::Add(Mode::Python), [a, b], Ty::Int(_)) => match (self.term(*a), self.term(*b)) {
                (a, b) if b.base == Base::ZERO => Some(a.plus(b.plus)),
                (a, b) if a.base == Base::ZERO => Some(b.plus(a.plus)),
                _ => None,
            },
            (Op::Sub(Mode::Python), [a, b], Ty::Int(_)) => self.constant(*b).map(|k| self.term(*a).plus(-k)),
            // The same number in another type.
            (Op::Convert | Op::Narrow(Mode::Python), [a], Ty::Int(_)) if int(*a) => Some(self.term(*a)),
            (Op::Loosen | Op::Transpose | Op::At(_) | Op::Cut(_), [of, ..], _) => {
                let Ty::Array(ty) = self.function.ty(*of) else { return None };
                let mut lengths: SmallVec<_> = (0..ty.ndim).map(|axis| self.length(*of, axis)).collect();
                match inst.op {
                    Op::Transpose => lengths.reverse(),
                    Op::At(axis) => drop(lengths.remove(axis.into())),
                    Op::Cut(axis) => lengths[usize::from(axis)] = self.term(inst.args[2]),
                    _ => {}
                }
                self.views.insert(inst.result, lengths);
                None
            }
            _ => None,
        }
    }

    /// An array's length along a dimension.
    fn length(&mut self, array: Value, axis: u8) -> Term {
        if let Some(lengths) = self.views.get(&array) {
            return lengths[usize::from(axis)];
        }
        let next = Base((self.terms.len() + 1 + self.measured.len()) as u32);
        let base = *self.lengths.entry((array, axis)).or_insert(next);
        if base == next {
            self.measured.push(array);
            self.up.push(Vec::new());
            self.down.push(Vec::new());
        }
        Term { base, plus: 0 }
    }
}
