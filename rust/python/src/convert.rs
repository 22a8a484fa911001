//! Python values ↔ 64-bit slots.
//!
//! In: one argument, and the type its parameter was declared with, if any. Out: its type and its slots. The rule: bool is bool;
//! int and its subclasses, and whatever has `__index__`, are int; float and its subclasses, and NumPy's floats, are float;
//! tuples are tuples of these. Anything else is a TypeError that names the parameter. A number never changes silently: an int
//! beyond its type raises OverflowError.

pub mod array;

use jib_core::code::has_room;
use jib_core::types::{FloatTy, IntTy, Ty};
use numpy::{PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::{PyOverflowError, PyRecursionError, PyTypeError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyFloat, PyInt, PyList, PyTuple};
use smallvec::SmallVec;

use crate::calls::call_method;
use crate::entry::{wide_int, wide_uint};

pub type Slots = SmallVec<[u64; 8]>;

/// What an argument is for messages: its parameter and its function.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    pub function: &'a str,
    pub param: &'a str,
    /// How many tuples are around it.
    pub depth: usize,
}

impl Place<'_> {
    /// Not a parameter, but what the function, one of the host's, has returned.
    pub const RESULT: &'static str = "";

    /// The place of an element; None when that would be too deep.
    fn inside(self) -> Option<Self> {
        (self.depth < Ty::DEEPEST).then_some(Place { depth: self.depth + 1, ..self })
    }
}

/// An argument of undeclared type: its own type, and its slots.
pub fn argument(value: &Bound<'_, PyAny>, place: Place<'_>, slots: &mut Slots) -> PyResult<Ty> {
    jib_core::trip!("convert");
    if value.is_exact_instance_of::<PyFloat>() || value.is_instance_of::<PyFloat>() {
        slots.push(value.extract::<f64>()?.to_bits());
        return Ok(Ty::FLOAT);
    }
    if let Ok(bit) = value.cast::<PyBool>() {
        slots.push(bit.is_true().into());
        return Ok(Ty::Bool);
    }
    if value.is_instance_of::<PyInt>() {
        slots.push(fit(value, IntTy::I64, place)?);
        return Ok(Ty::INT);
    }
    if let Ok(tuple) = value.cast::<PyTuple>() {
        return elements(tuple, place, slots);
    }
    match array::of(value)? {
        // An array without dimensions is a number.
        Some(array) if array.ndim() == 0 => return argument(&scalar(value)?, place, slots),
        Some(array) => return Ok(Ty::Array(array::argument(array, place, slots)?)),
        None => {}
    }
    if let Some(bit) = numpy_bool(value)? {
        slots.push(bit.into());
        return Ok(Ty::Bool);
    }
    if let Some(float) = numpy_float(value)? {
        slots.push(float.to_bits());
        return Ok(Ty::FLOAT);
    }
    match integer(value)? {
        Some(int) => {
            slots.push(fit(&int, IntTy::I64, place)?);
            Ok(Ty::INT)
        }
        None => Err(mismatch(place, "a number", value)),
    }
}

/// The NumPy scalar of an array without dimensions.
fn scalar<'py>(array: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    array.get_item(PyTuple::empty(array.py()))
}

/// A tuple of undeclared type. Its depth is bounded here, since it is Rust's stack that goes down.
fn elements(tuple: &Bound<'_, PyTuple>, place: Place<'_>, slots: &mut Slots) -> PyResult<Ty> {
    let Some(place) = place.inside() else { return Err(too_large_a_tuple(place)) };
    let mut items = Vec::with_capacity(tuple.len().min(Ty::LARGEST));
    let mut size = 0;
    for item in tuple.iter() {
        let ty = argument(&item, place, slots)?;
        size += ty.size();
        if size > Ty::LARGEST {
            return Err(too_large_a_tuple(place));
        }
        items.push(ty);
    }
    Ok(Ty::Tuple(items.into()))
}

fn too_large_a_tuple(place: Place<'_>) -> PyErr {
    let Place { function, param, .. } = place;
    PyTypeError::new_err(format!(
        "{function}() argument '{param}' is a tuple of more than {} elements or {} levels",
        Ty::LARGEST,
        Ty::DEEPEST
    ))
}

/// An argument for a parameter of declared type, and what its type is: an array's layout is its own.
pub fn declared(value: &Bound<'_, PyAny>, ty: &Ty, place: Place<'_>, slots: &mut Slots) -> PyResult<Ty> {
    let refused = || mismatch(place, &ty.to_string(), value);
    match ty {
        Ty::Bool => match (value.cast::<PyBool>(), numpy_bool(value)?) {
            (Ok(bit), _) => slots.push(bit.is_true().into()),
            (_, Some(bit)) => slots.push(bit.into()),
            _ => return Err(refused()),
        },
        Ty::Int(int) => {
            let number = if value.is_instance_of::<PyFloat>() { None } else { integer(value)? };
            slots.push(fit(&number.ok_or_else(refused)?, *int, place)?);
        }
        Ty::Float(float) => {
            let number = match (value.is_instance_of::<PyFloat>(), numpy_float(value)?) {
                (true, _) => value.extract::<f64>()?,
                (_, Some(number)) => number,
                // An int beyond the doubles raises OverflowError here, as float() does.
                _ => integer(value)?.ok_or_else(refused)?.extract::<f64>()?,
            };
            let number = if *float == FloatTy::F32 { f64::from(number as f32) } else { number };
            slots.push(number.to_bits());
        }
        Ty::Tuple(items) => {
            let tuple = value.cast::<PyTuple>().ok().filter(|tuple| tuple.len() == items.len());
            let tuple = tuple.ok_or_else(refused)?;
            let types = tuple.iter().zip(items.iter()).map(|(item, ty)| declared(&item, ty, place, slots));
            return Ok(Ty::Tuple(types.collect::<PyResult<_>>()?));
        }
        Ty::Array(wanted) => {
            let given = array::argument(array::of(value)?.ok_or_else(refused)?, place, slots)?;
            return wanted.accept(given).map(Ty::Array).ok_or_else(|| {
                let Place { function, param, .. } = place;
                PyTypeError::new_err(format!("{function}() argument '{param}' must be {wanted}, not {given}"))
            });
        }
        Ty::None if value.is_none() => {}
        Ty::None | Ty::Str => return Err(refused()),
    }
    Ok(ty.clone())
}

/// A result of this type from its slots; `args` are those in whose memory its arrays lie.
pub fn result<'py>(
    py: Python<'py>,
    ty: &Ty,
    slots: &mut std::slice::Iter<'_, u64>,
    args: &[Borrowed<'_, 'py, PyAny>],
) -> PyResult<Bound<'py, PyAny>> {
    jib_core::trip!("result");
    if let Ty::Array(array) = ty {
        let own: Slots = slots.take(array.width()).copied().collect();
        return array::result(py, *array, &own, args);
    }
    let mut slot = || slots.next().copied().unwrap_or(0);
    Ok(match ty {
        Ty::None | Ty::Str | Ty::Array(_) => py.None().into_bound(py),
        Ty::Bool => PyBool::new(py, slot() != 0).to_owned().into_any(),
        Ty::Int(IntTy::U64) => slot().into_pyobject(py)?.into_any(),
        Ty::Int(_) => (slot() as i64).into_pyobject(py)?.into_any(),
        Ty::Float(_) => PyFloat::new(py, f64::from_bits(slot())).into_any(),
        Ty::Tuple(items) => {
            // A loop that pushes, and no list on the heap: with both, a call that gives two numbers took a third longer.
            let mut made: SmallVec<[Bound<'py, PyAny>; 8]> = SmallVec::new();
            for item in items.iter() {
                made.push(result(py, item, slots, args)?);
            }
            PyTuple::new(py, made)?.into_any()
        }
    })
}

/// The argument itself if it is of the very class that stands for its type, else an object of that class with the value in the slots.
pub fn exact<'py>(
    value: &Bound<'py, PyAny>,
    ty: &Ty,
    slots: &mut std::slice::Iter<'_, u64>,
) -> PyResult<Bound<'py, PyAny>> {
    if !is_exact(value, ty) {
        return result(value.py(), ty, slots, &[]);
    }
    slots.next();
    Ok(value.clone())
}

/// Whether arguments are of the very classes that stand for their types.
pub fn are_exact(args: &[Borrowed<'_, '_, PyAny>], types: &[Ty]) -> bool {
    args.iter().zip(types).all(|(arg, ty)| is_exact(arg, ty))
}

/// Whether a value is a float, int or bool itself, of no derived class.
pub fn is_plain(value: &Bound<'_, PyAny>) -> bool {
    [Ty::FLOAT, Ty::INT, Ty::Bool].iter().any(|ty| is_exact(value, ty))
}

fn is_exact(value: &Bound<'_, PyAny>, ty: &Ty) -> bool {
    match ty {
        Ty::Float(_) => value.is_exact_instance_of::<PyFloat>(),
        Ty::Int(_) => value.is_exact_instance_of::<PyInt>(),
        Ty::Bool => value.is_exact_instance_of::<PyBool>(),
        _ => false,
    }
}

/// The slot of an argument that is of the very class that stands for its type, and fits it.
pub fn in_place(value: &Bound<'_, PyAny>, ty: &Ty) -> Option<u64> {
    if !is_exact(value, ty) {
        return None;
    }
    match ty {
        Ty::Bool => Some(value.cast::<PyBool>().ok()?.is_true().into()),
        Ty::Int(IntTy::U64) => wide_uint(value.cast::<PyInt>().ok()?),
        Ty::Int(int) => {
            let number = wide_int(value.cast::<PyInt>().ok()?)?;
            int.holds(number.into()).then_some(number as u64)
        }
        Ty::Float(width) => {
            let number = value.cast::<PyFloat>().ok()?.value();
            Some(if *width == FloatTy::F32 { f64::from(number as f32) } else { number }.to_bits())
        }
        _ => None,
    }
}

/// An int as a Python int: an int or bool itself, or what `__index__` gives.
fn integer<'py>(value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    if value.is_instance_of::<PyInt>() {
        return Ok(Some(value.clone()));
    }
    // An array of one element has __index__ too, but an array is not a number; nor is one of a subclass, some of which are NumPy's own.
    let is_array = || PyResult::Ok(!is_numpy_scalar(value)? || value.cast::<PyUntypedArray>().is_ok());
    if value.hasattr(intern!(value.py(), "ndim"))? && is_array()? {
        return Ok(None);
    }
    // What it calls may call us, and so on for ever; Python's own limit comes too late for the stacks of many threads.
    const ROOM: usize = 16 << 10;
    if !has_room(ROOM) {
        return Err(PyRecursionError::new_err("no room on the stack to ask an argument for its index"));
    }
    match value.get_type().getattr_opt(intern!(value.py(), "__index__"))? {
        Some(_) => call_method(
            value.py().import(intern!(value.py(), "operator"))?.as_any(),
            intern!(value.py(), "index"),
            (value,),
        )
        .map(Some),
        None => Ok(None),
    }
}

/// Whether its type is NumPy's own and not an array's.
fn is_numpy_scalar(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    let class = value.get_type();
    Ok(class.module()?.to_str()? == "numpy" && class.name()?.to_str()? != "ndarray")
}

fn numpy_bool(value: &Bound<'_, PyAny>) -> PyResult<Option<bool>> {
    let class = value.get_type();
    if !matches!(class.name()?.to_str()?, "bool" | "bool_") || !is_numpy_scalar(value)? {
        return Ok(None);
    }
    value.is_truthy().map(Some)
}

fn numpy_float(value: &Bound<'_, PyAny>) -> PyResult<Option<f64>> {
    let class = value.get_type();
    if !matches!(class.name()?.to_str()?, "float32" | "float16") || !is_numpy_scalar(value)? {
        return Ok(None);
    }
    value.extract::<f64>().map(Some)
}

/// The bits of an int in its type, or OverflowError.
fn fit(number: &Bound<'_, PyAny>, ty: IntTy, place: Place<'_>) -> PyResult<u64> {
    let too_large = || {
        let Place { function, param, .. } = place;
        let name = Ty::Int(ty);
        let bits = ty.bits();
        if param == Place::RESULT {
            return PyOverflowError::new_err(format!("{function}() returned an int outside {name} ({bits} bits)"));
        }
        PyOverflowError::new_err(format!("{function}() argument '{param}' is outside {name} ({bits} bits)"))
    };
    let value = match number.extract::<i64>() {
        Ok(value) => i128::from(value),
        Err(_) => number.extract::<i128>().map_err(|_| too_large())?,
    };
    if ty.holds(value) { Ok(ty.wrap(value)) } else { Err(too_large()) }
}

fn mismatch(place: Place<'_>, wanted: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let class = value.get_type().name().map(|name| name.to_string()).unwrap_or_else(|_| "?".to_owned());
    let Place { function, param, .. } = place;
    if param == Place::RESULT {
        return PyTypeError::new_err(format!("{function}() must return {wanted}, not {class}"));
    }
    let like_array = value.is_instance_of::<PyList>() || value.hasattr("__array__").unwrap_or(false);
    let hint = if like_array { "; numpy.asarray() makes an array of it" } else { "" };
    PyTypeError::new_err(format!("{function}() argument '{param}' must be {wanted}, not {class}{hint}"))
}
