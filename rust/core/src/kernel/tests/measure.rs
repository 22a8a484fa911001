//! What an element costs, scalar and in vectors.

use std::time::Instant;

use super::*;

const NUMPY: Mode = Mode::Numpy;

fn axpy() -> Module {
    let mut f = function("axpy", &[Ty::FLOAT, Ty::FLOAT, Ty::FLOAT], Ty::FLOAT);
    let [a, b, c] = [0, 1, 2].map(|i| f.param(BlockId(0), i));
    let p = f.op(Op::Mul(NUMPY), &[a, b], Ty::FLOAT);
    let s = f.op(Op::Add(NUMPY), &[p, c], Ty::FLOAT);
    f.ret(s);
    module(vec![f.done()])
}

fn cubic() -> Module {
    let mut f = function("cubic", &[Ty::FLOAT], Ty::FLOAT);
    let a = f.param(BlockId(0), 0);
    let k = f.float(0.25);
    let mut y = f.op(Op::Mul(NUMPY), &[k, a], Ty::FLOAT);
    for (i, k) in [0.75, -1.5, -2.0].into_iter().enumerate() {
        let k = f.float(k);
        y = f.op(Op::Add(NUMPY), &[y, k], Ty::FLOAT);
        if i < 2 {
            y = f.op(Op::Mul(NUMPY), &[y, a], Ty::FLOAT);
        }
    }
    f.ret(y);
    module(vec![f.done()])
}

fn where_() -> Module {
    let mut f = function("where", &[Ty::FLOAT, Ty::FLOAT], Ty::FLOAT);
    let [a, b] = [0, 1].map(|i| f.param(BlockId(0), i));
    let c = f.op(Op::Cmp(Cond::Gt), &[a, b], Ty::Bool);
    let x = f.op(Op::Sub(NUMPY), &[a, b], Ty::FLOAT);
    let y = f.op(Op::Sub(NUMPY), &[b, a], Ty::FLOAT);
    let z = f.op(Op::Select, &[c, x, y], Ty::FLOAT);
    f.ret(z);
    module(vec![f.done()])
}

fn norm() -> Module {
    let mut f = function("norm", &[Ty::FLOAT, Ty::FLOAT], Ty::FLOAT);
    let [a, b] = [0, 1].map(|i| f.param(BlockId(0), i));
    let x = f.op(Op::Mul(NUMPY), &[a, a], Ty::FLOAT);
    let y = f.op(Op::Mul(NUMPY), &[b, b], Ty::FLOAT);
    let s = f.op(Op::Add(NUMPY), &[x, y], Ty::FLOAT);
    let r = f.op(Op::Sqrt, &[s], Ty::FLOAT);
    f.ret(r);
    module(vec![f.done()])
}

fn gauss() -> Module {
    let mut f = function("gauss", &[Ty::FLOAT], Ty::FLOAT);
    let a = f.param(BlockId(0), 0);
    let n = f.op(Op::Neg(NUMPY), &[a], Ty::FLOAT);
    let p = f.op(Op::Mul(NUMPY), &[n, a], Ty::FLOAT);
    let two = f.float(2.0);
    let q = f.op(Op::Div(NUMPY), &[p, two], Ty::FLOAT);
    let e = f.op(helper("exp"), &[q], Ty::FLOAT);
    f.ret(e);
    module(vec![f.done()])
}

#[test]
#[ignore = "a measurement"]
fn elements() {
    for (name, module) in
        [("a*b+c", axpy()), ("cubic", cubic()), ("where", where_()), ("norm", norm()), ("gauss", gauss())]
    {
        for count in [100usize, 10_000, 1_000_000] {
            let width = module.functions[0].params().len();
            let mut runs: Vec<Vec<f64>> =
                (0..=width).map(|k| (0..count).map(|i| (i * 7 + k) as f64 % 13.0 / 7.0 - 1.0).collect()).collect();
            let operands: Vec<*mut u8> = runs.iter_mut().map(|run| run.as_mut_ptr().cast()).collect();
            let mut line = format!("{name:8} {count:8}");
            for vector in [false, true] {
                let options = code::Options { verify: false, ..Default::default() };
                let outside =
                    Outside::Elements { uniform: 0, how: if vector { HowMany::Several } else { HowMany::One } };
                let mut module = module.clone();
                opt::optimize(&mut module).expect("fine");
                let code = code::compile_for(&module, &options, outside).expect("compiles");
                let mut best = f64::MAX;
                for _ in 0..5 {
                    let repeat = 20_000_000 / count;
                    let begin = Instant::now();
                    for _ in 0..repeat {
                        // SAFETY: the runs live and have so many elements.
                        unsafe { code.run_elements(&operands, count, &mut Recorder::default()) }.expect("runs");
                    }
                    best = best.min(begin.elapsed().as_secs_f64() * 1e9 / (repeat * count) as f64);
                }
                line += &format!(
                    "  {}: {best:.3} ns ({} bytes, {:.0} us)",
                    if vector { "vector" } else { "scalar" },
                    code.size_bytes(),
                    code.timings().clif + code.timings().machine + code.timings().link
                );
            }
            eprintln!("{line}");
        }
    }
}

#[test]
#[ignore = "a measurement"]
fn folds() {
    use crate::runtime::fold;
    use crate::typed::reduction::Reduction;
    let run: Vec<f64> = (0..4096).map(|i| f64::from(i % 13) / 7.0 - 1.0).collect();
    for reduction in [Reduction::Sum, Reduction::Prod, Reduction::Min, Reduction::ArgMin, Reduction::CountNonzero] {
        let begin = Instant::now();
        for i in 0..10_000 {
            // SAFETY: the run has so many elements.
            let partial =
                unsafe { fold::block(reduction, Item::Float(FloatTy::F64), run.as_ptr().cast(), run.len(), i) };
            std::hint::black_box(partial);
        }
        eprintln!("{}: {:.3} ns", reduction.name(), begin.elapsed().as_secs_f64() * 1e9 / 4096e4);
    }
}
