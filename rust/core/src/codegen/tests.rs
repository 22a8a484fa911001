//! Generated code against the interpreter: the same bits, or the same failure at the same place.

use std::sync::Arc;

use crate::code::{Code, CodeError, OptLevel, Options, compile};
use crate::codegen::dump;
use crate::failure::{Cause, Failure, Host, HostError};
use crate::fault::Fault;
use crate::outside::Outside;
use crate::runtime::{self, Body, Kind};
use crate::span::Lines;
use crate::typed::build::{Builder, Recorder, function, gcd, module};
use crate::typed::{BlockId, Cond, Const, FuncId, HelperRef, Mode, Module, Op, Piece, Print, Value};
use crate::types::{FloatTy, IntTy, Ty};

mod edges;
mod outer;
mod programs;
mod targets;

const MODES: [Mode; 2] = [Mode::Python, Mode::Numpy];
const F32: Ty = Ty::Float(FloatTy::F32);

/// Compiles without and with optimisation; no instruction may trap.
fn compiled(module: &Module) -> [Code; 2] {
    [OptLevel::None, OptLevel::Speed].map(|opt_level| {
        let code = compile(module, &Options { opt_level, verify: true, ..Options::default() }).expect("compiles");
        assert_eq!(code.traps(), 0);
        code
    })
}

fn native(code: &Code, module: &Module, args: &[u64]) -> (Result<Vec<u64>, Failure>, String) {
    let mut host = Recorder::default();
    let mut out = vec![0; module.functions[0].result.width()];
    let result = code.run(args, &mut out, &mut host).map(|()| out);
    (result, host.printed)
}

/// Runs on all engines; the interpreter's answer.
fn agree(module: &Module, codes: &[Code; 2], args: &[u64]) -> Result<Vec<u64>, Failure> {
    let expected = crate::typed::build::outcome(module, args);
    let kinds = module.functions[0].result.scalars();
    for code in codes {
        let (mut result, printed) = native(code, module, args);
        if let (Ok(ours), Ok(theirs)) = (&mut result, &expected.0) {
            for ((bits, their), ty) in ours.iter_mut().zip(theirs).zip(&kinds) {
                // One nan is as good as another.
                let nan = |bits: u64| matches!(ty, Ty::Float(_)) && f64::from_bits(bits).is_nan();
                if nan(*bits) && nan(*their) {
                    *bits = *their;
                }
            }
        }
        let shown: Vec<_> = args.iter().map(|&bits| (bits as i64, f64::from_bits(bits))).collect();
        assert_eq!((&result, &printed), (&expected.0, &expected.1), "{shown:?}\n{}", clif(module));
    }
    expected.0
}

fn clif(module: &Module) -> String {
    dump::dump_clif(module, Outside::Slots, false, None, &Lines(vec![0])).expect("dumps").text
}

fn bits(x: f64) -> u64 {
    x.to_bits()
}
