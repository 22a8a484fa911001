//! Long and deep programs through all stages, on a small stack.

use crate::builtins::primitive;
use crate::diag::Error;
use crate::ir::{self, Args, Inst, Literal, Op, Param, Signature, ssa};
use crate::limits::Limits;
use crate::opt::optimize;
use crate::span::{Lines, Span};
use crate::typed::{self, Mode};
use crate::types::Ty;
use crate::types::infer::{Declared, infer};

const ROOMY: Limits = Limits { joins: 10_000_000, values: 10_000_000, blocks: 0, kept: 0 };

/// A function of `p`, number 0, with the variables from 1 on. Operands count instructions back from their user.
fn function(name: &str, locals: usize, blocks: Vec<Vec<Op>>) -> ir::Function {
    let mut insts: Vec<Inst> = Vec::new();
    let mut ranges = Vec::new();
    for ops in blocks {
        let first = insts.len() as u32;
        for op in ops {
            let at = insts.len() as u32;
            let op = match op {
                Op::Set(local, back) => Op::Set(local, at - back),
                Op::Prim(row, args) => Op::Prim(row, args.iter().map(|back| at - back).collect()),
                Op::Call(callee, args) => Op::Call(callee, args.iter().map(|back| at - back).collect()),
                Op::Branch(back, yes, no) => Op::Branch(at - back, yes, no),
                Op::Return(back) => Op::Return(at - back),
                other => other,
            };
            insts.push(Inst { op, span: Span::default() });
        }
        ranges.push((first, insts.len() as u32));
    }
    let (span, result_span) = Default::default();
    let params = vec![Param { name: "p".into(), ty: None, span: Span::default() }];
    let signature = Signature { name: name.into(), span, params, result: None, result_span };
    let names = (0..=locals).map(|i| if i == 0 { "p".into() } else { format!("v{i}").into() });
    ir::Function { signature, locals: names.collect(), blocks: ranges, insts }
}

fn add() -> Op {
    Op::Prim(primitive("add").expect("a row"), Args::from_slice(&[2, 1]))
}

fn declared(functions: &[ir::Function]) -> Result<Vec<Declared>, Error> {
    let mut joins = ROOMY.joins;
    functions.iter().map(|function| Declared::new(ssa::build(function, &ROOMY, &mut joins)?)).collect()
}

fn module(functions: &[ir::Function]) -> typed::Module {
    infer(&declared(functions).expect("builds"), &[Ty::INT], &[], None, Mode::Python, &ROOMY).expect("has types")
}

/// Where a recursion over anything would end.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(256 << 10).spawn(work).expect("a thread");
    thread.join().expect("no overflow, no panic");
}

/// `v1 = 0`, and then so many times `if p: v1 = v1 + p`.
fn ifs(n: u32) -> ir::Function {
    let mut blocks = vec![vec![Op::Const(Literal::Int(0)), Op::Set(1, 1), Op::Jump(1)]];
    for i in 0..n {
        let (own, next) = (2 * i + 2, 2 * i + 3);
        blocks.push(vec![Op::Get(0), Op::Branch(1, own, next)]);
        blocks.push(vec![Op::Get(1), Op::Get(0), add(), Op::Set(1, 1), Op::Jump(next)]);
    }
    blocks.push(vec![Op::Get(1), Op::Return(1)]);
    function("ifs", 1, blocks)
}

const MANY: u32 = if cfg!(miri) { 100 } else { 50_000 };

#[test]
fn many_blocks_on_a_small_stack() {
    on_a_small_stack(|| {
        let mut module = module(&[ifs(MANY)]);
        assert_eq!(module.functions[0].blocks.len(), 2 * MANY as usize + 2);
        optimize(&mut module).unwrap();
        typed::verify::verify(&module).expect("fine");
        assert!(typed::text::to_text(&module, &Lines(vec![0])).len() > MANY as usize);
        assert!(typed::dot::to_dot(&module).len() > MANY as usize);
    });
}

#[test]
fn a_circle_of_many_functions_on_a_small_stack() {
    on_a_small_stack(|| {
        let n = MANY / 5;
        // def f(p): return g(p) if p else 0
        let functions: Vec<ir::Function> = (0..n)
            .map(|i| {
                let call = Op::Call((i + 1) % n, Args::from_slice(&[1]));
                let zero = Op::Const(Literal::Int(0));
                let blocks = vec![
                    vec![Op::Get(0), Op::Branch(1, 1, 2)],
                    vec![Op::Get(0), call, Op::Return(1)],
                    vec![zero, Op::Return(1)],
                ];
                function("f", 0, blocks)
            })
            .collect();
        let mut module = module(&functions);
        assert_eq!(module.functions.len(), n as usize);
        optimize(&mut module).unwrap();
        typed::verify::verify(&module).expect("fine");
    });
}

/// Variables that take over each other's value in a loop, the last of which becomes a float: `v1 = v2; v2 = v3; …`.
#[test]
fn types_that_rise_one_after_the_other_take_linear_time() {
    let n = MANY;
    let mut start = vec![Op::Get(0)];
    start.extend((1..=n).map(|i| Op::Set(i, i)));
    start.push(Op::Jump(1));
    let mut body: Vec<Op> = (1..n).flat_map(|i| [Op::Get(i + 1), Op::Set(i, 1)]).collect();
    body.extend([Op::Const(Literal::Float(0.5)), Op::Set(n, 1), Op::Jump(1)]);
    let blocks = vec![start, vec![Op::Get(0), Op::Branch(1, 2, 3)], body, vec![Op::Get(1), Op::Return(1)]];
    let module = module(&[function("f", n as usize, blocks)]);
    assert_eq!(module.functions[0].result, Ty::FLOAT);
}

/// `(p or p) and (p or p) and …`: the variable of each `or` is read where its two sides meet, not where all meet.
#[test]
fn what_is_read_at_once_is_not_taken_along_to_the_end() {
    let n = MANY / 5;
    let last = 3 * n;
    let mut blocks = Vec::new();
    for i in 0..n {
        let (other, join, next) = (3 * i + 1, 3 * i + 2, 3 * i + 3);
        blocks.push(vec![Op::Get(0), Op::Set(i + 2, 1), Op::Branch(2, join, other)]);
        blocks.push(vec![Op::Get(0), Op::Set(i + 2, 1), Op::Jump(join)]);
        blocks.push(vec![Op::Get(i + 2), Op::Set(1, 1), Op::Branch(2, next, last)]);
    }
    blocks.push(vec![Op::Get(1), Op::Return(1)]);
    let unit = declared(&[function("f", n as usize + 1, blocks)]).expect("builds");
    let args: usize = unit[0].ssa.blocks.iter().flat_map(|block| block.end.edges()).map(|edge| edge.args.len()).sum();
    assert!(args <= 4 * n as usize, "{args}");
}

#[test]
fn more_joins_than_allowed_are_refused() {
    let limits = Limits { joins: 10, ..Limits::default() };
    let refused = ssa::build(&ifs(20), &limits, &mut limits.joins.clone());
    let Err(Error::User(diag)) = refused else { panic!("twenty joins of two are more than ten") };
    assert_eq!((diag.code, diag.args), ("limit-joins", vec!["10".to_owned()]));
    assert!(ssa::build(&ifs(5), &limits, &mut limits.joins.clone()).is_ok());
}

#[test]
fn more_values_than_allowed_are_refused() {
    let limits = Limits { values: 10, ..Limits::default() };
    let refused = infer(&declared(&[ifs(20)]).expect("builds"), &[Ty::INT], &[], None, Mode::Python, &limits);
    let Err(Error::User(diag)) = refused else { panic!("twenty additions are more than ten values") };
    assert_eq!(diag.code, "limit-values");
}
