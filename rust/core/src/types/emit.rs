//! Where rules put what they make: typed instructions, or — while inference only asks for types — nothing.
//!
//! A rule is written once. Inference runs it against an `Emit` without a sink to learn the result's type; emission runs it
//! again with the function's final types and a sink. Literals stay literals until an instruction needs them, so that a literal
//! takes the type of what it meets and its conversion costs nothing.

use std::collections::HashMap;
use std::sync::Arc;

use super::{FloatTy, IntTy, Ty};
use crate::diag::Diag;
use crate::fault::Fault;
use crate::ir::Literal;
use crate::runtime::{self, Kind};
use crate::span::Span;
use crate::typed::{Args, Cond, Const, FuncId, Function, HelperRef, Inst, Mode, Op, Raise, Value};

/// Something a rule is given or gives: a typed value, or a literal that has a type but is no instruction yet.
#[derive(Clone, Debug)]
pub struct Operand {
    pub ty: Ty,
    pub literal: Option<Literal>,
    /// A number of Python's among NumPy's: gives way to sized types as a literal does.
    pub weak: bool,
    /// Meaningless while there is no sink.
    value: Value,
}

/// The function under construction.
pub struct Sink {
    pub function: Function,
    pub insts: Vec<Inst>,
    pub raises: Raises,
    /// The kernels of whole-array operations so far; they are called by their place here, from `KERNELS` on.
    pub kernels: Vec<Function>,
    /// How many values there may be, and how many other functions have.
    pub most: usize,
    pub before: usize,
}

/// The exceptions that the text raises, each once.
#[derive(Default)]
pub struct Raises {
    pub all: Vec<Raise>,
    places: HashMap<Raise, u32>,
}

/// The numbers of kernels, which come after those of all instances.
pub const KERNELS: u32 = 1 << 31;

pub struct Emit<'a> {
    pub mode: Mode,
    /// The place of whatever is emitted.
    pub span: Span,
    sink: Option<&'a mut Sink>,
}

impl Operand {
    pub fn of(ty: Ty, value: Value) -> Operand {
        Operand { ty, literal: None, weak: false, value }
    }

    pub fn typed(ty: Ty) -> Operand {
        Operand::of(ty, Value(u32::MAX))
    }

    pub fn literal(literal: Literal) -> Operand {
        let ty = match &literal {
            Literal::None => Ty::None,
            Literal::Bool(_) => Ty::Bool,
            Literal::Int(_) => Ty::INT,
            Literal::Float(_) => Ty::FLOAT,
            Literal::Str(_) => Ty::Str,
        };
        Operand { ty, literal: Some(literal), weak: false, value: Value(u32::MAX) }
    }

    pub fn int(value: i64) -> Operand {
        Operand::literal(Literal::Int(value))
    }

    pub fn float(value: f64) -> Operand {
        Operand::literal(Literal::Float(value))
    }

    pub fn bool(value: bool) -> Operand {
        Operand::literal(Literal::Bool(value))
    }

    pub fn none() -> Operand {
        Operand::literal(Literal::None)
    }

    /// Whether it is the same to a rule: of one type, and both the same literal or none.
    pub fn is_like(&self, other: &Operand) -> bool {
        let literal = match (&self.literal, &other.literal) {
            (None, None) => true,
            (Some(Literal::Float(a)), Some(Literal::Float(b))) => a.to_bits() == b.to_bits(),
            (Some(Literal::Int(a)), Some(Literal::Int(b))) => a == b,
            (Some(Literal::Bool(a)), Some(Literal::Bool(b))) => a == b,
            (Some(Literal::Str(a)), Some(Literal::Str(b))) => a == b,
            (Some(Literal::None), Some(Literal::None)) => true,
            _ => false,
        };
        literal && self.ty == other.ty && self.weak == other.weak
    }

    pub fn with_weak(self, weak: bool) -> Operand {
        Operand { weak, ..self }
    }

    /// Whether it has its type only until it meets another.
    pub fn gives_way(&self) -> bool {
        self.weak || self.literal.is_some()
    }

    pub fn literal_int(&self) -> Option<i64> {
        match self.literal {
            Some(Literal::Int(value)) => Some(value),
            Some(Literal::Bool(value)) => Some(value.into()),
            _ => None,
        }
    }
}

impl<'a> Emit<'a> {
    /// For types alone.
    pub fn dry(mode: Mode) -> Emit<'a> {
        Emit { mode, span: Span::default(), sink: None }
    }

    pub fn into(mode: Mode, sink: &'a mut Sink) -> Emit<'a> {
        Emit { mode, span: Span::default(), sink: Some(sink) }
    }

    pub fn diag(&self, code: &'static str, args: &[&dyn ToString]) -> Diag {
        Diag::new(code, self.span, args)
    }

    /// One instruction. The operands have the types that `op` asks for.
    pub fn op(&mut self, op: Op, args: &[&Operand], ty: Ty) -> Operand {
        let args: Args = args.iter().map(|arg| self.value(arg)).collect();
        self.push(op, args, ty)
    }

    fn push(&mut self, op: Op, args: Args, ty: Ty) -> Operand {
        let Some(sink) = &mut self.sink else { return Operand::typed(ty) };
        let result = sink.function.new_value(ty.clone());
        sink.insts.push(Inst { result, op, args, span: self.span });
        Operand::of(ty, result)
    }

    /// The value of an operand; a literal becomes a constant here.
    pub fn value(&mut self, operand: &Operand) -> Value {
        if self.sink.is_none() {
            return operand.value;
        }
        let constant = match (&operand.literal, &operand.ty) {
            (None, _) => return operand.value,
            (Some(Literal::Int(value)), Ty::Int(int)) => Const::Int(int.wrap(*value as i128)),
            (Some(Literal::Bool(value)), _) => Const::Bool(*value),
            (Some(Literal::Float(value)), _) => Const::Float(*value),
            _ => Const::None,
        };
        let ty = if matches!(constant, Const::None) { Ty::None } else { operand.ty.clone() };
        self.push(Op::Const(constant), Args::new(), ty).value
    }

    /// The index of an exception that the text raises.
    pub fn raise(&mut self, raise: Raise) -> u32 {
        let Some(sink) = &mut self.sink else { return 0 };
        let Raises { all, places } = &mut sink.raises;
        *places.entry(raise).or_insert_with_key(|raise| {
            all.push(raise.clone());
            all.len() as u32 - 1
        })
    }

    /// Where a kernel's instructions go; None where nobody wants any.
    pub fn kernel_sink(&self, name: &str) -> Option<Sink> {
        let sink = self.sink.as_ref()?;
        Some(Sink {
            function: Function {
                name: name.into(),
                values: Vec::new(),
                blocks: Vec::new(),
                result: Ty::None,
                span: self.span,
            },
            insts: Vec::new(),
            raises: Raises::default(),
            kernels: Vec::new(),
            most: sink.most,
            before: sink.before + sink.function.values.len(),
        })
    }

    /// The number of a kernel from now on.
    pub fn add_kernel(&mut self, kernel: Option<Function>) -> FuncId {
        let (Some(sink), Some(kernel)) = (&mut self.sink, kernel) else { return FuncId(KERNELS) };
        sink.before += kernel.values.len();
        sink.kernels.push(kernel);
        FuncId(KERNELS + sink.kernels.len() as u32 - 1)
    }

    /// Whether what has been emitted is within the limits.
    pub fn room(&self) -> Result<(), Diag> {
        match &self.sink {
            Some(sink) if sink.before + sink.function.values.len() > sink.most => {
                Err(self.diag("limit-values", &[&sink.most]))
            }
            _ => Ok(()),
        }
    }

    pub fn call(&mut self, callee: FuncId, args: &[Operand], result: Ty) -> Operand {
        let args: Args = args.iter().map(|arg| self.value(arg)).collect();
        self.push(Op::Call(callee), args, result)
    }

    pub fn tuple(&mut self, items: &[Operand]) -> Operand {
        let ty = Ty::Tuple(items.iter().map(|item| item.ty.clone()).collect());
        let args: Args = items.iter().map(|item| self.value(item)).collect();
        self.push(Op::Tuple, args, ty)
    }

    /// Element `index` of a tuple; the index is in range.
    pub fn item(&mut self, tuple: &Operand, index: usize) -> Operand {
        let Ty::Tuple(items) = &tuple.ty else { return tuple.clone() };
        let ty = items[index].clone();
        self.op(Op::Item(index as u32), &[tuple], ty)
    }

    pub fn compare(&mut self, cond: Cond, a: &Operand, b: &Operand) -> Operand {
        self.op(Op::Cmp(cond), &[a, b], Ty::Bool)
    }

    /// Raises a fault where the condition holds.
    pub fn fail(&mut self, fault: Fault, condition: &Operand) {
        self.op(Op::Fail(fault), &[condition], Ty::None);
    }

    /// Calls a row of the runtime; the operands have its types. In NumPy mode the row `np_…` is taken where there is one.
    pub fn helper(&mut self, name: &str, args: &[&Operand]) -> Operand {
        let numpy = match self.mode {
            Mode::Numpy => runtime::helper(&format!("np_{name}")),
            Mode::Python => None,
        };
        let Some(row) = numpy.or_else(|| runtime::helper(name)) else {
            unreachable!("the runtime has no helper called {name}: a row of the table of builtins is wrong")
        };
        let unsigned = row.name.trim_start_matches("np_").starts_with("uint_");
        let scalar = |kind: &Kind| match kind {
            Kind::Int if unsigned => Ty::Int(IntTy::U64),
            Kind::Int => Ty::INT,
            Kind::Float => Ty::FLOAT,
            Kind::Bool => Ty::Bool,
        };
        let ty = match row.results {
            [one] => scalar(one),
            several => Ty::Tuple(several.iter().map(scalar).collect()),
        };
        self.op(Op::Helper(HelperRef(row), self.mode), args, ty)
    }

    /// Converts where no number is lost but by rounding to a float, or an integer's width is checked: what an annotation
    /// or a join may do by itself. None where the types do not allow it.
    pub fn convert(&mut self, operand: &Operand, to: &Ty) -> Option<Operand> {
        if operand.ty == *to {
            return Some(operand.clone());
        }
        if let Some(literal) = operand.literal.as_ref().and_then(|literal| convert_literal(literal, to)) {
            return Some(Operand { ty: to.clone(), ..Operand::literal(literal) });
        }
        match (&operand.ty, to) {
            (Ty::Bool, Ty::Int(_) | Ty::Float(_)) | (Ty::Int(_), Ty::Float(_)) | (Ty::Float(_), Ty::Float(_)) => {
                Some(self.op(Op::Convert, &[operand], to.clone()))
            }
            (Ty::Int(from), Ty::Int(int)) => {
                let op =
                    if int.holds(from.min()) && int.holds(from.max()) { Op::Convert } else { Op::Narrow(self.mode) };
                Some(self.op(op, &[operand], to.clone()))
            }
            (Ty::Array(from), Ty::Array(array)) if from.join(*array) == Some(*array) => {
                Some(self.op(Op::Loosen, &[operand], to.clone()))
            }
            (Ty::Tuple(from), Ty::Tuple(items)) if from.len() == items.len() => {
                let parts: Option<Vec<Operand>> = (0..items.len())
                    .map(|i| {
                        let item = self.item(operand, i);
                        self.convert(&item, &items[i])
                    })
                    .collect();
                parts.map(|parts| self.tuple(&parts))
            }
            _ => None,
        }
    }

    /// Truth as `if` and `not` see it; None for what has none.
    pub fn truth(&mut self, operand: &Operand) -> Option<Operand> {
        match &operand.ty {
            Ty::Bool => Some(operand.clone()),
            Ty::None => Some(Operand::bool(false)),
            Ty::Tuple(items) => Some(Operand::bool(!items.is_empty())),
            Ty::Str | Ty::Array(_) => None,
            Ty::Int(_) | Ty::Float(_) => match &operand.literal {
                Some(Literal::Int(value)) => Some(Operand::bool(*value != 0)),
                Some(Literal::Float(value)) => Some(Operand::bool(*value != 0.0)),
                _ => {
                    let zero = self.convert(&Operand::int(0), &operand.ty)?;
                    Some(self.compare(Cond::Ne, operand, &zero))
                }
            },
        }
    }

    /// The text of a literal, for print.
    pub fn text(operand: &Operand) -> Option<Arc<str>> {
        match &operand.literal {
            Some(Literal::Str(text)) => Some(text.clone()),
            _ => None,
        }
    }
}

fn convert_literal(literal: &Literal, to: &Ty) -> Option<Literal> {
    let float = |value: f64, direct: f32, ty: &FloatTy| match ty {
        FloatTy::F64 => Literal::Float(value),
        FloatTy::F32 => Literal::Float(direct as f64),
    };
    let int = match literal {
        Literal::Bool(value) => *value as i64,
        Literal::Int(value) => *value,
        Literal::Float(value) => {
            return match to {
                Ty::Float(ty) => Some(float(*value, *value as f32, ty)),
                _ => None,
            };
        }
        _ => return None,
    };
    match to {
        Ty::Int(ty) if ty.holds(int as i128) => Some(Literal::Int(int)),
        Ty::Float(ty) => Some(float(int as f64, int as f32, ty)),
        _ => None,
    }
}
