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
//! A loop that counts asks its question once for all copies. If `i < n` with the same n in every round, and i goes up by 1,
//!
//! ```text
//! i < n - 3       i < n, i + 1 < n, i + 2 < n, i + 3 < n
//! ```
//!
//! where n - 3 does not wrap, and so i + 3 neither. `n - 3` is the least int if it would: then no i is below, and no four rounds
//! are made at once. False of an i that the body may change otherwise, which is why every way round must say `next_index i, 1`.
//!
//! So every engine counts what it counted before, and every value that is read after the loop is still the one that was.

use std::collections::HashMap;

use smallvec::smallvec;

use super::rewrite::drop_unreachable;
use crate::span::Span;
use crate::typed::cfg::Graph;
use crate::typed::{Args, Block, BlockId, Cond, Const, Function, Inst, Mode, Module, Op, Target, Terminator, Value};
use crate::types::Ty;

/// How many instructions the copies of a loop may have together, and how many copies there are at most. Even a single copy pays:
/// nothing in it has to be kept ready for asking the host. (benches/bench_polls.py; twice as many take a third longer to compile.)
const COPIED: usize = 32;
const COPIES: usize = 4;
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
    counter: Option<Counter>,
    span: Span,
}

/// How a loop counts: its head asks whether the parameter at this position is less than the limit.
struct Counter {
    position: usize,
    limit: Limit,
}

enum Limit {
    Known(i64),
    /// Known before the loop.
    Value(Value),
}

pub fn run(module: &mut Module) {
    for function in &mut module.functions {
        let mut room = GROWTH;
        for found in loops(function) {
            let size = size(function, &found.blocks) * found.copies;
            if size <= room {
                room -= size;
                unroll(function, &found);
            }
        }
        // Nobody gives up in a loop without an end.
        drop_unreachable(function);
    }
}

/// The loops that are worth it, none of which shares a block with another.
fn loops(function: &Function) -> Vec<Loop> {
    if !function.blocks.iter().enumerate().any(|(b, block)| block.end.targets().any(|t| t.block.0 as usize <= b)) {
        return Vec::new();
    }
    let graph = Graph::of(function);
    graph.rpo.iter().filter_map(|&head| small(function, &graph, head)).collect()
}

fn small(function: &Function, graph: &Graph, head: u32) -> Option<Loop> {
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
        let calls = |op: &Op| matches!(op, Op::Call(_) | Op::Extern(_) | Op::Print(_) | Op::Helper(..));
        let heavy = |inst: &Inst| calls(&inst.op) || inst.op.is_whole();
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
    let copies = COPIES.min(COPIED / size(function, &blocks).max(1));
    let span = function.blocks[first as usize].end_span;
    let counter = (copies > 1).then(|| counter(function, graph, head, &blocks)).flatten();
    (copies > 0).then_some(Loop { head, blocks, units, copies, counter, span })
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

/// How a loop counts, if it does so by ones, up to what is known before it, and its head does nothing else.
fn counter(function: &Function, graph: &Graph, head: u32, blocks: &[u32]) -> Option<Counter> {
    let block = &function.blocks[head as usize];
    let Terminator::Branch(condition, body, exit) = &block.end else { return None };
    let (test, before) = block.insts.split_last()?;
    let constant = |inst: &Inst| matches!(inst.op, Op::Const(_));
    if test.op != Op::Cmp(Cond::Lt) || test.result != *condition || !before.iter().all(constant) {
        return None;
    }
    let (i, limit) = (test.args[0], test.args[1]);
    let position = block.params.iter().position(|param| *param == i)?;
    let inside = |value: Value| blocks.iter().any(|b| defines(&function.blocks[*b as usize], value));
    let limit = match before.iter().find(|inst| inst.result == limit).map(|inst| &inst.op) {
        Some(Op::Const(Const::Int(bits))) => Limit::Known(*bits as i64),
        _ if inside(limit) => return None,
        _ => Limit::Value(limit),
    };
    if *function.ty(i) != Ty::INT || !blocks.contains(&body.block.0) || blocks.contains(&exit.block.0) {
        return None;
    }
    let one = |value: Value| {
        let mut insts = blocks.iter().flat_map(|b| &function.blocks[*b as usize].insts);
        insts.any(|inst| inst.result == value && inst.op == Op::Const(Const::Int(1)))
    };
    let steps = |value: Value| {
        let mut insts = blocks.iter().flat_map(|b| &function.blocks[*b as usize].insts);
        insts.any(|inst| inst.result == value && inst.op == Op::NextIndex && inst.args[0] == i && one(inst.args[1]))
    };
    let latches = graph.preds[head as usize].iter().filter(|from| blocks.contains(from));
    let mut rounds =
        latches.flat_map(|from| function.blocks[*from as usize].end.targets()).filter(|t| t.block.0 == head);
    rounds.all(|target| steps(target.args[position])).then_some(Counter { position, limit })
}

fn defines(block: &Block, value: Value) -> bool {
    block.params.contains(&value) || block.insts.iter().any(|inst| inst.result == value)
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
    let counts = |inst: &&Inst| !matches!(inst.op, Op::Const(_) | Op::Tick(_));
    blocks.iter().map(|b| 1 + function.blocks[*b as usize].insts.iter().filter(counts).count()).sum()
}

fn unroll(function: &mut Function, found: &Loop) {
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
        put_copy(function, found, base, next, fast);
        let left = (found.copies - copy) as u32 * found.units;
        let head = BlockId(found.head);
        let args = params(function, base);
        let result = function.new_value(Ty::None);
        let insts = vec![Inst { result, op: Op::Refund(left), args: Args::new(), span: found.span }];
        let end = Terminator::Jump(Target { block: head, args });
        function.blocks.push(Block { params: Vec::new(), insts, end, end_span: found.span });
    }
    let params: Vec<Value> = types.into_iter().map(|ty| function.new_value(ty)).collect();
    let to = |block| Target { block, args: params.clone() };
    let (copy, head) = (to(BlockId(first)), to(BlockId(found.head)));
    let mut insts = Vec::new();
    let mut put = |function: &mut Function, op: Op, args: &[Value], ty: Ty| {
        let result = function.new_value(ty);
        insts.push(Inst { result, op, args: Args::from_slice(args), span: found.span });
        result
    };
    let int = |value: i64| Op::Const(Const::Int(value as u64));
    let fewer = found.copies as i64 - 1;
    let end = found.counter.as_ref().map(|counter| {
        let last = match counter.limit {
            Limit::Known(limit) => put(function, int(limit.saturating_sub(fewer)), &[], Ty::INT),
            Limit::Value(limit) => {
                let fewer = put(function, int(fewer), &[], Ty::INT);
                let least = put(function, int(i64::MIN), &[], Ty::INT);
                let below = put(function, Op::Sub(Mode::Numpy), &[limit, fewer], Ty::INT);
                let wrapped = put(function, Op::Cmp(Cond::Gt), &[below, limit], Ty::Bool);
                put(function, Op::Select, &[wrapped, least, below], Ty::INT)
            }
        };
        let more = put(function, Op::Cmp(Cond::Lt), &[params[counter.position], last], Ty::Bool);
        let pays = Target { block: BlockId(fast.0 + 1), args: Vec::new() };
        Terminator::Branch(more, pays, head.clone())
    });
    let prepaid = function.new_value(Ty::Bool);
    let units = found.copies as u32 * found.units;
    let prepay = Inst { result: prepaid, op: Op::Prepay(units), args: smallvec![], span: found.span };
    let branch = Terminator::Branch(prepaid, copy, head);
    match end {
        None => function.blocks.push(Block { params, insts: vec![prepay], end: branch, end_span: found.span }),
        Some(end) => {
            function.blocks.push(Block { params, insts, end, end_span: found.span });
            let pays = Block { params: Vec::new(), insts: vec![prepay], end: branch, end_span: found.span };
            function.blocks.push(pays);
        }
    }
}

fn params(function: &Function, block: u32) -> Vec<Value> {
    function.blocks[block as usize].params.clone()
}

/// Appends one copy of the body. Its ways round lead to `next`; what left the loop gives up.
fn put_copy(function: &mut Function, found: &Loop, base: u32, next: BlockId, fast: BlockId) {
    let mut values: HashMap<Value, Value> = HashMap::new();
    for &b in &found.blocks {
        let block = &function.blocks[b as usize];
        let defined: Vec<Value> = block.params.iter().copied().chain(block.insts.iter().map(|i| i.result)).collect();
        for value in defined {
            let ty = function.ty(value).clone();
            values.insert(value, function.new_value(ty));
        }
    }
    let give_up = BlockId(base + found.blocks.len() as u32);
    for &b in &found.blocks {
        let mut block = function.blocks[b as usize].clone();
        block.insts.retain(|inst| !matches!(inst.op, Op::Tick(_)));
        block.params.iter_mut().for_each(|param| *param = values[param]);
        block.insts.iter_mut().for_each(|inst| inst.result = values[&inst.result]);
        block.map_uses(|value| values.get(&value).copied().unwrap_or(value));
        if b == found.head
            && found.counter.is_some()
            && let Terminator::Branch(_, body, _) = &block.end
        {
            // Asked for all copies before.
            block.end = Terminator::Jump(body.clone());
        }
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
