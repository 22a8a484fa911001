//! The function object's native half: what is called.
//!
//! In: positional and keyword arguments. Out: a value, or an exception. Always holds: a call takes the specialisation that fits
//! its argument types exactly, compiling it on first need, with no Python on the way.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use jib_core::types::{Ty, parse};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};
use smallvec::SmallVec;

use crate::codes;
use crate::convert::{self, Slots};
use crate::dump::{self, Subject};
use crate::elementwise;
use crate::entry::{self, Args, Target};
use crate::errors::{compile_error, internal, run_error};
use crate::guard::guard;
use crate::host::{Refusal, Run};
use crate::kernels::Compiled;
use crate::layout::layout;
use crate::pointer::{Pointer, Shared};
use crate::program::{Kind, Param, Program};
use crate::specialise::{Engine, Specialisation, Stages, Stop, prepare, typed_ir, with_room};
use crate::tiers::acts;
use crate::ufunc;

/// Whether first calls too are for code that takes objects: tests ask for it.
static EAGER: AtomicBool = AtomicBool::new(false);

/// From now on, first calls are made so or not; gives what held before.
pub fn eager(always: bool) -> bool {
    EAGER.swap(always, Ordering::Relaxed)
}

/// More specialisations than this of one function are a mistake, such as tuples of ever new lengths.
const MAX_SPECIALISATIONS: usize = 256;

/// The native half of `jib.Function`.
#[pyclass(subclass, frozen, module = "jib._native")]
pub struct Callable {
    /// What CPython calls: code of the specialisation called last, or `entry`'s way to all of them.
    pub(crate) target: Target,
    program: Py<Program>,
    /// Those that this function has been called with, oldest first, each with the hash of its types.
    specialisations: Mutex<Known>,
    /// How often `interrupt` was called: a run that sees it change ends.
    interrupts: Arc<AtomicU64>,
    /// Whether `interrupt` is for a call that comes after it too.
    once: AtomicBool,
    /// What calls with arrays run.
    pub(crate) elements: elementwise::Known,
}

/// A specialisation as Python sees it.
type Row = (Vec<String>, String, usize, Stages, &'static str);

#[pymethods]
impl Callable {
    /// It never changes: every cycle goes through something else that does, and is cleared there.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.program)?;
        self.elements.traverse(&visit)
    }

    /// What a signature fixes is compiled now.
    #[new]
    fn new(py: Python<'_>, program: Py<Program>) -> PyResult<Callable> {
        guard(py, || {
            let callable = Callable::of(program);
            if let Some(types) = &callable.program().fixed {
                callable.aim(&*callable.specialisation(py, types, true)?, None);
            }
            Ok(callable)
        })
    }

    /// What `f.__call__` is; calls of `f` itself go to `target`.
    #[pyo3(signature = (*args, **kwargs))]
    fn __call__<'py>(
        slf: &Bound<'py, Self>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        guard(slf.py(), || {
            let positional: Args = args.iter_borrowed().collect();
            let keywords: Vec<_> = kwargs.into_iter().flatten().collect();
            let (names, values): (Vec<_>, Vec<_>) =
                keywords.iter().map(|(name, value)| (name, value.as_borrowed())).unzip();
            let names = (!names.is_empty()).then(|| PyTuple::new(slf.py(), names)).transpose()?;
            Callable::dispatch(slf, &positional, names.as_ref(), &values)
        })
    }

    /// A class that derives from this one is called like it, unless it says how itself. Before 3.12, CPython does not take vectorcall from
    /// a class that is given a `__call__` later: there `jib.Function` has it, and what derives from that goes the long way.
    #[classmethod]
    fn __init_subclass__(cls: &Bound<'_, PyType>) {
        let py = cls.py();
        let direct = || cls.getattr(intern!(py, "__base__")).is_ok_and(|base| base.is(py.get_type::<Callable>()));
        if py.version_info() >= (3, 12) || direct() {
            entry::adopt(cls, None);
        }
    }

    /// Ends every call of this function that is running now, on any thread, with KeyboardInterrupt; calls that begin later are
    /// not touched, and nothing happens when none runs.
    ///
    /// >>> import jib, threading
    /// >>> f = jib.compile("while True: pass")
    /// >>> timer = threading.Timer(0.05, f.interrupt)
    /// >>> timer.start()
    /// >>> try:
    /// ...     f()
    /// ... except KeyboardInterrupt as stop:
    /// ...     print(stop)
    /// interrupted by interrupt()
    fn interrupt(&self) {
        self.interrupts.fetch_add(1, Ordering::Relaxed);
    }

    /// From now on an `interrupt` ends a call that begins after it too. Who makes a function to call it once can so be interrupted at any
    /// moment, also between making and calling.
    fn _once(&self) {
        self.once.store(true, Ordering::Relaxed);
    }

    /// The function's value for each element of its arguments, one for each parameter, by a ufunc that is called with these keywords too.
    fn _map<'py>(
        slf: &Bound<'py, Self>,
        args: &Bound<'py, PyTuple>,
        keywords: &Bound<'py, PyDict>,
    ) -> PyResult<Bound<'py, PyAny>> {
        guard(slf.py(), || {
            let args: Args = args.iter_borrowed().collect();
            let Program { name, params, takes_arrays, .. } = slf.get().program();
            if *takes_arrays || args.len() != params.len() {
                return Err(PyTypeError::new_err(format!("{name}() is not called for each element")));
            }
            elementwise::call(slf, &args, Some(keywords))
        })
    }

    /// The function as a `numpy.ufunc`.
    fn _ufunc<'py>(slf: &Bound<'py, Self>, doc: &str) -> PyResult<Bound<'py, PyAny>> {
        guard(slf.py(), || ufunc::of_all(slf, doc))
    }

    /// The text of a stage that Rust has, for a signature, or for the specialisation there is; and where each of its lines came from.
    #[pyo3(signature = (stage, signature, target = None, bytes = false))]
    fn _dump(
        &self,
        py: Python<'_>,
        stage: &str,
        signature: Option<&str>,
        target: Option<&str>,
        bytes: bool,
    ) -> PyResult<dump::Seen> {
        guard(py, || {
            let program = self.program();
            let subject = match signature {
                Some(text) => match elementwise::asked(self, py, text)? {
                    Some(compiled) => Subject::Elements(compiled),
                    None => program.signature(py, text).map(|(types, result)| Subject::Call(types, result))?,
                },
                None => match (self.known_types(py)?, self.elements.last()) {
                    (None, Some(compiled)) => Subject::Elements(compiled),
                    (types, _) => Subject::Call(self.or_unknown(types)?, program.result.clone()),
                },
            };
            dump::dump(py, program, dump::Wish { stage, target, bytes }, &subject)
        })
    }

    /// The type of what it gives, and whether a run has other effects than that, as it is called without arguments. Nothing is run.
    fn _prospect(&self, py: Python<'_>) -> PyResult<(String, bool)> {
        guard(py, || {
            let (program, types) = (self.program(), self.or_unknown(self.known_types(py)?)?);
            let found = with_room(|| typed_ir(&program.unit, &types, program.result.as_ref(), program.options));
            let (module, _) = found.map_err(|error| compile_error(py, &program.source, error))?;
            Ok((module.functions[0].result.to_string(), acts(&module)))
        })
    }

    /// The function as C calls it, for a signature.
    fn _pointer(&self, py: Python<'_>, signature: &str) -> PyResult<Pointer> {
        guard(py, || {
            let (types, result) = self.program().signature(py, signature)?;
            // What C is told is what it asked for: nobody converts there.
            let asked = parse::signature(signature).map(|signature| signature.params).unwrap_or_default();
            if let Some(((asked, declared), param)) =
                asked.iter().zip(&types).zip(&self.program().params).find(|((a, d), _)| a != d)
            {
                return Err(PyTypeError::new_err(format!(
                    "{}() argument '{}' is declared {declared}, so C cannot give {asked}",
                    self.program().name,
                    param.name
                )));
            }
            Shared::compile(py, &self.program, &self.interrupts, &types, result.as_ref())
        })
    }

    /// How many instructions of all that was compiled could trap: none. For tests.
    fn _traps(&self) -> usize {
        let kernels: usize = self.elements.all().iter().map(|compiled| compiled.kernel.traps()).sum();
        self.known().iter().map(|(_, s)| s.traps()).sum::<usize>() + kernels
    }

    /// What has been compiled: (argument types, result type, bytes of code, [(stage, microseconds)], kind).
    fn _specializations(&self) -> Vec<Row> {
        let with_crossing = |stages: Stages| [("cross", self.program().crossing)].into_iter().chain(stages).collect();
        let row = |(_, s): &(u64, Arc<Specialisation>)| {
            let types = s.params.iter().map(Ty::to_string).collect();
            (types, s.result().to_string(), s.code_bytes(), with_crossing(s.stages()), "call")
        };
        let element = |compiled: Arc<Compiled>| {
            let (types, result) = compiled.types();
            let types = types.iter().map(Ty::to_string).collect();
            (types, result.to_string(), compiled.kernel.size_bytes(), with_crossing(compiled.stages()), "elementwise")
        };
        let mut rows: Vec<Row> = self.known().iter().map(row).collect();
        rows.extend(self.elements.all().into_iter().map(element));
        rows
    }
}

/// Makes calls of the class's instances go to their targets; before any of them is made but one that shows where that is.
pub fn adopt(py: Python<'_>) -> PyResult<()> {
    let class = py.get_type::<Callable>();
    let shown = Bound::new(py, Callable::of(Py::new(py, Program::empty(py))?))?;
    entry::adopt(&class, Some(entry::target_offset(&shown)));
    Ok(())
}

impl Callable {
    pub fn program(&self) -> &Program {
        self.program.get()
    }

    pub fn program_object(&self) -> &Py<Program> {
        &self.program
    }

    pub fn interrupts(&self) -> &Arc<AtomicU64> {
        &self.interrupts
    }

    fn of(program: Py<Program>) -> Callable {
        let (target, specialisations, interrupts) = (Target::new(), Mutex::default(), Arc::default());
        let (once, elements) = (AtomicBool::new(false), Default::default());
        Callable { target, program, specialisations, interrupts, once, elements }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        // The list is whole whenever the lock is free: a panic while it is held loses nothing.
        self.specialisations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The types that are meant when none are given: those of the declaration, or of what was compiled last for a call that is not one for
    /// each element.
    fn known_types(&self, py: Python<'_>) -> PyResult<Option<Vec<Ty>>> {
        let program = self.program();
        let params = &program.params;
        let known = |param: &Param| match param.kind {
            Kind::Given => program.given_type(py, param).map(Some),
            _ => Ok(param.declared.clone()),
        };
        if let Some(types) = params.iter().map(|p| known(p).transpose()).collect::<Option<PyResult<Vec<Ty>>>>() {
            return types.map(Some);
        }
        Ok(self.known().last().map(|(_, s)| s.params.clone()))
    }

    fn or_unknown(&self, types: Option<Vec<Ty>>) -> PyResult<Vec<Ty>> {
        let Program { params, name, .. } = self.program();
        types.ok_or_else(|| {
            let example = vec!["float"; params.iter().filter(|p| p.kind != Kind::Given).count()].join(", ");
            PyValueError::new_err(format!(
                "{name} has been compiled for no types yet; say for which, as in signature=\"({example})\""
            ))
        })
    }

    /// The specialisation for these argument types, compiled now if there is none.
    ///
    /// Code that takes objects itself costs twice the time to compile, so the first call does without: it is made when there is a second
    /// call, and stands in the place of the other then. `soon`: there will be more calls.
    fn specialisation(&self, py: Python<'_>, types: &[Ty], soon: bool) -> PyResult<Arc<Specialisation>> {
        let hash = hash(types);
        let find =
            |known: &[(u64, Arc<Specialisation>)]| known.iter().rposition(|(key, s)| *key == hash && s.params == types);
        // The lock is never held while Python may run: who waits for it holds the interpreter.
        let (count, cold) = {
            let known = self.known();
            let found = find(&known).map(|at| known[at].1.clone());
            match found {
                Some(found) if found.is_warm() => return Ok(found),
                cold => (known.len(), cold),
            }
        };
        let program = self.program();
        if cold.is_none() && count >= MAX_SPECIALISATIONS {
            let span = program.unit.span();
            let args = vec![program.name.clone(), MAX_SPECIALISATIONS.to_string()];
            let diag = jib_core::diag::Diag { code: "limit-specialisations", args, span };
            return Err(compile_error(py, &program.source, diag.into()));
        }
        let layout = if soon || cold.is_some() || program.options.engine != Engine::Native { layout(py) } else { None };
        if let (Some(cold), None) = (&cold, layout) {
            cold.stay();
            return Ok(cold.clone());
        }
        let compile =
            || Specialisation::compile(&program.unit, types, program.result.as_ref(), program.options, layout);
        if program.options.engine == Engine::Native {
            prepare(program.options);
        }
        let good = |found: &Specialisation| found.is_warm() || layout.is_none();
        let made = match (codes::code(py, program.number, types, good, compile), cold) {
            (Ok(made), _) => made,
            // What takes objects may be beyond a limit where the other was not.
            (Err(_), Some(cold)) => {
                cold.stay();
                return Ok(cold);
            }
            (Err(error), None) => return Err(compile_error(py, &program.source, error)),
        };
        let mut known = self.known();
        match find(&known) {
            // Another thread may have been faster: the best of them is kept.
            Some(at) if known[at].1.is_warm() || !made.is_warm() => return Ok(known[at].1.clone()),
            Some(at) => {
                let old = std::mem::replace(&mut known[at].1, made.clone());
                drop(known);
                drop(old);
            }
            None => known.push((hash, made.clone())),
        }
        Ok(made)
    }

    /// Any call: binds, finds or makes the specialisation, runs it, and has it called directly from now on.
    pub fn dispatch<'py>(
        slf: &Bound<'py, Self>,
        positional: &[Borrowed<'_, 'py, PyAny>],
        names: Option<&Bound<'py, PyTuple>>,
        values: &[Borrowed<'_, 'py, PyAny>],
    ) -> PyResult<Bound<'py, PyAny>> {
        let program = slf.get().program();
        if names.is_none() && positional.len() == program.params.len() && program.is_plain() {
            return Callable::call(slf, positional);
        }
        Callable::call(slf, &program.bind(slf.py(), positional, names, values)?)
    }

    fn call<'py>(slf: &Bound<'py, Self>, args: &[Borrowed<'_, 'py, PyAny>]) -> PyResult<Bound<'py, PyAny>> {
        let (py, this) = (slf.py(), slf.get());
        if elementwise::has_array(py, this.program(), args)? {
            return elementwise::call(slf, args, None);
        }
        let (types, slots) = match this.program().convert(py, args) {
            Err(error) if error.is_instance_of::<PyTypeError>(py) && elementwise::concerns(this.program(), args)? => {
                return elementwise::call(slf, args, None);
            }
            converted => converted?,
        };
        let specialisation = this.specialisation(py, &types, EAGER.load(Ordering::Relaxed))?;
        this.aim(&specialisation, convert::are_exact(args, &types).then_some(args));
        if specialisation.takes_slots() {
            let mut out = Slots::from_elem(0, specialisation.width());
            return match this.run(py, &specialisation, &slots, &mut out) {
                Ok(arrays) => {
                    let made = arrays.iter().map(|array| array.bind_borrowed(py));
                    let owners: Args = args.iter().copied().chain(made).collect();
                    convert::result(py, specialisation.result(), &mut out.iter(), &owners)
                }
                Err(stopped) => Err(this.stopped(py, *stopped)),
            };
        }
        // What code takes that needs no host: floats, ints and bools themselves.
        let mut slots = slots.iter();
        let exact = args.iter().zip(&types).map(|(arg, ty)| convert::exact(arg, ty, &mut slots));
        let exact = exact.collect::<PyResult<SmallVec<[Bound<'py, PyAny>; 8]>>>()?;
        let borrowed: Args = exact.iter().map(|arg| arg.as_borrowed()).collect();
        entry::enter(slf, &specialisation, &borrowed).unwrap_or_else(|| Err(internal(py, "code without an entry")))
    }

    /// Whether calls go to generated code first.
    pub fn is_direct(&self) -> bool {
        self.target.is_set()
    }

    /// Has this specialisation called directly, from now on.
    fn aim(&self, specialisation: &Specialisation, args: Option<&[Borrowed<'_, '_, PyAny>]>) {
        // Code counts arguments, and does not ask how they were given.
        if self.program().is_plain() {
            self.target.set(specialisation, args);
        }
    }

    /// Runs slots; gives what the arrays that the run made have their elements in.
    pub fn run(
        &self,
        py: Python<'_>,
        specialisation: &Specialisation,
        slots: &[u64],
        out: &mut [u64],
    ) -> Result<Vec<Py<PyAny>>, Box<Stopped>> {
        let Program { budget, gil, externs, threads, .. } = self.program();
        let mut host = Run::new(py, *budget, *gil, &self.interrupts)
            .since_made(self.once.load(Ordering::Relaxed))
            .with_externs(externs)
            .with_threads(threads.unwrap_or_else(crate::threads::number));
        let done = specialisation.run(slots, out, &mut host);
        let (refusal, arrays) = (host.take_refusal(), host.take_arrays());
        // It has the interpreter again before anybody else does something.
        drop(host);
        done.map(|()| arrays).map_err(|stop| Box::new((stop, refusal)))
    }

    /// The exception of a run that has no result.
    pub fn stopped(&self, py: Python<'_>, (stop, refusal): Stopped) -> PyErr {
        match stop {
            Stop::Failed(failure) => run_error(py, &self.program().source, &failure, refusal),
            Stop::Raised(error) => error,
            Stop::Compiling(error) => compile_error(py, &self.program().source, error),
        }
    }

    /// The exception of a failure in code that needs no host.
    pub fn failed(&self, py: Python<'_>, specialisation: &Specialisation, site: u32, code: u32) -> PyErr {
        run_error(py, &self.program().source, &specialisation.failure(site, code), None)
    }
}

/// Most functions have one.
type Known = SmallVec<[(u64, Arc<Specialisation>); 1]>;

/// Why a run has no result, and what the host said.
pub type Stopped = (Stop, Option<Refusal>);

fn hash(types: &[Ty]) -> u64 {
    let mut hasher = DefaultHasher::new();
    types.hash(&mut hasher);
    hasher.finish()
}
