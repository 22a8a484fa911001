//! Random programs that index: small numbers, lengths, loops and guards, so that much of it can be proven and much cannot.
//!
//! They run by the interpreter before and after each pass, on arrays of a few elements. The answer, the failure and its place, what the arrays
//! hold and how many ticks were taken are the same. An index that is wrongly let through reads beside its array, where
//! every element is a number that no program makes.

use super::random::Random;
use super::{PASSES, plain};
use crate::failure::{Cause, Failure, Host, HostError};
use crate::interp;
use crate::opt::rewrite::drop_unreachable;
use crate::typed::build::{Builder, function, module};
use crate::typed::verify::verify;
use crate::typed::{BlockId, Bounds, Cond, HelperRef, Mode, Module, Op, Value};
use crate::types::ticks::{Counting, insert};
use crate::types::{ArrayTy, IntTy, Item, Ty};

const LINE: ArrayTy = ArrayTy { item: Item::Int(IntTy::I64), ndim: 1, contiguous: true, writable: true };
const LOOSE: ArrayTy = ArrayTy { contiguous: false, ..LINE };
const TABLE: ArrayTy = ArrayTy { ndim: 2, ..LINE };

struct Writer<'r> {
    random: &'r mut Random,
    f: Builder,
    ints: Vec<Value>,
    arrays: Vec<(Value, ArrayTy)>,
}

impl Writer<'_> {
    fn int(&mut self) -> Value {
        match self.random.below(8) {
            0 | 1 => self.constant(),
            2 => self.length(),
            // The newest, so that operations meet.
            3..5 => self.ints[self.ints.len() - 1],
            _ => *self.random.pick(&self.ints),
        }
    }

    fn constant(&mut self) -> Value {
        let value = match self.random.below(12) {
            0 => *self.random.pick(&[i64::MIN, i64::MAX, 1 << 62, 1 << 32]),
            _ => [-2, -1, 0, 0, 0, 1, 1, 2, 3][self.random.below(9)],
        };
        self.f.int(value)
    }

    fn length(&mut self) -> Value {
        let (array, ty) = *self.random.pick(&self.arrays);
        let axis = self.random.below(ty.ndim.into()) as u8;
        self.f.op(Op::Len(axis), &[array], Ty::INT)
    }

    fn binary(&mut self, op: Op) -> Value {
        let (a, b) = (self.int(), self.int());
        self.f.op(op, &[a, b], Ty::INT)
    }

    fn compare(&mut self) -> Value {
        let cond = *self.random.pick(&[Cond::Lt, Cond::Lt, Cond::Le, Cond::Gt, Cond::Ge, Cond::Eq, Cond::Ne]);
        let (a, b) = (self.int(), self.int());
        self.f.op(Op::Cmp(cond), &[a, b], Ty::Bool)
    }

    fn arithmetic(&mut self) {
        let small = [-2, -1, 1, 1, 2][self.random.below(5)];
        let mode = self.random.mode();
        let value = match self.random.below(12) {
            // Mostly a constant away from something, as indices are.
            0..4 => {
                let (a, b) = (self.int(), self.f.int(small));
                let op = [Op::Add(mode), Op::Sub(mode), Op::NextIndex][self.random.below(3)].clone();
                self.f.op(op, &[a, b], Ty::INT)
            }
            4 => self.binary(Op::Add(mode)),
            5 => self.binary(Op::Sub(mode)),
            6 => self.binary(Op::Mul(mode)),
            7 => match self.random.below(2) {
                0 => self.binary(Op::And),
                _ => self.binary(Op::Mod(mode)),
            },
            8 => {
                let (a, b) = (self.binary(Op::Add(mode)), self.f.int(1));
                self.f.op(Op::Shr(Mode::Numpy), &[a, b], Ty::INT)
            }
            9 => {
                let (a, b) = (self.int(), self.f.int(2));
                self.f.op(Op::FloorDiv(Mode::Python), &[a, b], Ty::INT)
            }
            10 => {
                let (a, b) = (self.int(), self.int());
                let less = self.f.op(Op::Cmp(Cond::Lt), &[a, b], Ty::Bool);
                let (c, d) = if self.random.below(2) == 0 { (a, b) } else { (b, a) };
                self.f.op(Op::Select, &[less, c, d], Ty::INT)
            }
            _ => self.length(),
        };
        self.ints.push(value);
    }

    /// Indices of every dimension, tested.
    fn indices(&mut self, array: Value, ty: ArrayTy) -> Vec<Value> {
        let mut indices = vec![array];
        for axis in 0..ty.ndim {
            let (i, n) = (self.int(), self.f.op(Op::Len(axis), &[array], Ty::INT));
            indices.push(self.f.op(Op::Index(Bounds::Both), &[i, n], Ty::INT));
        }
        indices
    }

    fn access(&mut self) {
        let (array, ty) = *self.random.pick(&self.arrays);
        let mut args = self.indices(array, ty);
        match self.random.below(4) {
            0 => {
                let value = self.int();
                args.insert(1, value);
                self.f.op(Op::Store, &args, Ty::None);
            }
            // What would be seen if it were done twice.
            1 => {
                let (loaded, one) = (self.f.op(Op::Load, &args, Ty::INT), self.f.int(1));
                let more = self.f.op(Op::Add(Mode::Numpy), &[loaded, one], Ty::INT);
                args.insert(1, more);
                self.f.op(Op::Store, &args, Ty::None);
            }
            _ => {
                let loaded = self.f.op(Op::Load, &args, Ty::INT);
                self.ints.push(loaded);
            }
        }
    }

    /// A value or a length, or nearly.
    fn near(&mut self, value: Value) -> Value {
        match self.random.below(4) {
            0 => {
                let (by, mode) = (self.f.int([-1, 1, -2][self.random.below(3)]), self.random.mode());
                self.f.op(Op::Add(mode), &[value, by], Ty::INT)
            }
            _ => value,
        }
    }

    /// An access where comparisons say, or nearly say, that the index is inside.
    fn guarded(&mut self) {
        let (array, ty) = *self.random.pick(&self.arrays);
        let (inside, join) = (self.f.block(&[]), self.f.block(&[]));
        let mut args = vec![array];
        for axis in 0..ty.ndim {
            let i = self.int();
            let i = self.near(i);
            let n = self.f.op(Op::Len(axis), &[array], Ty::INT);
            // Mostly of the right dimension.
            let other = if self.random.below(5) == 0 { self.length() } else { n };
            let (below, from) = (self.near(other), self.f.int([0, 0, 0, 1, -1][self.random.below(5)]));
            for (op, pair) in [([Cond::Ge, Cond::Gt], [i, from]), ([Cond::Lt, Cond::Le], [i, below])] {
                if self.random.below(6) > 0 {
                    let op = op[usize::from(self.random.below(4) == 0)];
                    let condition = self.f.op(Op::Cmp(op), &pair, Ty::Bool);
                    let next = self.f.block(&[]);
                    self.f.branch(condition, (next, &[]), (join, &[]));
                    self.f.at(next);
                }
            }
            let i = self.near(i);
            args.push(self.f.op(Op::Index(Bounds::Both), &[i, n], Ty::INT));
        }
        self.f.jump(inside, &[]);
        self.f.at(inside);
        if self.random.below(2) == 0 {
            let value = self.int();
            args.insert(1, value);
            self.f.op(Op::Store, &args, Ty::None);
        } else {
            self.f.op(Op::Load, &args, Ty::INT);
        }
        self.f.jump(join, &[]);
        self.f.at(join);
    }

    fn view(&mut self) {
        let (array, ty) = *self.random.pick(&self.arrays);
        let (view, ty) = match self.random.below(4) {
            0 if ty.ndim == 2 => {
                let (i, n) = (self.int(), self.f.op(Op::Len(0), &[array], Ty::INT));
                let i = self.f.op(Op::Index(Bounds::Both), &[i, n], Ty::INT);
                (self.f.op(Op::At(0), &[array, i], Ty::Array(ArrayTy { ndim: 1, ..ty })), ArrayTy { ndim: 1, ..ty })
            }
            1 if ty.ndim == 2 => {
                let turned = ArrayTy { contiguous: false, ..ty };
                (self.f.op(Op::Transpose, &[array], Ty::Array(turned)), turned)
            }
            2 if ty.contiguous => {
                let loose = ArrayTy { contiguous: false, ..ty };
                (self.f.op(Op::Loosen, &[array], Ty::Array(loose)), loose)
            }
            _ => {
                let n = self.f.op(Op::Len(0), &[array], Ty::INT);
                let (start, stop, step) = (self.int(), self.int(), self.f.int([1, 1, 2, -1][self.random.below(4)]));
                let given = self.f.int(self.random.below(4) as i64);
                let slice = HelperRef(crate::runtime::helper("slice").expect("a row"));
                let pair = Ty::Tuple(vec![Ty::INT, Ty::INT].into());
                let range = self.f.op(Op::Helper(slice, Mode::Python), &[n, start, stop, step, given], pair);
                let first = self.f.op(Op::Item(0), &[range], Ty::INT);
                let count = self.f.op(Op::Item(1), &[range], Ty::INT);
                self.ints.extend([first, count]);
                let cut = ArrayTy { contiguous: false, ..ty };
                (self.f.op(Op::Cut(0), &[array, first, count, step], Ty::Array(cut)), cut)
            }
        };
        self.arrays.push((view, ty));
    }

    fn statement(&mut self, depth: usize) {
        match self.random.below(16) {
            0 | 1 if depth > 0 => self.choice(depth),
            2..5 if depth > 0 => self.repeat(depth),
            5 => self.view(),
            6 => {
                let condition = self.compare();
                let (fails, goes_on) = (self.f.block(&[]), self.f.block(&[]));
                self.f.branch(condition, (fails, &[]), (goes_on, &[]));
                self.f.at(fails).raise();
                self.f.at(goes_on);
            }
            7 => self.access(),
            8..12 => self.guarded(),
            _ => self.arithmetic(),
        }
    }

    /// What is known in here is not known after it.
    fn body(&mut self, depth: usize) -> Value {
        let (ints, arrays) = (self.ints.len(), self.arrays.len());
        for _ in 0..1 + self.random.below(5) {
            self.statement(depth);
        }
        let value = self.int();
        self.ints.truncate(ints);
        self.arrays.truncate(arrays);
        value
    }

    fn choice(&mut self, depth: usize) {
        let condition = self.compare();
        let (then, otherwise, join) = (self.f.block(&[]), self.f.block(&[]), self.f.block(&[Ty::INT]));
        self.f.branch(condition, (then, &[]), (otherwise, &[]));
        for arm in [then, otherwise] {
            self.f.at(arm);
            let value = if self.random.below(3) == 0 { self.int() } else { self.body(depth - 1) };
            self.f.jump(join, &[value]);
        }
        self.f.at(join);
        self.ints.push(self.f.param(join, 0));
    }

    /// A loop that counts: by ones up or down, by a sum that raises, by a step with a count of rounds; and carries an int, or an array.
    fn repeat(&mut self, depth: usize) {
        let (kind, swaps) = (self.random.below(6), self.random.below(4) == 0);
        let mut types = vec![Ty::INT, Ty::INT, Ty::INT];
        types.extend(swaps.then_some([Ty::Array(LINE), Ty::Array(LINE)]).into_iter().flatten());
        let (head, body, exit) = (self.f.block(&types), self.f.block(&[]), self.f.block(&[]));
        let zero = self.f.int(0);
        let start = if self.random.below(2) == 0 { zero } else { self.int() };
        let (mut stop, carried) = (self.int(), self.int());
        if self.random.below(3) > 0 {
            stop = self.length();
            stop = self.near(stop);
        }
        // Downwards from a length.
        let (start, stop) = if kind == 1 && self.random.below(3) > 0 {
            let (last, before) = (self.near(stop), self.f.int([-1, -1, 0][self.random.below(3)]));
            (last, before)
        } else {
            (start, stop)
        };
        let (step, mut left) = (self.f.int([1, 2, 3, -1, -2][self.random.below(5)]), zero);
        if kind == 0 {
            let count = HelperRef(crate::runtime::helper("range_count").expect("a row"));
            left = self.f.op(Op::Helper(count, Mode::Python), &[start, stop, step], Ty::INT);
        }
        let mut args = vec![start, carried, left];
        args.extend(swaps.then_some([self.arrays[0].0, self.arrays[1].0]).into_iter().flatten());
        self.f.jump(head, &args);
        self.f.at(head);
        let params: Vec<Value> = (0..types.len()).map(|i| self.f.param(head, i)).collect();
        let (i, left) = (params[0], params[2]);
        let (op, args) = match kind {
            0 => (Op::Cmp(Cond::Ne), [left, self.f.int(0)]),
            1 => (Op::Cmp(Cond::Gt), [i, stop]),
            2 => (Op::Cmp(Cond::Le), [i, stop]),
            _ => (Op::Cmp(Cond::Lt), [i, stop]),
        };
        let more = self.f.op(op, &args, Ty::Bool);
        self.f.branch(more, (body, &[]), (exit, &[]));
        self.f.at(body);
        let (ints, arrays) = (self.ints.len(), self.arrays.len());
        self.ints.extend([params[1], i]);
        self.arrays.extend(params[3..].iter().map(|array| (*array, LINE)));
        let carried = self.body(depth - 1);
        if self.random.below(5) == 0 {
            let (stops, goes_on) = (self.compare(), self.f.block(&[]));
            self.f.branch(stops, (exit, &[]), (goes_on, &[]));
            self.f.at(goes_on);
        }
        let one = self.f.int(if kind == 1 { -1 } else { 1 });
        let next = match kind {
            0 => self.f.op(Op::NextIndex, &[i, step], Ty::INT),
            4 => self.f.op(Op::Add(Mode::Python), &[i, one], Ty::INT),
            _ => self.f.op(Op::NextIndex, &[i, one], Ty::INT),
        };
        let minus = self.f.int(-1);
        let fewer = self.f.op(Op::NextIndex, &[left, minus], Ty::INT);
        let mut args = vec![next, carried, fewer];
        args.extend(params[3..].iter().rev());
        self.f.jump(head, &args);
        self.ints.truncate(ints);
        self.arrays.truncate(arrays);
        self.f.at(exit);
        self.ints.extend([params[1], i]);
    }
}

fn program(random: &mut Random) -> Module {
    let types = [Ty::INT, Ty::INT, Ty::Array(LINE), Ty::Array(LINE), Ty::Array(LOOSE), Ty::Array(TABLE)];
    let f = function("f", &types, Ty::INT);
    let param = |i| f.param(BlockId(0), i);
    let (ints, lines) = (vec![param(0), param(1)], [2, 3].map(|i| (param(i), LINE)));
    let arrays = lines.into_iter().chain([(param(4), LOOSE), (param(5), TABLE)]).collect();
    let mut writer = Writer { random, f, ints, arrays };
    for _ in 0..3 + writer.random.below(4) {
        writer.statement(2);
    }
    let mut sum = writer.f.int(0);
    for int in writer.ints.clone() {
        sum = writer.f.op(Op::Xor, &[sum, int], Ty::INT);
    }
    writer.f.ret(sum);
    let mut function = writer.f.done();
    drop_unreachable(&mut function);
    module(vec![function])
}

/// A number that is in no array, far from every index.
const BESIDE: i64 = 0x5A5A_5A5A_5A5A;
const MARGIN: usize = 64;

#[derive(Clone)]
struct Arguments {
    ints: [i64; 2],
    /// Lengths of the four arrays, the last one's second too, and whether the third runs backwards.
    lengths: [usize; 5],
    backwards: bool,
}

/// Stops a run after so many ticks, at the same one in every form of the program.
struct Impatient(u32);

impl Host for Impatient {
    fn print(&mut self, _: &str) -> Result<(), HostError> {
        Ok(())
    }

    fn poll(&mut self) -> Result<(), HostError> {
        self.0 += 1;
        if self.0 > 40 { Err(HostError) } else { Ok(()) }
    }

    fn interval(&mut self, _: u64) -> u64 {
        7
    }
}

type Outcome = (Result<u64, Failure>, Vec<i64>, u32);

fn outcome(module: &Module, arguments: &Arguments) -> Outcome {
    let [a, b, c, rows, columns] = arguments.lengths;
    let sizes = [a, b, c, rows * columns];
    let mut memory = Vec::new();
    let mut starts = Vec::new();
    for size in sizes {
        memory.extend([BESIDE; MARGIN]);
        starts.push(memory.len());
        // Numbers that are good indices, mostly.
        memory.extend((0..size as i64).map(|i| (i * 5 + 3) % 7 - 1));
    }
    memory.extend([BESIDE; MARGIN]);
    let base = memory.as_mut_ptr().expose_provenance();
    let address = |element: usize| (base + 8 * element) as u64;
    let [x, y, z, m] = [0, 1, 2, 3].map(|i| starts[i]);
    let (first, stride) = if arguments.backwards { (z + c.saturating_sub(1), -8i64) } else { (z, 8) };
    let slots = [
        arguments.ints[0] as u64,
        arguments.ints[1] as u64,
        address(x),
        a as u64,
        address(y),
        b as u64,
        address(first),
        c as u64,
        stride as u64,
        address(m),
        rows as u64,
        columns as u64,
    ];
    let mut host = Impatient(0);
    let mut out = [0];
    let result = interp::run(module, &slots, &mut out, &mut host).map(|()| out[0]);
    (result, memory, host.0)
}

#[test]
fn random_programs_index_the_same_after_every_pass() {
    let rounds =
        std::env::var("JIB_OPT_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(if cfg!(miri) { 3 } else { 3000 });
    let (mut answers, mut failures, mut stopped) = (0, 0, 0);
    let (mut asked, mut left) = (0, 0);
    let indices = |module: &Module| {
        let insts = module.functions.iter().flat_map(|f| &f.blocks).flat_map(|block| &block.insts);
        insts.filter(|inst| matches!(inst.op, Op::Index(_))).count()
    };
    for seed in 0..rounds {
        let mut random = Random(seed);
        random.bits();
        let mut before = program(&mut random);
        insert(&mut before, Counting::Polls);
        verify(&before).unwrap_or_else(|broken| panic!("seed {seed}: {broken}\n{}", plain(&before)));
        let arguments: Vec<Arguments> = (0..12)
            .map(|_| Arguments {
                ints: [(); 2].map(|()| match random.below(10) {
                    0 => *random.pick(&[i64::MIN, i64::MAX, i64::MAX - 1]),
                    _ => random.below(10) as i64 - 3,
                }),
                lengths: [(); 5].map(|()| random.below(6)),
                backwards: random.below(2) == 0,
            })
            .collect();
        let outcomes: Vec<Outcome> = arguments.iter().map(|args| outcome(&before, args)).collect();
        let mut after = before.clone();
        for pass in PASSES {
            let was = indices(&after);
            (pass.run)(&mut after);
            if pass.name == "bounds" {
                asked += was;
                left += indices(&after);
            }
            verify(&after).unwrap_or_else(|broken| panic!("seed {seed}, {}: {broken}\n{}", pass.name, plain(&after)));
            for (args, want) in arguments.iter().zip(&outcomes) {
                let have = outcome(&after, args);
                let differs = have.0 != want.0 || have.1 != want.1 || have.2 != want.2;
                assert!(
                    !differs,
                    "seed {seed}, {}: {:?} {:?}: {:?} {}, not {:?} {}\n{}before:\n{}",
                    pass.name,
                    args.ints,
                    args.lengths,
                    have.0,
                    have.2,
                    want.0,
                    want.2,
                    plain(&after),
                    plain(&before)
                );
            }
        }
        for (result, ..) in &outcomes {
            match result {
                Ok(_) => answers += 1,
                Err(Failure { cause: Cause::Host, .. }) => stopped += 1,
                Err(_) => failures += 1,
            }
        }
    }
    println!("{answers} answers, {failures} failures, {stopped} stopped; {asked} indices, {left} still tested");
    assert!(
        cfg!(miri) || answers * 8 > failures + stopped,
        "{answers} answers, {failures} failures, {stopped} stopped"
    );
}

#[test]
fn many_indices_and_guards_take_linear_time() {
    let blocks = if cfg!(miri) { 30 } else { 10_000 };
    let mut f = function("f", &[Ty::INT, Ty::Array(LINE)], Ty::INT);
    let (mut x, array) = (f.param(BlockId(0), 0), f.param(BlockId(0), 1));
    let exit = f.block(&[]);
    for i in 0..blocks {
        let n = f.op(Op::Len(0), &[array], Ty::INT);
        let small = f.int(i % 7 - 3);
        let next = f.op(Op::Add(Mode::Python), &[x, small], Ty::INT);
        let less = f.op(Op::Cmp(Cond::Lt), &[next, n], Ty::Bool);
        let (then, join) = (f.block(&[]), f.block(&[Ty::INT]));
        f.branch(less, (then, &[]), (exit, &[]));
        f.at(then);
        let index = f.op(Op::Index(Bounds::Both), &[next, n], Ty::INT);
        let loaded = f.op(Op::Load, &[array, index], Ty::INT);
        let more = f.op(Op::Cmp(Cond::Lt), &[loaded, n], Ty::Bool);
        let other = f.block(&[]);
        f.branch(more, (join, &[loaded]), (other, &[]));
        f.at(other).jump(join, &[x]);
        x = f.param(join, 0);
        f.at(join);
    }
    f.ret(x);
    f.at(exit).raise();
    let mut module = module(vec![f.done()]);
    verify(&module).unwrap();
    let start = std::time::Instant::now();
    crate::opt::optimize(&mut module).expect("passes");
    // Generous: a quadratic pass takes minutes.
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}
