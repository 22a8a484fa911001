//! What follows from the facts: the least constant c that is found for which a ≤ b + c holds at a place.
//!
//! The search goes backwards from a, the subject, to b, the anchor (Bodík, Gupta and Sarkar's ABCD, with constants in place of yes and no). One
//! step leads from a subject to what bounds it:
//!
//! ```text
//! fact            a ≤ x + k                      c(a) ≤ c(x) + k
//! definition      a = next_index x, k            c(a) ≤ c(x) + k     if x + k does not wrap, or 0 ≤ k: wrapping makes it less
//! parameter       a = one of x, y, …             c(a) ≤ max of c(x), c(y), … each where it is given
//! 0               0 ≤ b + c                      if -b ≤ c
//! ```
//!
//! and likewise downwards, all signs turned. The steps for other definitions stand above them. All alternatives are tried, the least wins.
//!
//! A parameter that is met again on the way back through its own block is the one of the round before. If it comes with k ≤ 0 in all,
//! then a ≤ its predecessor + k, which by induction over rounds is no more than what the loop began with: it adds nothing to the max. With 0 < k nothing
//! is known. The induction is over passages of the parameter's block, so it needs an anchor that stays the same from one to the
//! next (`outlives`), and what is assumed of the round before is what all ways into the block give, not what is known at the place
//! of the question. False therefore if the mark were set while facts are tried.
//!
//! Questions within questions (does it wrap?) have marks of their own. All together take at most `FUEL` steps.

mod definitions;

use std::collections::HashMap;

use smallvec::SmallVec;

use super::facts::{Base, Facts, Place, Term, Way};
use crate::typed::{BlockId, Inst, Op, Terminator, Value};
use crate::types::IntTy;

/// How many steps one question may take.
const FUEL: u32 = 96;
/// How many questions may lie within each other.
const DEEPEST: u32 = 4;
/// How many facts of one base are looked at: those that were found last are nearest.
const FACTS: usize = 24;
/// No bound. Far from what sums of constants of a text reach.
const NONE: i128 = i128::MAX / 4;
/// Nothing to add to a maximum.
const LEAST: i128 = i128::MIN / 4;

pub struct Prover<'a, 'f> {
    pub facts: &'a Facts<'f>,
    fuel: u32,
    depth: u32,
    /// Of additions that wrap, whether these do not; None while it is being asked.
    exact: HashMap<Value, Option<bool>>,
    /// What is assumed while a select's arm is looked at: s·a ≤ s·b + k, by way.
    arms: Vec<(Way, Base, Base, i128)>,
}

/// One question: bases against an anchor.
struct Search {
    way: Way,
    anchor: Base,
    /// Parameters whose ways are being looked at, and the sum of constants that led to them.
    params: Vec<(Base, i128)>,
    /// Subjects since the last step to a parameter's arguments.
    trail: Vec<Base>,
}

/// Where a search stands: the place, the bound that would do, and the sum of constants that led here.
#[derive(Clone, Copy)]
struct Step {
    place: Place,
    goal: i128,
    sum: i128,
}

impl Step {
    fn after(self, more: i128) -> Step {
        Step { goal: self.goal.saturating_sub(more), sum: self.sum.saturating_add(more), ..self }
    }
}

impl<'a, 'f> Prover<'a, 'f> {
    pub fn new(facts: &'a Facts<'f>) -> Self {
        Prover { facts, fuel: 0, depth: 0, exact: HashMap::new(), arms: Vec::new() }
    }

    /// Whether a ≤ b + k at a place.
    pub fn holds(&mut self, a: Term, b: Term, k: i128, place: Place) -> bool {
        self.fuel = FUEL;
        self.within(a, b, k, place)
    }

    fn within(&mut self, a: Term, b: Term, k: i128, place: Place) -> bool {
        // What the bases must keep.
        let goal = b.plus + k - a.plus;
        let (way, subject, anchor) = if a.base == Base::ZERO && b.base != Base::ZERO {
            (Way::Down, b.base, Base::ZERO)
        } else {
            (Way::Up, a.base, b.base)
        };
        if self.ask(way, subject, anchor, place, goal) <= goal {
            return true;
        }
        // By what both are on their own.
        anchor != Base::ZERO && {
            let most = self.ask(Way::Up, subject, Base::ZERO, place, NONE);
            let least = self.ask(Way::Down, anchor, Base::ZERO, place, goal.saturating_sub(most));
            most < NONE && least < NONE && most + least <= goal
        }
    }

    /// The least c that is found for s·subject ≤ s·anchor + c; not less than what would do.
    fn ask(&mut self, way: Way, subject: Base, anchor: Base, place: Place, goal: i128) -> i128 {
        if self.depth == DEEPEST {
            return self.extent(way, subject, anchor);
        }
        self.depth += 1;
        let mut search = Search { way, anchor, params: Vec::new(), trail: Vec::new() };
        let best = self.bound(&mut search, subject, Step { place, goal, sum: 0 });
        self.depth -= 1;
        best
    }

    /// What a term is at most, or, downwards, at least with the sign turned.
    fn most(&mut self, way: Way, term: Term, place: Place, goal: i128) -> i128 {
        let plus = way.sign() * term.plus;
        add(self.ask(way, term.base, Base::ZERO, place, goal.saturating_sub(plus)), plus)
    }

    fn extent(&self, way: Way, subject: Base, anchor: Base) -> i128 {
        let (least, most) = self.facts.extent(subject);
        match (anchor == Base::ZERO, way) {
            (true, Way::Up) => most,
            (true, Way::Down) => -least,
            _ => NONE,
        }
    }

    fn bound(&mut self, search: &mut Search, subject: Base, at: Step) -> i128 {
        if subject == search.anchor {
            return 0;
        }
        if search.params.iter().any(|(param, sum)| *param == subject && at.sum <= *sum) {
            return LEAST;
        }
        if self.fuel == 0 || search.trail.contains(&subject) {
            return self.extent(search.way, subject, search.anchor);
        }
        self.fuel -= 1;
        if subject == Base::ZERO {
            return self.ask(search.way.back(), search.anchor, Base::ZERO, at.place, at.goal);
        }
        search.trail.push(subject);
        let best = self.alternatives(search, subject, at);
        search.trail.pop();
        best
    }

    fn alternatives(&mut self, search: &mut Search, subject: Base, at: Step) -> i128 {
        let mut best = self.extent(search.way, subject, search.anchor);
        let assumed: SmallVec<[(Base, i128); 2]> = (self.arms.iter())
            .filter(|(way, of, ..)| *way == search.way && *of == subject)
            .map(|(_, _, other, plus)| (*other, *plus))
            .collect();
        let facts = self.facts;
        let known = facts.known(search.way, subject).iter().rev().take(FACTS);
        let known = known.filter(|fact| facts.holds_at(fact, at.place)).map(|fact| (fact.other, fact.plus));
        for (other, plus) in assumed.into_iter().chain(known) {
            if best <= at.goal {
                return best;
            }
            best = best.min(add(self.bound(search, other, at.after(plus)), plus));
        }
        if best <= at.goal {
            return best;
        }
        let Some(value) = self.facts.value(subject) else { return best };
        let defined = match (self.facts.param(value), self.facts.inst(value)) {
            (Some((block, position)), _) => self.parameter(search, subject, block, position, at),
            (_, Some((inst, place))) => self.definition(search, inst, place, at),
            _ => NONE,
        };
        best.min(defined)
    }

    fn through(&mut self, search: &mut Search, term: Term, at: Step) -> i128 {
        let plus = search.way.sign() * term.plus;
        add(self.bound(search, term.base, at.after(plus)), plus)
    }

    fn parameter(&mut self, search: &mut Search, subject: Base, block: u32, position: usize, at: Step) -> i128 {
        let again = search.params.iter().any(|(param, _)| *param == subject);
        if again || !self.facts.outlives(search.anchor, block) {
            return NONE;
        }
        // What is assumed of an arm is assumed where it is chosen, not where rounds end.
        let arms = std::mem::take(&mut self.arms);
        search.params.push((subject, at.sum));
        let trail = std::mem::take(&mut search.trail);
        let mut most = LEAST;
        let facts = self.facts;
        for &from in &facts.graph.preds[block as usize] {
            if !facts.graph.reachable(from) {
                continue;
            }
            let end = &facts.function.blocks[from as usize].end;
            let place = Place { block: from, inst: u32::MAX };
            // Once for each edge, though a branch may have both lead here.
            for target in end.targets().filter(|target| target.block == BlockId(block)) {
                self.arms.extend(edge(facts, end, block));
                let given = facts.term(target.args[position]);
                most = most.max(self.through(search, given, Step { place, ..at }));
                self.arms.clear();
                if most >= NONE {
                    break;
                }
            }
        }
        search.params.pop();
        search.trail = trail;
        self.arms = arms;
        most
    }

    /// Whether x + k, which would wrap, does not: it is between what int holds.
    fn is_exact(&mut self, inst: &Inst, k: i128, defined: Place) -> bool {
        if let Some(known) = self.exact.get(&inst.result) {
            return known == &Some(true);
        }
        self.exact.insert(inst.result, None);
        let (way, room) = if k > 0 { (Way::Up, IntTy::I64.max() - k) } else { (Way::Down, -(IntTy::I64.min() - k)) };
        let arms = std::mem::take(&mut self.arms);
        let exact = self.most(way, self.facts.term(inst.args[0]), defined, room) <= room;
        self.arms = arms;
        self.exact.insert(inst.result, Some(exact));
        exact
    }

    /// Whether a checked addition, subtraction or multiplication has a result that int holds.
    pub fn fits(&mut self, inst: &Inst, place: Place) -> bool {
        let (a, b) = (self.facts.term(inst.args[0]), self.facts.term(inst.args[1]));
        // What suffices if it is true of both.
        let enough = if matches!(inst.op, Op::Mul(_)) { (1 << 31) - 1 } else { (1 << 62) - 1 };
        let (x, y) = (self.range(a, place, enough), self.range(b, place, enough));
        let (low, high) = match inst.op {
            Op::Mul(_) => product(x, y),
            Op::Sub(_) => (x.0 - y.1, x.1 - y.0),
            _ => (x.0 + y.0, x.1 + y.1),
        };
        IntTy::I64.holds(low) && IntTy::I64.holds(high)
    }

    fn range(&mut self, term: Term, place: Place, enough: i128) -> (i128, i128) {
        if let Some(constant) = term.is_constant() {
            return (constant, constant);
        }
        let mut most = |way: Way| {
            self.fuel = if self.depth == 0 { FUEL } else { self.fuel };
            self.most(way, term, place, enough)
        };
        (-most(Way::Down), most(Way::Up))
    }
}

fn product(x: (i128, i128), y: (i128, i128)) -> (i128, i128) {
    let products = [(x.0, y.0), (x.0, y.1), (x.1, y.0), (x.1, y.1)].map(|(p, q)| p.saturating_mul(q));
    let [first, others @ ..] = products;
    others.into_iter().fold((first, first), |(low, high), p| (low.min(p), high.max(p)))
}

/// A bound and a constant; no bound stays none.
fn add(bound: i128, plus: i128) -> i128 {
    if bound >= NONE { NONE } else { bound + plus }
}

/// a ≤ b, as a bound of a and one of b.
fn assumption((a, b): (Term, Term)) -> [(Way, Base, Base, i128); 2] {
    let plus = b.plus - a.plus;
    [(Way::Up, a.base, b.base, plus), (Way::Down, b.base, a.base, plus)]
}

/// What a branch knows on the edge to a block, if one edge leads there.
fn edge(facts: &Facts, end: &Terminator, block: u32) -> SmallVec<[(Way, Base, Base, i128); 4]> {
    let Terminator::Branch(condition, then, otherwise) = end else { return SmallVec::new() };
    if then.block == otherwise.block {
        return SmallVec::new();
    }
    facts.compared(*condition, then.block == BlockId(block)).into_iter().flat_map(assumption).collect()
}
