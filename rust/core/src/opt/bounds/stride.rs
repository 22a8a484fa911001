//! Loops over `range` with a step that is no literal 1 or -1: what their counters are in the body.
//!
//! In: the facts as comparisons and definitions give them. Out: more of them, for the bodies of loops of this shape, as lowering writes them:
//!
//! ```text
//! %n = helper range_count(start, stop, step)
//! head(i, left):  entered with (start, %n), again with (next_index i, step; next_index left, -1)
//!                 branch left != 0, body, …
//! ```
//!
//! In round r, counted from 0, left is n - r, so there is a body only for r < n, and i is start + r·step, which does not
//! wrap: it is one of the range's numbers. Hence start ≤ i ≤ stop - 1 if 0 < step, and stop + 1 ≤ i ≤ start if step < 0. When n
//! has been folded into a number, and start and step are, i lies between start and start + (n - 1)·step, if int holds that. False of a head that is
//! entered, or left by its ways round, with anything else; and where a way round does not lead through the body, as IR may have it that no
//! text becomes: then left goes on below 0.

use super::facts::{Facts, Place, Term};
use super::prove::Prover;
use crate::typed::{Cond, Op, Terminator, Value};
use crate::types::IntTy;

pub fn loops(facts: &mut Facts) {
    let mut found: Vec<(Term, Term, Place)> = Vec::new();
    for &head in &facts.graph.rpo {
        if let Terminator::Branch(condition, body, _) = &facts.function.blocks[head as usize].end
            && facts.graph.preds[body.block.0 as usize].len() == 1
            && let Some(left) = counted_down(facts, *condition, head)
        {
            let body = Place { block: body.block.0, inst: 0 };
            found.extend(counters(facts, head, body.block, left).into_iter().flatten().map(|(a, b)| (a, b, body)));
        }
    }
    for (a, b, from) in found {
        facts.assume(a, b, from);
    }
}

/// The position of the parameter that is compared with 0.
fn counted_down(facts: &Facts, condition: Value, head: u32) -> Option<usize> {
    let (inst, _) = facts.inst(condition)?;
    if inst.op != Op::Cmp(Cond::Ne) || facts.constant(inst.args[1]) != Some(0) {
        return None;
    }
    let (block, position) = facts.param(inst.args[0])?;
    (block == head).then_some(position)
}

/// Pairs a ≤ b that hold in the body, for each parameter that counts with it.
fn counters(facts: &Facts, head: u32, body: u32, left: usize) -> Vec<Vec<(Term, Term)>> {
    let params = &facts.function.blocks[head as usize].params;
    let (entries, backs): (Vec<u32>, Vec<u32>) =
        facts.graph.preds[head as usize].iter().partition(|from| !facts.graph.dominates(head, **from));
    let given = |from: u32| {
        let targets = facts.function.blocks[from as usize].end.targets();
        targets.filter(|target| target.block.0 == head).map(|target| target.args.as_slice())
    };
    let &[entry] = entries.as_slice() else { return Vec::new() };
    let Some(first) = given(entry).next() else { return Vec::new() };
    // What the counter becomes at the end of each round.
    let nexts =
        |position: usize| backs.iter().flat_map(|back| given(*back)).map(move |args| facts.inst(args[position]));
    let goes = |position: usize, step: Term| {
        nexts(position).all(|next| {
            next.is_some_and(|(inst, _)| {
                inst.op == Op::NextIndex && inst.args[0] == params[position] && facts.term(inst.args[1]) == step
            })
        })
    };
    let through = backs.iter().all(|back| facts.graph.dominates(body, *back));
    if backs.is_empty() || !through || !goes(left, Term::constant(-1)) {
        return Vec::new();
    }
    let place = Place { block: entry, inst: u32::MAX };
    let mut prover = Prover::new(facts);
    let (zero, count) = (Term::constant(0), first[left]);
    let counted =
        facts.inst(count).filter(|(inst, _)| matches!(inst.op, Op::Helper(h, _) if h.0.name == "range_count"));
    let mut all = Vec::new();
    for position in (0..params.len()).filter(|position| *position != left) {
        let start = facts.term(first[position]);
        match (counted, facts.constant(count)) {
            (Some((range, _)), _) => {
                let (stop, step) = (facts.term(range.args[1]), facts.term(range.args[2]));
                if facts.term(range.args[0]) != start || !goes(position, step) {
                    continue;
                }
                let i = facts.term(params[position]);
                if prover.holds(zero, step, -1, place) {
                    all.push(vec![(start, i), (i, stop.plus(-1))]);
                } else if prover.holds(step, zero, -1, place) {
                    all.push(vec![(stop.plus(1), i), (i, start)]);
                }
            }
            (_, Some(count)) if count > 0 => {
                let next = nexts(position).next().flatten();
                let step = next.and_then(|(inst, _)| inst.args.last()).map(|step| facts.term(*step));
                let step = step.filter(|step| goes(position, *step)).and_then(Term::is_constant);
                if let (Some(step), Some(from)) = (step, start.is_constant())
                    && let last = from.saturating_add(step.saturating_mul(count - 1))
                    && IntTy::I64.holds(last)
                {
                    let (i, last) = (facts.term(params[position]), Term::constant(last));
                    all.push(if step > 0 { vec![(start, i), (i, last)] } else { vec![(last, i), (i, start)] });
                }
            }
            _ => {}
        }
    }
    all
}
