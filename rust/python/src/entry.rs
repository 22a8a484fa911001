//! The boundary between CPython's vectorcall and us; all that is unsafe of the binding.
//!
//! In: pointers from CPython and from generated code. Out: pointers for them. Always holds: nothing unwinds out of here; an
//! exception is set whenever null is given; arguments are borrowed from the caller for the whole call, as vectorcall promises; a function
//! holds its code, and is held while anything runs that could let go of it.

use std::ffi::{CString, c_int, c_void};
use std::mem::offset_of;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jib_core::code::has_room;
use jib_core::outside::{IntLayout, Layout, Numbers, TOLD};
use jib_core::types::Ty;
use pyo3::exceptions::PyRecursionError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyInt, PyTuple, PyType};
use smallvec::SmallVec;

use crate::callable::Callable;
use crate::convert;
use crate::guard::guard;
use crate::pointer::Shared;
use crate::specialise::Specialisation;

type Object = *mut ffi::PyObject;

/// What a call needs of the stack before its code runs, or code for it is made.
const ROOM: usize = 8 << 10;

/// Arguments on their way from one call to another.
pub type Args<'a, 'py> = SmallVec<[Borrowed<'a, 'py, PyAny>; 8]>;

/// Whether this is the interpreter that the process began with. In another one a thread cannot be attached again by `PyGILState_Ensure`.
pub fn is_main_interpreter(_: Python<'_>) -> bool {
    // SAFETY: the GIL is held; two pointers are compared.
    unsafe { ffi::PyInterpreterState_Get() == ffi::PyInterpreterState_Main() }
}

/// Where a function's calls go, and where others of its calls went.
#[repr(C)]
pub struct Target {
    /// What CPython reads.
    first: AtomicUsize,
    /// Entries by the shape of what they take; which of them is replaced next.
    shapes: [(AtomicU64, AtomicUsize); SHAPES],
    next: AtomicUsize,
}

/// So many combinations of types cost a function no more than a look at each.
const SHAPES: usize = 4;

/// The classes of arguments, two bits each below a 1: floats, ints and bools themselves, and no others; no more than 31 of them.
type Shape = u64;

impl Target {
    pub fn new() -> Target {
        Target {
            first: AtomicUsize::new(other as *const () as usize),
            shapes: Default::default(),
            next: AtomicUsize::new(0),
        }
    }

    pub fn is_set(&self) -> bool {
        self.first.load(Ordering::Relaxed) != other as *const () as usize
    }

    /// From now on calls go to this code first; and at once, later, those with arguments of the classes of these, which it took.
    pub fn set(&self, specialisation: &Specialisation, args: Option<&[Borrowed<'_, '_, PyAny>]>) {
        let Some(entry) = specialisation.entry() else {
            return self.first.store(other as *const () as usize, Ordering::Relaxed);
        };
        self.first.store(entry, Ordering::Relaxed);
        let pointers = args.map(|args| args.iter().map(|arg| arg.as_ptr()).collect::<SmallVec<[Object; 8]>>());
        if let Some(shape) = pointers.and_then(|pointers| shape(&pointers)) {
            let place = self.shapes.iter().position(|(known, _)| known.load(Ordering::Relaxed) == shape);
            let place = place.unwrap_or_else(|| self.next.fetch_add(1, Ordering::Relaxed) % SHAPES);
            self.shapes[place].0.store(shape, Ordering::Relaxed);
            self.shapes[place].1.store(entry, Ordering::Relaxed);
        }
    }

    /// The entry for arguments of this shape, if it is not the one that calls go to now: that one sent them here.
    fn turn(&self, shape: Shape) -> Option<usize> {
        let known = |(known, _): &&(AtomicU64, AtomicUsize)| known.load(Ordering::Relaxed) == shape;
        let entry = self.shapes.iter().find(known)?.1.load(Ordering::Relaxed);
        (self.first.swap(entry, Ordering::Relaxed) != entry).then_some(entry)
    }
}

fn shape(args: &[Object]) -> Option<Shape> {
    let mut shape = 1;
    for &arg in args {
        // SAFETY: an argument is alive while its call lasts; classes are compared by their addresses.
        let class = unsafe { ffi::Py_TYPE(arg) };
        let code = if class == &raw mut ffi::PyFloat_Type {
            1
        } else if class == &raw mut ffi::PyLong_Type {
            2
        } else if class == &raw mut ffi::PyBool_Type {
            3
        } else {
            return None;
        };
        shape = shape << 2 | code;
    }
    (args.len() < 32).then_some(shape)
}

/// The `tp_call` that PyO3 made of `Callable.__call__`.
static CALL: AtomicUsize = AtomicUsize::new(0);

/// Makes instances of our class, and of classes that derive from it, callable by vectorcall.
///
/// PyO3 has no slot for it; what it takes is an offset, a flag and `tp_call`, before the class has instances.
pub fn adopt(class: &Bound<'_, PyType>, offset: Option<isize>) {
    let class: *mut ffi::PyTypeObject = class.as_type_ptr();
    // SAFETY: the class is alive and ours, or one that derives from it; no instance of it exists yet, and the GIL is held.
    unsafe {
        let call = (*class).tp_call.map_or(0, |call| call as *const () as usize);
        if let Some(offset) = offset {
            (*class).tp_vectorcall_offset = offset;
            CALL.store(call, Ordering::Relaxed);
        }
        // A class with a `__call__` of its own is called by that; others have inherited ours.
        if (*class).tp_vectorcall_offset > 0 && call == CALL.load(Ordering::Relaxed) {
            (*class).tp_call = Some(ffi::PyVectorcall_Call);
            (*class).tp_flags |= ffi::Py_TPFLAGS_HAVE_VECTORCALL;
        }
        ffi::PyType_Modified(class);
    }
}

/// How far into an instance its target lies: found out on one.
pub fn target_offset(instance: &Bound<'_, Callable>) -> isize {
    (std::ptr::from_ref(&instance.get().target.first).addr() - instance.as_ptr().addr()) as isize
}

/// The vectorcall for all that no code takes as it is: other classes, other numbers, keywords; also the first call.
unsafe extern "C" fn other(callable: Object, args: *const Object, nargsf: usize, names: Object) -> Object {
    if names.is_null() {
        // SAFETY: the callable is the one that is called, of our class, and its entries live as long as it; so many arguments stand there.
        unsafe {
            let count = ffi::PyVectorcall_NARGS(nargsf) as usize;
            let args_here = if count == 0 { &[] } else { std::slice::from_raw_parts(args, count) };
            let turn = || {
                let py = Python::assume_attached();
                let callable = Borrowed::from_ptr(py, callable).cast_unchecked::<Callable>();
                callable.get().target.turn(shape(args_here)?)
            };
            if let Some(entry) = turn() {
                return std::mem::transmute::<usize, ffi::vectorcallfunc>(entry)(callable, args, nargsf, names);
            }
        }
    }
    // SAFETY: CPython calls us, or code that it called: this thread is attached. That it is so also while the interpreter ends is why
    // nothing is checked.
    unsafe {
        Python::attach_unchecked(|py| {
            Called::let_go(py);
            // Whatever the arguments may do to it, the function lives until we are done.
            let _called = Called::new(callable);
            let called = || {
                if !has_room(ROOM) {
                    return Err(PyRecursionError::new_err("no room on the stack for a call"));
                }
                // SAFETY: `nargsf` positional arguments stand there, then one for each name; the caller keeps them alive.
                let count = ffi::PyVectorcall_NARGS(nargsf) as usize;
                let names =
                    Bound::from_borrowed_ptr_or_opt(py, names).map(|names| names.cast_into_unchecked::<PyTuple>());
                let all = count + names.as_ref().map_or(0, |names| names.len());
                let all: Args = (0..all).map(|i| Borrowed::from_ptr(py, *args.add(i))).collect();
                let callable = Bound::from_borrowed_ptr(py, callable).cast_into_unchecked::<Callable>();
                Callable::dispatch(&callable, &all[..count], names.as_ref(), &all[count..])
            };
            give(py, guard(py, called))
        })
    }
}

fn give(py: Python<'_>, result: PyResult<Bound<'_, PyAny>>) -> Object {
    match result {
        Ok(value) => value.into_ptr(),
        Err(error) => {
            error.restore(py);
            std::ptr::null_mut()
        }
    }
}

/// Calls code with arguments that are exactly what it takes.
pub fn enter<'py>(
    callable: &Bound<'py, Callable>,
    specialisation: &Specialisation,
    args: &[Borrowed<'_, 'py, PyAny>],
) -> Option<PyResult<Bound<'py, PyAny>>> {
    let entry = specialisation.entry()?;
    let pointers: SmallVec<[Object; 8]> = args.iter().map(|arg| arg.as_ptr()).collect();
    let py = callable.py();
    // SAFETY: the address is that of an entry compiled for `Outside::Objects`, whose type is vectorcall's; the specialisation, and
    // with it the code, is borrowed; so are the arguments.
    unsafe {
        let entry = std::mem::transmute::<usize, ffi::vectorcallfunc>(entry);
        let value = entry(callable.as_ptr(), pointers.as_ptr(), pointers.len(), std::ptr::null_mut());
        Some(Bound::from_owned_ptr_or_err(py, value))
    }
}

/// Runs the slots of code that needs a host.
unsafe extern "C" fn run(callable: Object, token: *const Specialisation, args: *const u64, out: *mut u64) -> c_int {
    // SAFETY: called by an entry that CPython called: this thread is attached, the callable is the one that was called, and it owns the
    // specialisation that the token points to; the entry stored as many slots as the code takes, and has room for what it gives.
    let (py, callable, specialisation, args, out) = unsafe {
        let py = Python::assume_attached();
        let specialisation = &*token;
        let callable = Borrowed::from_ptr(py, callable).cast_unchecked::<Callable>();
        let args = std::slice::from_raw_parts(args, specialisation.taken());
        (py, callable, specialisation, args, std::slice::from_raw_parts_mut(out, specialisation.width()))
    };
    // SAFETY: as above.
    let _called = unsafe { Called::new(callable.as_ptr()) };
    match catch_unwind(AssertUnwindSafe(|| callable.get().run(py, specialisation, args, out))) {
        Ok(Ok(_)) => 0,
        Ok(Err(stop)) => {
            fails(callable.as_ptr(), |py, callable| callable.stopped(py, *stop));
            1
        }
        Err(panic) => {
            fails(callable.as_ptr(), |py, _| crate::errors::internal(py, &jib_core::code::panic_message(&*panic)));
            1
        }
    }
}

/// Sets the exception of a failure that an entry met.
unsafe extern "C" fn fail(callable: Object, token: *const Specialisation, site: u32, code: u32) -> Object {
    // SAFETY: as in `run`.
    let specialisation = unsafe { &*token };
    fails(callable, |py, callable| callable.failed(py, specialisation, site, code));
    std::ptr::null_mut()
}

#[cold]
fn fails(callable: Object, error: impl FnOnce(Python<'_>, &Callable) -> PyErr) {
    // SAFETY: as in `run`; the callable is alive and one of ours.
    unsafe {
        Python::attach_unchecked(|py| {
            let _called = Called::new(callable);
            let callable = Bound::from_borrowed_ptr(py, callable).cast_into_unchecked::<Callable>();
            let error = guard(py, || Ok(error(py, callable.get()))).unwrap_or_else(|failed| failed);
            error.restore(py);
        });
    }
}

/// What an entry calls when its arguments are not what it takes, or ints among them have more than one digit: then it is told their values.
unsafe extern "C" fn unfit(
    callable: Object,
    args: *const Object,
    nargsf: usize,
    names: Object,
    token: *const Specialisation,
    out: *mut u64,
) -> Object {
    // SAFETY: as in `run`; CPython says how many arguments there are, and the entry has room for a slot each.
    unsafe {
        let (py, params) = (Python::assume_attached(), &(*token).params);
        if names.is_null() && ffi::PyVectorcall_NARGS(nargsf) as usize == params.len() {
            let mut place = out;
            let told = params.iter().enumerate().all(|(i, ty)| {
                let value = Borrowed::from_ptr(py, *args.add(i));
                // None is no slot.
                if *ty == Ty::None {
                    return value.is_none();
                }
                let slot = convert::in_place(&value, ty);
                slot.map(|slot| place.write(slot)).inspect(|()| place = place.add(1)).is_some()
            });
            if told {
                return TOLD as Object;
            }
        }
        other(callable, args, nargsf, names)
    }
}

/// The value of an int, if it fits 64 bits with a sign.
pub fn wide_int(int: &Bound<'_, PyInt>) -> Option<i64> {
    let mut overflow = 0;
    // SAFETY: it is an int: no code of the user's runs.
    let value = unsafe { ffi::PyLong_AsLongLongAndOverflow(int.as_ptr(), &mut overflow) };
    (overflow == 0).then_some(value)
}

/// The value of an int, if it fits 64 bits without a sign.
pub fn wide_uint(int: &Bound<'_, PyInt>) -> Option<u64> {
    // SAFETY: as in `wide_int`; an exception, which only says that it does not fit, is taken back.
    unsafe {
        let value = ffi::PyLong_AsUnsignedLongLong(int.as_ptr());
        let failed = value == u64::MAX && !ffi::PyErr_Occurred().is_null();
        if failed {
            ffi::PyErr_Clear();
        }
        (!failed).then_some(value)
    }
}

unsafe extern "C" fn new_tuple(token: *const Specialisation, slots: *const u64) -> Object {
    // SAFETY: as in `run`; the entry stored as many slots as the result has.
    let (py, specialisation, slots) = unsafe {
        let specialisation = &*token;
        (Python::assume_attached(), specialisation, std::slice::from_raw_parts(slots, specialisation.width()))
    };
    give(py, guard(py, || convert::result(py, specialisation.result(), &mut slots.iter(), &[])))
}

/// Whether C's long has 64 bits: the function for it is the faster one.
const LONG: bool = size_of::<std::ffi::c_long>() == 8;

/// The layout but for what has to be found out.
pub fn layout(py: Python<'_>) -> Layout {
    let address = |object: Bound<'_, PyAny>| object.as_ptr().addr();
    Layout {
        class: 0,
        float_class: address(py.get_type::<PyFloat>().into_any()),
        float: 0,
        int_class: address(py.get_type::<PyInt>().into_any()),
        int: IntLayout::Sized { size: 0, digit: 0 },
        false_: address(pyo3::types::PyBool::new(py, false).to_owned().into_any()),
        true_: address(pyo3::types::PyBool::new(py, true).to_owned().into_any()),
        none: py.None().as_ptr().addr(),
        references: None,
        new_float: ffi::PyFloat_FromDouble as *const () as usize,
        new_int: if LONG {
            ffi::PyLong_FromLong as *const () as usize
        } else {
            ffi::PyLong_FromLongLong as *const () as usize
        },
        new_uint: ffi::PyLong_FromUnsignedLongLong as *const () as usize,
        unfit: unfit as *const () as usize,
        new_tuple: new_tuple as *const () as usize,
        other: other as *const () as usize,
        run: run as *const () as usize,
        fail: fail as *const () as usize,
    }
}

/// What an entry would read of an int, if it would.
pub fn peek_int(py: Python<'_>, int: i64, layout: IntLayout) -> Option<i64> {
    let object = PyInt::new(py, int);
    let at = object.as_ptr().cast::<u8>();
    // SAFETY: an int has at least its head, a word and a digit, which is what is read.
    unsafe {
        let word = |offset: i32| at.add(offset as usize).cast::<i64>().read();
        let digit = |offset: i32| i64::from(at.add(offset as usize).cast::<u32>().read());
        match layout {
            IntLayout::Sized { size, digit: at } => (-1..=1).contains(&word(size)).then(|| word(size) * digit(at)),
            IntLayout::Tagged { tag, digit: at } => {
                ((word(tag) as u64) < 16).then(|| (1 - (word(tag) & 3)).wrapping_mul(digit(at)))
            }
        }
    }
}

/// Whether a float has its double and its class where we think.
pub fn peek_float(py: Python<'_>, x: f64, offset: i32, class: i32) -> bool {
    let object = PyFloat::new(py, x);
    let at = object.as_ptr().cast::<u8>();
    let float = py.get_type::<PyFloat>();
    // SAFETY: a float has at least its head and its double, which is what is read.
    unsafe {
        at.add(class as usize).cast::<usize>().read() == float.as_ptr().addr()
            && at.add(offset as usize).cast::<u64>().read() == x.to_bits()
    }
}

/// Whether True has a count of references of 64 bits that goes up and down: it is not immortal here.
pub fn constants_are_counted(py: Python<'_>) -> bool {
    let object = pyo3::types::PyBool::new(py, true).to_owned().into_any();
    // SAFETY: every object has a count, of the size of a pointer, at its head; it is ours meanwhile, the GIL is held.
    let count =
        || unsafe { object.as_ptr().cast::<u8>().add(offset_of!(ffi::PyObject, ob_refcnt)).cast::<u64>().read() };
    let before = count();
    let more = object.clone();
    let after = count();
    drop(more);
    after == before + 1
}

/// What C's entries call.
pub static NUMBERS: std::sync::LazyLock<Numbers> = std::sync::LazyLock::new(|| Numbers {
    run: run_numbers as *const () as usize,
    fail: fail_numbers as *const () as usize,
});

/// Runs the slots of code that C called.
unsafe extern "C" fn run_numbers(token: *const Shared, args: *const u64, out: *mut u64) -> c_int {
    // SAFETY: whoever calls an address keeps alive what gave it, as it must; the entry stored as many slots as the code takes, and has
    // room for what it gives.
    let (shared, args, out) = unsafe {
        let (taken, given) = (*token).widths();
        (&*token, std::slice::from_raw_parts(args, taken), std::slice::from_raw_parts_mut(out, given))
    };
    // A panic is a failure without words.
    c_int::from(!catch_unwind(AssertUnwindSafe(|| shared.run(args, out))).unwrap_or(false))
}

unsafe extern "C" fn fail_numbers(token: *const Shared, site: u32, code: u32) -> c_int {
    // SAFETY: as in `run_numbers`.
    let shared = unsafe { &*token };
    let _ = catch_unwind(AssertUnwindSafe(|| shared.fail(site, code)));
    0
}

/// A function, held while it is called: not all of CPython holds what it calls. When it would be the last to let go, its code, in which we
/// still are, lives until the next call of any function.
struct Called(Object);

/// The functions that nobody holds any more.
static LEFT: Mutex<Vec<usize>> = Mutex::new(Vec::new());

impl Called {
    /// Who calls this has the GIL.
    unsafe fn new(callable: Object) -> Called {
        // SAFETY: the callable is alive: it is being called.
        unsafe { ffi::Py_INCREF(callable) };
        Called(callable)
    }

    /// Lets go of those that were left: whoever was in their code has had the GIL since, and so has come out of it.
    fn let_go(_: Python<'_>) {
        let left = std::mem::take(&mut *LEFT.lock().unwrap_or_else(PoisonError::into_inner));
        // SAFETY: each is a reference of ours.
        left.into_iter().for_each(|callable| unsafe { ffi::Py_DECREF(callable as Object) });
    }
}

impl Drop for Called {
    fn drop(&mut self) {
        // SAFETY: the reference is ours, and this thread has the GIL again.
        unsafe {
            if ffi::Py_REFCNT(self.0) == 1 {
                LEFT.lock().unwrap_or_else(PoisonError::into_inner).push(self.0.addr());
            } else {
                ffi::Py_DECREF(self.0);
            }
        }
    }
}

/// A capsule of an address, by this name, that keeps what is shared.
pub fn capsule<'py>(py: Python<'py>, address: usize, name: &str, shared: Arc<Shared>) -> PyResult<Bound<'py, PyAny>> {
    struct Kept {
        name: CString,
        _shared: Arc<Shared>,
    }
    unsafe extern "C" fn free(capsule: Object) {
        // SAFETY: the context is the box that was put there, once, and the capsule is gone.
        unsafe { drop(Box::from_raw(ffi::PyCapsule_GetContext(capsule).cast::<Kept>())) }
    }
    let kept = Box::new(Kept { name: CString::new(name)?, _shared: shared });
    // SAFETY: the name lives in the box, which the capsule frees when it dies; on failure before that, we still own it.
    unsafe {
        let capsule = ffi::PyCapsule_New(address as *mut c_void, kept.name.as_ptr(), None);
        let capsule = Bound::from_owned_ptr_or_err(py, capsule)?;
        ffi::PyCapsule_SetContext(capsule.as_ptr(), Box::into_raw(kept).cast());
        ffi::PyCapsule_SetDestructor(capsule.as_ptr(), Some(free));
        Ok(capsule)
    }
}
