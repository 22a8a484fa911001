//! The function object's native half: what is called.
//!
//! In: positional and keyword arguments. Out: a value, or an exception. Always holds: a call takes the specialisation that fits
//! its argument types exactly, compiling it on first need, with no Python on the way.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jib_core::code::OptLevel;
use jib_core::limits::Limits;
use jib_core::typed::Mode;
use jib_core::types::ticks::Counting;
use jib_core::types::{Ty, parse};
use jib_core::unit::Unit;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};
use smallvec::SmallVec;

use crate::calls;
use crate::codes;
use crate::convert::{self, Place, Slots};
use crate::dump;
use crate::entry::{self, Args, Target};
use crate::errors::{compile_error, internal, run_error};
use crate::externs::Extern;
use crate::guard::guard;
use crate::host::{Budget, Gil, Refusal, Run};
use crate::layout::layout;
use crate::pointer::{Pointer, Shared};
use crate::specialise::{Engine, Options, Specialisation, Stages, Stop, prepare};

const ENGINES: [(&str, Engine); 3] =
    [("native", Engine::Native), ("interpreter", Engine::Interpreter), ("auto", Engine::Auto)];

/// More specialisations than this of one function are a mistake, such as tuples of ever new lengths.
const MAX_SPECIALISATIONS: usize = 256;

/// The native half of `jib.Function`.
#[pyclass(subclass, frozen, module = "jib._native")]
pub struct Callable {
    /// What CPython calls: code of the specialisation called last, or `entry`'s way to all of them.
    pub(crate) target: Target,
    program: Py<Program>,
    /// Those that this function has been called with, oldest first, each with the hash of its types.
    specialisations: Mutex<Vec<(u64, Arc<Specialisation>)>>,
    /// How often `interrupt` was called: a run that sees it change ends.
    interrupts: Arc<AtomicU64>,
}

/// What functions of the same text and options share.
#[pyclass(frozen, module = "jib._native")]
pub struct Program {
    /// Unlike that of any other program.
    number: u64,
    pub unit: Unit,
    pub options: Options,
    /// The `jib.source.Source`, for messages.
    pub source: Py<PyAny>,
    pub name: String,
    params: Vec<Param>,
    /// The same as Python's `builtins.Param`s, which know the words for arguments that do not fit.
    rows: Py<PyTuple>,
    /// What `signature=` says: the types it takes, and what it returns.
    fixed: Option<Vec<Ty>>,
    pub result: Option<Ty>,
    /// Microseconds from bytes to SSA.
    crossing: f64,
    pub budget: Budget,
    /// Who has the interpreter while a function runs.
    pub gil: Gil,
    /// The functions of the host that the text may call, with all that they keep.
    pub externs: Vec<Py<Extern>>,
}

struct Param {
    name: String,
    /// "positional", "any" or "keyword".
    kind: Kind,
    declared: Option<Ty>,
    default: Option<Py<PyAny>>,
}

/// A specialisation as Python sees it.
type Row = (Vec<String>, String, usize, Stages);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Positional,
    Any,
    Keyword,
}

#[pymethods]
impl Program {
    /// What it keeps. There is nothing to clear, as with a `Callable`.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.source)?;
        visit.call(&self.rows)?;
        self.params.iter().filter_map(|param| param.default.as_ref()).try_for_each(|default| visit.call(default))?;
        self.externs.iter().try_for_each(|callee| visit.call(callee))
    }

    /// `params` are (name, kind, required, default); `signature` is its text or None; `fuel` is positive, `timeout` in seconds.
    /// With `counting` "nothing" a run cannot be stopped: benchmarks compare with it.
    #[new]
    #[pyo3(signature = (
        ir, source, name, params, signature, engine, opt_level, arithmetic, limits, fuel = None, timeout = None,
        nogil = None, counting = None, externs = vec![]
    ))]
    #[expect(clippy::too_many_arguments, reason = "Python's `compile` is its only caller")]
    fn new(
        py: Python<'_>,
        ir: &[u8],
        source: Py<PyAny>,
        name: String,
        params: Bound<'_, PyTuple>,
        signature: Option<&str>,
        engine: &str,
        opt_level: &str,
        arithmetic: &str,
        limits: Bound<'_, PyAny>,
        fuel: Option<u64>,
        timeout: Option<f64>,
        nogil: Option<bool>,
        counting: Option<&str>,
        externs: Vec<Py<Extern>>,
    ) -> PyResult<Program> {
        guard(py, || {
            let limit = |name| PyResult::Ok(limits.getattr(name)?.extract::<isize>()?.max(0) as usize);
            let options = Options {
                engine: choose("engine", engine, &ENGINES)?,
                opt_level: choose("opt_level", opt_level, &[("none", OptLevel::None), ("speed", OptLevel::Speed)])?,
                mode: choose("arithmetic", arithmetic, &[("python", Mode::Python), ("numpy", Mode::Numpy)])?,
                counting: match counting {
                    Some("nothing") => Counting::Nothing,
                    _ if fuel.is_some() => Counting::Fuel,
                    _ => Counting::Polls,
                },
                limits: Limits {
                    joins: limit("joins")?,
                    values: limit("values")?,
                    blocks: limit("blocks")?,
                    kept: limit("kept")?,
                },
            };
            let timeout = timeout.map(Duration::try_from_secs_f64).transpose();
            let timeout = timeout.map_err(|error| PyValueError::new_err(format!("timeout: {error}")))?;
            let start = Instant::now();
            let rows: Vec<_> = externs.iter().map(|callee| callee.get().of.clone()).collect();
            let unit = Unit::with_externs(ir, options.limits, &rows);
            let unit = unit.map_err(|error| compile_error(py, &source, error))?;
            let crossing = start.elapsed().as_secs_f64() * 1e6;
            let rows = params.clone().unbind();
            let params: Vec<(String, String, bool, Py<PyAny>)> = params.extract()?;
            let params =
                params.into_iter().zip(unit.params()).map(|((name, kind, required, default), (_, ty))| Param {
                    kind: match &*kind {
                        "positional" => Kind::Positional,
                        "keyword" => Kind::Keyword,
                        _ => Kind::Any,
                    },
                    name,
                    declared: ty.cloned(),
                    default: (!required).then_some(default),
                });
            let budget = Budget { fuel, timeout };
            let gil = Gil::of(nogil);
            let params = params.collect();
            static PROGRAMS: AtomicU64 = AtomicU64::new(0);
            let number = PROGRAMS.fetch_add(1, Ordering::Relaxed);
            let mut program = Program {
                number,
                unit,
                options,
                source,
                name,
                params,
                rows,
                fixed: None,
                result: None,
                crossing,
                budget,
                gil,
                externs,
            };
            if let Some(text) = signature {
                let (types, result) = program.signature(py, text)?;
                program.params.iter_mut().zip(&types).for_each(|(param, ty)| param.declared = Some(ty.clone()));
                program.fixed = Some(types);
                program.result = result;
            }
            Ok(program)
        })
    }
}

#[pymethods]
impl Callable {
    /// It never changes: every cycle goes through something else that does, and is cleared there.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.program)
    }

    /// What a signature fixes is compiled now.
    #[new]
    fn new(py: Python<'_>, program: Py<Program>) -> PyResult<Callable> {
        guard(py, || {
            let callable = Callable::of(program);
            if let Some(types) = &callable.program().fixed {
                callable.aim(&*callable.specialisation(py, types)?, None);
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

    /// The text of a stage that Rust has, for a signature, or for the specialisation there is.
    fn _dump(&self, py: Python<'_>, stage: &str, signature: Option<&str>) -> PyResult<String> {
        guard(py, || {
            let program = self.program();
            let (types, result) = match signature {
                Some(text) => program.signature(py, text)?,
                None => (self.default_types()?, program.result.clone()),
            };
            match dump::dump(&program.unit, stage, &types, result.as_ref(), program.options) {
                Some(text) => text.map_err(|error| compile_error(py, &program.source, error)),
                None => Err(PyValueError::new_err(format!("there is no stage called '{stage}'"))),
            }
        })
    }

    /// The function as C calls it, for a signature.
    fn _pointer(&self, py: Python<'_>, signature: &str) -> PyResult<Pointer> {
        guard(py, || {
            let (types, result) = self.program().signature(py, signature)?;
            Shared::compile(py, &self.program, &self.interrupts, &types, result.as_ref())
        })
    }

    /// How many instructions of all that was compiled could trap: none. For tests.
    fn _traps(&self) -> usize {
        self.known().iter().map(|(_, s)| s.traps()).sum()
    }

    /// What has been compiled: (argument types, result type, bytes of code, [(stage, microseconds)]).
    fn _specializations(&self) -> Vec<Row> {
        let row = |(_, s): &(u64, Arc<Specialisation>)| {
            let types = s.params.iter().map(Ty::to_string).collect();
            let mut stages = vec![("cross", self.program().crossing)];
            stages.extend(s.stages());
            (types, s.result().to_string(), s.code_bytes(), stages)
        };
        self.known().iter().map(row).collect()
    }
}

/// The choice that a word names.
fn choose<T: Copy>(option: &str, word: &str, choices: &[(&str, T)]) -> PyResult<T> {
    choices.iter().find(|(name, _)| *name == word).map(|(_, choice)| *choice).ok_or_else(|| {
        let names: Vec<String> = choices.iter().map(|(name, _)| format!("'{name}'")).collect();
        PyValueError::new_err(format!("{option} must be {}, not '{word}'", names.join(" or ")))
    })
}

/// Makes calls of the class's instances go to their targets; before any of them is made but one that shows where that is.
pub fn adopt(py: Python<'_>) -> PyResult<()> {
    let class = py.get_type::<Callable>();
    let shown = Bound::new(py, Callable::of(Py::new(py, Program::empty(py))?))?;
    entry::adopt(&class, Some(entry::target_offset(&shown)));
    Ok(())
}

impl Program {
    /// Of a function that cannot be called.
    fn empty(py: Python<'_>) -> Program {
        Program {
            number: u64::MAX,
            unit: Unit::empty(),
            options: Options {
                engine: Engine::Native,
                opt_level: OptLevel::None,
                mode: Mode::Python,
                counting: Counting::Nothing,
                limits: Limits::default(),
            },
            source: py.None(),
            name: String::new(),
            params: Vec::new(),
            rows: PyTuple::empty(py).unbind(),
            fixed: None,
            result: None,
            crossing: 0.0,
            budget: Budget::default(),
            gil: Gil::default(),
            externs: Vec::new(),
        }
    }

    /// The types that a signature's text stands for, and the result it fixes.
    fn signature(&self, py: Python<'_>, text: &str) -> PyResult<(Vec<Ty>, Option<Ty>)> {
        let wrong = |code: &'static str, piece: String| {
            let piece = piece.chars().take(80).collect();
            let diag = jib_core::diag::Diag { code, args: vec![piece], span: self.unit.span() };
            compile_error(py, &self.source, diag.into())
        };
        let signature = parse::signature(text).map_err(|w| wrong(w.code, w.piece))?;
        let types = self.unit.accept(&signature.params).map_err(|error| compile_error(py, &self.source, error))?;
        Ok((types, signature.result))
    }

    /// Whether all parameters may be given by position.
    fn is_plain(&self) -> bool {
        self.params.iter().all(|param| param.kind != Kind::Keyword)
    }

    /// Arguments in the order of the parameters, as a `def` binds them.
    fn bind<'a, 'py>(
        &'a self,
        py: Python<'py>,
        positional: &[Borrowed<'a, 'py, PyAny>],
        names: Option<&Bound<'py, PyTuple>>,
        values: &[Borrowed<'a, 'py, PyAny>],
    ) -> PyResult<Args<'a, 'py>> {
        let misfit = || {
            let keywords: Vec<Bound<'py, PyAny>> = names.into_iter().flatten().collect();
            let words = py.import(intern!(py, "jib.builtins"))?.getattr(intern!(py, "misfit"))?;
            let words: String = calls::call(&words, (&self.name, &self.rows, positional.len(), keywords))?.extract()?;
            PyResult::Ok(PyTypeError::new_err(words))
        };
        if positional.len() > self.params.iter().filter(|p| p.kind != Kind::Keyword).count() {
            return Err(misfit()?);
        }
        let mut bound: SmallVec<[Option<Borrowed<'a, 'py, PyAny>>; 8]> = positional.iter().copied().map(Some).collect();
        // Keyword-only parameters come after all that positional arguments can fill.
        bound.resize(self.params.len(), None);
        for (name, value) in names.into_iter().flatten().zip(values) {
            let name = name.cast::<PyString>().map_err(|_| PyTypeError::new_err("keywords must be strings"))?;
            let name = name.to_str().map_err(|_| PyTypeError::new_err("keywords must be names"))?;
            let at = self.params.iter().position(|p| p.name == name && p.kind != Kind::Positional);
            match at {
                Some(at) if bound[at].is_none() => bound[at] = Some(*value),
                _ => return Err(misfit()?),
            }
        }
        let default = |param: &'a Param| param.default.as_ref().map(|default| default.bind_borrowed(py));
        let whole = self.params.iter().zip(bound).map(|(param, value)| value.or_else(|| default(param)));
        whole.collect::<Option<_>>().map_or_else(|| Err(misfit()?), Ok)
    }

    /// The arguments' types and slots.
    fn convert(&self, py: Python<'_>, args: &[Borrowed<'_, '_, PyAny>]) -> PyResult<(Types, Slots)> {
        let (mut slots, mut types) = (Slots::new(), Types::new());
        for (param, value) in self.params.iter().zip(args) {
            let place = Place { function: &self.name, param: &param.name, depth: 0 };
            match &param.declared {
                Some(ty) => {
                    convert::declared(value, ty, place, &mut slots)?;
                    types.push(ty.clone());
                }
                // `def f(x=None)` may be given what it defaults to.
                None if value.is_none() && param.default.as_ref().is_some_and(|default| default.is_none(py)) => {
                    types.push(Ty::None);
                }
                None => types.push(convert::argument(value, place, &mut slots)?),
            }
        }
        Ok((types, slots))
    }
}

impl Callable {
    fn program(&self) -> &Program {
        self.program.get()
    }

    fn of(program: Py<Program>) -> Callable {
        let (specialisations, interrupts) = (Mutex::new(Vec::new()), Arc::default());
        Callable { target: Target::new(), program, specialisations, interrupts }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Vec<(u64, Arc<Specialisation>)>> {
        // The list is whole whenever the lock is free: a panic while it is held loses nothing.
        self.specialisations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The types to dump when none are given: those of the declaration, or of what was compiled last.
    fn default_types(&self) -> PyResult<Vec<Ty>> {
        let Program { params, name, .. } = self.program();
        if let Some(declared) = params.iter().map(|p| p.declared.clone()).collect::<Option<Vec<Ty>>>() {
            return Ok(declared);
        }
        self.known().last().map(|(_, s)| s.params.clone()).ok_or_else(|| {
            let example = vec!["float"; params.len()].join(", ");
            PyValueError::new_err(format!(
                "{name} has not been called yet: say for which types, as in signature=\"({example})\""
            ))
        })
    }

    /// The specialisation for these argument types, compiled now if there is none.
    fn specialisation(&self, py: Python<'_>, types: &[Ty]) -> PyResult<Arc<Specialisation>> {
        let hash = hash(types);
        let find = |known: &[(u64, Arc<Specialisation>)]| {
            known.iter().rev().find(|(key, s)| *key == hash && s.params == types).map(|(_, s)| s.clone())
        };
        // The lock is never held while Python may run: who waits for it holds the interpreter.
        let count = {
            let known = self.known();
            if let Some(found) = find(&known) {
                return Ok(found);
            }
            known.len()
        };
        let program = self.program();
        if count >= MAX_SPECIALISATIONS {
            let span = program.unit.span();
            let args = vec![program.name.clone(), MAX_SPECIALISATIONS.to_string()];
            let diag = jib_core::diag::Diag { code: "limit-specialisations", args, span };
            return Err(compile_error(py, &program.source, diag.into()));
        }
        let layout = layout(py);
        let compile =
            || Specialisation::compile(&program.unit, types, program.result.as_ref(), program.options, layout);
        if program.options.engine == Engine::Native {
            prepare(program.options);
        }
        let made = codes::code(py, program.number, types, compile);
        let made = made.map_err(|error| compile_error(py, &program.source, error))?;
        let mut known = self.known();
        // Another thread may have been faster: one of them is kept.
        Ok(find(&known).unwrap_or_else(|| {
            known.push((hash, made.clone()));
            made
        }))
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
        let (types, slots) = this.program().convert(py, args)?;
        let specialisation = this.specialisation(py, &types)?;
        this.aim(&specialisation, convert::are_exact(args, &types).then_some(args));
        if specialisation.takes_slots() {
            let mut out = Slots::from_elem(0, specialisation.width());
            return match this.run(py, &specialisation, &slots, &mut out) {
                Ok(()) => convert::result(py, specialisation.result(), &mut out.iter()),
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

    /// Runs slots.
    pub fn run(
        &self,
        py: Python<'_>,
        specialisation: &Specialisation,
        slots: &[u64],
        out: &mut [u64],
    ) -> Result<(), Box<Stopped>> {
        let Program { budget, gil, externs, .. } = self.program();
        let mut host = Run::new(py, *budget, *gil, &self.interrupts).with_externs(externs);
        let done = specialisation.run(slots, out, &mut host);
        let refusal = host.take_refusal();
        // It has the interpreter again before anybody else does something.
        drop(host);
        done.map_err(|stop| Box::new((stop, refusal)))
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

/// Why a run has no result, and what the host said.
pub type Stopped = (Stop, Option<Refusal>);

type Types = SmallVec<[Ty; 8]>;

fn hash(types: &[Ty]) -> u64 {
    let mut hasher = DefaultHasher::new();
    types.hash(&mut hasher);
    hasher.finish()
}
