//! What an operation's result is bounded by: one step of a search. Above each, when it is true.

use super::{LEAST, NONE, Place, Prover, Search, Step, Way, add, assumption, product};
use crate::opt::bounds::facts::{Base, Term};
use crate::typed::{Inst, Mode, Op};
use crate::types::Ty;

impl<'f> Prover<'_, 'f> {
    pub(super) fn definition(&mut self, search: &mut Search, inst: &'f Inst, defined: Place, at: Step) -> i128 {
        let args = inst.args.as_slice();
        let term = |i: usize| self.facts.term(args[i]);
        let int = *self.facts.function.ty(inst.result) == Ty::INT;
        let place = at.place;
        match (&inst.op, search.way) {
            (Op::NextIndex | Op::Add(Mode::Numpy), way) if int && term(1).is_constant().is_some() => {
                let k = term(1).plus;
                if way.sign() * k < 0 && !self.is_exact(inst, k, defined) {
                    return NONE;
                }
                let x = term(0).plus(k);
                self.through(search, x, at)
            }
            // i if that is not negative; else i + n. In any case 0 ≤ it ≤ n - 1.
            (Op::Index(_), way) => {
                let (i, n) = (term(0), term(1));
                let best = match way {
                    Way::Up => self.through(search, n.plus(-1), at),
                    Way::Down => self.through(search, Term::constant(0), at),
                };
                if best > at.goal && self.most(Way::Down, i, defined, 0) <= 0 {
                    return best.min(self.through(search, i, at));
                }
                best
            }
            // x % n, 0 < n: from 0 to n - 1. The remainder has the divisor's sign.
            (Op::Mod(mode), way) => {
                let n = term(1);
                let positive = if *mode == Mode::Python { 0 } else { -1 };
                // By 0 it raises, so that n is not 0 if it did not.
                if self.most(Way::Down, n, defined, positive) > positive {
                    return NONE;
                }
                match way {
                    Way::Up => self.through(search, n.plus(-1), at),
                    Way::Down => self.through(search, Term::constant(0), at),
                }
            }
            // x & m, 0 ≤ m: from 0 to m, whatever x is.
            (Op::And, way) if int => {
                for m in [term(1), term(0)] {
                    if self.most(Way::Down, m, defined, 0) <= 0 {
                        return match way {
                            Way::Up => self.through(search, m, at),
                            Way::Down => self.through(search, Term::constant(0), at),
                        };
                    }
                }
                NONE
            }
            // x >> k, x // d, 0 ≤ x, 0 ≤ k, 0 < d: from 0 to x. Of (a + b) >> 1, a ≤ b, from a to b.
            (Op::Shr(_) | Op::FloorDiv(_), way) if int => {
                let least = if matches!(inst.op, Op::Shr(_)) { 0 } else { 1 };
                if term(1).is_constant().is_none_or(|k| k < least) {
                    return NONE;
                }
                let between = self.middle(search, inst, at);
                if between <= at.goal || self.most(Way::Down, term(0), defined, 0) > 0 {
                    return between;
                }
                between.min(match way {
                    Way::Up => self.through(search, self.facts.term(args[0]), at),
                    Way::Down => self.through(search, Term::constant(0), at),
                })
            }
            // One of both; each where the condition says so.
            (Op::Select, _) if int => {
                let mut most = LEAST;
                for (arm, truth) in [(1, true), (2, false)] {
                    let before = self.arms.len();
                    let pairs = self.facts.compared(args[0], truth);
                    self.arms.extend(pairs.into_iter().flat_map(assumption));
                    let chosen = self.facts.term(args[arm]);
                    most = most.max(self.through(search, chosen, at));
                    self.arms.truncate(before);
                }
                most
            }
            // A slice's first element and how many there are, of n.
            (Op::Item(k), way) => match (self.facts.inst(args[0]), way) {
                (Some((made, _)), way) if matches!(made.op, Op::Helper(h, _) if h.0.name == "slice") => {
                    let n = self.facts.term(made.args[0]);
                    if *k > 1 || self.most(Way::Down, n, defined, 0) > 0 {
                        return NONE;
                    }
                    match way {
                        Way::Up => self.through(search, n, at),
                        Way::Down => self.through(search, Term::constant(0), at),
                    }
                }
                _ => NONE,
            },
            // A bool as an int.
            (Op::Convert, way) if *self.facts.function.ty(args[0]) == Ty::Bool => {
                let most = if way == Way::Up { 1 } else { 0 };
                self.through(search, Term::constant(most), at)
            }
            // x + y, exact: one of them may be any number.
            (Op::Add(Mode::Python), way) if int => {
                let mut best = NONE;
                for (x, y) in [(term(0), term(1)), (term(1), term(0))] {
                    let most = self.most(way, y, place, LEAST);
                    let step = at.after(most);
                    best = best.min(if most < NONE { add(self.through(search, x, step), most) } else { NONE });
                }
                best
            }
            // x - y, exact: x and at most -y; or what x is more than y.
            (Op::Sub(Mode::Python), way) if int => {
                let (x, y) = (term(0), term(1));
                let most = self.most(way.back(), y, place, LEAST);
                let mut best = if most < NONE { add(self.through(search, x, at.after(most)), most) } else { NONE };
                if search.anchor == Base::ZERO && best > at.goal {
                    let plus = way.sign() * (x.plus - y.plus);
                    best = best.min(add(self.ask(way, x.base, y.base, place, at.goal - plus), plus));
                }
                best
            }
            // x * y, exact: the greatest product of what they may be.
            (Op::Mul(Mode::Python), way) if int && search.anchor == Base::ZERO => {
                let (x, y) = (self.range(term(0), place, 0), self.range(term(1), place, 0));
                let (low, high) = product(x, y);
                if way == Way::Up { high } else { low.saturating_neg() }
            }
            _ => NONE,
        }
    }

    /// (a + b) >> 1 or (a + b) // 2, where the sum is exact: at most b - 1 if a ≤ b - 1, at most b if a ≤ b; at least a if a ≤ b.
    fn middle(&mut self, search: &mut Search, inst: &'f Inst, at: Step) -> i128 {
        let halves = if matches!(inst.op, Op::Shr(_)) { 1 } else { 2 };
        let Some((sum, _)) = self.facts.inst(inst.args[0]) else { return NONE };
        if sum.op != Op::Add(Mode::Python) || self.facts.constant(inst.args[1]) != Some(halves) {
            return NONE;
        }
        let (a, b) = (self.facts.term(sum.args[0]), self.facts.term(sum.args[1]));
        for (low, high) in [(a, b), (b, a)] {
            let apart = add(self.ask(Way::Up, low.base, high.base, at.place, LEAST), low.plus - high.plus);
            if apart <= 0 {
                return match search.way {
                    Way::Up => self.through(search, high.plus(if apart < 0 { -1 } else { 0 }), at),
                    Way::Down => self.through(search, low, at),
                };
            }
        }
        NONE
    }
}
