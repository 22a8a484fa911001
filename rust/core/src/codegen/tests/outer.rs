//! What an outermost function costs to compile; and that it is compiled for every type.

use std::time::Instant;

use crate::code::{Options, compile, compile_for};
use crate::outside::{IntLayout, Layout, Outside};
use crate::typed::build::{function, module};
use crate::typed::{BlockId, Mode, Op};
use crate::types::Ty;

static LAYOUT: Layout = Layout {
    class: 8,
    float_class: 0x1111_2222_3330,
    float: 16,
    int_class: 0x1111_2222_4440,
    int: IntLayout::Sized { size: 16, digit: 24 },
    false_: 0x1111_2222_5550,
    true_: 0x1111_2222_6660,
    none: 0x1111_2222_7770,
    references: Some(0),
    new_float: 0x1111_2222_8880,
    new_int: 0x1111_2222_9990,
    new_uint: 0x1111_2222_aaa0,
    unfit: 0x1111_2222_bbb0,
    new_tuple: 0x1111_2222_ddd0,
    other: 0x1111_2222_eee0,
    run: 0x1111_2222_fff0,
    fail: 0x1111_3333_0000,
};

#[test]
#[ignore = "a measurement"]
fn measure() {
    let add = |ty: &Ty| {
        let mut at = function("add", &[ty.clone(), ty.clone()], ty.clone());
        let (a, b) = (at.param(BlockId(0), 0), at.param(BlockId(0), 1));
        let sum = at.op(Op::Add(Mode::Python), &[a, b], ty.clone());
        at.ret(sum);
        module(vec![at.done()])
    };
    for ty in [Ty::INT, Ty::FLOAT] {
        let module = add(&ty);
        let options = Options { verify: false, ..Options::default() };
        let outside = Outside::Objects { layout: &LAYOUT, token: 77 };
        for round in 0..3 {
            let mut times = [0.0; 2];
            for _ in 0..200 {
                let begin = Instant::now();
                compile(&module, &options).expect("compiles");
                times[0] += begin.elapsed().as_secs_f64();
                let begin = Instant::now();
                compile_for(&module, &options, outside).expect("compiles");
                times[1] += begin.elapsed().as_secs_f64();
            }
            eprintln!("{ty} {round}: slots {:.1} us, objects {:.1} us", times[0] * 5e3, times[1] * 5e3);
        }
    }
}
