//! A function as a NumPy ufunc: NumPy broadcasts, casts, allocates and iterates, and calls a loop of ours for each run of elements.
//!
//! In: a function, and the types it is to have loops for. Out: a `numpy.ufunc`. Always holds: the ufunc owns all that NumPy reads of it, its
//! loops' code included, by its field `obj`; a loop that fails has set an exception before it returns, which NumPy looks for.

use std::cell::Cell;
use std::ffi::{CString, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use jib_core::code::panic_message;
use jib_core::diag::Error;
use jib_core::kernel::Param as Element;
use jib_core::typed::Mode;
use jib_core::types::{Item, Ty};
use numpy::npyffi::{PY_UFUNC_API, PyUFuncGenericFunction, PyUFuncObject, npy_intp};
use pyo3::exceptions::PyTypeError;
use pyo3::ffi;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use smallvec::SmallVec;

use crate::arrays;
use crate::blocks::{Operand, Work};
use crate::callable::Callable;
use crate::elementwise::helpers;
use crate::errors::{compile_error, internal, run_error};
use crate::flags;
use crate::gil;
use crate::host::Run;
use crate::kernels::{self, Compiled, Key, byte};
use crate::program::Program;

/// The most operands that a ufunc of ours has.
const MOST_OPERANDS: usize = 32;

/// What a ufunc keeps: NumPy has the addresses of most of it.
#[pyclass(frozen, module = "jib._native")]
struct Loops {
    rows: Box<[Row]>,
    /// Pointers to the function below, and to rows.
    functions: Box<[PyUFuncGenericFunction]>,
    data: Box<[usize]>,
    types: Box<[u8]>,
    name: CString,
    doc: CString,
}

#[pymethods]
impl Loops {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // There is one reference, which they share.
        self.rows.first().map_or(Ok(()), |row| visit.call(&*row.program))
    }
}

/// A loop for some types.
struct Row {
    /// Shared by the rows of a ufunc.
    program: Arc<Py<Program>>,
    interrupts: Arc<AtomicU64>,
    key: Key,
    operands: usize,
    /// Made when it is needed.
    compiled: OnceLock<Arc<Compiled>>,
}

/// What a row takes and gives.
type Types = (Key, SmallVec<[Item; 4]>, Option<Arc<Compiled>>);

/// The characters of types, as in "dd->d".
pub fn types_of(compiled: &Compiled) -> String {
    let text = |items: &mut dyn Iterator<Item = Item>| items.map(character).collect::<String>();
    let (ins, outs) = (compiled.params.iter().map(|param| param.item), compiled.kernel.outs().iter().copied());
    format!("{}->{}", text(&mut { ins }), text(&mut { outs }))
}

fn character(item: Item) -> char {
    use jib_core::types::{FloatTy, IntTy};
    match item {
        Item::Bool => '?',
        Item::Int(IntTy::I8) => 'b',
        Item::Int(IntTy::U8) => 'B',
        Item::Int(IntTy::I16) => 'h',
        Item::Int(IntTy::U16) => 'H',
        Item::Int(IntTy::I32) => 'i',
        Item::Int(IntTy::U32) => 'I',
        Item::Int(IntTy::I64) => 'l',
        Item::Int(IntTy::U64) => 'L',
        Item::Float(FloatTy::F32) => 'f',
        Item::Float(FloatTy::F64) => 'd',
    }
}

/// The ufunc of a kernel: its loop, and if it is open those of `f.ufunc` behind it.
pub fn of_types<'py>(
    slf: &Bound<'py, Callable>,
    key: &Key,
    compiled: &Compiled,
    open: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let (py, outs) = (slf.py(), compiled.kernel.outs().iter().copied().collect());
    if !open {
        let compiled = slf.get().elements.find(key);
        return make(slf, vec![(key.clone(), outs, compiled)], "");
    }
    // What comes may be of any shape.
    let key = compiled.params.iter().map(|param| byte(Element { uniform: false, ..*param })).collect();
    let mut rows = vec![(key, outs, None)];
    rows.extend(rows_of(py, slf.get().program()).unwrap_or_default());
    make(slf, rows, "")
}

/// `f.ufunc`: a loop for each type that all of its parameters may have.
pub fn of_all<'py>(slf: &Bound<'py, Callable>, doc: &str) -> PyResult<Bound<'py, PyAny>> {
    let (py, program) = (slf.py(), slf.get().program());
    let Program { name, params, .. } = program;
    if program.takes_arrays {
        return Err(PyTypeError::new_err(format!("{name}() takes arrays itself, so there is no ufunc of it")));
    }
    if params.is_empty() {
        return Err(PyTypeError::new_err(format!("{name}() takes no arguments, so there is no ufunc of it")));
    }
    arrays::load(py)?;
    make(slf, rows_of(py, program)?, doc)
}

/// A row for each of NumPy's types for which the text has a meaning; a parameter that is declared has its own in each.
fn rows_of(py: Python<'_>, program: &Program) -> PyResult<Vec<Types>> {
    let (mut rows, mut wrong): (Vec<Types>, Option<PyErr>) = (Vec::new(), None);
    for item in Item::ALL {
        let declared = |param: &crate::program::Param| match &param.declared {
            Some(ty) => Item::of(ty).ok_or_else(|| ty.clone()),
            None => Ok(item),
        };
        let items: Result<SmallVec<[Item; 8]>, Ty> = program.params.iter().map(declared).collect();
        let items = items.map_err(|ty| {
            PyTypeError::new_err(format!("{}() takes a {ty}, so there is no ufunc of it", program.name))
        })?;
        let key: Key = items.iter().map(|&item| byte(Element { item, weak: false, uniform: false })).collect();
        if rows.iter().any(|(other, ..)| *other == key) {
            continue;
        }
        let types: Vec<Ty> = items.iter().map(|item| item.ty()).collect();
        let outs = program
            .unit
            .accept(&types)
            .and_then(|types| program.unit.specialise(&types, None, Mode::Numpy, program.options.counting));
        match outs.map(|module| module.functions[0].result.scalars()) {
            Ok(outs) => {
                let outs: Option<SmallVec<[Item; 4]>> = outs.iter().map(Item::of).collect();
                let outs = outs.filter(|outs| !outs.is_empty());
                let outs = outs.ok_or_else(|| {
                    PyTypeError::new_err(format!("{}() returns no number, so there is no ufunc of it", program.name))
                })?;
                // A ufunc has as many results for all types.
                if rows.first().is_none_or(|(_, first, _)| first.len() == outs.len()) {
                    rows.push((key, outs, None));
                }
            }
            Err(error @ Error::User(_)) => wrong = Some(compile_error(py, &program.source, error)),
            Err(error) => return Err(compile_error(py, &program.source, error)),
        }
    }
    match (rows.is_empty(), wrong) {
        (true, Some(wrong)) => Err(wrong),
        _ => Ok(rows),
    }
}

fn make<'py>(slf: &Bound<'py, Callable>, types: Vec<Types>, doc: &str) -> PyResult<Bound<'py, PyAny>> {
    let (py, callable) = (slf.py(), slf.get());
    let program = callable.program();
    let (nin, nout) = (program.params.len(), types.first().map_or(0, |(_, outs, _)| outs.len()));
    if nin + nout > MOST_OPERANDS {
        return Err(PyTypeError::new_err(format!(
            "{}() has {nin} parameters and {nout} results; a ufunc has at most {MOST_OPERANDS} of both",
            program.name
        )));
    }
    let items = types.iter().flat_map(|(key, outs, _)| key.iter().map(|byte| kernels::item(*byte)).chain(outs.clone()));
    let codes = items.map(|item| arrays::number_of(item) as u8).collect();
    let shared = Arc::new(callable.program_object().clone_ref(py));
    let rows = types.into_iter().map(|(key, _, known)| {
        let compiled = OnceLock::new();
        known.map(|known| compiled.set(known));
        let (program, interrupts) = (shared.clone(), callable.interrupts().clone());
        Row { program, interrupts, key, operands: nin + nout, compiled }
    });
    let rows: Box<[Row]> = rows.collect();
    let text = |text: &str| CString::new(text.replace('\0', "")).unwrap_or_default();
    let loops = Loops {
        functions: vec![Some(run_loop as unsafe extern "C" fn(_, _, _, _)); rows.len()].into(),
        data: rows.iter().map(|row| std::ptr::from_ref(row).addr()).collect(),
        types: codes,
        name: text(&program.name),
        doc: text(doc),
        rows,
    };
    let loops = Bound::new(py, loops)?;
    let kept = loops.get();
    const NO_IDENTITY: c_int = -1;
    // SAFETY: NumPy keeps the addresses of these tables and texts, which `loops` owns, and does not write to them; the ufunc is new, so its
    // field for an object that it owns is empty, and takes our reference. NumPy lets go of it when the ufunc dies, and shows it to the
    // collector, if that knows of the ufunc, which it does not by itself.
    unsafe {
        let ufunc = PY_UFUNC_API.PyUFunc_FromFuncAndData(
            py,
            kept.functions.as_ptr().cast_mut(),
            kept.data.as_ptr().cast_mut().cast::<*mut c_void>(),
            kept.types.as_ptr().cast_mut().cast::<c_char>(),
            kept.rows.len() as c_int,
            nin as c_int,
            nout as c_int,
            NO_IDENTITY,
            kept.name.as_ptr(),
            kept.doc.as_ptr(),
            0,
        );
        let ufunc = Bound::from_owned_ptr_or_err(py, ufunc)?;
        (*ufunc.as_ptr().cast::<PyUFuncObject>()).fields.obj = loops.into_ptr();
        if ffi::PyObject_GC_IsTracked(ufunc.as_ptr()) == 0 {
            ffi::PyObject_GC_Track(ufunc.as_ptr().cast());
        }
        Ok(ufunc)
    }
}

thread_local! {
    /// Whether a loop has failed on this thread, and NumPy may not have seen it yet: it calls for the next elements first.
    static FAILED: Cell<bool> = const { Cell::new(false) };
}

/// A run of elements.
unsafe extern "C" fn run_loop(
    args: *mut *mut c_char,
    dimensions: *mut npy_intp,
    steps: *mut npy_intp,
    data: *mut c_void,
) {
    // An exception that is still there is that of the same call; else it was seen.
    if FAILED.get() {
        if gil::attached_again(PyErr::occurred) {
            return;
        }
        FAILED.set(false);
    }
    // SAFETY: NumPy gives what it was given, a row of a ufunc that it holds; so many operands, with an address and a stride each, aligned
    // and in the machine's order; and how many elements there are.
    let (row, operands, count) = unsafe {
        let row = &*data.cast_const().cast::<Row>();
        let operand = |at: usize| Operand { data: (*args.add(at)).cast(), stride: *steps.add(at) };
        let operands: SmallVec<[Operand; 8]> = (0..row.operands).map(operand).collect();
        (row, operands, (*dimensions).max(0) as usize)
    };
    if count == 0 {
        return;
    }
    let done = catch_unwind(AssertUnwindSafe(|| row.run(&operands, count)));
    let error = match done {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error,
        Err(panic) => gil::attached_again(|py| internal(py, &panic_message(&*panic))),
    };
    gil::attached_again(|py| error.restore(py));
    FAILED.set(true);
}

impl Row {
    fn program(&self) -> &Program {
        self.program.get()
    }

    fn compiled(&self) -> PyResult<&Arc<Compiled>> {
        if let Some(known) = self.compiled.get() {
            return Ok(known);
        }
        let made = gil::attached_again(|py| kernels::kernel(py, self.program(), &self.key))?;
        Ok(self.compiled.get_or_init(|| made))
    }

    /// Called with the interpreter or without: NumPy gives it away for many elements.
    fn run(&self, operands: &[Operand], count: usize) -> PyResult<()> {
        let (program, compiled) = (self.program(), self.compiled()?);
        // SAFETY: as in `run_loop`; NumPy copies what overlaps otherwise.
        let work = unsafe { Work::of_strides(compiled, operands, count, program.unit.span()) };
        let pool = if work.can_spread() { gil::attached_again(|py| helpers(py, program)) } else { None };
        let mut host = Run::in_loop(program.budget, &self.interrupts).with_externs(&program.externs);
        let done = match pool {
            Some((pool, helpers)) => work.spread(&mut host, &pool, helpers),
            None => work.run(&mut host),
        };
        match done {
            Ok(set) => {
                // NumPy looks at this thread's flags when all is done.
                flags::write(flags::read() | set);
                Ok(())
            }
            Err(failure) => {
                let refusal = host.take_refusal();
                Err(gil::attached_again(|py| run_error(py, &program.source, &failure, refusal)))
            }
        }
    }
}
