//! Loops, calls, recursion without bottom, printing, and where failures are.

use super::*;
use crate::failure::HostError;
use crate::typed::build::{Recorder, function, gcd, module, outcome};
use crate::typed::verify::verify;
use crate::typed::{BlockId, Cond, FuncId, Mode, Piece, Print};

fn checked(functions: Vec<Function>) -> Module {
    let module = module(functions);
    verify(&module).unwrap();
    module
}

#[test]
fn a_loop() {
    let module = checked(vec![gcd()]);
    assert_eq!(outcome(&module, &[48, 36]).0, Ok(vec![12]));
    assert_eq!(outcome(&module, &[-48i64 as u64, 36]).0, Ok(vec![12]));
}

#[test]
fn parameters_are_written_at_once() {
    // while n: a, b, n = b, a, n - 1
    let mut f = function("swap", &[Ty::INT, Ty::INT, Ty::INT], Ty::Tuple([Ty::INT, Ty::INT].into()));
    let start: Vec<Value> = (0..3).map(|i| f.param(BlockId(0), i)).collect();
    let (head, body, exit) = (f.block(&[Ty::INT, Ty::INT, Ty::INT]), f.block(&[]), f.block(&[]));
    f.jump(head, &start);
    let (a, b, n) = (f.param(head, 0), f.param(head, 1), f.param(head, 2));
    f.at(head);
    let zero = f.int(0);
    let more = f.op(Op::Cmp(Cond::Gt), &[n, zero], Ty::Bool);
    f.branch(more, (body, &[]), (exit, &[]));
    f.at(body);
    let one = f.int(1);
    let next = f.op(Op::Sub(Mode::Python), &[n, one], Ty::INT);
    f.jump(head, &[b, a, next]);
    f.at(exit);
    let pair = f.op(Op::Tuple, &[a, b], Ty::Tuple([Ty::INT, Ty::INT].into()));
    f.ret(pair);
    let module = checked(vec![f.done()]);
    assert_eq!(outcome(&module, &[1, 2, 3]).0, Ok(vec![2, 1]));
    assert_eq!(outcome(&module, &[1, 2, 4]).0, Ok(vec![1, 2]));
}

/// `f(n) = 1 + f(n - 1) if n else 0`.
fn depth() -> Function {
    let mut f = function("depth", &[Ty::INT], Ty::INT);
    let (more, done) = (f.block(&[]), f.block(&[]));
    let n = f.param(BlockId(0), 0);
    let zero = f.int(0);
    let test = f.op(Op::Cmp(Cond::Ne), &[n, zero], Ty::Bool);
    f.branch(test, (more, &[]), (done, &[]));
    f.at(more);
    let one = f.int(1);
    let less = f.op(Op::Sub(Mode::Numpy), &[n, one], Ty::INT);
    let rest = f.op(Op::Call(FuncId(0)), &[less], Ty::INT);
    let sum = f.op(Op::Add(Mode::Python), &[one, rest], Ty::INT);
    f.ret(sum);
    f.at(done).ret(zero);
    f.done()
}

#[test]
fn recursion_has_a_bottom() {
    let module = checked(vec![depth()]);
    let deep = if cfg!(miri) { 50 } else { MAX_FRAMES as u64 - 1 };
    assert_eq!(outcome(&module, &[deep]).0, Ok(vec![deep]));
    if !cfg!(miri) {
        let call = module.functions[0].blocks[1].insts[2].span;
        let failure = Failure { cause: Cause::Fault(Fault::Recursion), span: call };
        assert_eq!(outcome(&module, &[MAX_FRAMES as u64]).0, Err(failure.clone()));
        assert_eq!(outcome(&module, &[-1i64 as u64]).0, Err(failure));
    }
}

#[test]
fn failures_know_their_place() {
    let mut f = function("f", &[Ty::INT], Ty::INT);
    let (fine, bad) = (f.block(&[]), f.block(&[]));
    let x = f.param(BlockId(0), 0);
    let one = f.int(1);
    let sum = f.op(Op::Add(Mode::Python), &[x, one], Ty::INT);
    let test = f.op(Op::Cmp(Cond::Lt), &[x, one], Ty::Bool);
    f.branch(test, (fine, &[]), (bad, &[]));
    f.at(fine).ret(sum);
    f.at(bad).raise();
    let module = checked(vec![f.done()]);
    let blocks = &module.functions[0].blocks;
    assert_eq!(outcome(&module, &[0]).0, Ok(vec![1]));
    let overflow = Failure { cause: Cause::Fault(Fault::IntOverflow), span: blocks[0].insts[1].span };
    assert_eq!(outcome(&module, &[i64::MAX as u64]).0, Err(overflow));
    let raised = Failure { cause: Cause::Raised(module.raises[0].clone()), span: blocks[2].end_span };
    assert_eq!(outcome(&module, &[2]).0, Err(raised));
}

fn printing() -> Module {
    let mut f = function("f", &[Ty::INT, Ty::FLOAT], Ty::None);
    let (x, y) = (f.param(BlockId(0), 0), f.param(BlockId(0), 1));
    let pieces = vec![Piece::Value, Piece::Text("and".into()), Piece::Value];
    let print = Print { sep: " ".into(), end: "\n".into(), pieces };
    let none = f.op(Op::Print(print.into()), &[x, y], Ty::None);
    f.ret(none);
    checked(vec![f.done()])
}

#[test]
fn print_reaches_the_host() {
    assert_eq!(outcome(&printing(), &[7, 2f64.to_bits()]), (Ok(vec![]), "7 and 2.0\n".to_owned()));
}

struct Refuses;

impl Host for Refuses {
    fn print(&mut self, _: &str) -> Result<(), HostError> {
        Err(HostError)
    }
}

#[test]
fn a_host_may_refuse() {
    let module = printing();
    let failure = run(&module, &[7, 0], &mut [], &mut Refuses).unwrap_err();
    assert_eq!(failure, Failure { cause: Cause::Host, span: module.functions[0].blocks[0].insts[0].span });

    let mut f = function("forever", &[], Ty::None);
    let head = f.block(&[]);
    f.jump(head, &[]);
    f.at(head).tick();
    f.jump(head, &[]);
    let module = checked(vec![f.done()]);
    let mut host = Recorder { patience: Some(3), ..Recorder::default() };
    let failure = Failure { cause: Cause::Host, span: module.functions[0].blocks[1].insts[0].span };
    assert_eq!(run(&module, &[], &mut [], &mut host), Err(failure));
}
