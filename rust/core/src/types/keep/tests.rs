//! What is given back, and what is not, by a host that spoils what it takes back.

use super::*;
use crate::code::{Options, compile};
use crate::failure::{Host, HostError};
use crate::interp;
use crate::opt::optimize;
use crate::typed::build::{Builder, function, module};
use crate::typed::verify::verify;
use crate::typed::{BlockId, Cond, FuncId, Mode};
use crate::types::{ArrayTy, FloatTy, Item};

const LINE: ArrayTy = ArrayTy { item: Item::Float(FloatTy::F64), ndim: 1, contiguous: true, writable: true };
const ROUNDS: u64 = 50;

fn line() -> Ty {
    Ty::Array(LINE)
}

/// Counts arrays, and how many there are at once.
#[derive(Default)]
struct Counts {
    arrays: Vec<(u64, Vec<f64>)>,
    made: u64,
    most: usize,
    /// What was taken back: who reads it nevertheless reads nans.
    spoilt: Vec<Vec<f64>>,
}

impl Host for Counts {
    fn print(&mut self, _: &str) -> Result<(), HostError> {
        Ok(())
    }

    fn memory(&mut self, bytes: usize) -> Result<u64, HostError> {
        let mut memory = vec![0.0; bytes / 8];
        let address = memory.as_mut_ptr().expose_provenance() as u64;
        self.arrays.push((self.made, memory));
        self.made += 1;
        self.most = self.most.max(self.arrays.len());
        Ok(address)
    }

    fn mark(&mut self) -> u64 {
        self.made
    }

    fn keep(&mut self, mark: u64, addresses: &[u64]) {
        let gone = self.arrays.extract_if(.., |(number, memory)| {
            let first = memory.as_ptr().addr() as u64;
            let lies = |address: &u64| (first..first + memory.len() as u64 * 8).contains(address);
            *number >= mark && !addresses.iter().any(lies)
        });
        self.spoilt.extend(gone.map(|(_, mut memory)| {
            memory.fill(f64::NAN);
            memory
        }));
    }
}

/// `a + 1.0`, for each element.
fn kernel() -> Function {
    let mut f = function("more", &[Ty::FLOAT], Ty::FLOAT);
    let one = f.float(1.0);
    let x = f.param(BlockId(0), 0);
    let sum = f.op(Op::Add(Mode::Python), &[x, one], Ty::FLOAT);
    f.ret(sum);
    f.done()
}

/// `def f(x, n): carried = start(x); for i in range(n): carried = round(carried); return end(carried)`, of arrays of one dimension.
fn looped(
    types: &[Ty],
    start: impl Fn(&mut Builder, Value) -> Vec<Value>,
    round: impl Fn(&mut Builder, &[Value]) -> Vec<Value>,
    end: impl Fn(&mut Builder, &[Value]) -> Value,
) -> Function {
    let mut f = function("f", &[line(), Ty::INT], Ty::FLOAT);
    let (x, n) = (f.param(BlockId(0), 0), f.param(BlockId(0), 1));
    let all: Vec<Ty> = types.iter().cloned().chain([Ty::INT]).collect();
    let (head, body, exit) = (f.block(&all), f.block(&[]), f.block(&[]));
    let mut args = start(&mut f, x);
    args.push(f.int(0));
    f.jump(head, &args);
    let carried: Vec<Value> = (0..types.len()).map(|i| f.param(head, i)).collect();
    let i = f.param(head, types.len());
    f.at(head);
    let more = f.op(Op::Cmp(Cond::Lt), &[i, n], Ty::Bool);
    f.branch(more, (body, &[]), (exit, &[]));
    f.at(body);
    let mut next = round(&mut f, &carried);
    let one = f.int(1);
    next.push(f.op(Op::NextIndex, &[i, one], Ty::INT));
    f.jump(head, &next);
    f.at(exit);
    let result = end(&mut f, &carried);
    f.ret(result);
    f.done()
}

fn more(f: &mut Builder, kernel: u32, x: Value) -> Value {
    f.op(Op::Map(FuncId(kernel)), &[x], line())
}

/// An array without its first element.
fn rest(f: &mut Builder, x: Value) -> Value {
    let (one, two) = (f.int(1), f.int(2));
    f.op(Op::Cut(0), &[x, one, two, one], line())
}

fn first(f: &mut Builder, x: Value) -> Value {
    let zero = f.int(0);
    f.op(Op::Load, &[x, zero], Ty::FLOAT)
}

/// Runs on every engine, before and after the passes, with [0, 1, 2] as `x`: the result, and how many arrays there were at once at most.
fn run(functions: Vec<Function>) -> (f64, Vec<usize>) {
    let mut module = module(functions);
    verify(&module).unwrap();
    insert(&mut module);
    verify(&module).unwrap();
    let mut optimized = module.clone();
    optimize(&mut optimized).expect("passes");
    let (mut results, mut most) = (Vec::new(), Vec::new());
    for module in [&module, &optimized] {
        for native in [false, true] {
            let mut x = [0.0f64, 1.0, 2.0];
            let args = [x.as_mut_ptr().expose_provenance() as u64, 3, ROUNDS];
            let (mut out, mut host) = ([0], Counts::default());
            match native {
                false => interp::run(module, &args, &mut out, &mut host).unwrap(),
                true => compile(module, &Options::default()).unwrap().run(&args, &mut out, &mut host).unwrap(),
            }
            results.push(f64::from_bits(out[0]));
            most.push(host.most);
        }
    }
    assert!(results.iter().all(|result| *result == results[0]), "{results:?}");
    (results[0], most)
}

#[test]
fn what_a_round_made_is_given_back() {
    let f = looped(&[line()], |_, x| vec![x], |f, c| vec![more(f, 1, c[0])], |f, c| first(f, c[0]));
    let (result, most) = run(vec![f, kernel()]);
    assert_eq!(result, ROUNDS as f64);
    assert_eq!(most, [2; 4]);
}

#[test]
fn a_view_keeps_its_array() {
    let round = |f: &mut Builder, c: &[Value]| {
        let made = more(f, 1, c[1]);
        let view = rest(f, made);
        // The view is read in the next round, its array never again.
        vec![view, c[1]]
    };
    let f = looped(&[line(), line()], |_, x| vec![x, x], round, |f, c| first(f, c[0]));
    let (result, most) = run(vec![f, kernel()]);
    assert_eq!(result, 2.0);
    assert_eq!(most, [2; 4]);
}

#[test]
fn what_every_round_reads_stays() {
    let before = std::cell::Cell::new(Value(0));
    let start = |f: &mut Builder, x: Value| {
        before.set(more(f, 1, x));
        vec![x, x]
    };
    // Read in the next round, before the loop goes back again: nothing hands it on.
    let round = |f: &mut Builder, c: &[Value]| {
        first(f, c[0]);
        vec![more(f, 1, before.get()), c[0]]
    };
    let f = looped(&[line(), line()], start, round, |f, c| {
        let (a, b) = (first(f, c[0]), first(f, c[1]));
        f.op(Op::Add(Mode::Python), &[a, b], Ty::FLOAT)
    });
    let (result, most) = run(vec![f, kernel()]);
    assert_eq!(result, 4.0);
    assert_eq!(most, [4; 4]);
}

#[test]
fn arrays_that_change_places_stay() {
    let round = |f: &mut Builder, c: &[Value]| vec![c[1], more(f, 1, c[0])];
    let f = looped(&[line(), line()], |_, x| vec![x, x], round, |f, c| first(f, c[1]));
    let (result, most) = run(vec![f, kernel()]);
    assert_eq!(result, ROUNDS as f64 / 2.0);
    assert_eq!(most, [3; 4]);
}

#[test]
fn arrays_in_tuples_stay() {
    let pair = Ty::Tuple([Ty::INT, line(), Ty::Tuple([line()].into())].into());
    let tuple = |f: &mut Builder, a: Value, b: Value| {
        let inner = f.op(Op::Tuple, &[b], Ty::Tuple([line()].into()));
        let zero = f.int(0);
        f.op(Op::Tuple, &[zero, a, inner], Ty::Tuple([Ty::INT, line(), Ty::Tuple([line()].into())].into()))
    };
    let items = |f: &mut Builder, pair: Value| {
        let a = f.op(Op::Item(1), &[pair], line());
        let inner = f.op(Op::Item(2), &[pair], Ty::Tuple([line()].into()));
        (a, f.op(Op::Item(0), &[inner], line()))
    };
    let round = |f: &mut Builder, c: &[Value]| {
        let (a, b) = items(f, c[0]);
        let made = more(f, 1, a);
        vec![tuple(f, b, made)]
    };
    let end = |f: &mut Builder, c: &[Value]| {
        let (_, b) = items(f, c[0]);
        first(f, b)
    };
    let f = looped(&[pair], |f, x| vec![tuple(f, x, x)], round, end);
    let (result, most) = run(vec![f, kernel()]);
    assert_eq!(result, ROUNDS as f64 / 2.0);
    assert_eq!(most, [3; 4]);
}

#[test]
fn a_callee_leaves_what_its_callers_have() {
    // The loop of the callee gives back what it made itself, and its caller has an array that it does not know.
    let callee = looped(&[line()], |_, x| vec![x], |f, c| vec![more(f, 2, c[0])], |f, c| first(f, c[0]));
    let mut f = function("f", &[line(), Ty::INT], Ty::FLOAT);
    let (x, n) = (f.param(BlockId(0), 0), f.param(BlockId(0), 1));
    let own = more(&mut f, 2, x);
    let other = more(&mut f, 2, own);
    let a = f.op(Op::Call(FuncId(1)), &[other, n], Ty::FLOAT);
    let b = first(&mut f, own);
    let sum = f.op(Op::Add(Mode::Python), &[a, b], Ty::FLOAT);
    f.ret(sum);
    let (result, most) = run(vec![f.done(), callee, kernel()]);
    assert_eq!(result, ROUNDS as f64 + 3.0);
    assert_eq!(most, [4; 4]);
}

#[test]
fn what_a_callee_gives_is_its_callers() {
    let mut callee = function("twice", &[line()], line());
    let x = callee.param(BlockId(0), 0);
    let once = more(&mut callee, 2, x);
    let twice = more(&mut callee, 2, once);
    let view = rest(&mut callee, twice);
    // So that it is not one kernel.
    let zero = callee.int(0);
    callee.op(Op::Load, &[once, zero], Ty::FLOAT);
    callee.ret(view);
    let round = |f: &mut Builder, c: &[Value]| {
        let given = f.op(Op::Call(FuncId(1)), &[c[1]], line());
        vec![given, c[1]]
    };
    let f = looped(&[line(), line()], |_, x| vec![x, x], round, |f, c| first(f, c[0]));
    let (result, most) = run(vec![f, callee.done(), kernel()]);
    assert_eq!(result, 3.0);
    assert!(most.iter().all(|most| *most <= 3), "{most:?}");
}

#[test]
fn where_no_loop_makes_arrays_nothing_is_counted() {
    let mut f = function("f", &[line(), Ty::INT], Ty::FLOAT);
    let x = f.param(BlockId(0), 0);
    let made = more(&mut f, 1, x);
    let result = first(&mut f, made);
    f.ret(result);
    let read = looped(&[line()], |_, x| vec![x], |_, c| vec![c[0]], |f, c| first(f, c[0]));
    let mut module = module(vec![f.done(), kernel(), read]);
    insert(&mut module);
    let mut insts = module.functions.iter().flat_map(|f| &f.blocks).flat_map(|block| &block.insts);
    assert!(!insts.any(|inst| matches!(inst.op, Op::Mark | Op::Keep)));
}

#[test]
fn an_array_that_becomes_a_number_is_not_made() {
    use crate::typed::Reduction;
    let round = |f: &mut Builder, c: &[Value]| {
        let made = more(f, 1, c[0]);
        let zero = f.int(0);
        f.op(Op::Load, &[c[0], zero], Ty::FLOAT);
        f.op(Op::Reduce(Reduction::Sum, FuncId(2)), &[made], Ty::FLOAT);
        vec![c[0]]
    };
    let mut same = function("same", &[Ty::FLOAT], Ty::FLOAT);
    let x = same.param(BlockId(0), 0);
    same.ret(x);
    let f = looped(&[line()], |_, x| vec![x], round, |f, c| first(f, c[0]));
    let mut module = module(vec![f, kernel(), same.done()]);
    insert(&mut module);
    let keeps = |module: &Module| {
        let insts = module.functions.iter().flat_map(|f| &f.blocks).flat_map(|block| &block.insts);
        insts.filter(|inst| matches!(inst.op, Op::Mark | Op::Keep)).count()
    };
    assert_eq!(keeps(&module), 2);
    optimize(&mut module).expect("passes");
    assert_eq!(keeps(&module), 0);
}

#[test]
fn a_loop_of_many_ways_round_takes_linear_time() {
    // Each round goes back from one of 10,000 places, with an array in its hands.
    let mut f = function("f", &[line(), Ty::INT], Ty::FLOAT);
    let x = f.param(BlockId(0), 0);
    let head = f.block(&[line()]);
    let (mut at, exit) = (f.block(&[]), f.block(&[]));
    f.jump(head, &[x]);
    let a = f.param(head, 0);
    f.at(head);
    let made = more(&mut f, 1, a);
    f.jump(at, &[]);
    for _ in 0..if cfg!(miri) { 100 } else { 10_000 } {
        let next = f.block(&[]);
        f.at(at);
        let yes = f.bool(true);
        f.branch(yes, (head, &[made]), (next, &[]));
        at = next;
    }
    f.at(at).jump(exit, &[]);
    f.at(exit);
    let result = first(&mut f, made);
    f.ret(result);
    let mut module = module(vec![f.done(), kernel()]);
    let begin = std::time::Instant::now();
    insert(&mut module);
    verify(&module).unwrap();
    assert!(begin.elapsed() < std::time::Duration::from_secs(2));
}
