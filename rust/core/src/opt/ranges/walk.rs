//! A walk through a function that knows at each place where its ints lie.
//!
//! In: a function, and where the parameters of its loops' heads are taken to lie. Out: what each instruction gives, told to a visitor, and
//! where the parameters do lie if that is so. Blocks are visited in an order of the dominator tree in which what leads to a block, but for
//! ways back in loops, comes before it. So what a branch has compared, and what an operation that has not raised says of its operands, is
//! known in all that it dominates, and forgotten behind it: `now` is what is known here, `trail` what it was before.
//!
//! That a place dominates another says: since it was passed last, no value that both know has got another meaning. So what is known
//! of a result says something of the operands it was made of.

use super::interval::{self as interval, ALL, Interval, from_to};
use crate::typed::cfg::Graph;
use crate::typed::{Cond, Const, Function, Inst, Mode, Op, Terminator, Value};
use crate::types::{ArrayTy, IntTy, Ty};

/// How many steps are made from what is known of a result to its operands.
const DEEPEST: u32 = 10;

pub struct Walk<'f> {
    pub function: &'f Function,
    pub graph: &'f Graph,
    /// The reachable blocks, in order.
    order: Vec<u32>,
    /// Where a value is defined; parameters are behind the last instruction.
    origins: Vec<(u32, u32)>,
    /// What is known at the place of the walk.
    now: Vec<Interval>,
    trail: Vec<(Value, Interval)>,
    /// Of parameters, what has been given to them in this walk.
    given: Vec<Option<Interval>>,
    /// Of parameters of heads, where they are taken to lie.
    assumed: Vec<Option<Interval>>,
    reached: Vec<bool>,
    heads: Vec<bool>,
    /// Whether each way back leads to a block that dominates it: else a loop could be entered where this walk has been already.
    pub natural: bool,
}

impl<'f> Walk<'f> {
    pub fn new(function: &'f Function, graph: &'f Graph) -> Walk<'f> {
        let values = function.values.len();
        let mut order = graph.rpo.clone();
        order.sort_by_key(|b| graph.subtree(*b).0);
        let mut origins = vec![(u32::MAX, u32::MAX); values];
        let mut place = vec![0; function.blocks.len()];
        for (i, &b) in order.iter().enumerate() {
            place[b as usize] = i;
            for (i, inst) in function.blocks[b as usize].insts.iter().enumerate() {
                origins[inst.result.0 as usize] = (b, i as u32);
            }
        }
        let leads_back = |from: u32, b: u32| graph.reachable(from) && place[from as usize] >= place[b as usize];
        let back = |b: u32| graph.preds[b as usize].iter().any(|from| leads_back(*from, b));
        let natural = order
            .iter()
            .all(|&b| graph.preds[b as usize].iter().all(|&from| !leads_back(from, b) || graph.dominates(b, from)));
        let heads = (0..function.blocks.len() as u32).map(|b| graph.reachable(b) && back(b)).collect();
        Walk {
            function,
            graph,
            order,
            origins,
            now: vec![ALL; values],
            trail: Vec::new(),
            given: vec![None; values],
            assumed: vec![None; values],
            reached: vec![false; function.blocks.len()],
            heads,
            natural,
        }
    }

    /// The parameters of loops' heads that are ints.
    pub fn head_params(&self) -> Vec<Value> {
        let heads = self.order.iter().filter(|b| self.heads[**b as usize]);
        let params = heads.flat_map(|b| self.function.blocks[*b as usize].params.iter().copied());
        params.filter(|param| self.is_int(*param)).collect()
    }

    pub fn assume_param(&mut self, param: Value, lies: Option<Interval>) {
        self.assumed[param.0 as usize] = lies;
    }

    pub fn assumed(&self, param: Value) -> Option<Interval> {
        self.assumed[param.0 as usize]
    }

    /// What the last walk has given to a parameter.
    pub fn given(&self, param: Value) -> Option<Interval> {
        self.given[param.0 as usize]
    }

    fn is_int(&self, value: Value) -> bool {
        *self.function.ty(value) == Ty::INT
    }

    /// Where a value lies, here.
    pub fn lies(&self, value: Value) -> Interval {
        match self.function.ty(value) {
            Ty::Int(IntTy::I64) => self.now[value.0 as usize],
            Ty::Int(int) if int.bits() < 64 => from_to(int.min() as i64, int.max() as i64),
            Ty::Bool => from_to(0, 1),
            _ => ALL,
        }
    }

    pub fn definition(&self, value: Value) -> Option<&'f Inst> {
        let (block, inst) = self.origins[value.0 as usize];
        self.function.blocks.get(block as usize)?.insts.get(inst as usize)
    }

    /// Goes through all blocks that can be reached. `visit` is asked before each instruction.
    pub fn walk(&mut self, visit: &mut dyn FnMut(&Walk, u32, usize, &Inst)) {
        self.given.fill(None);
        self.reached.fill(false);
        self.reached[0] = true;
        self.now.fill(ALL);
        self.trail.clear();
        let mut open: Vec<(u32, usize)> = Vec::new();
        for i in 0..self.order.len() {
            let b = self.order[i];
            while let Some(&(above, mark)) = open.last()
                && !self.graph.dominates(above, b)
            {
                self.forget(mark);
                open.pop();
            }
            if self.reached[b as usize] {
                open.push((b, self.trail.len()));
                self.enter(b);
                self.block(b, visit);
            }
        }
    }

    /// Goes once through the blocks of a loop, its head first, in this order. Some ints are taken to lie somewhere, where it begins; of others that come from
    /// outside nothing is known but of constants. What is given to the head's parameters afterwards is where a round leaves them.
    pub fn round(&mut self, order: &[u32], lie: &[(Value, Interval)], visit: &mut dyn FnMut(&Walk, u32, usize, &Inst)) {
        let function = self.function;
        for &b in order {
            self.reached[b as usize] = b == order[0];
            let block = &function.blocks[b as usize];
            for &value in block.params.iter().chain(block.insts.iter().flat_map(|inst| &inst.args)) {
                let constant = self.definition(value).map(|inst| &inst.op);
                self.now[value.0 as usize] = match constant {
                    Some(Op::Const(Const::Int(bits))) => Interval::one(*bits as i64),
                    _ => ALL,
                };
                self.given[value.0 as usize] = None;
            }
        }
        self.trail.clear();
        for &(value, lies) in lie {
            self.now[value.0 as usize] = lies;
        }
        let mut open: Vec<(u32, usize)> = Vec::new();
        for &b in order {
            while let Some(&(above, mark)) = open.last()
                && !self.graph.dominates(above, b)
            {
                self.forget(mark);
                open.pop();
            }
            if self.reached[b as usize] {
                open.push((b, self.trail.len()));
                if b != order[0] {
                    self.enter(b);
                }
                self.block(b, visit);
            }
        }
        self.forget(0);
    }

    fn forget(&mut self, mark: usize) {
        for (value, was) in self.trail.drain(mark..).rev() {
            self.now[value.0 as usize] = was;
        }
    }

    /// What is known where a block begins.
    fn enter(&mut self, b: u32) {
        let block = &self.function.blocks[b as usize];
        for &param in block.params.iter().filter(|_| b > 0) {
            let (given, assumed) = (self.given[param.0 as usize], self.assumed[param.0 as usize]);
            let lies = match (given, assumed) {
                (Some(given), Some(assumed)) if self.heads[b as usize] => given.join(assumed),
                (Some(given), _) => given,
                (None, _) => ALL,
            };
            self.now[param.0 as usize] = lies;
        }
        if let &[from] = self.graph.preds[b as usize].as_slice()
            && let Terminator::Branch(condition, then, _) = &self.function.blocks[from as usize].end
        {
            self.decided(*condition, then.block.0 == b, DEEPEST);
        }
    }

    fn block(&mut self, b: u32, visit: &mut dyn FnMut(&Walk, u32, usize, &Inst)) {
        let block = &self.function.blocks[b as usize];
        for (i, inst) in block.insts.iter().enumerate() {
            visit(self, b, i, inst);
            if self.is_int(inst.result) {
                self.now[inst.result.0 as usize] = self.result(inst);
            }
            self.after(inst);
        }
        for (way, target) in block.end.targets().enumerate() {
            let mark = self.trail.len();
            let possible = match &block.end {
                Terminator::Branch(condition, ..) => self.decided(*condition, way == 0, DEEPEST),
                _ => true,
            };
            if possible {
                self.reached[target.block.0 as usize] = true;
                let params = &self.function.blocks[target.block.0 as usize].params;
                for (param, arg) in params.iter().zip(&target.args) {
                    let lies = self.lies(*arg);
                    let given = &mut self.given[param.0 as usize];
                    *given = Some(given.map_or(lies, |so_far| so_far.join(lies)));
                }
            }
            self.forget(mark);
        }
    }

    /// What an operation gives if it does not raise.
    fn result(&mut self, inst: &Inst) -> Interval {
        let lies = |i: usize| self.lies(inst.args[i]);
        let by_mode = |mode: &Mode, wide| match mode {
            Mode::Python => interval::checked(wide),
            Mode::Numpy => interval::wrapped(wide),
        };
        match &inst.op {
            Op::Const(Const::Int(bits)) => Interval::one(*bits as i64),
            Op::NextIndex => interval::wrapped(interval::add(lies(0), lies(1))),
            Op::Add(m) | Op::Sub(m) | Op::Mul(m) | Op::Shl(m) | Op::Neg(m) | Op::Abs(m) => {
                let Some(wide) = self.wide(inst) else { return ALL };
                let result = by_mode(m, wide);
                let constant = (0..inst.args.len()).find_map(|i| lies(i).single());
                match (&inst.op, m, constant) {
                    (Op::Mul(_), Mode::Python, Some(c)) if c != 0 => {
                        result.meet(interval::multiples(c)).unwrap_or(result)
                    }
                    _ => result,
                }
            }
            Op::FloorDiv(_) | Op::Quotient(_) => interval::floor_div(lies(0), lies(1)),
            Op::Mod(_) | Op::Remainder(_) => interval::modulo(lies(0), lies(1)),
            Op::And => interval::and(lies(0), lies(1)),
            Op::Or => interval::or(lies(0), lies(1)),
            Op::Xor => interval::xor(lies(0), lies(1)),
            Op::Invert => interval::invert(lies(0)),
            Op::Shr(mode) => {
                let counts = lies(1);
                // NumPy's negative counts are large ones.
                let counts = if counts.low < 0 && *mode == Mode::Numpy { from_to(0, 63) } else { counts };
                interval::shr(lies(0), from_to(counts.low.max(0), counts.high.max(0)))
            }
            Op::Select => self.select(inst),
            Op::Convert => lies(0),
            // u64, of which only what ints hold is left.
            Op::Narrow(Mode::Python) if *self.function.ty(inst.args[0]) == Ty::Int(IntTy::U64) => from_to(0, i64::MAX),
            Op::Narrow(_) => lies(0),
            Op::Len(_) => from_to(0, ArrayTy::LONGEST as i64 - 1),
            Op::Index(_) => from_to(0, lies(1).high.saturating_sub(1).max(0)),
            _ => ALL,
        }
    }

    /// Exactly what arithmetic gives, before it raises or wraps.
    pub fn wide(&self, inst: &Inst) -> Option<interval::Wide> {
        let lies = |i: usize| self.lies(inst.args[i]);
        Some(match &inst.op {
            Op::Add(_) => interval::add(lies(0), lies(1)),
            Op::Sub(_) => interval::sub(lies(0), lies(1)),
            Op::Mul(_) if inst.args[0] == inst.args[1] => interval::square(lies(0)),
            Op::Mul(_) => interval::mul(lies(0), lies(1)),
            Op::Neg(_) => interval::neg(lies(0)),
            Op::Abs(_) => interval::abs(lies(0)),
            Op::Shl(_) => match lies(1).single() {
                Some(count @ 0..=63) => interval::shl(lies(0), count as u32),
                _ => return None,
            },
            _ => return None,
        })
    }

    /// Each arm where the condition says so.
    fn select(&mut self, inst: &Inst) -> Interval {
        let mut lies: Option<Interval> = None;
        for (arm, truth) in [(1, true), (2, false)] {
            let mark = self.trail.len();
            if self.decided(inst.args[0], truth, DEEPEST) {
                let of_arm = self.lies(inst.args[arm]);
                lies = Some(lies.map_or(of_arm, |other| other.join(of_arm)));
            }
            self.forget(mark);
        }
        lies.unwrap_or(ALL)
    }

    /// What an instruction that has not raised says.
    fn after(&mut self, inst: &Inst) {
        match &inst.op {
            Op::Fail(_) => drop(self.decided(inst.args[0], false, DEEPEST)),
            Op::Add(Mode::Python) | Op::Sub(Mode::Python) | Op::Mul(Mode::Python) if self.is_int(inst.result) => {
                self.backward(inst, DEEPEST);
            }
            // It was none of 0.
            Op::Mod(Mode::Python) | Op::FloorDiv(Mode::Python) if self.is_int(inst.result) => {
                self.differs(inst.args[1], 0, DEEPEST);
            }
            _ => {}
        }
    }

    /// From here on a value lies in an interval, too. False if it cannot: nobody comes here.
    fn narrow(&mut self, value: Value, to: Interval, depth: u32) -> bool {
        if !self.is_int(value) {
            return true;
        }
        let was = self.now[value.0 as usize];
        let Some(both) = was.meet(to) else { return false };
        if both == was {
            return true;
        }
        self.trail.push((value, was));
        self.now[value.0 as usize] = both;
        match self.definition(value) {
            Some(inst) if depth > 0 => self.backward(inst, depth - 1),
            _ => true,
        }
    }

    fn differs(&mut self, value: Value, from: i64, depth: u32) -> bool {
        let lies = self.lies(value);
        match lies.single() {
            Some(only) => only != from,
            None if lies.low == from => self.narrow(value, from_to(from + 1, lies.high), depth),
            None if lies.high == from => self.narrow(value, from_to(lies.low, from - 1), depth),
            None => true,
        }
    }

    /// What a result's interval says of the operands:
    ///
    /// ```text
    /// x + c, x - c     x lies in the interval, less c        if they raise, or if that, too, is in 64 bits: then nothing has wrapped
    /// x * x            |x| ≤ √high                           if it raises
    /// x >> c           from low·2ᶜ to high·2ᶜ + 2ᶜ - 1
    /// x | y            x ≤ high, y ≤ high                    if 0 ≤ low: then neither is negative
    /// x as another int                                       the same, if it is
    /// ```
    fn backward(&mut self, inst: &Inst, depth: u32) -> bool {
        let to = self.lies(inst.result);
        let constant = |walk: &Self, i: usize| walk.lies(inst.args[i]).single().map(Interval::one);
        match &inst.op {
            Op::Add(mode) => {
                for (x, c) in [(0, 1), (1, 0)] {
                    if let Some(c) = constant(self, c) {
                        return self.shifted(inst.args[x], interval::sub(to, c), *mode, depth);
                    }
                }
                true
            }
            Op::Sub(mode) => match constant(self, 1) {
                Some(c) => self.shifted(inst.args[0], interval::add(to, c), *mode, depth),
                None => true,
            },
            Op::Mul(Mode::Python) if inst.args[0] == inst.args[1] => {
                let most = interval::root(to.high.max(0));
                self.narrow(inst.args[0], from_to(-most, most), depth)
            }
            Op::Shr(_) => match self.lies(inst.args[1]).single() {
                Some(count @ 0..=63) => {
                    let (low, high) = interval::shl(to, count as u32);
                    self.narrow(inst.args[0], interval::checked((low, high + (1 << count) - 1)), depth)
                }
                _ => true,
            },
            Op::Or if to.low >= 0 => {
                let all = from_to(0, to.high);
                self.narrow(inst.args[0], all, depth) && self.narrow(inst.args[1], all, depth)
            }
            Op::Narrow(Mode::Python) | Op::Convert => self.narrow(inst.args[0], to, depth),
            _ => true,
        }
    }

    fn shifted(&mut self, value: Value, wide: interval::Wide, mode: Mode, depth: u32) -> bool {
        match (interval::exact(wide), mode) {
            (Some(lies), _) => self.narrow(value, lies, depth),
            (None, Mode::Python) => self.narrow(value, interval::checked(wide), depth),
            (None, Mode::Numpy) => true,
        }
    }

    /// From here on a condition is known. False if it cannot be so.
    fn decided(&mut self, condition: Value, truth: bool, depth: u32) -> bool {
        let Some(inst) = self.definition(condition) else { return true };
        match (&inst.op, truth) {
            (Op::Const(Const::Bool(known)), _) => *known == truth,
            (Op::Not, _) if depth > 0 => self.decided(inst.args[0], !truth, depth - 1),
            (Op::And, true) | (Op::Or, false) if depth > 0 => {
                inst.args.iter().all(|part| self.decided(*part, truth, depth - 1))
            }
            (Op::Cmp(cond), _) if self.is_int(inst.args[0]) => {
                self.compared(*cond, inst.args[0], inst.args[1], truth, depth)
            }
            _ => true,
        }
    }

    fn compared(&mut self, cond: Cond, a: Value, b: Value, truth: bool, depth: u32) -> bool {
        let (x, y) = (self.lies(a), self.lies(b));
        let below = |strict: bool, low: Interval, high: Interval| {
            let by = i64::from(strict);
            let (most, least) = (high.high.checked_sub(by)?, low.low.checked_add(by)?);
            Some((from_to(i64::MIN, most), from_to(least, i64::MAX)))
        };
        let bounds = match (cond, truth) {
            (Cond::Lt, true) | (Cond::Ge, false) => below(true, x, y),
            (Cond::Le, true) | (Cond::Gt, false) => below(false, x, y),
            (Cond::Gt, true) | (Cond::Le, false) => below(true, y, x).map(|(y, x)| (x, y)),
            (Cond::Ge, true) | (Cond::Lt, false) => below(false, y, x).map(|(y, x)| (x, y)),
            (Cond::Eq, true) | (Cond::Ne, false) => Some((y, x)),
            (Cond::Ne, true) | (Cond::Eq, false) => {
                return y.single().is_none_or(|k| self.differs(a, k, depth))
                    && x.single().is_none_or(|k| self.differs(b, k, depth));
            }
        };
        match bounds {
            Some((of_a, of_b)) => self.narrow(a, of_a, depth) && self.narrow(b, of_b, depth),
            None => false,
        }
    }
}
