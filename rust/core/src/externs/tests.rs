//! Functions of the host through every stage: bytes, typed IR, passes, both engines.

use std::sync::Arc;

use super::{Extern, ExternRef, read};
use crate::code::{CodeError, compile};
use crate::diag::Error;
use crate::failure::{Cause, Host, HostError, POLL_INTERVAL};
use crate::interp;
use crate::ir;
use crate::opt::optimize;
use crate::span::Lines;
use crate::typed::build::{Builder, function, module};
use crate::typed::text::to_text;
use crate::typed::verify::verify;
use crate::typed::{BlockId, Module, Op, Value};
use crate::types::ticks::interval;
use crate::types::{IntTy, Ty};

const I8: Ty = Ty::Int(IntTy::I8);

extern "C" fn mix(a: i8, b: f32, c: bool, d: f64, e: u16) -> f64 {
    a as f64 + b as f64 * 10.0 + u8::from(c) as f64 * 100.0 + d * 1000.0 + e as f64 * 10000.0
}

fn c_mix(pure: bool) -> ExternRef {
    // SAFETY: it is a function of these types, and stays.
    let of = unsafe { Extern::c("mix", "f64(i8, f32, bool, f64, u16)", pure, mix as *const () as usize) };
    ExternRef { index: 0, of: Arc::new(of.unwrap()) }
}

fn on_host(signature: &str, pure: bool) -> ExternRef {
    ExternRef { index: 7, of: Arc::new(Extern::host("ask", signature, pure).unwrap()) }
}

/// Answers with ten times the first argument, once for each of its patience.
struct Tenfold(Vec<(u32, Vec<u64>)>, usize);

impl Host for Tenfold {
    fn print(&mut self, _: &str) -> Result<(), HostError> {
        Err(HostError)
    }

    fn call(&mut self, index: u32, args: &[u64], out: &mut [u64]) -> Result<(), HostError> {
        self.0.push((index, args.to_vec()));
        out.iter_mut().for_each(|slot| *slot = args[0].wrapping_mul(10));
        if self.0.len() > self.1 { Err(HostError) } else { Ok(()) }
    }
}

/// A function of the same types that calls it.
fn calling(callee: &ExternRef) -> Module {
    let mut f = function("f", &callee.of.params, callee.of.result.clone());
    let args: Vec<Value> = (0..callee.of.params.len()).map(|i| f.param(BlockId(0), i)).collect();
    let answer = f.op(Op::Extern(callee.clone()), &args, callee.of.result.clone());
    f.ret(answer);
    module(vec![f.done()])
}

fn run_both(module: &Module, args: &[u64], host: impl Fn() -> Tenfold) -> Vec<(Result<Vec<u64>, Cause>, Tenfold)> {
    verify(module).unwrap();
    let width = module.functions[0].result.width();
    let code = compile(module, &Default::default()).unwrap();
    assert_eq!(code.traps(), 0);
    let (mut native, mut interpreted) = (host(), host());
    let (mut a, mut b) = (vec![0; width], vec![0; width]);
    let first = code.run(args, &mut a, &mut native).map(|()| a);
    let second = interp::run(module, args, &mut b, &mut interpreted).map(|()| b);
    vec![(first.map_err(|f| f.cause), native), (second.map_err(|f| f.cause), interpreted)]
}

#[test]
fn signatures_are_of_scalars() {
    assert_eq!(read("double(i8, float)"), Ok((vec![I8, Ty::FLOAT], Ty::FLOAT)));
    assert_eq!(read("void()"), Ok((vec![], Ty::None)));
    let code = |text: &str| read(text).unwrap_err().code;
    assert_eq!(code("(int)"), "extern-result");
    assert_eq!(code("int(None)"), "extern-type");
    assert_eq!(code("tuple[int](int)"), "extern-type");
    assert_eq!(code("int(tuple[int])"), "extern-type");
    assert_eq!(code(&format!("int({})", "int, ".repeat(17))), "limit-extern");
    assert!(read(&format!("int({})", "int, ".repeat(16))).is_ok());
    assert_eq!(c_mix(false).of.signature(), "float(i8, f32, bool, float, u16)");
}

#[test]
fn c_functions_answer_alike_everywhere() {
    let args = [-3i64 as u64, 0.5f64.to_bits(), 1, (-2.5f64).to_bits(), 65535];
    let want = mix(-3, 0.5, true, -2.5, 65535).to_bits();
    let callee = c_mix(false);
    for (answer, _) in run_both(&calling(&callee), &args, || Tenfold(vec![], 0)) {
        assert_eq!(answer, Ok(vec![want]));
    }
    let mut out = [0];
    assert_eq!(callee.of.call(&args, &mut out), Ok(()));
    assert_eq!(out, [want]);
    assert!(matches!(on_host("int(int)", false).of.call(&[1], &mut out), Err(CodeError::Internal(_))));
}

#[test]
fn the_host_is_asked_by_index_and_may_refuse() {
    let callee = on_host("int(int, float)", false);
    for patience in [1, 0] {
        for (answer, host) in run_both(&calling(&callee), &[5, 0.5f64.to_bits()], || Tenfold(vec![], patience)) {
            assert_eq!(answer, if patience > 0 { Ok(vec![50]) } else { Err(Cause::Host) });
            assert_eq!(host.0, [(7, vec![5, 0.5f64.to_bits()])]);
        }
    }
    let nothing = on_host("None(bool)", false);
    for (answer, host) in run_both(&calling(&nothing), &[1], || Tenfold(vec![], 1)) {
        assert_eq!((answer, host.0), (Ok(vec![]), vec![(7, vec![1])]));
    }
}

/// `t = ask(x) six times; return x`, and how many calls are left after the passes.
fn calls_left(pure: bool) -> usize {
    let callee = on_host("int(int)", pure);
    let mut f = function("f", &[Ty::INT], Ty::INT);
    let x = f.param(BlockId(0), 0);
    let three = f.int(3);
    let ask = |f: &mut Builder, x| f.op(Op::Extern(callee.clone()), &[x], Ty::INT);
    [x, three, x, three, three, x].into_iter().for_each(|x| {
        ask(&mut f, x);
    });
    f.ret(x);
    let mut module = module(vec![f.done()]);
    optimize(&mut module).unwrap();
    verify(&module).unwrap();
    module.functions[0].blocks[0].insts.iter().filter(|inst| matches!(inst.op, Op::Extern(_))).count()
}

#[test]
fn passes_leave_an_impure_call_alone_and_a_pure_one_out() {
    assert_eq!(calls_left(false), 6);
    assert_eq!(calls_left(true), 0);
}

#[test]
fn texts_and_checks() {
    let lines = Lines(vec![0]);
    let first =
        |module: &Module| to_text(module, &lines).lines().nth(2).unwrap().split(" ;").next().unwrap().trim().to_owned();
    assert_eq!(first(&calling(&c_mix(false))), "%5 = extern mix(%0, %1, %2, %3, %4)");
    assert_eq!(first(&calling(&on_host("int(int)", true))), "%1 = extern.pure ask(%0)");
    assert_eq!(first(&calling(&on_host("None(int)", false))), "%1 = extern ask(%0)");
    let broken = |change: fn(&mut Module)| {
        let mut module = calling(&on_host("int(int, float)", false));
        change(&mut module);
        verify(&module).unwrap_err()
    };
    assert!(broken(|m| m.functions[0].blocks[0].insts[0].args.truncate(1)).contains("takes 2 operands, gets 1"));
    assert!(
        broken(|m| m.functions[0].blocks[0].insts[0].args.swap(0, 1)).contains("argument 1 should be int, is float")
    );
    assert!(broken(|m| m.functions[0].values[2] = Ty::FLOAT).contains("the result should be int, is float"));
}

#[test]
fn many_calls_are_asked_about_more_often() {
    let callee = on_host("int(int)", false);
    let mut f = function("f", &[Ty::INT], Ty::INT);
    let mut x = f.param(BlockId(0), 0);
    for _ in 0..100 {
        x = f.op(Op::Extern(callee.clone()), &[x], Ty::INT);
    }
    f.ret(x);
    assert_eq!(interval(&module(vec![f.done()]), 1), 200);
    assert_eq!(interval(&module(vec![]), 1), POLL_INTERVAL);
}

/// The bytes of `def f(x): return extern(index, x…)`, whose table has these names.
fn bytes(names: &[&str], index: u32, operands: u32) -> Vec<u8> {
    let mut strings = vec!["f", "x"];
    strings.extend(names);
    let mut words = vec![1, 0, names.len() as u32];
    words.extend(2..2 + names.len() as u32);
    words.extend([1, 0, 0, 1, 1, 1, 0, 0, 1, 0, 0, 0, 1, 1, 1, 3]);
    words.extend([2, 0, 1, 0]);
    words.extend([13, 0, 1, index, operands]);
    words.extend(vec![0; operands as usize]);
    words.extend([11, 0, 1, 1]);
    let text = strings.concat();
    let mut bytes = b"jib-ir\0\x02".to_vec();
    let counts = [words.len() as u32, 0, strings.len() as u32, text.len() as u32];
    let lengths = strings.iter().map(|text| text.len() as u32);
    bytes.extend(counts.into_iter().chain(words).chain(lengths).flat_map(u32::to_le_bytes));
    bytes.extend(text.bytes());
    bytes
}

#[test]
fn bytes_refer_to_what_was_given() {
    let given = [on_host("int(int)", false).of];
    let load = |bytes: &[u8], given: &[Arc<Extern>]| match ir::decode(bytes, given) {
        Ok(module) => Ok(module.functions.len()),
        Err(Error::Broken(words)) => Err(words.rsplit(": ").next().unwrap_or_default().to_owned()),
        Err(other) => panic!("{other:?}"),
    };
    assert_eq!(load(&bytes(&["ask"], 0, 1), &given), Ok(1));
    let refused = |bytes: Vec<u8>, given: &[Arc<Extern>]| load(&bytes, given).unwrap_err();
    let table = "its table of host functions is not what was given";
    assert_eq!(refused(bytes(&["ask"], 0, 1), &[]), table);
    assert_eq!(refused(bytes(&["other"], 0, 1), &given), table);
    assert_eq!(refused(bytes(&[], 0, 1), &given), table);
    assert_eq!(refused(bytes(&["ask", "ask"], 0, 1), &given), table);
    assert_eq!(refused(bytes(&["ask"], 1, 1), &given), "there is no host function 1");
    assert_eq!(refused(bytes(&["ask"], u32::MAX, 1), &given), "there is no host function 4294967295");
    assert_eq!(refused(bytes(&["ask"], 0, 0), &given), "instruction 1 calls 'ask', which takes 1, with 0");
    assert_eq!(refused(bytes(&["ask"], 0, 2), &given), "instruction 1 calls 'ask', which takes 1, with 2");
    let whole = bytes(&["ask"], 0, 1);
    for end in 0..whole.len() {
        assert!(ir::decode(&whole[..end], &given).is_err());
    }
}
