//! Whole functions: loops, calls, tuples, prints, failures, recursion, and what compiling costs the process.

use super::*;

fn fib() -> Module {
    let mut f = function("fib", &[Ty::INT], Ty::INT);
    let n = f.param(BlockId(0), 0);
    let (base, step) = (f.block(&[]), f.block(&[]));
    let two = f.int(2);
    let small = f.op(Op::Cmp(Cond::Lt), &[n, two], Ty::Bool);
    f.branch(small, (base, &[]), (step, &[]));
    f.at(base).ret(n);
    f.at(step);
    let one = f.int(1);
    let a = f.op(Op::Sub(Mode::Python), &[n, one], Ty::INT);
    let a = f.op(Op::Call(FuncId(0)), &[a], Ty::INT);
    let b = f.op(Op::Sub(Mode::Python), &[n, two], Ty::INT);
    let b = f.op(Op::Call(FuncId(0)), &[b], Ty::INT);
    let sum = f.op(Op::Add(Mode::Python), &[a, b], Ty::INT);
    f.ret(sum);
    module(vec![f.done()])
}

/// `f(n) = f(n + 1)`, through `others` functions more.
fn endless(others: u32) -> Module {
    let functions = (0..=others).map(|i| {
        let mut f = function("down", &[Ty::INT], Ty::INT);
        let n = f.param(BlockId(0), 0);
        let one = f.int(1);
        let next = f.op(Op::Add(Mode::Python), &[n, one], Ty::INT);
        let result = f.op(Op::Call(FuncId(if i == others { 0 } else { i + 1 })), &[next], Ty::INT);
        let sum = f.op(Op::Add(Mode::Python), &[result, n], Ty::INT);
        f.ret(sum);
        f.done()
    });
    module(functions.collect())
}

#[test]
fn loops_carry_their_values() {
    let module = module(vec![gcd()]);
    let codes = compiled(&module);
    assert_eq!(agree(&module, &codes, &[48, 36]), Ok(vec![12]));
    assert_eq!(agree(&module, &codes, &[0, 0]), Ok(vec![0]));
    assert_eq!(agree(&module, &codes, &[i64::MIN as u64, -1i64 as u64]), Ok(vec![-1i64 as u64]));
}

#[test]
fn recursion() {
    let module = fib();
    let codes = compiled(&module);
    assert_eq!(agree(&module, &codes, &[20]), Ok(vec![6765]));
}

#[test]
fn endless_recursion_is_an_error_on_any_stack() {
    for others in [0, 1, 5] {
        let module = endless(others);
        let run = move || {
            let expected = crate::typed::build::outcome(&module, &[0]).0;
            for code in compiled(&module) {
                let result = native(&code, &module, &[0]).0;
                assert_eq!(result.as_ref().map_err(|f| &f.cause), Err(&Cause::Fault(Fault::Recursion)));
                if others == 0 {
                    assert_eq!(result, expected);
                }
            }
        };
        for size in [256 << 10, 1 << 20, 64 << 20] {
            std::thread::Builder::new()
                .stack_size(size)
                .spawn(run.clone())
                .expect("a thread")
                .join()
                .expect("no panic");
        }
    }
}

#[test]
fn tuples_go_through_calls_blocks_and_selects() {
    let pair = Ty::Tuple([Ty::INT, Ty::Tuple([Ty::FLOAT, Ty::Bool, Ty::None].into())].into());
    let mut inner = function("inner", std::slice::from_ref(&pair), pair.clone());
    let p = inner.param(BlockId(0), 0);
    let n = inner.op(Op::Item(0), &[p], Ty::INT);
    let rest = inner.op(Op::Item(1), &[p], Ty::Tuple([Ty::FLOAT, Ty::Bool, Ty::None].into()));
    let x = inner.op(Op::Item(0), &[rest], Ty::FLOAT);
    let b = inner.op(Op::Item(1), &[rest], Ty::Bool);
    let none = inner.op(Op::Item(2), &[rest], Ty::None);
    let not = inner.op(Op::Not, &[b], Ty::Bool);
    let one = inner.int(1);
    let next = inner.op(Op::Add(Mode::Python), &[n, one], Ty::INT);
    let rest = inner.op(Op::Tuple, &[x, not, none], Ty::Tuple([Ty::FLOAT, Ty::Bool, Ty::None].into()));
    let changed = inner.op(Op::Tuple, &[next, rest], pair.clone());
    let chosen = inner.op(Op::Select, &[b, changed, p], pair.clone());
    let exit = inner.block(std::slice::from_ref(&pair));
    inner.jump(exit, &[chosen]);
    let chosen = inner.param(exit, 0);
    inner.at(exit).ret(chosen);

    let mut outer = function("outer", std::slice::from_ref(&pair), pair.clone());
    let p = outer.param(BlockId(0), 0);
    let once = outer.op(Op::Call(FuncId(1)), &[p], pair.clone());
    let twice = outer.op(Op::Call(FuncId(1)), &[once], pair);
    outer.ret(twice);

    let module = module(vec![outer.done(), inner.done()]);
    let codes = compiled(&module);
    assert_eq!(agree(&module, &codes, &[41, bits(2.5), 1]), Ok(vec![42, bits(2.5), 0]));
    assert_eq!(agree(&module, &codes, &[41, bits(2.5), 0]), Ok(vec![41, bits(2.5), 0]));
    let failure = agree(&module, &codes, &[i64::MAX as u64, 0, 1]).expect_err("overflows");
    assert_eq!(failure.cause, Cause::Fault(Fault::IntOverflow));
}

fn printing() -> Module {
    let mut f = function("say", &[Ty::INT, Ty::FLOAT, Ty::Bool], Ty::None);
    let args = [0, 1, 2].map(|i| f.param(BlockId(0), i));
    let pair = f.op(Op::Tuple, &args[..2], Ty::Tuple([Ty::INT, Ty::FLOAT].into()));
    let pieces = vec![Piece::Text("n =".into()), Piece::Value, Piece::Value, Piece::Value, Piece::Value];
    let print = Print { sep: " ".into(), end: "!\n".into(), pieces };
    f.op(Op::Print(Arc::new(print)), &[args[0], args[1], args[2], pair], Ty::None);
    let empty = Print { sep: " ".into(), end: "\n".into(), pieces: vec![] };
    let none = f.op(Op::Print(Arc::new(empty)), &[], Ty::None);
    f.ret(none);
    module(vec![f.done()])
}

#[test]
fn prints_reach_the_host() {
    let module = printing();
    for code in compiled(&module) {
        let (result, printed) = native(&code, &module, &[-1i64 as u64, bits(0.5), 1]);
        assert_eq!((result, printed.as_str()), (Ok(vec![]), "n = -1 0.5 True (-1, 0.5)!\n\n"));
    }
    let _ = agree(&module, &compiled(&module), &[7, bits(1e16), 0]);
}

#[test]
fn a_failing_or_panicking_host_is_a_failure() {
    struct Refuses(bool);
    impl Host for Refuses {
        fn print(&mut self, _: &str) -> Result<(), HostError> {
            if self.0 { panic!("in the host") } else { Err(HostError) }
        }
        fn poll(&mut self) -> Result<(), HostError> {
            Ok(())
        }
    }
    for code in compiled(&printing()) {
        for panics in [false, true] {
            let failure = code.run(&[0; 3], &mut [], &mut Refuses(panics)).expect_err("refused");
            assert_eq!(failure.cause, Cause::Host);
        }
    }
}

#[test]
fn raises_and_unbound_names_say_where() {
    let mut f = function("f", &[Ty::Bool, Ty::Bool], Ty::INT);
    let (bound, fails) = (f.param(BlockId(0), 0), f.param(BlockId(0), 1));
    f.op(Op::RequireBound("total".into()), &[bound], Ty::None);
    f.op(Op::Fail(Fault::RangeStepZero), &[fails], Ty::None);
    f.raise();
    let module = module(vec![f.done()]);
    let codes = compiled(&module);
    let cause = |args: [u64; 2]| agree(&module, &codes, &args).expect_err("fails").cause;
    assert_eq!(cause([0, 0]), Cause::Unbound("total".into()));
    assert_eq!(cause([1, 1]), Cause::Fault(Fault::RangeStepZero));
    assert_eq!(cause([1, 0]), Cause::Raised(module.raises[0].clone()));
}

#[test]
fn too_wide_a_result_is_refused() {
    let wide = |n: usize| {
        let ty = Ty::Tuple(vec![Ty::INT; n].into());
        let mut f = function("f", &[Ty::INT], ty.clone());
        let args = vec![f.param(BlockId(0), 0); n];
        let tuple = f.op(Op::Tuple, &args, ty);
        f.ret(tuple);
        module(vec![f.done()])
    };
    let most = crate::codegen::MAX_RETURN;
    let module = wide(most);
    assert_eq!(agree(&module, &compiled(&module), &[9]), Ok(vec![9; most]));
    let refused = compile(&wide(most + 1), &Options::default()).err();
    assert!(matches!(refused, Some(CodeError::Limit { limit, .. }) if limit == most));
}

fn chain(f: &mut Builder, length: usize) -> Value {
    let (a, b) = (f.param(BlockId(0), 0), f.param(BlockId(0), 1));
    (0..length).fold(a, |x, _| f.op(Op::Add(Mode::Python), &[x, b], Ty::FLOAT))
}

fn add_floats() -> Module {
    let mut f = function("<expr>", &[Ty::FLOAT, Ty::FLOAT], Ty::FLOAT);
    let sum = chain(&mut f, 1);
    f.ret(sum);
    module(vec![f.done()])
}

#[test]
fn long_chains_compile() {
    let mut f = function("f", &[Ty::FLOAT, Ty::FLOAT], Ty::FLOAT);
    let sum = chain(&mut f, 10_000);
    f.ret(sum);
    let module = module(vec![f.done()]);
    assert_eq!(agree(&module, &compiled(&module), &[bits(0.0), bits(1.0)]), Ok(vec![bits(10_000.0)]));
}

#[test]
fn dropped_code_gives_its_memory_back() {
    let maps = || std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let module = add_floats();
    let options = Options { verify: false, ..Options::default() };
    let once = || {
        let code = compile(&module, &options).expect("compiles");
        assert_eq!(native(&code, &module, &[bits(7.0), bits(35.0)]).0, Ok(vec![bits(42.0)]));
        code
    };
    once();
    let before = maps().lines().count();
    for _ in 0..10_000 {
        once();
    }
    let after = maps();
    // Other tests run beside this one and have threads of their own.
    assert!(after.lines().count() < before + 100, "{before} mappings became {}", after.lines().count());
    assert!(!after.lines().any(|line| line.contains("rwx")), "a page is writable and executable");
}

#[test]
fn code_runs_on_many_threads() {
    fn shared<T: Send + Sync>(_: &T) {}
    let module = fib();
    let code = compile(&module, &Options::default()).expect("compiles");
    shared(&code);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(native(&code, &module, &[15]).0, Ok(vec![610])));
        }
    });
}

#[test]
fn dumps_name_functions_and_places() {
    let module = fib();
    let lines = Lines(vec![0, 4]);
    for optimised in [false, true] {
        let text = dump::dump_clif(&module, Outside::Slots, optimised, None, &lines).expect("dumps").text;
        assert!(text.starts_with("; fib\nfunction u0:0(i64, i64) -> i64, i32"), "{text}");
        assert!(text.contains("; fib (entry)") && text.contains("; fib\n") && text.contains("@2:"), "{text}");
    }
    let text = dump::dump_asm(&module, Outside::Slots, &Options::default(), None, false, &lines).expect("dumps").text;
    assert!(text.starts_with("; fib\n    0  ") && text.contains(" ; 2:"), "{text}");
}

/// A cycle through a function whose frame is far larger than a page, on a stack that holds few of them.
#[test]
fn large_frames_stay_on_the_stack() {
    let ty = Ty::Tuple(vec![Ty::INT; 60].into());
    let mut f = function("f", std::slice::from_ref(&ty), ty.clone());
    let p = f.param(BlockId(0), 0);
    let mut tuples = vec![p];
    for _ in 0..20 {
        // All stay alive across the call.
        let last = tuples[tuples.len() - 1];
        let items: Vec<_> = (0..60).map(|k| f.op(Op::Item(k), &[last], Ty::INT)).collect();
        let one = f.int(1);
        let next: Vec<_> = items.iter().map(|&i| f.op(Op::Add(Mode::Numpy), &[i, one], Ty::INT)).collect();
        tuples.push(f.op(Op::Tuple, &next, ty.clone()));
    }
    let called = f.op(Op::Call(FuncId(0)), &[p], ty.clone());
    let mut sum = f.op(Op::Item(0), &[called], Ty::INT);
    for &tuple in &tuples {
        for k in 0..60 {
            let item = f.op(Op::Item(k), &[tuple], Ty::INT);
            sum = f.op(Op::Xor, &[sum, item], Ty::INT);
        }
    }
    let result = f.op(Op::Tuple, &[sum; 60], ty);
    f.ret(result);
    let module = module(vec![f.done()]);
    let run = move || {
        for code in compiled(&module) {
            let failure = native(&code, &module, &[1; 60]).0.expect_err("endless");
            assert_eq!(failure.cause, Cause::Fault(Fault::Recursion));
        }
    };
    for size in [256 << 10, 1 << 20] {
        std::thread::Builder::new().stack_size(size).spawn(run.clone()).expect("a thread").join().expect("no panic");
    }
}
