//! Copies the bodies of small loops, so that several rounds pay for one tick.
//!
//! In: a loop that contains no other, whose ways round all tick the same and which neither calls nor prints, nor goes over whole arrays:
//!
//! ```text
//! head(p): … exit or go on … latch: tick 1; jump head(q)
//! ```
//!
//! Out: a block `fast(p)` through which the loop is entered. It prepays four rounds: if that much may be used up, four copies of
//! the body follow one another, without ticks, and lead back to it; else the body as it was runs one round, tick and all, and
//! leads back to it too. A copy never leaves the loop: where it would, it refunds the rounds that were not made, and the round
//! at hand is begun again in the body as it was. Nothing is seen of that: all that it did before is to compute what it
//! computes once more. False of a body that prints or calls; of one that has written to an array where it leaves; and of one that may
//! be interrupted in between, hence no ticks.
//!
//! A loop that counts asks its question once for all copies, before it prepays; and whether what they index is inside: see `counted`.
//!
//! So every engine counts what it counted before, and every value that is read after the loop is still the one that was.

pub(super) mod counted;
mod guard;

use super::affine;
use super::ranges::Walk;
use super::rewrite::drop_unreachable;
use super::simplify_cfg::straighten;
use crate::span::Span;
use crate::typed::cfg::Graph;
use crate::typed::{Args, Block, BlockId, Cond, Function, Inst, Module, Op, Target, Terminator, Value};
use crate::types::Ty;
use counted::{Body, Counted, Origins};
use guard::{Guard, Tests};

/// How many instructions the copies of a loop may have together, and how many copies there are at most. Even a single copy pays:
/// nothing in it has to be kept ready for asking the host. (benches/own/polls.py; twice as many take a third longer to compile.)
const COPIED: usize = 32;
/// The same of loops over arrays, which make many rounds and have less in them: 48 makes Floyd and Warshall's algorithm 15 % faster than 32,
/// and takes 20 us more.
const COPIED_OF_ARRAYS: usize = 48;
const COPIES: usize = 4;
/// The same of loops whose copies test less than their rounds.
const COPIED_UNTESTED: usize = 56;
/// Of loops of which `opt/affine.rs` makes one step, which is done in the time of a product and a sum, however many they are.
const COPIES_OF_STEPS: usize = 16;
/// How many blocks a loop may have.
const BLOCKS: usize = 8;
/// How many instructions a function may gain.
const GROWTH: usize = 2000;

struct Loop {
    head: u32,
    blocks: Vec<u32>,
    /// What a round ticks.
    units: u32,
    copies: usize,
    counted: Option<Counted>,
    guard: Option<Guard>,
    span: Span,
}

pub fn run(module: &mut Module) {
    for function in &mut module.functions {
        let (mut room, mut copied, mut names) = (GROWTH, false, Vec::new());
        for found in loops(function) {
            let size = size(function, &found.blocks) * found.copies;
            if size <= room {
                room -= size;
                unroll(function, &found, &mut names);
                copied = true;
            }
        }
        // Nobody gives up in a loop without an end.
        drop_unreachable(function);
        // Copies of a loop that counts follow one another.
        if copied {
            straighten(function);
        }
    }
}

/// The loops that are worth it, none of which shares a block with another.
fn loops(function: &Function) -> Vec<Loop> {
    if !function.blocks.iter().enumerate().any(|(b, block)| block.end.targets().any(|t| t.block.0 as usize <= b)) {
        return Vec::new();
    }
    let graph = Graph::of(function);
    let origins = Origins::new(function);
    let mut walk = Walk::new(function, &graph);
    graph.rpo.iter().filter_map(|&head| small(function, &graph, &origins, &mut walk, head)).collect()
}

fn small(function: &Function, graph: &Graph, origins: &Origins, walk: &mut Walk, head: u32) -> Option<Loop> {
    let goes_back = |from: &u32, to: u32| graph.dominates(to, *from);
    let latches: Vec<u32> = graph.preds[head as usize].iter().copied().filter(|from| goes_back(from, head)).collect();
    let first = *latches.first()?;
    // All that can go round: what the ends of rounds can be reached from, up to the head.
    let mut blocks = vec![head];
    let mut work = latches.clone();
    while let Some(b) = work.pop() {
        if !blocks.contains(&b) {
            if blocks.len() == BLOCKS {
                return None;
            }
            blocks.push(b);
            work.extend(graph.preds[b as usize].iter().filter(|from| graph.reachable(**from)));
        }
    }
    let units = units(function, first)?;
    for &b in &blocks {
        let block = &function.blocks[b as usize];
        let nested = b != head && graph.preds[b as usize].iter().any(|from| goes_back(from, b));
        let heavy = |inst: &Inst| {
            inst.op.function().is_some()
                || matches!(inst.op, Op::Extern(_) | Op::Print(_) | Op::Helper(..) | Op::Mark | Op::Keep)
        };
        if nested || block.insts.iter().any(heavy) {
            return None;
        }
        // Every way round ends in a jump that has ticked, and ticks nowhere else.
        let latch = latches.contains(&b);
        if latch != units_of(block).is_some() || latch && units_of(block) != Some(units) {
            return None;
        }
        if latch && !matches!(block.end, Terminator::Jump(_)) {
            return None;
        }
    }
    if leaves_after_store(function, head, &blocks) {
        return None;
    }
    let body = Body { function, graph, origins, head, blocks: &blocks };
    let counted = body.counted();
    let untested = counted.as_ref().map_or(0, Counted::untested);
    let accesses = |b: &u32| {
        let mut insts = function.blocks[*b as usize].insts.iter();
        insts.any(|inst| matches!(inst.op, Op::Load | Op::Store))
    };
    let copied = if blocks.iter().any(accesses) { COPIED_OF_ARRAYS } else { COPIED };
    let most = |copied: usize| COPIES.min(copied / (size(function, &blocks) - untested).max(1));
    if most(copied) == 0 {
        return None;
    }
    let Tests { guard, none } = guard::tests(walk, &body, most(copied));
    let copies = match counted {
        Some(_) if none && affine::folds(&body) => COPIES_OF_STEPS,
        _ if guard.is_some() => most(copied.max(COPIED_UNTESTED)),
        _ => most(copied),
    };
    let span = function.blocks[first as usize].end_span;
    // Of a single copy nothing is known that its head does not ask.
    let counted = counted.filter(|_| copies > 1 || untested > 0);
    Some(Loop { head, blocks, units, copies, counted, guard, span })
}

/// Whether a round may have written to an array where it leaves the loop.
fn leaves_after_store(function: &Function, head: u32, blocks: &[u32]) -> bool {
    let stores = |b: &u32| function.blocks[*b as usize].insts.iter().any(|inst| inst.op.writes());
    let mut after: Vec<u32> = blocks.iter().copied().filter(stores).collect();
    let mut next = 0;
    while let Some(&b) = after.get(next) {
        next += 1;
        for target in function.blocks[b as usize].end.targets().map(|target| target.block.0) {
            if !blocks.contains(&target) {
                return true;
            }
            if target != head && !after.contains(&target) {
                after.push(target);
            }
        }
    }
    false
}

fn units(function: &Function, latch: u32) -> Option<u32> {
    units_of(&function.blocks[latch as usize])
}

/// What a block ticks, if it does.
fn units_of(block: &Block) -> Option<u32> {
    let ticks = block.insts.iter().filter_map(|inst| match inst.op {
        Op::Tick(units) => Some(units),
        _ => None,
    });
    ticks.reduce(|a, b| a + b)
}

/// How many instructions copying these blocks makes.
fn size(function: &Function, blocks: &[u32]) -> usize {
    let counts = |inst: &&Inst| !matches!(inst.op, Op::Const(_) | Op::Tick(_) | Op::Len(_));
    blocks.iter().map(|b| 1 + function.blocks[*b as usize].insts.iter().filter(counts).count()).sum()
}

/// `names` are a buffer for those of the copies: each value's own, as far as there are any, before and after.
fn unroll(function: &mut Function, found: &Loop, names: &mut Vec<Value>) {
    names.extend((names.len() as u32..function.values.len() as u32).map(Value));
    let types: Vec<Ty> = params(function, found.head).iter().map(|param| function.ty(*param).clone()).collect();
    let first = function.blocks.len() as u32;
    let stride = found.blocks.len() as u32 + 1;
    let fast = BlockId(first + stride * found.copies as u32);
    // What entered the loop, or went round in it, comes to `fast` from now on.
    for target in function.blocks.iter_mut().flat_map(|block| block.end.targets_mut()) {
        if target.block.0 == found.head {
            target.block = fast;
        }
    }
    for copy in 0..found.copies {
        // A copy is its blocks, in the order of `found`, and the block that gives up.
        let base = first + stride * copy as u32;
        let next = if copy + 1 == found.copies { fast } else { BlockId(base + stride) };
        put_copy(function, found, base, (next, fast), names);
        let left = (found.copies - copy) as u32 * found.units;
        let head = BlockId(found.head);
        let args = params(function, base);
        let result = function.new_value(Ty::None);
        let insts = vec![Inst { result, op: Op::Refund(left), args: Args::new(), span: found.span }];
        let end = Terminator::Jump(Target { block: head, args });
        function.blocks.push(Block { params: Vec::new(), insts, end, end_span: found.span });
    }
    for value in found.blocks.iter().flat_map(|b| function.blocks[*b as usize].defined()) {
        names[value.0 as usize] = value;
    }
    let params: Vec<Value> = types.into_iter().map(|ty| function.new_value(ty)).collect();
    let to = |block| Target { block, args: params.clone() };
    let (copy, head) = (to(BlockId(first)), to(BlockId(found.head)));
    // Asked one after the other, each in a block of its own: whoever is answered with no makes a round as it was.
    let carried = self::params(function, found.head);
    let mut asked: Vec<(Vec<Inst>, Value)> = Vec::new();
    if let Some(counted) = &found.counted {
        let mut emit = Emitter { function, insts: Vec::new(), span: found.span };
        let last = counted.last(found.copies, &mut |op, args, ty| emit.put(op, args, ty));
        let more = emit.put(Op::Cmp(Cond::Lt), &[params[counted.position], last], Ty::Bool);
        asked.push((emit.insts, more));
    }
    if let Some(guard) = &found.guard {
        let now = |value: Value| carried.iter().position(|param| *param == value).map_or(value, |i| params[i]);
        let mut emit = Emitter { function, insts: Vec::new(), span: found.span };
        let lie = guard.ask(&now, &mut |op, args, ty| emit.put(op, args, ty));
        asked.push((emit.insts, lie));
    }
    let mut emit = Emitter { function, insts: Vec::new(), span: found.span };
    let prepaid = emit.put(Op::Prepay(found.copies as u32 * found.units), &[], Ty::Bool);
    asked.push((emit.insts, prepaid));
    let questions = asked.len() as u32;
    for (i, (insts, answer)) in asked.into_iter().enumerate() {
        let next = BlockId(fast.0 + i as u32 + 1);
        let yes = if i as u32 + 1 == questions { copy.clone() } else { Target { block: next, args: Vec::new() } };
        let end = Terminator::Branch(answer, yes, head.clone());
        let params = if i == 0 { params.clone() } else { Vec::new() };
        function.blocks.push(Block { params, insts, end, end_span: found.span });
    }
}

/// Instructions for a block that is being made.
struct Emitter<'f> {
    function: &'f mut Function,
    insts: Vec<Inst>,
    span: Span,
}

impl Emitter<'_> {
    fn put(&mut self, op: Op, args: &[Value], ty: Ty) -> Value {
        let result = self.function.new_value(ty);
        self.insts.push(Inst { result, op, args: Args::from_slice(args), span: self.span });
        result
    }
}

fn params(function: &Function, block: u32) -> Vec<Value> {
    function.blocks[block as usize].params.clone()
}

/// Appends one copy of the body. Its ways round lead to `next`; what left the loop gives up.
fn put_copy(function: &mut Function, found: &Loop, base: u32, to: (BlockId, BlockId), names: &mut [Value]) {
    let (next, fast) = to;
    for &b in &found.blocks {
        let Function { blocks, values, .. } = &mut *function;
        for value in blocks[b as usize].defined() {
            names[value.0 as usize] = Value(values.len() as u32);
            values.push(values[value.0 as usize].clone());
        }
    }
    // An index that is known to be inside is what it was, which may be another such.
    let inside = |value: Value| found.counted.as_ref().and_then(|counted| counted.inside(value));
    for &b in &found.blocks {
        for inst in &function.blocks[b as usize].insts {
            if let Some(operand) = inside(inst.result) {
                let operand = std::iter::successors(Some(operand), |value| inside(*value)).last().unwrap_or(operand);
                names[inst.result.0 as usize] = names[operand.0 as usize];
            }
        }
    }
    let give_up = BlockId(base + found.blocks.len() as u32);
    for &b in &found.blocks {
        let mut block = function.blocks[b as usize].clone();
        block.insts.retain(|inst| !matches!(inst.op, Op::Tick(_)) && inside(inst.result).is_none());
        if b == found.head
            && found.counted.is_some()
            && let Terminator::Branch(condition, body, _) = &block.end
        {
            // Asked for all copies before.
            let reads = |b: &u32| function.blocks[*b as usize].uses().filter(|value| value == condition).count();
            if found.blocks.iter().map(reads).sum::<usize>() == 1 {
                block.insts.pop();
            }
            block.end = Terminator::Jump(body.clone());
        }
        block.params.iter_mut().for_each(|param| *param = names[param.0 as usize]);
        block.insts.iter_mut().for_each(|inst| inst.result = names[inst.result.0 as usize]);
        block.map_uses(|value| names[value.0 as usize]);
        for target in block.end.targets_mut() {
            if target.block == fast {
                target.block = next;
                continue;
            }
            match found.blocks.iter().position(|b| *b == target.block.0) {
                Some(i) => target.block = BlockId(base + i as u32),
                None => *target = Target { block: give_up, args: Vec::new() },
            }
        }
        function.blocks.push(block);
    }
}
