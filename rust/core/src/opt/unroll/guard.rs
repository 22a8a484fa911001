//! What to ask before copies run, so that their ints need no tests.
//!
//! In: a small loop. Out: a question about what a round begins with, and about what does not change in it: do some of these ints lie between 0 and
//! 2ᵏ, and others between -2⁶⁰ and 2⁶⁰? Where it is answered with yes, `opt/ranges.rs` knows it of the copies, and what they cannot need falls away.
//! Where it is answered with no, a round is made as the text says.
//!
//! ```text
//! seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF     0 ≤ seed < 2³¹: no product and no sum is beyond int, in any round
//! while b: a, b = b, a % b                            0 ≤ a, b < 2³¹: divisions of 32 bits, and no signs
//! ```
//!
//! Nothing is concluded from a guess: a question that is never answered with yes costs its time. So 2ᵏ is the first of `BITS` that rounds do not leave, if they
//! begin there; if there is none, the first, of which so many rounds as there are copies leave enough room. Small have to be what products, shifts and divisions are
//! made of; what is only added to, or taken from, has the larger room.
//!
//! All of it is one test: `(x | y | (z + 2⁶⁰) >> (61 - k)) >> k` is 0 if and only if all are.

use super::counted::{Body, Emit, number};
use crate::opt::ranges::interval::{Interval, from_to};
use crate::opt::ranges::{Walk, is_tested, untested};
use crate::typed::{Bits, Cond, Inst, Mode, Op, Value};
use crate::types::Ty;

/// How many bits the small ones may have, in the order in which that is tried.
const BITS: [u32; 4] = [31, 32, 48, 56];
/// Of the others: from -2⁶⁰ on, below 2⁶⁰, so that each of four rounds may add another.
const FAR: i64 = 1 << FAR_BITS;
const FAR_BITS: u32 = 60;
/// How many ints are asked about.
const MOST: usize = 6;
/// What a division is worth, in tests.
const DIVISION: usize = 8;

/// What is found out about a loop.
pub struct Tests {
    /// What is worth being asked.
    pub guard: Option<Guard>,
    /// Whether nothing is tested in the copies, however many there are.
    pub none: bool,
}

pub struct Guard {
    small: Vec<Value>,
    large: Vec<Value>,
    bits: u32,
}

/// `blocks` are those of the loop, its head first.
pub fn tests(walk: &mut Walk, body: &Body, copies: usize) -> Tests {
    let mut order = body.blocks.to_vec();
    order.sort_by_key(|b| body.graph.subtree(*b).0);
    if !walk.natural {
        return Tests { guard: None, none: false };
    }
    let tests = tested(walk, &order, &[]);
    if tests.is_empty() {
        return Tests { guard: None, none: true };
    }
    let is_factor = |inst: &Inst| matches!(inst.op, Op::Mul(_) | Op::Shl(_) | Op::FloorDiv(_) | Op::Mod(_));
    let small = sources(body, tests.iter().filter(|inst| is_factor(inst)), &[]);
    let large = sources(body, tests.iter().filter(|inst| !is_factor(inst)), &small);
    if small.len() + large.len() > MOST {
        return Tests { guard: None, none: false };
    }
    let worth = |tests: &[Inst]| {
        let divides = |inst: &Inst| matches!(inst.op, Op::FloorDiv(_) | Op::Mod(_)) && !is_constant(body, inst.args[1]);
        let of = |inst: &Inst| if divides(inst) { DIVISION } else { 1 };
        tests.iter().map(of).sum::<usize>()
    };
    let before = worth(&tests);
    let carried = &body.function.blocks[body.head as usize].params;
    let (mut found, mut none) = (None, false);
    for bits in BITS {
        let within = from_to(0, (1 << bits) - 1);
        let mut lie: Vec<(Value, Interval)> = small.iter().map(|value| (*value, within)).collect();
        lie.extend(large.iter().map(|value| (*value, from_to(-FAR, FAR - 1))));
        let saved = before.saturating_sub(worth(&tested(walk, &order, &lie)));
        let pays = saved * copies > small.len() + large.len();
        let given = small.iter().filter(|value| carried.contains(value)).filter_map(|value| walk.given(*value));
        let stays = given.into_iter().all(|lies| lies.within(within.low, within.high));
        if pays && (stays || found.is_none() && bits == BITS[0]) {
            found = Some(bits);
            none = stays && large.is_empty() && saved == before;
        }
        if pays && stays || small.is_empty() {
            break;
        }
    }
    Tests { guard: found.map(|bits| Guard { small, large, bits }), none }
}

fn is_constant(body: &Body, value: Value) -> bool {
    body.inst(value).is_some_and(|inst| matches!(inst.op, Op::Const(_)))
}

/// The instructions of a round that test, if these ints lie there.
fn tested(walk: &mut Walk, order: &[u32], lie: &[(Value, Interval)]) -> Vec<Inst> {
    let mut tests = Vec::new();
    walk.round(order, lie, &mut |walk, _, _, inst| {
        // A division of all bits is one that can be had for less.
        let long = |op: Op| matches!(op, Op::Quotient(Bits::All) | Op::Remainder(Bits::All));
        if is_tested(walk.function, inst) && untested(walk, inst).is_none_or(long) {
            tests.push(inst.clone());
        }
    });
    tests
}

/// The ints that rounds begin with, and those that they do not change, of which these instructions are made; without some.
fn sources<'a>(body: &Body, of: impl Iterator<Item = &'a Inst>, without: &[Value]) -> Vec<Value> {
    let function = body.function;
    let mut seen: Vec<Value> = Vec::new();
    let mut work: Vec<Value> = of.flat_map(|inst| inst.args.iter().copied()).collect();
    let mut found = Vec::new();
    while let Some(value) = work.pop() {
        if seen.contains(&value) || *function.ty(value) != Ty::INT {
            continue;
        }
        seen.push(value);
        match (body.inst(value), body.inside(value)) {
            (Some(Inst { op: Op::Const(_) | Op::Len(_), .. }), _) => {}
            (_, false) => found.push(value),
            (Some(inst), true) => {
                use Op::*;
                if matches!(
                    inst.op,
                    Add(_)
                        | Sub(_)
                        | Mul(_)
                        | Neg(_)
                        | Abs(_)
                        | Shl(_)
                        | Shr(_)
                        | FloorDiv(_)
                        | Mod(_)
                        | And
                        | Or
                        | Xor
                        | Invert
                        | Select
                        | NextIndex
                ) {
                    work.extend(inst.args.iter().copied());
                }
            }
            (None, true) => {
                let Some(block) = body.origins.block(value) else { continue };
                if block == body.head {
                    found.push(value);
                }
                let params = &function.blocks[block as usize].params;
                let Some(position) = params.iter().position(|param| *param == value) else { continue };
                for from in body.blocks {
                    let targets = function.blocks[*from as usize].end.targets();
                    work.extend(targets.filter(|target| target.block.0 == block).map(|target| target.args[position]));
                }
            }
        }
    }
    found.retain(|value| !without.contains(value));
    found
}

impl Guard {
    /// Whether all ints lie where they should, if the parameters of the head are these now.
    pub fn ask(&self, now: &dyn Fn(Value) -> Value, emit: &mut Emit) -> Value {
        let mut all: Option<Value> = None;
        let mut also = |more: Value, emit: &mut Emit| {
            all = Some(match all {
                Some(so_far) => emit(Op::Or, &[so_far, more], Ty::INT),
                None => more,
            });
        };
        for &value in &self.small {
            also(now(value), emit);
        }
        for &value in &self.large {
            let (far, rest) = (number(emit, FAR), number(emit, i64::from(FAR_BITS + 1 - self.bits)));
            let from = emit(Op::Add(Mode::Numpy), &[now(value), far], Ty::INT);
            let shifted = emit(Op::Shr(Mode::Numpy), &[from, rest], Ty::INT);
            also(shifted, emit);
        }
        let bits = number(emit, i64::from(self.bits));
        let all = all.unwrap_or(bits);
        let above = emit(Op::Shr(Mode::Numpy), &[all, bits], Ty::INT);
        let zero = number(emit, 0);
        emit(Op::Cmp(Cond::Eq), &[above, zero], Ty::Bool)
    }
}
