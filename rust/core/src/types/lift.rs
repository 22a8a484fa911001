//! Operators and functions of numbers, given arrays: the kernel that is run on each element.
//!
//! In: a primitive of numbers and operands of which some are arrays. Out: an array, by `Op::Map`; and the kernel, a function of the module
//! whose body is what the primitive's own rule makes of elements. Always holds: NumPy's rules, whatever the text's own are, as whole arrays have them in
//! Python; literals stay literals, so that they give way to the arrays' types.

use crate::kernel::MOST_OPERANDS;

use super::emit::{Emit, Operand, Sink};
use super::{ArrayTy, IntTy, Item, Ty, promote};
use crate::builtins::Primitive;
use crate::diag::Diag;
use crate::typed::{Block, Mode, Op, Reduction, Terminator, Value};

type Outcome = Result<Operand, Diag>;

/// Whether one of them is an array.
pub fn any_array(operands: &[Operand]) -> bool {
    operands.iter().any(|operand| matches!(operand.ty, Ty::Array(_)))
}

/// What the primitive makes of each element.
pub fn map(e: &mut Emit, p: &'static Primitive, operands: &[Operand]) -> Outcome {
    let operands = &ints_give_way(e, p, operands);
    let kernel = Kernel::new(e, p.name, operands, |e, elements| (p.rule)(e, p, elements))?;
    let ty = Ty::Array(ArrayTy { item: kernel.item, ndim: ndim(operands), contiguous: true, writable: true });
    Ok(kernel.apply(e, None, operands, Op::Map, ty))
}

/// Ints give way to the types of arrays of ints, as Python's ints do in NumPy 2: what does not fit raises OverflowError, at this place and not
/// for each element. Comparisons hold whatever the int is.
fn ints_give_way(e: &mut Emit, p: &'static Primitive, operands: &[Operand]) -> Vec<Operand> {
    let items = operands.iter().filter_map(|operand| match operand.ty {
        Ty::Array(array) if array.item != Item::Bool => Some(array.item.ty()),
        _ => None,
    });
    let common = items.map(Some).reduce(|a, b| promote(&a?, &b?)).flatten();
    let compares = matches!(p.name, "lt" | "le" | "gt" | "ge" | "eq" | "ne");
    let give_way = |e: &mut Emit, operand: &Operand| match (&common, &operand.ty) {
        (Some(Ty::Int(int)), Ty::Int(IntTy::I64)) if !compares && *int != IntTy::I64 => {
            if operand.literal_int().is_some_and(|value| int.holds(value.into())) {
                return operand.clone();
            }
            e.op(Op::Narrow(Mode::Python), &[operand], Ty::Int(*int))
        }
        _ => operand.clone(),
    };
    operands.iter().map(|operand| give_way(e, operand)).collect()
}

/// Writes each element of `value`, an array or a number, to `target`.
pub fn assign(e: &mut Emit, target: &Operand, value: &Operand) -> Outcome {
    let Ty::Array(ty) = target.ty else { return Err(e.diag("not-an-array", &[&target.ty])) };
    let item = ty.item.ty();
    let given = std::slice::from_ref(value);
    if ndim(given) > ty.ndim {
        return Err(e.diag("too-many-to-assign", &[&ndim(given), &ty.ndim]));
    }
    // A number is made an element once, by the text's own rules: what does not fit raises, as where one element is written.
    let number;
    let given = match value.ty {
        Ty::Array(_) => given,
        _ => {
            number = super::rules::array::element(e, ty, value)?;
            std::slice::from_ref(&number)
        }
    };
    let kernel = Kernel::new(e, "assign", given, |e, elements| super::rules::array::element(e, ty, &elements[0]))?;
    debug_assert_eq!(kernel.item.ty(), item);
    if !ty.writable {
        e.fail(crate::fault::Fault::ReadOnly, &Operand::bool(true));
        return Ok(Operand::none());
    }
    kernel.apply(e, Some(target), given, Op::MapInto, Ty::None);
    Ok(Operand::none())
}

/// What a reduction makes of all elements of `operands` after the primitive, or of the elements of the one as they are.
pub fn reduce(e: &mut Emit, reduction: Reduction, before: Option<&'static Primitive>, operands: &[Operand]) -> Outcome {
    let kernel = match before {
        Some(p) => Kernel::new(e, p.name, operands, |e, elements| (p.rule)(e, p, elements))?,
        None => Kernel::new(e, "element", operands, |_, elements| Ok(elements[0].clone()))?,
    };
    let ty = reduction.result(kernel.item);
    Ok(kernel.apply(e, None, operands, |id| Op::Reduce(reduction, id), ty))
}

fn ndim(operands: &[Operand]) -> u8 {
    let each = operands.iter().map(|operand| if let Ty::Array(array) = operand.ty { array.ndim } else { 0 });
    each.max().unwrap_or(0)
}

/// What a kernel has in itself: a literal, or what its type says all of.
fn known(operand: &Operand) -> Option<Operand> {
    match (&operand.literal, &operand.ty) {
        (Some(_), _) => Some(operand.clone()),
        (None, Ty::None) => Some(Operand::none()),
        _ => None,
    }
}

/// A kernel in the making: what it gives, and its function where instructions are wanted.
struct Kernel {
    item: Item,
    function: Option<crate::typed::Function>,
}

impl Kernel {
    fn new(
        e: &mut Emit,
        name: &str,
        operands: &[Operand],
        body: impl Fn(&mut Emit, &[Operand]) -> Outcome,
    ) -> Result<Kernel, Diag> {
        if operands.len() > MOST_OPERANDS {
            return Err(e.diag("elementwise-operands", &[&name, &MOST_OPERANDS]));
        }
        let element = |operand: &Operand| match operand.ty {
            Ty::Array(array) => array.item.ty(),
            ref scalar => scalar.clone(),
        };
        // Numbers give way to f32s, as Python's numbers do in NumPy 2. (To ints: `ints_give_way`.)
        let ints = operands.iter().any(|o| matches!(o.ty, Ty::Array(ArrayTy { item: Item::Int(_), .. })));
        let weak = |operand: &Operand| !ints && (operand.ty == Ty::FLOAT || operand.ty == Ty::INT);
        let fitting = |e: &Emit, result: &Operand| {
            Item::of(&result.ty).ok_or_else(|| e.diag("no-element", &[&format!("{name}()"), &result.ty]))
        };
        let span = e.span;
        let Some(mut sink) = e.kernel_sink(name) else {
            let mut dry = Emit::dry(Mode::Numpy);
            dry.span = span;
            let elements: Vec<Operand> = operands
                .iter()
                .map(|o| known(o).unwrap_or_else(|| Operand::typed(element(o)).with_weak(weak(o))))
                .collect();
            let result = body(&mut dry, &elements)?;
            return Ok(Kernel { item: fitting(e, &result)?, function: None });
        };
        let mut params: Vec<Value> = Vec::new();
        let elements: Vec<Operand> = operands
            .iter()
            .map(|operand| {
                if let Some(known) = known(operand) {
                    return known;
                }
                let param = sink.function.new_value(element(operand));
                params.push(param);
                Operand::of(element(operand), param).with_weak(weak(operand))
            })
            .collect();
        let mut inner = Emit::into(Mode::Numpy, &mut sink);
        inner.span = span;
        let result = body(&mut inner, &elements)?;
        let value = inner.value(&result);
        inner.room()?;
        let item = fitting(e, &result)?;
        let Sink { mut function, insts, .. } = sink;
        function.result = result.ty.clone();
        function.blocks.push(Block { params, insts, end: Terminator::Return(value), end_span: span });
        Ok(Kernel { item, function: Some(function) })
    }

    /// The operation that runs it. Literals are in the kernel already.
    fn apply(
        self,
        e: &mut Emit,
        target: Option<&Operand>,
        operands: &[Operand],
        op: impl FnOnce(crate::typed::FuncId) -> Op,
        ty: Ty,
    ) -> Operand {
        let id = e.add_kernel(self.function);
        let others = operands.iter().filter(|operand| known(operand).is_none());
        let args: Vec<&Operand> = target.into_iter().chain(others).collect();
        e.op(op(id), &args, ty)
    }
}
