//! NumPy's arrays ↔ slots: where the elements lie, how many there are along each dimension, and how far apart.
//!
//! In: an argument, or the slots of a result. Out: the type of the array with its slots; or an array that shares the memory of an argument.
//! Always holds: nothing is copied. Arrays whose elements generated code cannot read in place are refused: other dtypes, another byte order.
//! Whoever runs the slots keeps the array meanwhile; that nobody takes its memory away (`resize(refcheck=False)`) is asked of NumPy's own
//! functions too.

use std::ffi::c_int;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use jib_core::types::{ArrayTy, FloatTy, IntTy, Item};
use numpy::npyffi::{self, NPY_ARRAY_WRITEABLE, NPY_TYPES, PY_ARRAY_API};
use numpy::{PyArray1, PyArrayDescr, PyArrayDescrMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::{Place, Slots};

/// What an argument is if it is an array; None if it is something else. NumPy is not imported for the question.
pub fn of<'a, 'py>(value: &'a Bound<'py, PyAny>) -> PyResult<Option<&'a Bound<'py, PyUntypedArray>>> {
    if !is_there(value.py())? {
        return Ok(None);
    }
    if let Ok(array) = value.cast_exact::<PyUntypedArray>() {
        return Ok(Some(array));
    }
    // A file's memory is memory; other subclasses mean something else by an element.
    let class = value.get_type();
    let mapped = class.name()? == "memmap" && class.module()? == "numpy";
    Ok(if mapped { value.cast::<PyUntypedArray>().ok() } else { None })
}

/// Whether NumPy has been imported.
pub fn is_there(py: Python<'_>) -> PyResult<bool> {
    static SEEN: AtomicBool = AtomicBool::new(false);
    if SEEN.load(Ordering::Relaxed) {
        return Ok(true);
    }
    let modules = py.import(intern!(py, "sys"))?.getattr(intern!(py, "modules"))?;
    // While it is being imported it has no arrays yet.
    let there = match modules.cast::<PyDict>()?.get_item("numpy")? {
        Some(numpy) => numpy.hasattr(intern!(py, "ndarray"))?,
        None => false,
    };
    SEEN.store(there, Ordering::Relaxed);
    Ok(there)
}

/// The element type of a dtype that code can read in place.
pub fn item(dtype: &Bound<'_, PyArrayDescr>) -> Option<Item> {
    if dtype.is_native_byteorder() == Some(false) {
        return None;
    }
    let int = |signed: bool| {
        let bits = 8 * dtype.itemsize() as u32;
        IntTy::ALL.into_iter().find(|int| int.bits() == bits && int.signed() == signed).map(Item::Int)
    };
    match (dtype.kind(), dtype.itemsize()) {
        (b'b', 1) => Some(Item::Bool),
        (b'i', _) => int(true),
        (b'u', _) => int(false),
        (b'f', 4) => Some(Item::Float(FloatTy::F32)),
        (b'f', 8) => Some(Item::Float(FloatTy::F64)),
        _ => None,
    }
}

/// The type of an array, and its slots.
pub fn argument(array: &Bound<'_, PyUntypedArray>, place: Place<'_>, slots: &mut Slots) -> PyResult<ArrayTy> {
    let refused = |what: String| {
        let Place { function, param, .. } = place;
        Err(PyTypeError::new_err(format!("{function}() argument '{param}' is an array {what}")))
    };
    let (dtype, ndim) = (array.dtype(), array.ndim());
    let Some(item) = item(&dtype) else { return refused(format!("of {dtype}, which is no type of elements here")) };
    if !(1..=ArrayTy::MOST_DIMENSIONS).contains(&ndim) {
        return refused(format!("of {ndim} dimensions, not 1 to {}", ArrayTy::MOST_DIMENSIONS));
    }
    // Only where the same bytes stand for many elements: code counts on sums of lengths being ints.
    if array.shape().iter().any(|&n| n >= ArrayTy::LONGEST) {
        return refused("of 2**60 elements or more along a dimension".to_owned());
    }
    // SAFETY: it is an array, which lives; its fields are NumPy's ABI.
    let fields = unsafe { &(*array.as_array_ptr()).fields };
    let ty = ArrayTy {
        item,
        ndim: ndim as u8,
        contiguous: array.is_c_contiguous(),
        writable: fields.flags & NPY_ARRAY_WRITEABLE != 0,
    };
    slots.push(fields.data.expose_provenance() as u64);
    slots.extend(array.shape().iter().map(|&n| n as u64));
    if !ty.contiguous {
        slots.extend(array.strides().iter().map(|&stride| stride as u64));
    }
    Ok(ty)
}

/// The array of a result: it shares the memory of the argument in which it lies, and keeps that.
pub fn result<'py>(
    py: Python<'py>,
    ty: ArrayTy,
    slots: &[u64],
    args: &[Borrowed<'_, 'py, PyAny>],
) -> PyResult<Bound<'py, PyAny>> {
    let ndim = usize::from(ty.ndim);
    let mut lengths: Vec<isize> = slots[1..1 + ndim].iter().map(|&n| n as isize).collect();
    let mut strides: Vec<isize> = match ty.contiguous {
        false => slots[1 + ndim..].iter().map(|&stride| stride as isize).collect(),
        true => {
            let after =
                |axis: usize| lengths[axis + 1..].iter().fold(ty.item.size() as isize, |n, m| n.wrapping_mul(*m));
            (0..ndim).map(after).collect()
        }
    };
    let empty = lengths.contains(&0);
    let owner = if empty { None } else { owner(slots[0] as usize, args)? };
    let data = match (&owner, empty) {
        (Some(_), _) => ptr::with_exposed_provenance_mut::<u8>(slots[0] as usize),
        // NumPy gives it memory of its own, of which nobody sees anything.
        (None, true) => ptr::null_mut(),
        (None, false) => return Err(PyTypeError::new_err("the result is an array of nobody's memory")),
    };
    let flags = if ty.writable { NPY_ARRAY_WRITEABLE } else { 0 };
    // SAFETY: the API is NumPy's, of the version that is loaded; lengths and strides are `ndim` long and live across the call; data, if not
    // null, lies in the memory of `owner`, and with it all elements, since a view never leaves its array.
    unsafe {
        let class = npyffi::get_type_object(py, npyffi::NpyTypes::PyArray_Type);
        let strides = if empty { ptr::null_mut() } else { strides.as_mut_ptr() };
        let made = PY_ARRAY_API.PyArray_New(
            py,
            class,
            ndim as c_int,
            lengths.as_mut_ptr(),
            type_number(ty.item) as c_int,
            strides,
            data.cast(),
            0,
            flags,
            ptr::null_mut(),
        );
        let made = Bound::from_owned_ptr_or_err(py, made)?;
        if let Some(owner) = owner {
            let set = PY_ARRAY_API.PyArray_SetBaseObject(py, made.as_ptr().cast(), owner.into_ptr());
            if set < 0 {
                return Err(PyErr::fetch(py));
            }
        }
        Ok(made)
    }
}

/// New memory of so many bytes for elements of any type; what is in it is anything.
pub fn memory(py: Python<'_>, bytes: usize) -> PyResult<Bound<'_, PyArray1<u8>>> {
    let empty = py.import(intern!(py, "numpy"))?.getattr(intern!(py, "empty"))?;
    let array = crate::calls::call(&empty, (bytes, intern!(py, "u1")))?;
    Ok(array.cast_into::<PyArray1<u8>>()?)
}

/// The array argument, at whatever depth of tuples, in whose memory an address lies.
fn owner<'py>(address: usize, args: &[Borrowed<'_, 'py, PyAny>]) -> PyResult<Option<Bound<'py, PyAny>>> {
    let mut left: Vec<Bound<'py, PyAny>> = args.iter().map(|arg| (**arg).clone()).collect();
    while let Some(arg) = left.pop() {
        if let Some(array) = of(&arg)? {
            if extent(array).contains(&address) {
                return Ok(Some(arg));
            }
        } else if let Ok(tuple) = arg.cast::<pyo3::types::PyTuple>() {
            left.extend(tuple.iter());
        }
    }
    Ok(None)
}

/// The addresses between an array's first byte and its last.
fn extent(array: &Bound<'_, PyUntypedArray>) -> std::ops::Range<usize> {
    // SAFETY: it is an array, which lives; its fields are NumPy's ABI.
    let first = unsafe { (*array.as_array_ptr()).fields.data.addr() };
    let (mut low, mut high) = (first, first + array.dtype().itemsize());
    for (&n, &stride) in array.shape().iter().zip(array.strides()) {
        if n == 0 {
            return 0..0;
        }
        let far = stride.wrapping_mul(n as isize - 1);
        if far < 0 {
            low = low.wrapping_add_signed(far);
        } else {
            high = high.wrapping_add_signed(far);
        }
    }
    low..high
}

/// NumPy's number of an element type.
pub fn type_number(item: Item) -> NPY_TYPES {
    match item {
        Item::Bool => NPY_TYPES::NPY_BOOL,
        Item::Int(IntTy::I8) => NPY_TYPES::NPY_BYTE,
        Item::Int(IntTy::I16) => NPY_TYPES::NPY_SHORT,
        Item::Int(IntTy::I32) => NPY_TYPES::NPY_INT,
        Item::Int(IntTy::I64) => npyffi::types::NPY_TYPES::NPY_LONG,
        Item::Int(IntTy::U8) => NPY_TYPES::NPY_UBYTE,
        Item::Int(IntTy::U16) => NPY_TYPES::NPY_USHORT,
        Item::Int(IntTy::U32) => NPY_TYPES::NPY_UINT,
        Item::Int(IntTy::U64) => NPY_TYPES::NPY_ULONG,
        Item::Float(FloatTy::F32) => NPY_TYPES::NPY_FLOAT,
        Item::Float(FloatTy::F64) => NPY_TYPES::NPY_DOUBLE,
    }
}
