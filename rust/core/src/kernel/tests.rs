//! Kernels against the function done element by element by the interpreter.

use super::*;
use crate::runtime::memory as elements;
use crate::typed::build::{Builder, Recorder, function, gcd, module};
use crate::typed::{BlockId, Cond, Const, FuncId, HelperRef, Module, Value};
use crate::types::{FloatTy, IntTy};

mod lanes;
mod measure;

const F32: Ty = Ty::Float(FloatTy::F32);

fn kernel(module: Module, uniform: u64) -> Kernel {
    let outs = module.functions[0].result.scalars().iter().map(|ty| Item::of(ty).expect("an item")).collect();
    let options = code::Options { verify: true, ..Default::default() };
    let kernel = of_module(module, outs, uniform, &options).expect("compiles");
    assert_eq!(kernel.traps(), 0);
    kernel
}

/// Memory with a run in the middle, at any alignment, and canaries around it.
struct Run {
    bytes: Vec<u8>,
    item: Item,
    start: usize,
    count: usize,
}

const CANARY: u8 = 0xA7;

impl Run {
    fn new(item: Item, count: usize, shift: usize) -> Run {
        let (start, size) = (64 + shift, item.size());
        Run { bytes: vec![CANARY; start + count * size + 128], item, start, count }
    }

    fn of(item: Item, shift: usize, slots: impl ExactSizeIterator<Item = u64>) -> Run {
        let mut run = Run::new(item, slots.len(), shift);
        for (i, slot) in slots.enumerate() {
            // SAFETY: the element is inside.
            unsafe { elements::store(item, run.at(i), slot) };
        }
        run
    }

    fn at(&mut self, i: usize) -> u64 {
        (self.bytes.as_mut_ptr().expose_provenance() + self.start + i * self.item.size()) as u64
    }

    fn get(&mut self, i: usize) -> u64 {
        self.get_as(self.item, i)
    }

    /// The element as another item of the same size.
    fn get_as(&mut self, item: Item, i: usize) -> u64 {
        // SAFETY: the element is inside.
        unsafe { elements::load(item, self.at(i)) }
    }

    fn pointer(&mut self) -> *mut u8 {
        self.bytes[self.start..].as_mut_ptr()
    }

    fn is_intact_around(&self) -> bool {
        let end = self.start + self.count * self.item.size();
        self.bytes[..self.start].iter().chain(&self.bytes[end..]).all(|&byte| byte == CANARY)
    }
}

/// Values at the edges of a type, and some between; the `i`-th of an endless row.
fn value(ty: &Ty, i: usize) -> u64 {
    let mix = (i as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (i as u64) << 7;
    match ty {
        Ty::Bool => mix >> 60 & 1,
        Ty::Int(int) => {
            let edges = [0, 1, -1, int.min(), int.max(), int.max() / 2, 7, 100, int.min() + 1, 2];
            int.wrap(if i % 3 < 2 { edges[(mix >> 33) as usize % edges.len()] } else { mix as i128 })
        }
        _ => {
            let edges = [0.0, -0.0, 1.0, -1.5, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, 5e-324, 1e-40, 1e308, 2.5];
            let x = if i % 3 < 2 { edges[(mix >> 33) as usize % edges.len()] } else { mix as i64 as f64 / 1e18 };
            let x = if *ty == F32 { x as f32 as f64 } else { x };
            x.to_bits()
        }
    }
}

/// Runs the kernel on runs of so many elements and asks the interpreter about each; `alias`: the first result goes into the first
/// argument's memory.
fn agrees(kernel: &Kernel, uniform: u64, count: usize, seed: usize, alias: bool) {
    let module = kernel.module();
    let entry = &module.functions[0];
    let types: Vec<Ty> = entry.params().iter().map(|&param| entry.ty(param).clone()).collect();
    let mut inputs: Vec<Run> = Vec::new();
    for (k, ty) in types.iter().enumerate() {
        let length = if uniform >> k & 1 == 1 { 1 } else { count };
        let slots: Vec<u64> = (0..length).map(|i| value(ty, seed + i * types.len() + k * 31)).collect();
        inputs.push(Run::of(Item::of(ty).expect("an item"), (seed + k) % 8, slots.into_iter()));
    }
    let args: Vec<Vec<u64>> = (0..count)
        .map(|i| {
            inputs.iter_mut().enumerate().map(|(k, run)| run.get(if uniform >> k & 1 == 1 { 0 } else { i })).collect()
        })
        .collect();
    let mut outs: Vec<Run> =
        kernel.outs().iter().enumerate().map(|(k, &item)| Run::new(item, count, (seed + 3 * k) % 8)).collect();
    let mut operands: Vec<*mut u8> = inputs.iter_mut().chain(&mut outs).map(Run::pointer).collect();
    if alias {
        operands[types.len()] = operands[0];
    }
    let mut host = Recorder { patience: Some(64), ..Recorder::default() };
    // SAFETY: the runs live and have so many elements.
    let ran = unsafe { kernel.run(&operands, count, &mut host) };
    let scalars = entry.result.scalars();
    for (i, args) in args.iter().enumerate() {
        let (expected, _) = crate::typed::build::outcome(module, args);
        let expected = match expected {
            Ok(expected) => expected,
            Err(failure) => return assert_eq!(ran, Err(failure)),
        };
        for (k, (ty, &want)) in scalars.iter().zip(&expected).enumerate() {
            let have = if alias && k == 0 { inputs[0].get_as(kernel.outs()[0], i) } else { outs[k].get(i) };
            let nan = |bits: u64| matches!(ty, Ty::Float(_)) && f64::from_bits(bits).is_nan();
            let shown: Vec<_> = args.iter().map(|&bits| (bits as i64, f64::from_bits(bits))).collect();
            let float = (f64::from_bits(have), f64::from_bits(want));
            assert!(
                have == want || nan(have) && nan(want),
                "element {i} of {count}: {have:x} {want:x} {float:?} of {shown:?}\n{}",
                text(module)
            );
        }
    }
    assert_eq!(ran, Ok(()));
    assert!(inputs.iter().chain(&outs).all(Run::is_intact_around), "wrote outside");
}

fn text(module: &Module) -> String {
    crate::typed::text::to_text(module, &crate::span::Lines(vec![0]))
}

/// All counts, and the result in place of the first argument where that may be.
fn agrees_always(kernel: &Kernel, uniform: u64) {
    let entry = &kernel.module().functions[0];
    let first = entry.params().first().and_then(|&param| Item::of(entry.ty(param)));
    let may_alias = uniform & 1 == 0 && first.is_some_and(|item| item.size() == kernel.outs()[0].size());
    for count in 0..68 {
        agrees(kernel, uniform, count, count * 7, false);
        if may_alias {
            agrees(kernel, uniform, count, count * 5 + 1, true);
        }
    }
    agrees(kernel, uniform, 4096, 3, false);
}

fn helper(name: &str) -> Op {
    Op::Helper(HelperRef(crate::runtime::helper(name).expect("a row")), Mode::Numpy)
}

#[test]
fn loops_and_calls() {
    for uniform in [0, 0b10, 0b11] {
        // Python's gcd fails for what has no answer in 64 bits.
        agrees_always(&kernel(module(vec![gcd()]), uniform), uniform);
    }
}

#[test]
fn recursion_and_failures() {
    // f(n) = n if n < 2 else f(n - 2) + 1, for bytes.
    let mut f = function("f", &[Ty::INT], Ty::INT);
    let n = f.param(BlockId(0), 0);
    let (base, step) = (f.block(&[]), f.block(&[]));
    let two = f.int(2);
    let small = f.op(Op::Cmp(Cond::Lt), &[n, two], Ty::Bool);
    f.branch(small, (base, &[]), (step, &[]));
    f.at(base).ret(n);
    f.at(step);
    let less = f.op(Op::Sub(Mode::Python), &[n, two], Ty::INT);
    let deeper = f.op(Op::Call(FuncId(0)), &[less], Ty::INT);
    let one = f.int(1);
    let sum = f.op(Op::Add(Mode::Python), &[deeper, one], Ty::INT);
    f.ret(sum);
    let mut bytes = module(vec![f.done()]);
    memory::take_items(&mut bytes, [Item::Int(IntTy::I8)].into_iter());
    assert_eq!(bytes.functions.len(), 2);
    let kernel = kernel(bytes, 0);
    assert!(kernel.can_fail());
    agrees_always(&kernel, 0);
}

#[test]
fn several_results_and_conversions() {
    let mut f = function("f", &[Ty::FLOAT, Ty::INT], Ty::Tuple([Ty::FLOAT, Ty::Bool, Ty::INT].into()));
    let (x, n) = (f.param(BlockId(0), 0), f.param(BlockId(0), 1));
    let sum = f.op(Op::Add(Mode::Numpy), &[x, x], Ty::FLOAT);
    let positive = f.op(Op::Cmp(Cond::Gt), &[sum, x], Ty::Bool);
    let all = f.op(Op::Tuple, &[sum, positive, n], Ty::Tuple([Ty::FLOAT, Ty::Bool, Ty::INT].into()));
    f.ret(all);
    let mut module = module(vec![f.done()]);
    memory::take_items(&mut module, [Item::Float(FloatTy::F32), Item::Int(IntTy::U8)].into_iter());
    for uniform in 0..4 {
        agrees_always(&kernel(module.clone(), uniform), uniform);
    }
}

/// The flags of the floating-point unit that something raises.
#[cfg(target_arch = "x86_64")]
fn flags(work: impl FnOnce()) -> u32 {
    let read = || {
        let mut word = 0u32;
        // SAFETY: writes the control word to a local.
        unsafe { std::arch::asm!("stmxcsr [{}]", in(reg) &mut word, options(nostack)) };
        word
    };
    let write = |word: u32| {
        // SAFETY: reads a control word that was read before, without its flags.
        unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &word, options(nostack)) };
    };
    write(read() & !0x3F);
    work();
    // Invalid, division by zero, overflow.
    read() & 0b1101
}

#[test]
#[cfg(target_arch = "x86_64")]
fn exact_runs_raise_no_flag_that_nobody_asked_for() {
    // min(a, b), and (a + a if a < b else b).
    let least = {
        let mut f = function("f", &[Ty::FLOAT, Ty::FLOAT], Ty::FLOAT);
        let [a, b] = [0, 1].map(|i| f.param(BlockId(0), i));
        let less = f.op(Op::Cmp(Cond::Lt), &[a, b], Ty::Bool);
        let chosen = f.op(Op::Select, &[less, a, b], Ty::FLOAT);
        f.ret(chosen);
        module(vec![f.done()])
    };
    let guarded = {
        let mut f = function("f", &[Ty::FLOAT, Ty::FLOAT], Ty::FLOAT);
        let [a, b] = [0, 1].map(|i| f.param(BlockId(0), i));
        let (then, join) = (f.block(&[]), f.block(&[Ty::FLOAT]));
        let less = f.op(Op::Cmp(Cond::Lt), &[a, b], Ty::Bool);
        f.branch(less, (then, &[]), (join, &[b]));
        f.at(then);
        let sum = f.op(Op::Add(Mode::Numpy), &[a, a], Ty::FLOAT);
        f.jump(join, &[sum]);
        let result = f.param(join, 0);
        f.at(join).ret(result);
        module(vec![f.done()])
    };
    for module in [least, guarded] {
        let kernel = kernel(module, 0);
        assert!(kernel.is_vector() && !kernel.flags_are_exact());
        let (mut a, mut b) = ([f64::NAN, 1e308, 1.0, f64::NAN, 0.5], [1.0, 1.0, 2.0, f64::NAN, f64::INFINITY]);
        let (mut out, mut exact) = ([0.0; 5], [0.0; 5]);
        let mut operands = [a.as_mut_ptr().cast(), b.as_mut_ptr().cast(), out.as_mut_ptr().cast()];
        // SAFETY: the runs live and have so many elements.
        let raised = flags(|| unsafe { kernel.run(&operands, 5, &mut Recorder::default()) }.expect("runs"));
        assert_ne!(raised, 0);
        operands[2] = exact.as_mut_ptr().cast();
        // SAFETY: likewise.
        let raised = flags(|| unsafe { kernel.run_exact(&operands, 5, &mut Recorder::default()) }.expect("runs"));
        assert_eq!(raised, 0, "{}", text(kernel.module()));
        assert_eq!(out.map(f64::to_bits), exact.map(f64::to_bits));
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn divisions_of_ints_tell_by_flags() {
    for int in IntTy::ALL {
        for (op, overflow) in [(Op::FloorDiv(Mode::Numpy), 8), (Op::Mod(Mode::Numpy), 0)] {
            let ty = Ty::Int(int);
            let mut f = function("f", &[ty.clone(), ty.clone()], ty.clone());
            let [a, b] = [0, 1].map(|i| f.param(BlockId(0), i));
            let q = f.op(op.clone(), &[a, b], ty.clone());
            f.ret(q);
            let kernel = kernel(module(vec![f.done()]), 0);
            let item = Item::Int(int);
            let raised = |a: i128, b: i128| {
                let mut runs = [a, b, 7].map(|x| Run::of(item, 0, [int.wrap(x)].into_iter()));
                let operands = runs.each_mut().map(Run::pointer);
                // SAFETY: the runs live and have one element.
                flags(|| unsafe { kernel.run(&operands, 1, &mut Recorder::default()) }.expect("runs"))
            };
            assert_eq!(raised(7, 0), 4);
            assert_eq!(raised(7, 2), 0);
            if int.signed() {
                assert_eq!(raised(int.min(), -1), overflow, "{op:?} {int:?}");
            }
        }
    }
}

#[test]
fn narrowed_numbers_of_pythons_are_named() {
    let i8 = Ty::Int(IntTy::I8);
    let mut f = function("f", &[i8.clone(), Ty::INT, Ty::INT], i8.clone());
    let [a, s, t] = [0, 1, 2].map(|i| f.param(BlockId(0), i));
    let [s, t] = [s, t].map(|int| f.op(Op::Narrow(Mode::Numpy), &[int], i8.clone()));
    let sum = f.op(Op::Add(Mode::Numpy), &[a, s], i8.clone());
    let sum = f.op(Op::Add(Mode::Numpy), &[sum, t], i8);
    f.ret(sum);
    assert_eq!(bounds(&f.done(), &[false, true, false]), [(1, IntTy::I8)]);
}
