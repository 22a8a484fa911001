//! NumPy's arrays and numbers, as its C interface has them: all that is unsafe of it but for ufuncs.
//!
//! In: Python objects. Out: what their elements are and where they lie; new arrays. Always holds: NumPy is not imported before somebody comes
//! with something of its kind; an address is given away only beside the object that keeps it.

use std::ffi::{c_char, c_int, c_long, c_void};
use std::sync::atomic::{AtomicUsize, Ordering};

use jib_core::types::{FloatTy, IntTy, Item};
use numpy::npyffi::{
    NPY_ARRAY_ALIGNED, NPY_ARRAY_C_CONTIGUOUS, NPY_TYPES, NpyTypes, PY_ARRAY_API, PyArray_Descr, PyArrayObject,
    get_type_object, npy_intp,
};
use pyo3::exceptions::PyImportError;
use pyo3::ffi;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyList;

use crate::calls::{Stop, call_method};
use crate::flags::Flags;

/// The classes of arrays and of NumPy's numbers; 0 until NumPy is needed.
static ARRAY: AtomicUsize = AtomicUsize::new(0);
static NUMBER: AtomicUsize = AtomicUsize::new(0);

/// `PyUFunc_GiveFloatingpointErrors`.
static GIVE: AtomicUsize = AtomicUsize::new(0);

/// Whether this is an array itself, of no derived class. Not before `load`.
pub fn is_array(value: &Bound<'_, PyAny>) -> bool {
    value.get_type_ptr().addr() == ARRAY.load(Ordering::Relaxed)
}

fn is_instance(value: &Bound<'_, PyAny>, class: &AtomicUsize) -> bool {
    let class = class.load(Ordering::Relaxed) as *mut ffi::PyTypeObject;
    // SAFETY: both are classes, NumPy's lives for ever; nobody's `__instancecheck__` is asked.
    !class.is_null() && unsafe { ffi::PyType_IsSubtype(value.get_type_ptr(), class) != 0 }
}

/// Whether this is an array, also of a derived class.
pub fn is_some_array(value: &Bound<'_, PyAny>) -> bool {
    is_instance(value, &ARRAY)
}

/// Whether this is one of NumPy's numbers.
pub fn is_number(value: &Bound<'_, PyAny>) -> bool {
    is_instance(value, &NUMBER)
}

/// Whether this is something for which a function is called element by element, though its class may not be NumPy's: a list, or what says
/// itself that it goes with arrays. NumPy's numbers say so too; they are numbers.
pub fn is_like_array(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    if value.is_instance_of::<PyList>() || is_array(value) {
        return Ok(true);
    }
    let py = value.py();
    let class = value.get_type();
    Ok((class.hasattr(intern!(py, "__array_ufunc__"))? || class.hasattr(intern!(py, "__array__"))?)
        && !is_number(value)
        && !value.is_instance_of::<pyo3::types::PyType>())
}

pub use crate::convert::array::is_there;

/// Finds NumPy, once.
pub fn load(py: Python<'_>) -> PyResult<()> {
    if ARRAY.load(Ordering::Relaxed) != 0 {
        return Ok(());
    }
    let numpy = py.import(intern!(py, "numpy"))?;
    let version: String = numpy.getattr(intern!(py, "__version__"))?.extract()?;
    if version.split('.').next().and_then(|major| major.parse::<u32>().ok()).is_none_or(|major| major < 2) {
        return Err(PyImportError::new_err(format!("calls with arrays need NumPy 2 or newer, not {version}")));
    }
    let capsule = py.import("numpy._core._multiarray_umath")?.getattr("_UFUNC_API")?;
    // SAFETY: the capsule holds a table of pointers, and lives as long as its module, for ever; since NumPy 2.0 the 46th is
    // `PyUFunc_GiveFloatingpointErrors`. The names of types are those of NumPy's table for arrays, which is of the same version.
    unsafe {
        let table = ffi::PyCapsule_GetPointer(capsule.as_ptr(), std::ptr::null()).cast::<usize>();
        if table.is_null() {
            return Err(PyErr::fetch(py));
        }
        GIVE.store(table.add(46).read(), Ordering::Relaxed);
        NUMBER.store(get_type_object(py, NpyTypes::PyGenericArrType_Type).addr(), Ordering::Relaxed);
        ARRAY.store(get_type_object(py, NpyTypes::PyArray_Type).addr(), Ordering::Relaxed);
    }
    Ok(())
}

/// What NumPy's number of a type stands for, if elements of it can be computed with.
fn item_of(number: c_int) -> Option<Item> {
    const LONG: (IntTy, IntTy) =
        if size_of::<c_long>() == 8 { (IntTy::I64, IntTy::U64) } else { (IntTy::I32, IntTy::U32) };
    Some(match number {
        0 => Item::Bool,
        1 => Item::Int(IntTy::I8),
        2 => Item::Int(IntTy::U8),
        3 => Item::Int(IntTy::I16),
        4 => Item::Int(IntTy::U16),
        5 => Item::Int(IntTy::I32),
        6 => Item::Int(IntTy::U32),
        7 => Item::Int(LONG.0),
        8 => Item::Int(LONG.1),
        9 => Item::Int(IntTy::I64),
        10 => Item::Int(IntTy::U64),
        11 => Item::Float(FloatTy::F32),
        12 => Item::Float(FloatTy::F64),
        _ => return None,
    })
}

/// The number of NumPy's type for an item: of two that are the same, the one that NumPy makes itself.
pub fn number_of(item: Item) -> NPY_TYPES {
    use NPY_TYPES::*;
    let long = size_of::<c_long>() == 8;
    match item {
        Item::Bool => NPY_BOOL,
        Item::Int(IntTy::I8) => NPY_BYTE,
        Item::Int(IntTy::U8) => NPY_UBYTE,
        Item::Int(IntTy::I16) => NPY_SHORT,
        Item::Int(IntTy::U16) => NPY_USHORT,
        Item::Int(IntTy::I32) => NPY_INT,
        Item::Int(IntTy::U32) => NPY_UINT,
        Item::Int(IntTy::I64) => {
            if long {
                NPY_LONG
            } else {
                NPY_LONGLONG
            }
        }
        Item::Int(IntTy::U64) => {
            if long {
                NPY_ULONG
            } else {
                NPY_ULONGLONG
            }
        }
        Item::Float(FloatTy::F32) => NPY_FLOAT,
        Item::Float(FloatTy::F64) => NPY_DOUBLE,
    }
}

/// An array's inside, as long as its object is kept and nobody sets its shape: so it is read and used at once.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// None of what is no number, or has its bytes the other way round.
    pub item: Option<Item>,
    pub data: *mut u8,
    pub shape: &'a [npy_intp],
    /// Elements lie one after the other, each where the machine wants it.
    pub plain: bool,
}

/// What an array is: itself, or of a derived class.
pub fn view<'a>(array: &'a Bound<'_, PyAny>) -> Option<View<'a>> {
    if !is_array(array) && !is_some_array(array) {
        return None;
    }
    // SAFETY: it is an array, whose fields are where the header that rust-numpy follows has them (ABI 2); the GIL is held, and the shape is
    // borrowed for no longer than until somebody else has it. An array of no dimensions may have no shape.
    unsafe {
        let fields = &(*array.as_ptr().cast::<PyArrayObject>()).fields;
        let descr = &(*fields.descr).fields;
        let native = matches!(descr.byteorder as u8, b'=' | b'|') || descr.byteorder as u8 == NATIVE;
        let count = fields.nd as usize;
        let shape = if count == 0 { &[] } else { std::slice::from_raw_parts(fields.dimensions, count) };
        let wanted = NPY_ARRAY_C_CONTIGUOUS | NPY_ARRAY_ALIGNED;
        let plain = fields.flags & wanted == wanted && native;
        Some(View { item: item_of(descr.type_num), data: fields.data.cast(), shape, plain })
    }
}

const NATIVE: u8 = if cfg!(target_endian = "little") { b'<' } else { b'>' };

/// The name of an array's type.
pub fn dtype_name(array: &Bound<'_, PyAny>) -> String {
    let name = || array.getattr(intern!(array.py(), "dtype"))?.str()?.extract::<String>();
    name().unwrap_or_else(|_| "?".to_owned())
}

/// An array of what is like one.
pub fn as_array<'py>(value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    call_method(value.py().import(intern!(value.py(), "numpy"))?.as_any(), intern!(value.py(), "asarray"), (value,))
}

fn descr(py: Python<'_>, item: Item) -> *mut PyArray_Descr {
    // SAFETY: the type exists; the reference is the caller's.
    unsafe { PY_ARRAY_API.PyArray_DescrFromType(py, number_of(item) as c_int) }
}

/// A new array of this shape with nothing in it, and where its elements lie.
pub fn new_array<'py>(py: Python<'py>, item: Item, shape: &[npy_intp]) -> PyResult<(Bound<'py, PyAny>, *mut u8)> {
    // SAFETY: the shape is read; the type's reference is taken, and what comes is a new reference to an array or null.
    unsafe {
        let array = PY_ARRAY_API.PyArray_Empty(py, shape.len() as c_int, shape.as_ptr().cast_mut(), descr(py, item), 0);
        let array = Bound::from_owned_ptr_or_err(py, array)?;
        let data = (*array.as_ptr().cast::<PyArrayObject>()).fields.data;
        Ok((array, data.cast()))
    }
}

/// What a ufunc returns for an array: of no dimensions, the number in it.
pub fn returned<'py>(array: Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = array.py();
    // SAFETY: it takes the reference, and gives a new one or null.
    unsafe { Bound::from_owned_ptr_or_err(py, PY_ARRAY_API.PyArray_Return(py, array.into_ptr().cast())) }
}

/// NumPy's number of an item with these bits.
pub fn number<'py>(py: Python<'py>, item: Item, mut bits: u64) -> PyResult<Bound<'py, PyAny>> {
    let descr = descr(py, item);
    // SAFETY: it reads an item there, of at most 64 bits, and takes no reference; ours is given back.
    unsafe {
        let number = PY_ARRAY_API.PyArray_Scalar(py, (&raw mut bits).cast::<c_void>(), descr, std::ptr::null_mut());
        ffi::Py_DECREF(descr.cast());
        Bound::from_owned_ptr_or_err(py, number)
    }
}

/// What one of NumPy's numbers is, and its bits as they lie in memory; None for others than ours.
pub fn read_number(value: &Bound<'_, PyAny>) -> Option<(Item, u64)> {
    let (py, mut bits) = (value.py(), 0u64);
    // SAFETY: it is one of NumPy's numbers, so it has a type, a new reference; an item that is known has at most 64 bits.
    unsafe {
        let descr = PY_ARRAY_API.PyArray_DescrFromScalar(py, value.as_ptr());
        if descr.is_null() {
            ffi::PyErr_Clear();
            return None;
        }
        let item = item_of((*descr).fields.type_num);
        ffi::Py_DECREF(descr.cast());
        item.map(|item| {
            PY_ARRAY_API.PyArray_ScalarAsCtype(py, value.as_ptr(), (&raw mut bits).cast());
            (item, bits)
        })
    }
}

/// Does with flags what `numpy.errstate` says: nothing, a warning, an exception, a call.
pub fn report(py: Python<'_>, name: &std::ffi::CStr, flags: Flags) -> PyResult<()> {
    type Give = unsafe extern "C-unwind" fn(name: *const c_char, flags: c_int) -> c_int;
    let address = GIVE.load(Ordering::Relaxed);
    if flags == 0 || address == 0 {
        return Ok(());
    }
    // SAFETY: the address is that of a function of this type; the GIL is held; a failure has set an exception. A warning runs Python: when
    // the process ends meanwhile, the thread stops here, as in `calls`.
    let failed = unsafe {
        let stop = Stop;
        let failed = std::mem::transmute::<usize, Give>(address)(name.as_ptr(), flags as c_int);
        std::mem::forget(stop);
        failed
    };
    if failed != 0 { Err(PyErr::fetch(py)) } else { Ok(()) }
}
