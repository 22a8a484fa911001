//! Small functions in and out of variables.

use super::{End, Function, Op, UNDEF};
use crate::builtins::primitive;
use crate::diag::Error;
use crate::ir::{self, Args, Inst, Literal, Op as Ir, Param, Signature};
use crate::limits::Limits;
use crate::span::Span;

/// A function of one parameter `p`, number 0, and the variable `x`, number 1.
fn function(blocks: Vec<Vec<Ir>>) -> ir::Function {
    let mut insts = Vec::new();
    let mut ranges = Vec::new();
    for ops in blocks {
        let first = insts.len() as u32;
        insts.extend(ops.into_iter().map(|op| Inst { op, span: Span::default() }));
        ranges.push((first, insts.len() as u32));
    }
    let param = Param { name: "p".into(), ty: None, span: Span::default() };
    let (span, result_span) = Default::default();
    let signature = Signature { name: "f".into(), span, params: vec![param], result: None, result_span };
    ir::Function { signature, locals: vec!["p".into(), "x".into()], blocks: ranges, insts }
}

fn build(function: &ir::Function) -> Result<Function, Error> {
    let limits = Limits::default();
    super::build(function, &limits, &mut limits.joins.clone())
}

fn int(value: i64) -> Ir {
    Ir::Const(Literal::Int(value))
}

fn add(a: u32, b: u32) -> Ir {
    Ir::Prim(primitive("add").unwrap(), Args::from_slice(&[a, b]))
}

fn params(function: &Function) -> Vec<usize> {
    function.blocks.iter().map(|block| block.params.len()).collect()
}

fn bound_checks(function: &Function) -> usize {
    let insts = function.blocks.iter().flat_map(|block| &block.insts);
    insts.filter(|inst| matches!(inst.op, Op::RequireBound(..))).count()
}

#[test]
fn a_join_gets_a_parameter_for_what_differs() {
    let made = build(&function(vec![
        vec![Ir::Get(0), Ir::Branch(0, 1, 2)],
        vec![int(1), Ir::Set(1, 2), Ir::Jump(3)],
        vec![int(2), Ir::Set(1, 5), Ir::Jump(3)],
        vec![Ir::Get(1), Ir::Get(0), add(8, 9), Ir::Return(10)],
    ]));
    let made = made.unwrap();
    assert_eq!(params(&made), [1, 0, 0, 1]);
    assert_eq!(bound_checks(&made), 0);
    let join = made.blocks[3].params[0].value;
    assert_eq!(made.blocks[3].insts[0].op.operands(), [join, 0]);
}

#[test]
fn a_loop_keeps_only_what_it_changes() {
    // x = 0; while p: x = x + p
    let made = build(&function(vec![
        vec![int(0), Ir::Set(1, 0), Ir::Jump(1)],
        vec![Ir::Get(0), Ir::Branch(3, 2, 3)],
        vec![Ir::Get(1), Ir::Get(0), add(5, 6), Ir::Set(1, 7), Ir::Jump(1)],
        vec![Ir::Get(1), Ir::Return(10)],
    ]));
    assert_eq!(params(&made.unwrap()), [1, 1, 0, 0]);
}

#[test]
fn what_nobody_reads_has_no_parameter() {
    let made = build(&function(vec![
        vec![Ir::Get(0), Ir::Branch(0, 1, 2)],
        vec![int(1), Ir::Set(1, 2), Ir::Jump(2)],
        vec![Ir::Get(0), Ir::Return(5)],
    ]));
    assert_eq!(params(&made.unwrap()), [1, 0, 0]);
}

#[test]
fn a_variable_that_may_be_unwritten_is_asked_for_once_a_block() {
    // if p: x = 1
    // x + x
    let made = build(&function(vec![
        vec![Ir::Get(0), Ir::Branch(0, 1, 2)],
        vec![int(1), Ir::Set(1, 2), Ir::Jump(2)],
        vec![Ir::Get(1), Ir::Get(1), add(5, 6), Ir::Return(7)],
    ]));
    let made = made.unwrap();
    assert_eq!(params(&made), [1, 0, 2], "the value and whether there is one");
    assert_eq!(bound_checks(&made), 1);
    let End::Branch(_, _, unwritten) = &made.blocks[0].end else { panic!("the first block branches") };
    assert_eq!(unwritten.args[0], UNDEF);
}

#[test]
fn a_variable_that_is_never_written_before_is_a_mistake() {
    let read_first = function(vec![vec![Ir::Get(1), Ir::Set(1, 0), Ir::Return(0)]]);
    let Err(Error::User(diag)) = build(&read_first) else { panic!("x is read before it is written") };
    assert_eq!((diag.code, diag.args), ("unbound-local", vec!["x".to_owned()]));
}

#[test]
fn an_operand_from_another_path_is_refused() {
    let made =
        build(&function(vec![vec![Ir::Get(0), Ir::Branch(0, 1, 2)], vec![int(1), Ir::Jump(2)], vec![Ir::Return(2)]]));
    assert!(matches!(made, Err(Error::Broken(_))));
}

#[test]
fn unreachable_blocks_are_dropped() {
    let made = build(&function(vec![vec![Ir::Get(0), Ir::Return(0)], vec![Ir::Jump(1)]]));
    assert_eq!(made.unwrap().blocks.len(), 1);
}
