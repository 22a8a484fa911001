//! The untyped IR as it crossed from Python: `decode` reads it, `ssa` takes its variables away.
//!
//! docs/ir.md is its definition. Always holds after `decode`: every index is in range; each block ends in its only terminator;
//! nobody jumps to block 0; every operand names an instruction that has a result. `ssa` checks that it dominates its use.

mod decode;
pub mod ssa;

pub use decode::decode;

use std::sync::Arc;

use smallvec::SmallVec;

use crate::builtins::Primitive;
use crate::diag::Error;
use crate::externs::{Extern, ExternRef};
use crate::span::{Lines, Span};

/// Whether bytes are IR that may call these functions of the host: what `decode` and `ssa` ask, and nothing else.
pub fn check(bytes: &[u8], externs: &[Arc<Extern>]) -> Result<(), Error> {
    decode(bytes, externs)?.functions.iter().try_for_each(ssa::check)
}

/// An instruction by its number in the function; also the value it gives.
pub type Number = u32;

#[derive(Debug)]
pub struct Module {
    pub lines: Arc<Lines>,
    pub functions: Vec<Function>,
}

#[derive(Debug)]
pub struct Function {
    pub signature: Signature,
    /// Names of the variables; the parameters come first.
    pub locals: Vec<Arc<str>>,
    /// Each block as the half-open range of its instructions.
    pub blocks: Vec<(Number, Number)>,
    pub insts: Vec<Inst>,
}

/// What callers need to know of a function, before anything is inferred.
#[derive(Clone, Debug)]
pub struct Signature {
    pub name: Arc<str>,
    pub span: Span,
    pub params: Vec<Param>,
    /// The text of the annotation.
    pub result: Option<Arc<str>>,
    pub result_span: Span,
}

#[derive(Clone, Debug)]
pub struct Param {
    pub name: Arc<str>,
    /// The text of the annotation.
    pub ty: Option<Arc<str>>,
    pub span: Span,
}

#[derive(Debug)]
pub struct Inst {
    pub op: Op,
    pub span: Span,
}

pub type Args = SmallVec<[Number; 3]>;

#[derive(Debug)]
pub enum Op {
    Const(Literal),
    Get(u32),
    Set(u32, Number),
    Prim(&'static Primitive, Args),
    Call(u32, Args),
    Extern(ExternRef, Args),
    Tuple(Args),
    Unpack { value: Number, index: u32, count: u32 },
    Cast(Arc<str>, Number),
    Jump(u32),
    Branch(Number, u32, u32),
    Return(Number),
    Raise(Arc<str>, Option<Arc<str>>),
}

/// A constant of the text.
#[derive(Clone, Debug)]
pub enum Literal {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Str(Arc<str>),
}

impl Op {
    pub fn is_terminator(&self) -> bool {
        matches!(self, Op::Jump(_) | Op::Branch(..) | Op::Return(_) | Op::Raise(..))
    }

    pub fn has_result(&self) -> bool {
        !self.is_terminator() && !matches!(self, Op::Set(..))
    }

    pub fn operands(&self) -> &[Number] {
        match self {
            Op::Prim(_, args) | Op::Call(_, args) | Op::Extern(_, args) | Op::Tuple(args) => args,
            Op::Set(_, v) | Op::Cast(_, v) | Op::Branch(v, ..) | Op::Return(v) => std::slice::from_ref(v),
            Op::Unpack { value, .. } => std::slice::from_ref(value),
            Op::Const(_) | Op::Get(_) | Op::Jump(_) | Op::Raise(..) => &[],
        }
    }

    pub fn successors(&self) -> SmallVec<[u32; 2]> {
        match self {
            Op::Jump(b) => SmallVec::from_slice(&[*b]),
            Op::Branch(_, t, e) => SmallVec::from_slice(&[*t, *e]),
            _ => SmallVec::new(),
        }
    }
}
