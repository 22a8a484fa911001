//! Passes keep what programs mean: random programs, run before and after on random arguments, by the interpreter.

mod arrays;
mod lines;
pub mod random;

use super::*;
use crate::eval::eval;
use crate::typed::build::{Builder, function, module, outcome, ticks};
use crate::typed::text::to_text;
use crate::typed::verify::verify;
use crate::typed::{BlockId, Cond, Const, FuncId, Mode, Op};
use crate::types::Ty;
use crate::types::ticks::{Counting, insert};
use random::{Random, TYPES, U64, chain, program};

#[test]
fn random_programs_mean_the_same_after_every_pass() {
    let rounds =
        std::env::var("JIB_OPT_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(if cfg!(miri) { 3 } else { 1500 });
    let (mut answers, mut failures) = (0, 0);
    for seed in 0..rounds {
        let mut random = Random(seed);
        random.bits();
        let mut before = program(&mut random);
        insert(&mut before, Counting::Polls);
        verify(&before)
            .unwrap_or_else(|broken| panic!("seed {seed}: {broken}\n{}", to_text(&before, &Default::default())));
        let params: Vec<Ty> = before.functions[0].params().iter().map(|v| before.functions[0].ty(*v).clone()).collect();
        let arguments: Vec<Vec<u64>> = (0..12).map(|_| params.iter().map(|ty| random.slot(ty)).collect()).collect();
        let outcomes: Vec<_> = arguments.iter().map(|args| outcome(&before, args)).collect();
        let mut after = before.clone();
        for pass in PASSES {
            (pass.run)(&mut after);
            let text = || format!("seed {seed}, {}:\n{}", pass.name, to_text(&after, &Default::default()));
            verify(&after).unwrap_or_else(|broken| panic!("{broken}\n{}", text()));
            for (args, want) in arguments.iter().zip(&outcomes) {
                assert_eq!(
                    &outcome(&after, args),
                    want,
                    "{args:?} {}\nbefore:\n{}",
                    text(),
                    to_text(&before, &Default::default())
                );
            }
        }
        for args in &arguments {
            assert_eq!(ticks(&after, args), ticks(&before, args), "seed {seed}: {args:?}");
        }
        answers += outcomes.iter().filter(|o| o.0.is_ok()).count();
        failures += outcomes.iter().filter(|o| o.0.is_err()).count();
    }
    // A generator whose programs all fail at once would show nothing.
    assert!(cfg!(miri) || answers * 4 > failures, "{answers} answers, {failures} failures");
}

#[test]
fn short_chains_mean_the_same() {
    let rounds = if cfg!(miri) { 20 } else { 60_000 };
    for seed in 0..rounds {
        let mut random = Random(seed);
        random.bits();
        let before = chain(&mut random);
        let function = &before.functions[0];
        let mut after = before.clone();
        for pass in PASSES {
            (pass.run)(&mut after);
        }
        verify(&after).unwrap_or_else(|broken| panic!("seed {seed}: {broken}\n{}", plain(&after)));
        for _ in 0..16 {
            let x = random.slot(function.ty(function.params()[0]));
            let (want, have) = (outcome(&before, &[x]), outcome(&after, &[x]));
            assert_eq!(have, want, "seed {seed}, {x:#x}\n{}\nbefore:\n{}", plain(&after), plain(&before));
        }
    }
}

/// Optimises one function and gives its text without places.
fn optimized(f: Builder) -> String {
    let mut module = module(vec![f.done()]);
    verify(&module).unwrap();
    optimize(&mut module).expect("passes");
    plain(&module)
}

fn plain(module: &Module) -> String {
    to_text(module, &Default::default())
        .lines()
        .map(|line| line.split(" ;").next().unwrap_or("").trim_end().to_owned() + "\n")
        .collect()
}

#[test]
fn constants_fold_through_everything() {
    let mut f = function("f", &[Ty::INT], Ty::INT);
    let (yes, no) = (f.block(&[]), f.block(&[]));
    let join = f.block(&[Ty::INT]);
    let (two, three) = (f.int(2), f.int(3));
    let less = f.op(Op::Cmp(Cond::Lt), &[two, three], Ty::Bool);
    f.branch(less, (yes, &[]), (no, &[]));
    f.at(yes);
    let product = f.op(Op::Mul(Mode::Python), &[two, three], Ty::INT);
    f.jump(join, &[product]);
    f.at(no).jump(join, &[two]);
    f.at(join);
    let sum = f.op(Op::Add(Mode::Python), &[f.param(join, 0), f.param(BlockId(0), 0)], Ty::INT);
    f.ret(sum);
    let want = "func f(%0: int) -> int\nblock0(%0: int):\n  %1 = const int 6\n  %2 = add.int %1, %0\n  return %2\n";
    assert_eq!(optimized(f), want);
}

#[test]
fn what_raises_stays() {
    let mut f = function("f", &[Ty::INT], Ty::INT);
    let x = f.param(BlockId(0), 0);
    let zero = f.int(0);
    f.op(Op::FloorDiv(Mode::Python), &[x, zero], Ty::INT);
    let most = f.int(i64::MAX);
    f.op(Op::Add(Mode::Python), &[most, most], Ty::INT);
    f.op(Op::Add(Mode::Numpy), &[x, x], Ty::INT);
    f.ret(zero);
    let text = optimized(f);
    assert!(text.contains("floordiv.int") && text.contains("add.int %"), "{text}");
    assert!(!text.contains("add.int.wrap"), "{text}");
}

#[test]
fn short_circuits_jump_past_the_second_test() {
    // a and b, as a condition: branch a, rhs, join(a); rhs: jump join(b); join(%c): branch %c, yes, no.
    let mut f = function("f", &[Ty::Bool, Ty::Bool], Ty::INT);
    let (rhs, join, yes, no) = (f.block(&[]), f.block(&[Ty::Bool]), f.block(&[]), f.block(&[]));
    let (a, b) = (f.param(BlockId(0), 0), f.param(BlockId(0), 1));
    f.branch(a, (rhs, &[]), (join, &[a]));
    f.at(rhs).jump(join, &[b]);
    let c = f.param(join, 0);
    f.at(join).branch(c, (yes, &[]), (no, &[]));
    f.at(yes);
    let one = f.int(1);
    f.ret(one);
    f.at(no);
    let zero = f.int(0);
    f.ret(zero);
    let text = optimized(f);
    assert!(text.contains("branch %0, block1, block3"), "{text}");
    assert!(text.contains("branch %1, block2, block3"), "{text}");
}

#[test]
fn small_functions_go_where_they_are_called() {
    let mut square = function("square", &[Ty::FLOAT], Ty::FLOAT);
    let x = square.param(BlockId(0), 0);
    let product = square.op(Op::Mul(Mode::Python), &[x, x], Ty::FLOAT);
    square.ret(product);
    let mut norm = function("norm", &[Ty::FLOAT, Ty::FLOAT], Ty::FLOAT);
    let squares = [0, 1].map(|i| {
        let arg = norm.param(BlockId(0), i);
        norm.op(Op::Call(FuncId(2)), &[arg], Ty::FLOAT)
    });
    let sum = norm.op(Op::Add(Mode::Python), &squares, Ty::FLOAT);
    norm.ret(sum);
    let mut main = function("main", &[Ty::FLOAT, Ty::FLOAT], Ty::FLOAT);
    let args = [main.param(BlockId(0), 0), main.param(BlockId(0), 1)];
    let result = main.op(Op::Call(FuncId(1)), &args, Ty::FLOAT);
    main.ret(result);
    let mut module = module(vec![main.done(), norm.done(), square.done()]);
    optimize(&mut module).expect("passes");
    let want = "func main(%0: float, %1: float) -> float
block0(%0: float, %1: float):
  %2 = mul.float %0, %0
  %3 = mul.float %1, %1
  %4 = add.float %2, %3
  return %4
";
    assert_eq!(plain(&module), want);
}

#[test]
fn recursive_functions_stay_functions() {
    let mut functions = Vec::new();
    for (name, other) in [("even", 1), ("odd", 0)] {
        let mut f = function(name, &[Ty::INT], Ty::INT);
        let n = f.param(BlockId(0), 0);
        let result = f.op(Op::Call(FuncId(other)), &[n], Ty::INT);
        f.ret(result);
        functions.push(f.done());
    }
    let mut module = module(functions);
    optimize(&mut module).expect("passes");
    assert_eq!(module.functions.len(), 2);
    assert!(plain(&module).contains("call odd"));
}

#[test]
fn an_empty_endless_loop_stays() {
    let mut f = function("f", &[], Ty::None);
    let (a, b) = (f.block(&[]), f.block(&[]));
    f.jump(a, &[]);
    f.at(a).jump(b, &[]);
    f.at(b).jump(a, &[]);
    assert!(optimized(f).contains("jump block1"));
}

#[test]
fn large_functions_take_linear_time() {
    let blocks = if cfg!(miri) { 50 } else { 20_000 };
    let mut f = function("f", &[Ty::INT, Ty::Bool], Ty::INT);
    let (mut x, c) = (f.param(BlockId(0), 0), f.param(BlockId(0), 1));
    for i in 0..blocks {
        let one = f.int(i % 3);
        let next = f.op(Op::Add(Mode::Python), &[x, one], Ty::INT);
        let (then, join) = (f.block(&[]), f.block(&[Ty::INT]));
        f.branch(c, (then, &[]), (join, &[x]));
        f.at(then).jump(join, &[next]);
        x = f.param(join, 0);
        f.at(join);
    }
    f.ret(x);
    let mut module = module(vec![f.done()]);
    let start = std::time::Instant::now();
    optimize(&mut module).expect("passes");
    // Generous: a quadratic pass takes minutes.
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}

/// Constant operands and `eval` agree by construction; here the identities, each on every edge of its type.
#[test]
fn identities_hold_on_all_edges() {
    let mut random = Random(7);
    for round in 0..if cfg!(miri) { 20 } else { 20_000 } {
        let ty = random.pick(&TYPES).clone();
        let constant = random.slot(&ty);
        let (m, left) = (random.mode(), random.below(2) == 0);
        let ops: &[Op] = match &ty {
            Ty::Bool => &[Op::And, Op::Or, Op::Xor, Op::Cmp(Cond::Eq), Op::Cmp(Cond::Ne)],
            Ty::Int(_) => &[
                Op::Add(m),
                Op::Sub(m),
                Op::Mul(m),
                Op::FloorDiv(m),
                Op::Mod(m),
                Op::And,
                Op::Or,
                Op::Xor,
                Op::IntDiv(m),
            ],
            _ => &[Op::Add(m), Op::Sub(m), Op::Mul(m), Op::Div(m)],
        };
        let op = random.pick(ops).clone();
        if matches!(op, Op::IntDiv(_)) && ty != Ty::INT && ty != U64 {
            continue;
        }
        let result = match op {
            Op::Cmp(_) => Ty::Bool,
            Op::IntDiv(_) => Ty::FLOAT,
            _ => ty.clone(),
        };
        let mut f = function("f", std::slice::from_ref(&ty), result.clone());
        let x = f.param(BlockId(0), 0);
        let literal = match ty {
            Ty::Bool => Const::Bool(constant != 0),
            Ty::Int(_) => Const::Int(constant),
            _ => Const::Float(f64::from_bits(constant)),
        };
        let c = f.op(Op::Const(literal), &[], ty.clone());
        let value = f.op(op.clone(), &if left { [c, x] } else { [x, c] }, result.clone());
        f.ret(value);
        let mut module = module(vec![f.done()]);
        optimize(&mut module).expect("passes");
        for _ in 0..8 {
            let x = random.slot(&ty);
            let args = if left { [constant, x] } else { [x, constant] };
            let want = eval(&op, &[&ty, &ty], &result, &args).map(|slots| slots.to_vec());
            let have = outcome(&module, &[x]).0.map_err(|failure| failure.cause);
            assert_eq!(have, want, "round {round}: {op:?} {args:?}\n{}", plain(&module));
        }
    }
}

#[test]
fn a_step_of_a_conversion_is_left_out_only_if_it_loses_nothing() {
    let mut random = Random(3);
    let legal = |from: &Ty, to: &Ty| match (from, to) {
        (Ty::Int(a), Ty::Int(b)) => b.holds(a.min()) && b.holds(a.max()),
        (Ty::Float(_), to) => matches!(to, Ty::Float(_)),
        (_, to) => *to != Ty::Bool,
    };
    for a in &TYPES {
        for b in TYPES.iter().filter(|b| legal(a, b)) {
            for c in TYPES.iter().filter(|c| legal(b, c)) {
                let mut f = function("f", std::slice::from_ref(a), c.clone());
                let x = f.param(BlockId(0), 0);
                let y = f.op(Op::Convert, &[x], b.clone());
                let z = f.op(Op::Convert, &[y], c.clone());
                f.ret(z);
                let before = module(vec![f.done()]);
                let mut after = before.clone();
                optimize(&mut after).expect("passes");
                for _ in 0..if cfg!(miri) { 3 } else { 200 } {
                    let x = random.slot(a);
                    assert_eq!(outcome(&after, &[x]), outcome(&before, &[x]), "{a} {b} {c} {x:#x}");
                }
            }
        }
    }
}
