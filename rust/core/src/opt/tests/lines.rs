//! Random loops over elements, before and after every pass: by the interpreter, and by native code.
//!
//! Arrays overlap each other at all distances, lengths go around how many elements a vector has, indices leave arrays at both ends, and hosts refuse to go on at
//! some round. The answer, the failure and its place, what memory holds and how often the host was asked are the same.

use super::plain;
use super::random::Random;
use crate::code::{OptLevel, Options, compile};
use crate::failure::{Cause, Failure, Host, HostError};
use crate::interp;
use crate::opt::{PASSES, optimize};
use crate::typed::build::{Builder, function, module};
use crate::typed::verify::verify;
use crate::typed::{BlockId, Bounds, Cond, Const, Mode, Module, Op, Value};
use crate::types::ticks::{Counting, insert};
use crate::types::{ArrayTy, FloatTy, IntTy, Item, Ty};

const ITEMS: [Item; 8] = [
    Item::Float(FloatTy::F64),
    Item::Float(FloatTy::F64),
    Item::Float(FloatTy::F32),
    Item::Int(IntTy::I64),
    Item::Int(IntTy::I32),
    Item::Int(IntTy::U8),
    Item::Int(IntTy::U64),
    Item::Bool,
];

struct Writer<'r> {
    random: &'r mut Random,
    f: Builder,
    item: Item,
    /// Lines and tables, and the counter.
    arrays: Vec<(Value, u8)>,
    i: Value,
    /// Numbers that do not change.
    ints: Vec<Value>,
    values: Vec<Value>,
    conditions: Vec<Value>,
}

impl Writer<'_> {
    fn ty(&self) -> Ty {
        self.item.ty()
    }

    fn near(&mut self, value: Value) -> Value {
        let by = [0, 0, 1, -1, 2][self.random.below(5)];
        if by == 0 {
            return value;
        }
        let (k, mode) = (self.f.int(by), self.random.mode());
        self.f.op(Op::Add(mode), &[value, k], Ty::INT)
    }

    fn index(&mut self, array: Value, axis: u8, i: Value) -> Value {
        let n = self.f.op(Op::Len(axis), &[array], Ty::INT);
        self.f.op(Op::Index(Bounds::Both), &[i, n], Ty::INT)
    }

    /// An array and indices: mostly of the counter, mostly the last one.
    fn place(&mut self, which: usize, moves: bool) -> Vec<Value> {
        let (array, ndim) = self.arrays[which];
        let mut args = vec![array];
        for axis in 0..ndim {
            let last = axis + 1 == ndim;
            let i = if last && moves { self.i } else { *self.random.pick(&self.ints) };
            let i = if last { self.near(i) } else { i };
            args.push(self.index(array, axis, i));
        }
        args
    }

    fn load(&mut self) {
        let which = self.random.below(self.arrays.len());
        let moves = self.random.below(4) > 0;
        let args = self.place(which, moves);
        let ty = self.ty();
        let value = self.f.op(Op::Load, &args, ty);
        self.values.push(value);
    }

    fn value(&mut self) -> Value {
        let last = self.values.len() - 1;
        if self.random.below(2) == 0 { self.values[last] } else { *self.random.pick(&self.values) }
    }

    fn compute(&mut self) {
        let ty = self.ty();
        let (a, b) = (self.value(), self.value());
        let value = match (&ty, self.random.below(8)) {
            (Ty::Bool, 0..4) => self.f.op([Op::And, Op::Or, Op::Xor][self.random.below(3)].clone(), &[a, b], ty),
            (Ty::Bool, _) => self.f.op(Op::Not, &[a], ty),
            (_, 0) => {
                let condition = self.condition();
                self.f.op(Op::Select, &[condition, a, b], ty)
            }
            (Ty::Float(_), 1) => {
                let by = self.f.op(Op::Const(Const::Float(2.5)), &[], ty.clone());
                self.f.op(Op::Div(Mode::Python), &[a, by], ty)
            }
            (Ty::Float(_), 2) => self.f.op(Op::Sqrt, &[a], ty),
            (Ty::Float(_), 3) => self.f.op(Op::Neg(Mode::Python), &[a], ty),
            (Ty::Float(_), _) => {
                let mode = self.random.mode();
                self.f.op([Op::Add(mode), Op::Sub(mode), Op::Mul(mode)][self.random.below(3)].clone(), &[a, b], ty)
            }
            _ => {
                let mode = if self.random.below(12) == 0 { Mode::Python } else { Mode::Numpy };
                let ops = [Op::Add(mode), Op::Sub(mode), Op::Mul(mode), Op::And, Op::Xor];
                self.f.op(ops[self.random.below(5)].clone(), &[a, b], ty)
            }
        };
        self.values.push(value);
    }

    fn condition(&mut self) -> Value {
        let cond = *self.random.pick(&[Cond::Lt, Cond::Le, Cond::Gt, Cond::Ge, Cond::Eq, Cond::Ne]);
        let (a, b) = (self.value(), self.value());
        let condition = self.f.op(Op::Cmp(cond), &[a, b], Ty::Bool);
        self.conditions.push(condition);
        condition
    }

    fn store(&mut self, which: usize) {
        let moves = self.random.below(12) > 0;
        let mut args = self.place(which, moves);
        args.insert(1, self.value());
        self.f.op(Op::Store, &args, Ty::None);
    }

    fn round(&mut self) {
        let out = self.random.below(self.arrays.len());
        for _ in 0..1 + self.random.below(3) {
            self.load();
        }
        for _ in 0..self.random.below(4) {
            self.compute();
        }
        match self.random.below(4) {
            // Stored in some rounds only.
            0 => {
                let (then, join) = (self.f.block(&[]), self.f.block(&[]));
                let condition = self.condition();
                self.f.branch(condition, (then, &[]), (join, &[]));
                self.f.at(then);
                let known = self.values.len();
                if self.random.below(2) == 0 {
                    self.load();
                    self.compute();
                }
                self.store(out);
                self.values.truncate(known);
                self.f.at(then).jump(join, &[]);
                self.f.at(join);
            }
            // One of two values.
            1 => {
                let ty = self.ty();
                let (then, join) = (self.f.block(&[]), self.f.block(&[ty]));
                let condition = self.condition();
                let other = self.value();
                self.f.branch(condition, (then, &[]), (join, &[other]));
                self.f.at(then);
                let known = self.values.len();
                if self.random.below(2) == 0 {
                    self.load();
                }
                self.compute();
                let value = self.value();
                self.values.truncate(known);
                self.f.jump(join, &[value]);
                self.f.at(join);
                self.values.push(self.f.param(join, 0));
                self.store(out);
            }
            _ => self.store(out),
        }
        if self.random.below(10) == 0 {
            self.load();
            self.store(out);
        }
    }
}

/// `f(start, stop, k, x, y, m)`.
fn program(random: &mut Random) -> (Module, Item) {
    let item = *random.pick(&ITEMS);
    let line = ArrayTy { item, ndim: 1, contiguous: random.below(8) > 0, writable: true };
    let table = ArrayTy { item, ndim: 2, contiguous: true, writable: true };
    let types = [Ty::INT, Ty::INT, Ty::INT, Ty::Array(line), Ty::Array(line), Ty::Array(table)];
    let f = function("f", &types, Ty::INT);
    let param = |i| f.param(BlockId(0), i);
    let (start, stop, k) = (param(0), param(1), param(2));
    let arrays = vec![(param(3), 1), (param(4), 1), (param(5), 2)];
    let mut w = Writer { random, f, item, arrays, i: start, ints: vec![k, start], values: vec![], conditions: vec![] };
    let own = match item {
        Item::Float(_) => Const::Float(1.5),
        Item::Int(_) => Const::Int(3),
        Item::Bool => Const::Bool(true),
    };
    let own = w.f.op(Op::Const(own), &[], item.ty());
    w.values.push(own);
    let (head, body, exit) = (w.f.block(&[Ty::INT]), w.f.block(&[]), w.f.block(&[]));
    w.f.jump(head, &[start]);
    w.f.at(head);
    w.i = w.f.param(head, 0);
    let more = w.f.op(Op::Cmp(Cond::Lt), &[w.i, stop], Ty::Bool);
    w.f.branch(more, (body, &[]), (exit, &[]));
    w.f.at(body);
    w.round();
    let one = w.f.int(1);
    let next = w.f.op(Op::NextIndex, &[w.i, one], Ty::INT);
    w.f.jump(head, &[next]);
    w.f.at(exit);
    w.f.ret(w.i);
    (module(vec![w.f.done()]), item)
}

struct Arguments {
    range: [i64; 3],
    /// Where arrays begin, in elements and bytes, and their lengths.
    places: [(usize, usize); 3],
    columns: usize,
    strides: [i64; 2],
    bytes: Vec<u8>,
    patience: u32,
    interval: u64,
}

struct Impatient {
    patience: u32,
    interval: u64,
}

impl Host for Impatient {
    fn print(&mut self, _: &str) -> Result<(), HostError> {
        Ok(())
    }

    fn poll(&mut self) -> Result<(), HostError> {
        self.patience = self.patience.checked_sub(1).ok_or(HostError)?;
        Ok(())
    }

    fn interval(&mut self, _: u64) -> u64 {
        self.interval
    }
}

const SIZE: usize = 8192;

impl Arguments {
    fn new(random: &mut Random, item: Item) -> Arguments {
        let size = item.size();
        let most = [3, 20, 70, 140][random.below(4)];
        let rows = 1 + random.below(3);
        let columns = 1 + random.below(most / rows + 1);
        // Elements lie aligned, mostly.
        let base = (2048 + random.below(300)) & !7;
        let place = |random: &mut Random, length: usize| {
            // Near each other, mostly: the very same, some elements apart, or not even that.
            let shift = match random.below(6) {
                0 => 0,
                1 | 2 => random.below(4) as i64 - 2,
                3 => random.below(300) as i64 - 150,
                _ => 160 * (random.below(3) as i64 - 1),
            };
            let odd = if random.below(8) == 0 { random.below(size) } else { 0 };
            ((base as i64 + shift * size as i64) as usize + odd, length)
        };
        let lengths = [random.below(most), random.below(most), rows];
        let places = lengths.map(|length| place(random, length));
        let shortest = lengths[0].min(lengths[1]) as i64;
        let stop = match random.below(4) {
            0 => shortest,
            1 => shortest.min(columns as i64),
            2 => shortest - 1,
            _ => *random.pick(&[columns as i64, shortest + 1, i64::MAX, -3, 5]),
        };
        let start = *random.pick(&[0, 0, 0, 1, 1, 2, -1, -2, i64::MIN, 7]);
        let bytes: Vec<u8> = match item {
            Item::Float(FloatTy::F64) => (0..SIZE / 8).flat_map(|_| number(random).to_ne_bytes()).collect(),
            Item::Float(FloatTy::F32) => (0..SIZE / 4).flat_map(|_| (number(random) as f32).to_ne_bytes()).collect(),
            _ => (0..SIZE).map(|_| (random.bits() >> 20) as u8).collect(),
        };
        // Nobody waits for the end of all ints.
        let endless = start == i64::MIN || stop == i64::MAX;
        let interval = if endless { 16 } else { *random.pick(&[1, 5, 16, 17, 40, 1 << 14]) };
        Arguments {
            range: [start, stop, random.below(3) as i64],
            places,
            columns,
            strides: [size as i64; 2],
            bytes,
            patience: if endless || random.below(2) == 0 { random.below(6) as u32 } else { 4000 },
            interval,
        }
    }

    fn run(&self, contiguous: bool, with: &mut Engine) -> Outcome {
        let mut memory = vec![0u64; SIZE / 8];
        let base: *mut u8 = memory.as_mut_ptr().cast();
        // SAFETY: so many bytes are there.
        unsafe { std::ptr::copy_nonoverlapping(self.bytes.as_ptr(), base, SIZE) };
        let first = base.expose_provenance();
        let mut slots: Vec<u64> = self.range.iter().map(|n| *n as u64).collect();
        for (k, (place, length)) in self.places.iter().enumerate() {
            slots.extend([(first + place) as u64, *length as u64]);
            match k {
                2 => slots.push(self.columns as u64),
                _ if !contiguous => slots.push(self.strides[k] as u64),
                _ => {}
            }
        }
        let mut host = Impatient { patience: self.patience, interval: self.interval };
        let mut out = [0];
        let result = with(&slots, &mut out, &mut host).map(|()| out[0]);
        (result, memory, host.patience)
    }
}

fn number(random: &mut Random) -> f64 {
    match random.below(12) {
        0 => -0.0,
        1 => f64::INFINITY,
        2 => f64::NAN,
        3 => 0.0,
        n => n as f64 * 0.3 - 2.0,
    }
}

/// Runs with these slots, into those.
type Engine<'a> = dyn FnMut(&[u64], &mut [u64], &mut Impatient) -> Result<(), Failure> + 'a;

type Outcome = (Result<u64, Failure>, Vec<u64>, u32);

/// All nans are one.
fn nans(item: Item, memory: &[u64]) -> Vec<u64> {
    let single = |bits: u32| if f32::from_bits(bits).is_nan() { f32::NAN.to_bits() } else { bits };
    let both = |word: u64| u64::from(single(word as u32)) | u64::from(single((word >> 32) as u32)) << 32;
    let word = |word: &u64| match item {
        Item::Float(FloatTy::F64) if f64::from_bits(*word).is_nan() => f64::NAN.to_bits(),
        Item::Float(FloatTy::F32) => both(*word),
        _ => *word,
    };
    memory.iter().map(word).collect()
}

#[test]
fn random_loops_mean_the_same_in_vectors() {
    let rounds =
        std::env::var("JIB_OPT_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(if cfg!(miri) { 3 } else { 1500 });
    let (mut answers, mut failures, mut stopped, mut vectors) = (0, 0, 0, 0);
    for seed in 0..rounds {
        let mut random = Random(seed);
        random.bits();
        let (mut before, item) = program(&mut random);
        insert(&mut before, if seed % 5 == 0 { Counting::Fuel } else { Counting::Polls });
        verify(&before).unwrap_or_else(|broken| panic!("seed {seed}: {broken}\n{}", plain(&before)));
        let Ty::Array(line) = before.functions[0].ty(Value(3)).clone() else { unreachable!() };
        let arguments: Vec<Arguments> = (0..20).map(|_| Arguments::new(&mut random, item)).collect();
        let run = |module: &Module, args: &Arguments| {
            args.run(line.contiguous, &mut |slots, out, host| interp::run(module, slots, out, host))
        };
        let outcomes: Vec<Outcome> = arguments.iter().map(|args| run(&before, args)).collect();
        let mut after = before.clone();
        for pass in PASSES {
            (pass.run)(&mut after);
            verify(&after).unwrap_or_else(|broken| panic!("seed {seed}, {}: {broken}\n{}", pass.name, plain(&after)));
        }
        let rows = after.functions.iter().flat_map(|f| &f.blocks).flat_map(|b| &b.insts);
        let has_rows = rows.clone().any(|inst| matches!(inst.op, Op::Rows(_)));
        vectors += usize::from(has_rows);
        let code = (!cfg!(miri)).then(|| {
            let options = Options { opt_level: OptLevel::Speed, verify: true, ..Options::default() };
            compile(&after, &options).unwrap_or_else(|error| panic!("seed {seed}: {error:?}\n{}", plain(&after)))
        });
        // Misaligned neighbours may make new nans of halves of old ones.
        for (args, want) in arguments.iter().zip(&outcomes) {
            let compare = |have: Outcome, how: &str| {
                let same = have.0 == want.0 && nans(item, &have.1) == nans(item, &want.1) && have.2 == want.2;
                let odd = args.places.iter().any(|place| place.0 % item.size() != 0);
                let odd = odd && matches!(item, Item::Float(_));
                assert!(
                    same || odd && have.0 == want.0 && have.2 == want.2,
                    "seed {seed}, {how}: {:?} {:?} {} {}: {:?} {}, not {:?} {}\n{}before:\n{}",
                    args.range,
                    args.places,
                    args.columns,
                    args.interval,
                    have.0,
                    have.2,
                    want.0,
                    want.2,
                    plain(&after),
                    plain(&before)
                );
            };
            compare(run(&after, args), "interpreted");
            if let Some(code) = &code {
                let have = args.run(line.contiguous, &mut |slots, out, host| code.run(slots, out, host));
                compare(have, "native");
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
    println!("{answers} answers, {failures} failures, {stopped} stopped; {vectors} of {rounds} in vectors");
    assert!(cfg!(miri) || rounds < 100 || vectors * 4 > rounds as usize, "{vectors} of {rounds} in vectors");
}

#[test]
fn passes_end_in_a_verified_module() {
    let mut random = Random(7);
    for _ in 0..if cfg!(miri) { 2 } else { 50 } {
        let (mut module, _) = program(&mut random);
        insert(&mut module, Counting::Polls);
        optimize(&mut module).expect("passes");
    }
}
