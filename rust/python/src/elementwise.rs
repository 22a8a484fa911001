//! A function of numbers, called with arrays: it is called for each element, as NumPy's own functions are.
//!
//! In: arguments, one of which is an array or goes with arrays. Out: arrays, or NumPy's numbers. Always holds: addresses are taken after all that
//! may run code of the user's, and used before any more of it can run; arrays that lie simply are gone through here, for all others NumPy
//! does, by a ufunc for exactly these types (`ufunc.rs`), so that its rules are NumPy's.

use std::ffi::CString;
use std::sync::{Arc, Mutex, PoisonError};

use jib_core::diag::Diag;
use jib_core::kernel::Param as Element;
use jib_core::types::parse::Signature;
use jib_core::types::{FloatTy, IntTy, Item, Ty};
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFloat, PyTuple};
use smallvec::SmallVec;

use crate::arrays::{self, View};
use crate::blocks::{Operand, Work};
use crate::callable::Callable;
use crate::calls::call_with;
use crate::convert::{self, Place, Slots};
use crate::errors::{compile_error, run_error};
use crate::host::{Gil, Run};
use crate::kernels::{self, Compiled, Key, byte};
use crate::program::{Param, Program};
use crate::threads;
use crate::ufunc;

/// Work that takes longer lets other threads have the interpreter, in picoseconds.
const LONG: usize = 10_000_000;

/// The kernels that a function has been called for.
#[derive(Default)]
pub struct Known(Mutex<Vec<Entry>>);

struct Entry {
    key: Key,
    compiled: Arc<Compiled>,
    /// For what does not lie simply; and for what decides itself what a ufunc does with it.
    ufuncs: [Option<Py<PyAny>>; 2],
}

/// More kernels than this of one function, and the oldest is let go.
const MOST_KERNELS: usize = 64;

impl Known {
    fn entries(&self) -> std::sync::MutexGuard<'_, Vec<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn find(&self, key: &Key) -> Option<Arc<Compiled>> {
        self.entries().iter().rev().find(|entry| entry.key == *key).map(|entry| entry.compiled.clone())
    }

    /// Oldest first.
    pub fn all(&self) -> Vec<Arc<Compiled>> {
        self.entries().iter().map(|entry| entry.compiled.clone()).collect()
    }

    pub fn last(&self) -> Option<Arc<Compiled>> {
        self.entries().last().map(|entry| entry.compiled.clone())
    }

    /// The last of those that a signature may mean, which does not tell Python's numbers from NumPy's.
    fn like(&self, key: &Key) -> Option<Arc<Compiled>> {
        let entries = self.entries();
        let last = |fits: &dyn Fn(&Key) -> bool| entries.iter().rfind(|entry| fits(&entry.key));
        let found = last(&|other| other == key).or_else(|| last(&|other| kernels::is_like(key, other)));
        found.map(|entry| entry.compiled.clone())
    }

    fn keep(&self, key: &Key, compiled: &Arc<Compiled>) {
        let mut entries = self.entries();
        let oldest = (entries.len() >= MOST_KERNELS).then(|| entries.remove(0));
        entries.push(Entry { key: key.clone(), compiled: compiled.clone(), ufuncs: [None, None] });
        drop(entries);
        drop(oldest);
    }

    fn ufunc(&self, py: Python<'_>, key: &Key, open: bool) -> Option<Py<PyAny>> {
        let entries = self.entries();
        entries.iter().find(|entry| entry.key == *key)?.ufuncs[usize::from(open)].as_ref().map(|u| u.clone_ref(py))
    }

    fn keep_ufunc(&self, key: &Key, open: bool, ufunc: Py<PyAny>) {
        let mut entries = self.entries();
        let place =
            entries.iter_mut().find(|entry| entry.key == *key).map(|entry| &mut entry.ufuncs[usize::from(open)]);
        let old = place.map(|place| place.replace(ufunc));
        drop(entries);
        drop(old);
    }

    /// What the collector must see; if the list is being changed, it sees it the next time.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Ok(entries) = self.0.try_lock() else { return Ok(()) };
        entries.iter().flat_map(|entry| &entry.ufuncs).flatten().try_for_each(|ufunc| visit.call(ufunc))
    }
}

/// Whether a call with these arguments, which are not all numbers, is one for each element.
pub fn concerns(program: &Program, args: &[Borrowed<'_, '_, PyAny>]) -> PyResult<bool> {
    if program.takes_arrays {
        return Ok(false);
    }
    for arg in args {
        if arrays::is_like_array(arg)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether an argument is an array, and none is to be taken as a whole.
pub fn has_array(py: Python<'_>, program: &Program, args: &[Borrowed<'_, '_, PyAny>]) -> PyResult<bool> {
    if program.takes_arrays {
        return Ok(false);
    }
    if args.iter().any(|arg| arrays::is_array(arg)) {
        return Ok(true);
    }
    let mut others = args.iter().filter(|arg| !convert::is_plain(arg)).peekable();
    if others.peek().is_none() || !arrays::is_there(py)? {
        return Ok(false);
    }
    arrays::load(py)?;
    Ok(others.any(|arg| arrays::is_some_array(arg)))
}

/// What an argument is, as far as it can be said before addresses are taken.
enum Given<'py> {
    /// An array itself: `args` has it.
    Array,
    /// What is an array only in a way; or an array that was made of it.
    Like {
        dtype: Bound<'py, PyAny>,
        object: Bound<'py, PyAny>,
    },
    Number {
        item: Item,
        weak: bool,
        bits: u64,
    },
}

type Given8<'py> = SmallVec<[Given<'py>; 4]>;

/// The function's value for each element of these arguments, in the order of the parameters; with keywords, by a ufunc that takes them.
pub fn call<'py>(
    slf: &Bound<'py, Callable>,
    args: &[Borrowed<'_, 'py, PyAny>],
    keywords: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let (py, program) = (slf.py(), slf.get().program());
    arrays::load(py)?;
    // Loops that push: collecting took a tenth of a call with ten elements.
    let mut given: Given8<'py> = SmallVec::new();
    for (param, arg) in program.params.iter().zip(args) {
        given.push(if arrays::is_array(arg) { Given::Array } else { give(program, param, arg)? });
    }
    // Looked at twice at most: while a kernel is compiled, others may change arrays.
    loop {
        let simple = Simple::of(program, args, &given)?;
        let Some(compiled) = slf.get().elements.find(&simple.key) else {
            let compiled = kernels::kernel(py, program, &simple.key)?;
            slf.get().elements.keep(&simple.key, &compiled);
            continue;
        };
        for &(at, int) in compiled.kernel.bounds() {
            if let Given::Number { bits, .. } = given[at] {
                fits(program, &program.params[at], bits as i64, int)?;
            }
        }
        return if let (Some(shape), None) = (simple.shape, keywords) {
            here(slf, &compiled, args, &simple.places, shape)
        } else {
            let Simple { key, cast, .. } = simple;
            by_ufunc(slf, &key, &compiled, args, &given, cast, keywords)
        };
    }
}

/// The kernel that a signature with arrays means; None if it has none, or the function takes arrays itself. One that no call has needed is
/// compiled to be looked at.
pub fn asked(callable: &Callable, py: Python<'_>, text: &str) -> PyResult<Option<Arc<Compiled>>> {
    let program = callable.program();
    if program.takes_arrays || !text.contains('[') {
        return Ok(None);
    }
    let Signature { params, result } = program.read_signature(py, text)?;
    if !params.iter().any(|ty| matches!(ty, Ty::Array(_))) {
        return Ok(None);
    }
    let elements: Vec<Ty> = params.iter().map(kernels::element).collect();
    let accepted = program.unit.accept(&elements).map_err(|error| compile_error(py, &program.source, error))?;
    let mut key = Key::new();
    for ((param, ty), accepted) in program.params.iter().zip(&params).zip(&accepted) {
        key.push(byte(match ty {
            Ty::Array(array) => Element { item: taken(program, param, array.item)?, weak: false, uniform: false },
            other => {
                let item = Item::of(accepted).ok_or_else(|| no_item(program, param, Ok(other)))?;
                // As a call with a number of Python's: no other has these types.
                let weak = param.declared.is_none() && [Ty::Bool, Ty::INT, Ty::FLOAT].contains(other);
                Element { item, weak, uniform: true }
            }
        }));
    }
    let compiled = match callable.elements.like(&key) {
        Some(compiled) => compiled,
        None => kernels::kernel(py, program, &key)?,
    };
    let made = &compiled.kernel.module().functions[0].result;
    match result.map(|result| kernels::element(&result)) {
        Some(result) if result != *made => {
            let diag = Diag::new("return-type", program.unit.span(), &[&program.name, made, &result]);
            Err(compile_error(py, &program.source, diag.into()))
        }
        _ => Ok(Some(compiled)),
    }
}

fn fits(program: &Program, param: &Param, value: i64, int: IntTy) -> PyResult<()> {
    if int.holds(value.into()) {
        return Ok(());
    }
    let (function, param, bits) = (&program.name, &param.name, int.bits());
    let name = Ty::Int(int);
    Err(PyOverflowError::new_err(format!("{function}() argument '{param}' is {value}, outside {name} ({bits} bits)")))
}

/// An argument that is not an array itself.
fn give<'py>(program: &Program, param: &Param, arg: &Bound<'py, PyAny>) -> PyResult<Given<'py>> {
    if param.declared.is_none() && arg.is_exact_instance_of::<PyFloat>() {
        return Ok(Given::Number {
            item: Item::Float(FloatTy::F64),
            weak: true,
            bits: arg.extract::<f64>()?.to_bits(),
        });
    }
    if arrays::is_like_array(arg)? {
        if arrays::is_some_array(arg) {
            return Ok(Given::Like { dtype: arg.clone(), object: arg.clone() });
        }
        let dtype = arrays::as_array(arg)?;
        // A list becomes an array once; what has its own way with ufuncs keeps it.
        let decides = arg.get_type().hasattr(intern!(arg.py(), "__array_ufunc__"))?;
        let object = if decides { arg.clone() } else { dtype.clone() };
        return Ok(Given::Like { dtype, object });
    }
    let place = Place { function: &program.name, param: &param.name, depth: 0 };
    let mut slots = Slots::new();
    let (ty, weak) = match &param.declared {
        Some(ty) => {
            convert::declared(arg, ty, place, &mut slots)?;
            (ty.clone(), false)
        }
        None if arrays::is_number(arg) => {
            let number = arrays::read_number(arg).ok_or_else(|| no_item(program, param, arg.get_type().name()))?;
            return Ok(Given::Number { item: number.0, weak: false, bits: number.1 });
        }
        None => (convert::argument(arg, place, &mut slots)?, true),
    };
    match (Item::of(&ty), slots.first()) {
        (Some(item), Some(slot)) => Ok(Given::Number { item, weak, bits: in_memory(item, *slot) }),
        _ => Err(no_item(program, param, arg.get_type().name())),
    }
}

/// The bits of a slot as they lie in memory.
fn in_memory(item: Item, slot: u64) -> u64 {
    let bits = match item {
        Item::Float(FloatTy::F32) => u64::from((f64::from_bits(slot) as f32).to_bits()),
        _ => slot,
    };
    // The low bytes come first, or last.
    if cfg!(target_endian = "big") { bits << (64 - 8 * item.size()) } else { bits }
}

fn no_item(program: &Program, param: &Param, name: PyResult<impl std::fmt::Display>) -> PyErr {
    let name = name.map_or_else(|_| "?".to_owned(), |name| name.to_string());
    PyTypeError::new_err(format!(
        "{}() argument '{}' must be numbers of at most 64 bits, or bools, not {name}",
        program.name, param.name
    ))
}

/// The arguments as a kernel takes them.
struct Simple<'a> {
    key: Key,
    /// Of all arrays that have dimensions: they have the same, and each lies as a kernel wants it. None if that is not so.
    shape: Option<&'a [isize]>,
    /// Where each argument's first element lies.
    places: SmallVec<[*mut u8; 8]>,
    /// Whether an array must be converted first.
    cast: bool,
}

impl<'a> Simple<'a> {
    /// Runs no code of the user's, as long as nothing is wrong.
    fn of(program: &Program, args: &'a [Borrowed<'_, '_, PyAny>], given: &'a Given8<'_>) -> PyResult<Simple<'a>> {
        let (mut key, mut places, mut cast) = (Key::new(), SmallVec::new(), false);
        let (mut shape, mut simple): (Option<&[isize]>, bool) = (None, true);
        for ((param, arg), given) in program.params.iter().zip(args).zip(given) {
            let array = match given {
                Given::Number { item, weak, bits } => {
                    key.push(byte(Element { item: *item, weak: *weak, uniform: true }));
                    places.push(std::ptr::from_ref(bits).cast_mut().cast());
                    continue;
                }
                Given::Array => &**arg,
                Given::Like { dtype, .. } => {
                    simple = false;
                    dtype
                }
            };
            let named = || Ok(format!("elements of dtype {}", arrays::dtype_name(array)));
            let view = arrays::view(array).ok_or_else(|| no_item(program, param, array.get_type().name()))?;
            let View { item: Some(item), data, shape: own, plain } = view else {
                return Err(no_item(program, param, named()));
            };
            let taken = taken(program, param, item)?;
            cast |= taken != item;
            simple &= plain && taken == item;
            let uniform = own.is_empty();
            if !uniform {
                simple &= *shape.get_or_insert(own) == own;
            }
            key.push(byte(Element { item: taken, weak: false, uniform }));
            places.push(data);
        }
        let shape = simple.then_some(shape.unwrap_or(&[]));
        Ok(Simple { key, shape, places, cast })
    }
}

/// What a parameter takes an array of such elements as. What its type cannot hold is refused: no element changes silently.
fn taken(program: &Program, param: &Param, item: Item) -> PyResult<Item> {
    let Some(declared) = &param.declared else { return Ok(item) };
    let fits = match (declared, item) {
        (Ty::Bool, Item::Bool) | (Ty::Int(_), Item::Bool) | (Ty::Float(_), _) => true,
        (Ty::Int(to), Item::Int(from)) => to.holds(from.min()) && to.holds(from.max()),
        _ => false,
    };
    match Item::of(declared).filter(|_| fits) {
        // The text converts what it declares; a signature's types are not in the text.
        Some(declared) => Ok(if program.fixed.is_some() { declared } else { item }),
        None => Err(PyTypeError::new_err(format!(
            "{}() argument '{}' is declared {declared}, which does not hold all elements of type {}",
            program.name,
            param.name,
            item.ty()
        ))),
    }
}

/// Goes through arrays that lie simply.
fn here<'py>(
    slf: &Bound<'py, Callable>,
    compiled: &Compiled,
    args: &[Borrowed<'_, 'py, PyAny>],
    places: &[*mut u8],
    shape: &[isize],
) -> PyResult<Bound<'py, PyAny>> {
    let (py, callable) = (slf.py(), slf.get());
    let program = callable.program();
    // NumPy has refused arrays whose size is beyond an isize, and does so again if an array is to be larger than those there are.
    let count = shape.iter().product::<isize>() as usize;
    within_limits(py, program, compiled, count)?;
    let mut results: SmallVec<[Bound<'py, PyAny>; 1]> = SmallVec::new();
    let mut operands: SmallVec<[Operand; 4]> = SmallVec::new();
    for (&data, param) in places.iter().zip(&compiled.params) {
        operands.push(Operand { data, stride: if param.uniform { 0 } else { param.item.size() as isize } });
    }
    for &item in compiled.kernel.outs() {
        let (array, data) = arrays::new_array(py, item, shape)?;
        results.push(array);
        operands.push(Operand { data, stride: item.size() as isize });
    }
    // SAFETY: the arguments are the caller's, who keeps them for the whole call, as objects: each has the shape's elements one after the other,
    // or is one number; results are new. No code of the user's has run since their addresses were taken: `call`.
    let work = unsafe { Work::of_runs(compiled, &operands, count, program.unit.span()) };
    let long = count.saturating_mul(compiled.cost) > LONG && program.gil != Gil::Never;
    // An array with one reference more is not resized by others meanwhile.
    let kept: SmallVec<[Bound<'py, PyAny>; 4]> = args.iter().filter(|_| long).map(|arg| (*arg).to_owned()).collect();
    let pool = if work.can_spread() { helpers(py, program) } else { None };
    let mut host = Run::new(py, program.budget, if long { Gil::Always } else { program.gil }, callable.interrupts());
    host = host.with_externs(&program.externs);
    let done = match pool {
        Some((pool, helpers)) => work.spread(&mut host, &pool, helpers),
        None => work.run(&mut host),
    };
    let refusal = host.take_refusal();
    // It has the interpreter again before anybody else does something.
    drop(host);
    drop(kept);
    match done {
        Ok(0) => {}
        Ok(flags) => {
            let name = CString::new(&*program.name).unwrap_or_default();
            arrays::report(py, &name, flags)?;
        }
        Err(failure) => return Err(run_error(py, &program.source, &failure, refusal)),
    }
    for result in &mut results {
        if shape.is_empty() {
            *result = arrays::returned(result.clone())?;
        }
    }
    give_back(py, program, compiled, results)
}

/// The pool and how many of its threads to use, if there may be more than one thread.
pub fn helpers(py: Python<'_>, program: &Program) -> Option<(Arc<rayon::ThreadPool>, usize)> {
    let helpers = program.threads.unwrap_or_else(threads::number) - 1;
    (helpers > 0).then(|| threads::pool(py, helpers)).flatten().map(|pool| (pool, helpers))
}

/// Results in the form that the function gives them: one, or in tuples.
fn give_back<'py>(
    py: Python<'py>,
    program: &Program,
    compiled: &Compiled,
    mut results: SmallVec<[Bound<'py, PyAny>; 1]>,
) -> PyResult<Bound<'py, PyAny>> {
    fn form<'py>(
        py: Python<'py>,
        ty: &Ty,
        fixed: Option<&Ty>,
        results: &mut impl Iterator<Item = Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if let Ty::Tuple(items) = ty {
            let fixed = |at: usize| match fixed {
                Some(Ty::Tuple(fixed)) => fixed.get(at),
                _ => None,
            };
            let items = items.iter().enumerate().map(|(at, item)| form(py, item, fixed(at), results));
            return Ok(PyTuple::new(py, items.collect::<PyResult<Vec<_>>>()?)?.into_any());
        }
        let result = results.next().ok_or_else(|| crate::errors::internal(py, "a result is missing"))?;
        match fixed.and_then(Item::of).filter(|_| fixed != Some(ty)) {
            None => Ok(result),
            Some(item) => {
                let dtype = arrays::number(py, item, 0)?.getattr(intern!(py, "dtype"))?;
                crate::calls::call_method(&result, intern!(py, "astype"), (dtype,))
            }
        }
    }
    let ty = &compiled.kernel.module().functions[0].result;
    match (ty, &program.result) {
        (Ty::Tuple(_), _) | (_, Some(_)) => form(py, ty, program.result.as_ref(), &mut results.into_iter()),
        _ => results.pop().ok_or_else(|| crate::errors::internal(py, "no result")),
    }
}

/// Refuses to make larger arrays than the function may.
fn within_limits(py: Python<'_>, program: &Program, compiled: &Compiled, count: usize) -> PyResult<()> {
    let element: usize = compiled.kernel.outs().iter().map(|item| item.size()).sum();
    if count.saturating_mul(element) as u64 <= program.budget.arrays {
        return Ok(());
    }
    let diag = Diag::new("limit-array-bytes", program.unit.span(), &[&program.budget.arrays]);
    Err(compile_error(py, &program.source, diag.into()))
}

/// How many elements there are when all arrays are stretched to one shape; if they have none, NumPy says so.
fn stretched(args: &[Borrowed<'_, '_, PyAny>], given: &Given8<'_>) -> usize {
    let mut lengths: SmallVec<[isize; 8]> = SmallVec::new();
    for (given, arg) in given.iter().zip(args) {
        let view = match given {
            Given::Array => arrays::view(arg),
            Given::Like { dtype, .. } => arrays::view(dtype),
            Given::Number { .. } => None,
        };
        for (at, &length) in view.iter().flat_map(|view| view.shape.iter().rev()).enumerate() {
            match lengths.get_mut(at) {
                Some(known) if *known == 1 => *known = length,
                Some(_) => {}
                None => lengths.push(length),
            }
        }
    }
    let counts = lengths.iter().map(|&length| length as usize);
    if lengths.contains(&0) { 0 } else { counts.fold(1, usize::saturating_mul) }
}

/// Has NumPy go through arrays that lie in any other way.
fn by_ufunc<'py>(
    slf: &Bound<'py, Callable>,
    key: &Key,
    compiled: &Compiled,
    args: &[Borrowed<'_, 'py, PyAny>],
    given: &Given8<'py>,
    cast: bool,
    keywords: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    let (py, callable) = (slf.py(), slf.get());
    if keywords.is_none() {
        within_limits(py, callable.program(), compiled, stretched(args, given))?;
    }
    // Who decides itself what becomes of a ufunc may call it with other types.
    let open = given.iter().any(|given| matches!(given, Given::Like { object, .. } if !arrays::is_some_array(object)));
    let ufunc = match callable.elements.ufunc(py, key, open) {
        Some(ufunc) => ufunc.into_bound(py),
        None => {
            let ufunc = ufunc::of_types(slf, key, compiled, open)?;
            callable.elements.keep_ufunc(key, open, ufunc.clone().unbind());
            ufunc
        }
    };
    let objects = given.iter().zip(args).map(|(given, arg)| match given {
        Given::Array => Ok((*arg).to_owned()),
        Given::Like { object, .. } => Ok(object.clone()),
        Given::Number { item, bits, .. } => arrays::number(py, *item, *bits),
    });
    let objects = PyTuple::new(py, objects.collect::<PyResult<Vec<_>>>()?)?;
    let typed = |keywords: Option<&Bound<'py, PyDict>>| {
        let keywords = keywords.map_or_else(|| Ok(PyDict::new(py)), |keywords| keywords.copy())?;
        keywords.set_item(intern!(py, "signature"), ufunc::types_of(compiled))?;
        PyResult::Ok(keywords)
    };
    let typed = if cast { Some(typed(keywords)?) } else { None };
    let result = call_with(&ufunc, objects, typed.as_ref().or(keywords))?;
    let results = match result.cast::<PyTuple>() {
        Ok(tuple) if compiled.kernel.outs().len() > 1 => tuple.iter().collect(),
        _ => SmallVec::from_iter([result]),
    };
    give_back(py, callable.program(), compiled, results)
}
