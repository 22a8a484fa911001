//! Kernels against the function done element by element.

use super::*;
use crate::failure::{Cause, HostError};
use crate::fault::Fault;
use crate::interp;
use crate::typed::build::{Builder, Recorder, function, gcd, module};
use crate::typed::{BlockId, Cond, FuncId, Module, Value};
use crate::types::{FloatTy, IntTy};

fn kernel(module: Module, uniform: u64) -> Kernel {
    let outs = module.functions[0].result.scalars().iter().map(|ty| Item::of(ty).expect("an item")).collect();
    let kernel = of_module(module, outs, uniform, &code::Options::default()).expect("compiles");
    assert_eq!(kernel.traps(), 0);
    kernel
}

#[test]
fn gcd_of_runs() {
    let kernel = kernel(module(vec![gcd()]), 0b10);
    let a: Vec<i64> = (0..50).collect();
    let (b, mut c) = ([12i64], vec![0i64; 50]);
    let operands = [a.as_ptr().cast_mut().cast(), b.as_ptr().cast_mut().cast(), c.as_mut_ptr().cast::<u8>()];
    // SAFETY: the runs live and have so many elements.
    unsafe { kernel.run(&operands, 50, &mut Recorder::default()) }.expect("runs");
    assert_eq!(c[..7], [12, 1, 2, 3, 4, 1, 6]);
}
