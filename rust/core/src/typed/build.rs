//! Typed IR by hand, for tests. Every instruction gets a place of its own, so that spans can be told apart.

use super::{Args, Block, BlockId, Const, Function, Inst, Module, Op, Raise, Target, Terminator, Value};
use crate::failure::{Cause, Failure, Host, HostError, POLL_INTERVAL};
use crate::span::Span;
use crate::types::Ty;

pub struct Builder {
    function: Function,
    current: usize,
    place: u32,
}

/// A function under construction; block 0 is there, with the parameters.
pub fn function(name: &str, params: &[Ty], result: Ty) -> Builder {
    let function =
        Function { name: name.into(), values: Vec::new(), blocks: Vec::new(), result, span: Span { start: 0, end: 1 } };
    let mut builder = Builder { function, current: 0, place: 0 };
    builder.block(params);
    builder
}

pub fn module(functions: Vec<Function>) -> Module {
    let raises = vec![Raise { exception: "ValueError".into(), message: Some("no".into()) }];
    Module { functions, raises, text: None }
}

impl Builder {
    /// A new block, not yet filled: it raises.
    pub fn block(&mut self, params: &[Ty]) -> BlockId {
        let params = params.iter().map(|ty| self.function.new_value(ty.clone())).collect();
        let block = Block { params, insts: Vec::new(), end: Terminator::Raise(0), end_span: Span::default() };
        self.function.blocks.push(block);
        BlockId(self.function.blocks.len() as u32 - 1)
    }

    /// Continues in a block.
    pub fn at(&mut self, block: BlockId) -> &mut Builder {
        self.current = block.0 as usize;
        self
    }

    pub fn param(&self, block: BlockId, index: usize) -> Value {
        self.function.blocks[block.0 as usize].params[index]
    }

    pub fn op(&mut self, op: Op, args: &[Value], result: Ty) -> Value {
        let result = self.function.new_value(result);
        let span = self.span();
        self.function.blocks[self.current].insts.push(Inst { result, op, args: Args::from_slice(args), span });
        result
    }

    pub fn int(&mut self, value: i64) -> Value {
        self.op(Op::Const(Const::Int(value as u64)), &[], Ty::INT)
    }

    pub fn float(&mut self, value: f64) -> Value {
        self.op(Op::Const(Const::Float(value)), &[], Ty::FLOAT)
    }

    pub fn bool(&mut self, value: bool) -> Value {
        self.op(Op::Const(Const::Bool(value)), &[], Ty::Bool)
    }

    pub fn tick(&mut self) {
        self.op(Op::Tick(1), &[], Ty::None);
    }

    pub fn jump(&mut self, block: BlockId, args: &[Value]) {
        self.end(Terminator::Jump(Target { block, args: args.to_vec() }));
    }

    pub fn branch(&mut self, condition: Value, then: (BlockId, &[Value]), otherwise: (BlockId, &[Value])) {
        let target = |(block, args): (BlockId, &[Value])| Target { block, args: args.to_vec() };
        self.end(Terminator::Branch(condition, target(then), target(otherwise)));
    }

    pub fn ret(&mut self, value: Value) {
        self.end(Terminator::Return(value));
    }

    pub fn raise(&mut self) {
        self.end(Terminator::Raise(0));
    }

    fn end(&mut self, end: Terminator) {
        let end_span = self.span();
        let block = &mut self.function.blocks[self.current];
        (block.end, block.end_span) = (end, end_span);
    }

    /// Whether the last instruction of the block at hand reads a value.
    pub fn last_reads(&self, value: Value) -> bool {
        self.function.blocks[self.current].insts.last().is_some_and(|inst| inst.args.contains(&value))
    }

    fn span(&mut self) -> Span {
        self.place += 1;
        Span { start: self.place, end: self.place + 1 }
    }

    pub fn done(self) -> Function {
        self.function
    }
}

/// A host that remembers what was printed, and refuses to go on after so many questions. If it says `each`, it is asked at every
/// tick but the first.
#[derive(Default)]
pub struct Recorder {
    pub printed: String,
    pub patience: Option<u32>,
    pub each: bool,
    pub polls: u64,
}

impl Host for Recorder {
    fn print(&mut self, text: &str) -> Result<(), HostError> {
        self.printed.push_str(text);
        Ok(())
    }

    fn poll(&mut self) -> Result<(), HostError> {
        self.polls += 1;
        match &mut self.patience {
            Some(0) => Err(HostError),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// The same for every engine, so that all are stopped at the same place.
    fn interval(&mut self, _: u64) -> u64 {
        if self.each { 1 } else { POLL_INTERVAL }
    }
}

/// What a run did: its result's slots or failure, and what it printed.
pub fn outcome(module: &Module, args: &[u64]) -> (Result<Vec<u64>, Failure>, String) {
    // A million ticks are an endless loop.
    let mut host = Recorder { patience: Some(64), ..Recorder::default() };
    let mut out = vec![0; module.functions[0].result.width()];
    let result = crate::interp::run(module, args, &mut out, &mut host).map(|()| out);
    if let Err(Failure { cause: Cause::Host, .. }) = result {
        host.printed.push_str("(gave up)");
    }
    (result, host.printed)
}

/// How many ticks a run takes, but for the first.
pub fn ticks(module: &Module, args: &[u64]) -> u64 {
    let mut host = Recorder { each: true, ..Recorder::default() };
    let mut out = vec![0; module.functions[0].result.width()];
    let _ = crate::interp::run(module, args, &mut out, &mut host);
    host.polls
}

/// `gcd(a, b)` by Euclid, as inference would write it.
pub fn gcd() -> Function {
    let mut f = function("gcd", &[Ty::INT, Ty::INT], Ty::INT);
    let (a, b) = (f.param(BlockId(0), 0), f.param(BlockId(0), 1));
    let (head, body, exit) = (f.block(&[Ty::INT, Ty::INT]), f.block(&[]), f.block(&[]));
    f.jump(head, &[a, b]);
    let (x, y) = (f.param(head, 0), f.param(head, 1));
    f.at(head);
    let zero = f.int(0);
    let more = f.op(Op::Cmp(super::Cond::Ne), &[y, zero], Ty::Bool);
    f.branch(more, (body, &[]), (exit, &[]));
    f.at(body);
    let rest = f.op(Op::Mod(super::Mode::Python), &[x, y], Ty::INT);
    f.jump(head, &[y, rest]);
    f.at(exit).ret(x);
    f.done()
}
