//! Random typed programs: straight code, choices, loops, calls, checks, prints; all of them end.

use super::super::rewrite::drop_unreachable;
use crate::typed::build::{Builder, function, module};
use crate::typed::{BlockId, Cond, Const, FuncId, Function, HelperRef, Mode, Module, Op, Piece, Print, Value};
use crate::types::{FloatTy, IntTy, Ty};

pub const F32: Ty = Ty::Float(FloatTy::F32);
pub const U64: Ty = Ty::Int(IntTy::U64);
const I8: Ty = Ty::Int(IntTy::I8);
const U8: Ty = Ty::Int(IntTy::U8);
pub const TYPES: [Ty; 7] = [Ty::INT, Ty::FLOAT, Ty::Bool, F32, U64, I8, U8];

pub struct Random(pub u64);

impl Random {
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        self.0.rotate_left(29) ^ self.0 >> 7
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.bits() % n as u64) as usize
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    pub fn mode(&mut self) -> Mode {
        *self.pick(&[Mode::Python, Mode::Numpy])
    }

    fn cond(&mut self) -> Cond {
        *self.pick(&[Cond::Lt, Cond::Le, Cond::Gt, Cond::Ge, Cond::Eq, Cond::Ne])
    }

    /// A value of a type, mostly one that rewrites care about.
    pub fn slot(&mut self, ty: &Ty) -> u64 {
        match ty {
            Ty::Bool => self.below(2) as u64,
            Ty::Int(int) => {
                let edges = [
                    0,
                    0,
                    1,
                    1,
                    2,
                    3,
                    4,
                    8,
                    64,
                    -1,
                    -2,
                    7,
                    int.min(),
                    int.max(),
                    int.max() - 1,
                    1 << 62,
                    (1 << 53) + 1,
                ];
                let any = self.bits();
                int.wrap(if self.below(5) == 0 { (any >> (any & 63)) as i128 } else { *self.pick(&edges) })
            }
            _ => {
                let edges = [
                    0.0,
                    -0.0,
                    0.1,
                    1.0,
                    -1.0,
                    2.0,
                    0.5,
                    -4.0,
                    3.5,
                    1e300,
                    5e-324,
                    f64::INFINITY,
                    f64::NAN,
                    2f64.powi(63),
                    255.0,
                ];
                let x = if self.below(6) == 0 { f64::from_bits(self.bits()) } else { *self.pick(&edges) };
                // One nan, so that results compare by their bits.
                let x = if x.is_nan() { f64::NAN } else { x };
                if *ty == F32 { x as f32 as f64 } else { x }.to_bits()
            }
        }
    }
}

/// Writes one function: straight code, choices, loops, calls of the functions that follow.
struct Writer<'r> {
    random: &'r mut Random,
    f: Builder,
    scope: Vec<(Value, Ty)>,
    block: BlockId,
    signatures: &'r [(Vec<Ty>, Ty)],
    index: usize,
}

impl Writer<'_> {
    fn value(&mut self, ty: &Ty) -> Value {
        let known: Vec<Value> = self.scope.iter().filter(|(_, t)| t == ty).map(|(v, _)| *v).collect();
        match self.random.below(6) {
            0 | 1 => self.constant(ty),
            // The newest, so that operations meet.
            2 | 3 => known.last().copied().unwrap_or_else(|| self.constant(ty)),
            _ if known.is_empty() => self.constant(ty),
            _ => *self.random.pick(&known),
        }
    }

    fn constant(&mut self, ty: &Ty) -> Value {
        let bits = self.random.slot(ty);
        let constant = match ty {
            Ty::Bool => Const::Bool(bits != 0),
            Ty::Int(_) => Const::Int(bits),
            _ => Const::Float(f64::from_bits(bits)),
        };
        self.f.op(Op::Const(constant), &[], ty.clone())
    }

    fn op(&mut self, op: Op, types: &[&Ty], result: &Ty) {
        let mut args: Vec<Value> = types.iter().map(|ty| self.value(ty)).collect();
        if args.len() == 2 && types[0] == types[1] && self.random.below(8) == 0 {
            args[1] = args[0];
        }
        let value = self.f.op(op, &args, result.clone());
        self.scope.push((value, result.clone()));
    }

    fn one_of(&mut self, ops: &[Op], types: &[&Ty]) {
        let op = self.random.pick(ops).clone();
        self.op(op, types, types[0]);
    }

    fn numeric(&mut self) {
        let (m, cond) = (self.random.mode(), self.random.cond());
        let t = self.random.pick(&TYPES).clone();
        let other = self.random.pick(&TYPES).clone();
        let (int, boolean, float) = (&Ty::INT, &Ty::Bool, &Ty::FLOAT);
        match self.random.below(4) {
            0 => return self.op(Op::Cmp(cond), &[&t, &t], boolean),
            1 if self.random.below(2) == 0 => return self.op(Op::Select, &[boolean, &t, &t], &t),
            1 => return self.conversion(&t, &other, m),
            _ => {}
        }
        match &t {
            Ty::Bool => match self.random.below(4) {
                0 => self.op(Op::Not, &[boolean], boolean),
                1 => self.op(Op::And, &[boolean, boolean], boolean),
                2 => self.op(Op::Or, &[boolean, boolean], boolean),
                _ => self.op(Op::Xor, &[boolean, boolean], boolean),
            },
            Ty::Int(width) => {
                let ops = [Op::Add(m), Op::Sub(m), Op::Mul(m), Op::FloorDiv(m), Op::Mod(m), Op::And, Op::Or, Op::Xor];
                match self.random.below(13) {
                    0 => self.op(Op::Neg(m), &[&t], &t),
                    1 => self.op(Op::Abs(m), &[&t], &t),
                    2 => self.op(Op::Invert, &[&t], &t),
                    3 => self.op(Op::Shl(m), &[&t, int], &t),
                    4 => self.op(Op::Shr(m), &[&t, int], &t),
                    5 if width.bits() == 64 => self.op(Op::IntDiv(m), &[&t, &t], float),
                    6 if width.bits() == 64 => self.op(Op::CmpIntFloat(cond), &[&t, float], boolean),
                    7 if t == *int => self.helper(),
                    _ => self.one_of(&ops, &[&t, &t]),
                }
            }
            _ => {
                let two = [Op::Add(m), Op::Sub(m), Op::Mul(m), Op::Div(m)];
                let one = [Op::Neg(m), Op::Abs(m), Op::Sqrt, Op::Floor, Op::Ceil, Op::Trunc, Op::Nearest];
                match self.random.below(4) {
                    0 => self.one_of(&one, &[&t]),
                    1 if t == *float => self.op(Op::CopySign, &[float, float], float),
                    _ => self.one_of(&two, &[&t, &t]),
                }
            }
        }
    }

    fn helper(&mut self) {
        let (int, float) = (&Ty::INT, &Ty::FLOAT);
        let rows = [("int_pow", int), ("np_int_pow", int), ("float_pow", float)];
        let (name, ty) = rows[self.random.below(if cfg!(miri) { 2 } else { 3 })];
        let helper = HelperRef(crate::runtime::helper(name).unwrap());
        self.op(Op::Helper(helper, Mode::Python), &[ty, ty], ty);
    }

    fn conversion(&mut self, from: &Ty, to: &Ty, mode: Mode) {
        match (from, to) {
            (Ty::Float(FloatTy::F64), Ty::Int(_)) => self.op(Op::ToInt(mode), &[from], to),
            (Ty::Int(a), Ty::Int(b)) if !(b.holds(a.min()) && b.holds(a.max())) => {
                self.op(Op::Narrow(mode), &[from], to)
            }
            (Ty::Int(_), Ty::Int(_)) if self.random.below(2) == 0 => self.op(Op::Narrow(mode), &[from], to),
            (Ty::Bool, Ty::Int(_)) | (Ty::Int(_), Ty::Int(_)) | (_, Ty::Float(_)) => self.op(Op::Convert, &[from], to),
            _ => {}
        }
    }

    fn statement(&mut self, depth: usize) {
        match self.random.below(24) {
            0 | 1 if depth > 0 => self.choice(depth),
            2 if depth > 0 => self.repeat(depth),
            3 | 4 if self.index + 1 < self.signatures.len() => {
                let callee = self.index + 1 + self.random.below(self.signatures.len() - self.index - 1);
                let (params, result) = self.signatures[callee].clone();
                let params: Vec<&Ty> = params.iter().collect();
                self.op(Op::Call(FuncId(callee as u32)), &params, &result);
            }
            5 => {
                let x = self.value(&Ty::FLOAT);
                let pieces = vec![Piece::Value];
                self.f.op(Op::Print(Print { sep: " ".into(), end: "\n".into(), pieces }.into()), &[x], Ty::None);
            }
            6 => {
                let condition = self.value(&Ty::Bool);
                let check = if self.random.below(2) == 0 {
                    Op::Fail(crate::fault::Fault::MathDomain)
                } else {
                    Op::RequireBound("x".into())
                };
                // Most checks pass, so that programs get somewhere.
                let passes = self.f.bool(matches!(check, Op::RequireBound(_)));
                let condition = if self.random.below(6) == 0 { condition } else { passes };
                self.f.op(check, &[condition], Ty::None);
            }
            7 => {
                let types = [self.random.pick(&TYPES).clone(), self.random.pick(&TYPES).clone()];
                let items = [self.value(&types[0]), self.value(&types[1])];
                let tuple = self.f.op(Op::Tuple, &items, Ty::Tuple(types.clone().into()));
                let k = self.random.below(2);
                let item = self.f.op(Op::Item(k as u32), &[tuple], types[k].clone());
                self.scope.push((item, types[k].clone()));
            }
            _ => self.numeric(),
        }
    }

    fn body(&mut self, depth: usize) {
        for _ in 0..1 + self.random.below(6) {
            self.statement(depth);
        }
    }

    fn go(&mut self, block: BlockId) {
        self.block = block;
        self.f.at(block);
    }

    /// `if`: two arms that meet, one of which may be empty or raise.
    fn choice(&mut self, depth: usize) {
        let types: Vec<Ty> = (0..self.random.below(3)).map(|_| self.random.pick(&TYPES).clone()).collect();
        let condition = self.value(&Ty::Bool);
        let (then, otherwise, join) = (self.f.block(&[]), self.f.block(&[]), self.f.block(&types));
        let raises = self.random.below(12) == 0;
        if self.random.below(3) == 0 {
            let args: Vec<Value> =
                types.iter().map(|ty| if *ty == Ty::Bool { condition } else { self.value(ty) }).collect();
            self.f.branch(condition, (then, &[]), (join, &args));
            // Nobody comes here: verified modules have no such block, so it must be reached.
            self.go(otherwise);
            self.f.raise();
            self.go(then);
        } else {
            self.f.branch(condition, (then, &[]), (otherwise, &[]));
            self.arm(otherwise, join, &types, depth, raises);
            self.go(then);
        }
        self.arm(then, join, &types, depth, false);
        self.go(join);
        self.scope.extend(types.iter().enumerate().map(|(i, ty)| (self.f.param(join, i), ty.clone())));
    }

    fn arm(&mut self, block: BlockId, join: BlockId, types: &[Ty], depth: usize, raises: bool) {
        self.go(block);
        let outer = self.scope.len();
        if self.random.below(3) > 0 {
            self.body(depth - 1);
        }
        let args: Vec<Value> = types.iter().map(|ty| self.value(ty)).collect();
        if raises {
            self.f.raise();
        } else {
            self.f.jump(join, &args);
        }
        self.scope.truncate(outer);
    }

    /// A loop of at most four rounds that carries values.
    fn repeat(&mut self, depth: usize) {
        let mut types = vec![Ty::INT];
        types.extend((0..self.random.below(3)).map(|_| self.random.pick(&TYPES).clone()));
        let (head, body, exit) = (self.f.block(&types), self.f.block(&[]), self.f.block(&[]));
        let mut args: Vec<Value> = types.iter().map(|ty| self.value(ty)).collect();
        let rounds = self.random.below(5) as i64;
        args[0] = self.f.int(rounds);
        self.f.jump(head, &args);
        self.go(head);
        let carried: Vec<(Value, Ty)> =
            types.iter().enumerate().map(|(i, ty)| (self.f.param(head, i), ty.clone())).collect();
        let counter = carried[0].0;
        self.scope.extend(carried);
        let zero = self.f.int(0);
        let more = self.f.op(Op::Cmp(Cond::Gt), &[counter, zero], Ty::Bool);
        self.f.branch(more, (body, &[]), (exit, &[]));
        self.go(body);
        let outer = self.scope.len();
        self.body(depth - 1);
        let mut args: Vec<Value> = types.iter().map(|ty| self.value(ty)).collect();
        let minus = self.f.int(-1);
        args[0] = self.f.op(Op::NextIndex, &[counter, minus], Ty::INT);
        self.f.jump(head, &args);
        self.scope.truncate(outer);
        self.go(exit);
    }
}

pub fn program(random: &mut Random) -> Module {
    let count = 1 + random.below(3);
    let mut type_of = || random.pick(&TYPES).clone();
    let signatures: Vec<(Vec<Ty>, Ty)> = (0..count).map(|_| (vec![type_of(), Ty::INT, Ty::FLOAT], type_of())).collect();
    let functions = (0..count).map(|index| {
        let (params, result) = &signatures[index];
        let f = function(&format!("f{index}"), params, result.clone());
        let scope = params.iter().enumerate().map(|(i, ty)| (f.param(BlockId(0), i), ty.clone())).collect();
        let mut writer = Writer { random, f, scope, block: BlockId(0), signatures: &signatures, index };
        for _ in 0..3 {
            writer.body(2);
        }
        let value = writer.value(result);
        writer.f.ret(value);
        let mut function = writer.f.done();
        drop_unreachable(&mut function);
        function
    });
    let functions: Vec<Function> = functions.collect();
    module(functions)
}

/// A short function of one value: a few operations, mostly each on the result of the one before.
pub fn chain(random: &mut Random) -> Module {
    let ty = random.pick(&TYPES).clone();
    let f = function("chain", std::slice::from_ref(&ty), ty.clone());
    let scope = vec![(f.param(BlockId(0), 0), ty)];
    let signatures = [];
    let mut writer = Writer { random, f, scope, block: BlockId(0), signatures: &signatures, index: 0 };
    for _ in 0..2 + writer.random.below(2) {
        // An operation that does not read the last result says nothing about the pair.
        for _ in 0..4 {
            let last = writer.scope[writer.scope.len() - 1].0;
            writer.numeric();
            if writer.f.last_reads(last) {
                break;
            }
        }
    }
    let (value, result) = writer.scope[writer.scope.len() - 1].clone();
    writer.f.ret(value);
    let mut function = writer.f.done();
    function.result = result;
    module(vec![function])
}
