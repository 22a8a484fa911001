//! Where ticks are put; that all engines count the same ones, and stop at the same place when the host refuses.

use super::*;
use crate::code::{OptLevel, Options, compile};
use crate::failure::{Cause, Failure, POLL_INTERVAL};
use crate::opt::optimize;
use crate::typed::build::{Builder, Recorder, function, gcd, module};
use crate::typed::verify::verify;
use crate::typed::{BlockId, Cond, FuncId, Mode, Target, Terminator, Value};
use crate::{failure::Host, interp};

fn ticked(functions: Vec<Function>) -> Module {
    let mut module = module(functions);
    insert(&mut module, Counting::Polls);
    verify(&module).unwrap();
    module
}

fn optimized(module: &Module) -> Module {
    let mut module = module.clone();
    optimize(&mut module).expect("passes");
    module
}

/// Of each function, the blocks with a tick.
fn places(module: &Module) -> Vec<Vec<usize>> {
    let has = |block: &crate::typed::Block| block.insts.iter().any(|inst| matches!(inst.op, Op::Tick(_)));
    let blocks = |f: &Function| f.blocks.iter().enumerate().filter(|(_, block)| has(block)).map(|(b, _)| b).collect();
    module.functions.iter().map(blocks).collect()
}

type Engine<'e> = &'e dyn Fn(&mut [u64], &mut dyn Host) -> Result<(), Failure>;

/// Runs on every engine, before and after the passes: each gives the same.
fn everywhere(module: &Module, args: &[u64], host: impl Fn() -> Recorder) -> (Result<u64, Failure>, u64) {
    let modules = [module.clone(), optimized(module)];
    let mut outcomes = Vec::new();
    for module in &modules {
        let mut run = |run: Engine| {
            let (mut host, mut out) = (host(), [0]);
            outcomes.push((run(&mut out, &mut host).map(|()| out[0]), host.polls));
        };
        run(&|out, host| interp::run(module, args, out, host));
        for opt_level in [OptLevel::None, OptLevel::Speed] {
            let code = compile(module, &Options { opt_level, verify: true, ..Options::default() }).expect("compiles");
            assert_eq!(code.traps(), 0);
            run(&|out, host| code.run(args, out, host));
        }
    }
    assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "{outcomes:?}");
    outcomes.swap_remove(0)
}

/// How many ticks a run takes: asked at each but the first.
fn count(module: &Module, args: &[u64]) -> u64 {
    let (result, polls) = everywhere(module, args, || Recorder { each: true, ..Recorder::default() });
    result.expect("ends");
    polls + 1
}

/// Where a run is stopped that would not end.
fn stopped(module: &Module, args: &[u64]) -> Span {
    let failure = everywhere(module, args, || Recorder { patience: Some(2), ..Recorder::default() }).0.unwrap_err();
    assert_eq!(failure.cause, Cause::Host);
    failure.span
}

/// `for i in range(rounds): s += body(s)`, from the block at hand; leaves off in the block after.
fn repeat(f: &mut Builder, start: Value, rounds: Value, body: Body) -> Value {
    let (head, turn, exit) = (f.block(&[Ty::INT, Ty::INT]), f.block(&[]), f.block(&[]));
    let zero = f.int(0);
    f.jump(head, &[start, zero]);
    let (sum, i) = (f.param(head, 0), f.param(head, 1));
    f.at(head);
    let more = f.op(Op::Cmp(Cond::Lt), &[i, rounds], Ty::Bool);
    f.branch(more, (turn, &[]), (exit, &[]));
    f.at(turn);
    let value = body(f, sum);
    let one = f.int(1);
    let next = f.op(Op::NextIndex, &[i, one], Ty::INT);
    f.jump(head, &[value, next]);
    f.at(exit);
    sum
}

type Body<'b> = &'b dyn Fn(&mut Builder, Value) -> Value;

fn add_one(f: &mut Builder, value: Value) -> Value {
    let one = f.int(1);
    f.op(Op::Add(Mode::Numpy), &[value, one], Ty::INT)
}

#[test]
fn loops_tick_where_they_go_back() {
    let module = ticked(vec![gcd()]);
    assert_eq!(places(&module), [[2]]);
    assert_eq!(module.functions[0].blocks[2].insts.last().unwrap().span, module.functions[0].blocks[2].end_span);
    assert_eq!(count(&module, &[48, 36]), 2);
}

#[test]
fn loops_that_dominate_nobody_tick_too() {
    // 0 -> 1 or 2, 1 <-> 2: two ways in, and blocks not in order.
    let mut f = function("f", &[Ty::Bool], Ty::INT);
    let (a, b) = (f.block(&[]), f.block(&[]));
    let p = f.param(BlockId(0), 0);
    f.branch(p, (b, &[]), (a, &[]));
    f.at(a).jump(b, &[]);
    f.at(b).jump(a, &[]);
    let mut module = ticked(vec![f.done()]);
    assert_eq!(places(&module)[0].len(), 1);
    stopped(&module, &[1]);
    module.functions[0].blocks[2].end = Terminator::Jump(Target { block: BlockId(2), args: vec![] });
    insert(&mut module, Counting::Polls);
    stopped(&module, &[1]);
}

#[test]
fn nested_loops_count_together() {
    let mut f = function("f", &[Ty::INT, Ty::INT], Ty::INT);
    let (n, m) = (f.param(BlockId(0), 0), f.param(BlockId(0), 1));
    let zero = f.int(0);
    let sum = repeat(&mut f, zero, n, &|f, sum| repeat(f, sum, m, &add_one));
    f.ret(sum);
    let module = ticked(vec![f.done()]);
    assert_eq!(count(&module, &[7, 3]), 7 + 7 * 3);
    let ticks = places(&module)[0].iter().map(|b| module.functions[0].blocks[*b].end_span).collect::<Vec<_>>();
    assert!(ticks.contains(&stopped(&module, &[i64::MAX as u64, 2])));
    assert!(ticks.contains(&stopped(&module, &[1, i64::MAX as u64])));
}

/// `f` calls in a loop `g`, which has a short loop of its own and too much else to be put in the place of its call.
fn caller(helper_loops: bool) -> Module {
    let mut f = function("f", &[Ty::INT], Ty::INT);
    let n = f.param(BlockId(0), 0);
    let zero = f.int(0);
    let sum = repeat(&mut f, zero, n, &|f, sum| f.op(Op::Call(FuncId(1)), &[sum], Ty::INT));
    f.ret(sum);
    let mut g = function("g", &[Ty::INT], Ty::INT);
    let mut sum = g.param(BlockId(0), 0);
    if helper_loops {
        let three = g.int(3);
        sum = repeat(&mut g, sum, three, &add_one);
    }
    for _ in 0..60 {
        sum = g.op(Op::Mul(Mode::Python), &[sum, sum], Ty::INT);
        sum = g.op(Op::Xor, &[sum, sum], Ty::INT);
    }
    g.ret(sum);
    ticked(vec![f.done(), g.done()])
}

#[test]
fn callers_and_callees_count_together() {
    assert_eq!(count(&caller(false), &[5]), 5);
    assert_eq!(count(&caller(true), &[5]), 5 + 5 * 3);
    for helper_loops in [false, true] {
        stopped(&caller(helper_loops), &[i64::MAX as u64]);
    }
}

/// `f(n) = f(n - 1) + f(n - 1) if n else 0`, by way of so many more functions.
fn doubling(others: u32) -> Vec<Function> {
    let make = |i: u32| {
        let mut f = function("f", &[Ty::INT], Ty::INT);
        let n = f.param(BlockId(0), 0);
        let next = FuncId(if i == others { 0 } else { i + 1 });
        let (more, done) = (f.block(&[]), f.block(&[]));
        let zero = f.int(0);
        let test = f.op(Op::Cmp(Cond::Gt), &[n, zero], Ty::Bool);
        f.branch(test, (more, &[]), (done, &[]));
        f.at(done).ret(zero);
        f.at(more);
        let one = f.int(1);
        let less = f.op(Op::Sub(Mode::Python), &[n, one], Ty::INT);
        let (a, b) = (f.op(Op::Call(next), &[less], Ty::INT), f.op(Op::Call(next), &[less], Ty::INT));
        let sum = f.op(Op::Add(Mode::Python), &[a, b], Ty::INT);
        f.ret(sum);
        f.done()
    };
    (0..=others).map(make).collect()
}

#[test]
fn recursion_ticks_at_its_calls() {
    for others in [0, 1] {
        let module = ticked(doubling(others));
        // Both calls at once, before the first of them.
        assert_eq!(places(&module), vec![vec![1]; 1 + others as usize]);
        let ticks = module.functions[0].blocks[1].insts.iter().filter(|inst| inst.op == Op::Tick(2));
        assert_eq!(ticks.count(), 1);
        assert_eq!(count(&module, &[6]), 126);
        let call = module.functions[0].blocks[1].insts.iter().find(|inst| matches!(inst.op, Op::Call(_))).unwrap();
        assert_eq!(stopped(&module, &[60]), call.span);
    }
}

#[test]
fn a_recursion_with_loops_counts_both() {
    let mut f = function("f", &[Ty::INT], Ty::INT);
    let n = f.param(BlockId(0), 0);
    let (more, done) = (f.block(&[]), f.block(&[]));
    let zero = f.int(0);
    let test = f.op(Op::Cmp(Cond::Gt), &[n, zero], Ty::Bool);
    f.branch(test, (more, &[]), (done, &[]));
    f.at(done).ret(zero);
    f.at(more);
    let one = f.int(1);
    let less = f.op(Op::Sub(Mode::Python), &[n, one], Ty::INT);
    let sum = repeat(&mut f, zero, n, &|f, sum| {
        let inner = f.op(Op::Call(FuncId(0)), &[less], Ty::INT);
        let sum = f.op(Op::Add(Mode::Python), &[sum, inner], Ty::INT);
        add_one(f, sum)
    });
    f.ret(sum);
    let module = ticked(vec![f.done()]);
    // Calls: 1 + n calls of n - 1, of which the first is not counted; rounds: as many.
    let calls = (1..=5).fold(1, |calls, n| 1 + n * calls);
    assert_eq!(count(&module, &[5]), 2 * (calls - 1));
    stopped(&module, &[40]);
}

#[test]
fn many_calls_tick_without_recursion() {
    // Fifty functions, each of which calls the next one twice.
    let mut functions = doubling(50);
    let last = functions.last_mut().unwrap();
    last.blocks[1].insts.retain(|inst| !matches!(inst.op, Op::Call(_) | Op::Add(_)));
    let zero = last.blocks[0].insts[0].result;
    last.blocks[1].end = Terminator::Return(zero);
    last.blocks[2].end = Terminator::Return(zero);
    let module = ticked(functions);
    let ticks = places(&module).iter().filter(|blocks| !blocks.is_empty()).count();
    assert!((5..=10).contains(&ticks), "{ticks}");
    stopped(&module, &[60]);
}

#[test]
fn straight_code_has_no_ticks() {
    let mut f = function("f", &[Ty::INT], Ty::INT);
    let n = f.param(BlockId(0), 0);
    let twice = f.op(Op::Call(FuncId(1)), &[n], Ty::INT);
    f.ret(twice);
    let mut g = function("g", &[Ty::INT], Ty::INT);
    let n = g.param(BlockId(0), 0);
    let sum = add_one(&mut g, n);
    g.ret(sum);
    assert_eq!(places(&ticked(vec![f.done(), g.done()])), [[0; 0], [0; 0]]);
}

#[test]
fn floats_survive_a_poll() {
    // x += 0.5 while the host is asked at every round: what the stub forgets to keep shows.
    let mut f = function("f", &[Ty::INT], Ty::FLOAT);
    let n = f.param(BlockId(0), 0);
    let types: Vec<Ty> = std::iter::once(Ty::INT).chain(vec![Ty::FLOAT; 12]).collect();
    let (head, turn, exit) = (f.block(&types), f.block(&[]), f.block(&[]));
    let mut start = vec![f.int(0)];
    start.extend((0..12).map(|k| f.float(f64::from(k))).collect::<Vec<_>>());
    f.jump(head, &start);
    let params: Vec<_> = (0..13).map(|k| f.param(head, k)).collect();
    f.at(head);
    let more = f.op(Op::Cmp(Cond::Lt), &[params[0], n], Ty::Bool);
    f.branch(more, (turn, &[]), (exit, &[]));
    f.at(turn);
    let (one, half) = (f.int(1), f.float(0.5));
    let mut next = vec![f.op(Op::NextIndex, &[params[0], one], Ty::INT)];
    next.extend(params[1..].iter().map(|x| f.op(Op::Add(Mode::Python), &[*x, half], Ty::FLOAT)).collect::<Vec<_>>());
    f.jump(head, &next);
    f.at(exit);
    let sum = params[2..].iter().fold(params[1], |sum, x| f.op(Op::Add(Mode::Python), &[sum, *x], Ty::FLOAT));
    f.ret(sum);
    let module = ticked(vec![f.done()]);
    let host = || Recorder { each: true, ..Recorder::default() };
    assert_eq!(everywhere(&module, &[1000], host), (Ok((66.0 + 12.0 * 500.0f64).to_bits()), 999));
}

#[test]
fn a_run_is_polled_each_interval() {
    let module = ticked(vec![rounds()]);
    for (rounds, polls) in [(POLL_INTERVAL, 0), (POLL_INTERVAL + 1, 1), (3 * POLL_INTERVAL + 1, 3)] {
        assert_eq!(everywhere(&module, &[rounds], Recorder::default), (Ok(rounds), polls));
    }
}

/// Counts to its argument.
fn rounds() -> Function {
    let mut f = function("f", &[Ty::INT], Ty::INT);
    let n = f.param(BlockId(0), 0);
    let zero = f.int(0);
    let sum = repeat(&mut f, zero, n, &add_one);
    f.ret(sum);
    f.done()
}

#[test]
fn a_panic_in_a_poll_is_a_failure() {
    struct Panics;
    impl Host for Panics {
        fn print(&mut self, _: &str) -> Result<(), crate::failure::HostError> {
            Ok(())
        }
        fn poll(&mut self) -> Result<(), crate::failure::HostError> {
            panic!("in a poll")
        }
    }
    let code = compile(&ticked(vec![rounds()]), &Options::default()).expect("compiles");
    let failure = code.run(&[i64::MAX as u64], &mut [0], &mut Panics).unwrap_err();
    assert_eq!(failure.cause, Cause::Host);
}
