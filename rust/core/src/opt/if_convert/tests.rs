//! Branches that become choices mean the same; what must not be done in vain stays where it is.

use crate::fault::Fault;
use crate::opt::tests::random::{Random, program};
use crate::opt::without_branches;
use crate::typed::build::{Builder, function, module, outcome};
use crate::typed::text::to_text;
use crate::typed::verify::verify;
use crate::typed::{BlockId, Cond, Mode, Module, Op};
use crate::types::Ty;

/// `x / y if y > 0.0 else x`, with something in the first block.
fn guarded(fill: impl FnOnce(&mut Builder)) -> Module {
    let mut f = function("f", &[Ty::FLOAT, Ty::FLOAT], Ty::FLOAT);
    let [x, y] = [0, 1].map(|i| f.param(BlockId(0), i));
    let (then, join) = (f.block(&[]), f.block(&[Ty::FLOAT]));
    let zero = f.float(0.0);
    let positive = f.op(Op::Cmp(Cond::Gt), &[y, zero], Ty::Bool);
    f.branch(positive, (then, &[]), (join, &[x]));
    f.at(then);
    fill(&mut f);
    let q = f.op(Op::Div(Mode::Numpy), &[x, y], Ty::FLOAT);
    f.jump(join, &[q]);
    let result = f.param(join, 0);
    f.at(join).ret(result);
    module(vec![f.done()])
}

#[test]
fn an_untaken_division_divides_by_one() {
    let (after, flags) = without_branches(&guarded(|_| ())).expect("fine").expect("converted");
    assert!(!flags);
    let text = to_text(&after, &Default::default());
    let divisor = text.lines().find(|line| line.contains("div.float")).expect("divides");
    assert!(text.contains("const float 1.0") && !divisor.contains("%0, %1"), "{text}");
}

#[test]
fn what_can_fail_or_count_stays() {
    let fails = guarded(|f| {
        let no = f.bool(false);
        f.op(Op::Fail(Fault::MathDomain), &[no], Ty::None);
    });
    assert!(without_branches(&fails).expect("fine").is_none());
    assert!(without_branches(&guarded(Builder::tick)).expect("fine").is_none());
}

#[test]
fn random_programs_mean_the_same() {
    let mut converted = 0;
    for seed in 0..if cfg!(miri) { 20 } else { 6000 } {
        let mut random = Random(seed);
        random.bits();
        let before = program(&mut random);
        let mut after = before.clone();
        let blocks = after.functions[0].blocks.len();
        super::run(&mut after.functions[0]);
        if after.functions[0].blocks.len() == blocks {
            continue;
        }
        converted += 1;
        let text = || {
            format!(
                "seed {seed}:\n{}\nwas\n{}",
                to_text(&after, &Default::default()),
                to_text(&before, &Default::default())
            )
        };
        verify(&after).unwrap_or_else(|broken| panic!("{broken}\n{}", text()));
        let params: Vec<Ty> = before.functions[0].params().iter().map(|v| before.functions[0].ty(*v).clone()).collect();
        for _ in 0..12 {
            let args: Vec<u64> = params.iter().map(|ty| random.slot(ty)).collect();
            assert_eq!(outcome(&after, &args), outcome(&before, &args), "{args:?} {}", text());
        }
    }
    assert!(cfg!(miri) || converted > 100, "{converted}");
}
