//! The function object's native half: what is called.
//!
//! In: positional and keyword arguments. Out: a value, or an exception. Always holds: a call takes the specialisation that fits
//! its argument types exactly, compiling it on first need, with no Python on the way.

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
use pyo3::types::{PyDict, PyTuple};
use smallvec::SmallVec;

use crate::convert::{self, Place, Slots};
use crate::dump;
use crate::errors::{compile_error, run_error};
use crate::externs::Extern;
use crate::guard::guard;
use crate::host::{Budget, Run};
use crate::specialise::{Engine, Options, Specialisation, Stages, Stop};

const ENGINES: [(&str, Engine); 3] =
    [("native", Engine::Native), ("interpreter", Engine::Interpreter), ("auto", Engine::Auto)];

/// More specialisations than this of one function are a mistake, such as tuples of ever new lengths.
const MAX_SPECIALISATIONS: usize = 256;

/// The native half of `jib.Function`.
#[pyclass(subclass, frozen, module = "jib._native")]
pub struct Callable {
    unit: Arc<Unit>,
    options: Options,
    /// The `jib.source.Source`, for messages.
    source: Py<PyAny>,
    name: String,
    params: Vec<Param>,
    /// The same as Python's `builtins.Param`s, which know the words for arguments that do not fit.
    rows: Py<PyTuple>,
    /// What `signature=` says it returns.
    result: Option<Ty>,
    /// Microseconds from bytes to SSA.
    crossing: f64,
    specialisations: Mutex<Vec<Arc<Specialisation>>>,
    budget: Budget,
    /// The functions of the host that the text may call, with all that they keep.
    externs: Vec<Py<Extern>>,
    /// How often `interrupt` was called: a run that sees it change ends.
    interrupts: AtomicU64,
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
impl Callable {
    /// `params` are (name, kind, required, default); `signature` is its text or None; `fuel` is positive, `timeout` in seconds.
    /// With `counting` "nothing" a run cannot be stopped: benchmarks compare with it.
    #[new]
    #[pyo3(signature = (
        ir, source, name, params, signature, engine, opt_level, arithmetic, limits, fuel, timeout, counting = None,
        externs = vec![]
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
        counting: Option<&str>,
        externs: Vec<Py<Extern>>,
    ) -> PyResult<Callable> {
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
            let mut callable = Callable {
                name,
                params: params.collect(),
                rows,
                unit: Arc::new(unit),
                options,
                source,
                result: None,
                crossing,
                specialisations: Mutex::new(Vec::new()),
                budget: Budget { fuel, timeout },
                externs,
                interrupts: AtomicU64::new(0),
            };
            if let Some(text) = signature {
                let (types, result) = callable.signature(py, text)?;
                callable.params.iter_mut().zip(&types).for_each(|(param, ty)| param.declared = Some(ty.clone()));
                callable.result = result;
                callable.specialisation(py, &types)?;
            }
            Ok(callable)
        })
    }

    #[pyo3(signature = (*args, **kwargs))]
    fn __call__<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        guard(py, || match kwargs {
            None if args.len() == self.params.len() && self.params.iter().all(|p| p.kind != Kind::Keyword) => {
                self.call(py, args.iter_borrowed())
            }
            _ => {
                let bound = self.bind(py, args, kwargs)?;
                self.call(py, bound.iter().map(|value| value.as_borrowed()))
            }
        })
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
            let (types, result) = match signature {
                Some(text) => self.signature(py, text)?,
                None => (self.default_types()?, self.result.clone()),
            };
            match dump::dump(&self.unit, stage, &types, result.as_ref(), self.options) {
                Some(text) => text.map_err(|error| compile_error(py, &self.source, error)),
                None => Err(PyValueError::new_err(format!("there is no stage called '{stage}'"))),
            }
        })
    }

    /// What it keeps. There is nothing to clear: it never changes, so every cycle goes through something else that does.
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.source)?;
        visit.call(&self.rows)?;
        self.params.iter().filter_map(|param| param.default.as_ref()).try_for_each(|default| visit.call(default))?;
        self.externs.iter().try_for_each(|callee| visit.call(callee))
    }

    /// How many instructions of all that was compiled could trap: none. For tests.
    fn _traps(&self) -> usize {
        self.known().iter().map(|s| s.traps()).sum()
    }

    /// What has been compiled: (argument types, result type, bytes of code, [(stage, microseconds)]).
    fn _specializations(&self) -> Vec<Row> {
        let row = |s: &Arc<Specialisation>| {
            let types = s.params.iter().map(Ty::to_string).collect();
            let mut stages = vec![("cross", self.crossing)];
            stages.extend(s.stages());
            (types, s.result.to_string(), s.code_bytes(), stages)
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

impl Callable {
    fn known(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Specialisation>>> {
        // The list is whole whenever the lock is free: a panic while it is held loses nothing.
        self.specialisations.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// The types to dump when none are given: those of the declaration, or of what was compiled last.
    fn default_types(&self) -> PyResult<Vec<Ty>> {
        if let Some(declared) = self.params.iter().map(|p| p.declared.clone()).collect::<Option<Vec<Ty>>>() {
            return Ok(declared);
        }
        self.known().last().map(|s| s.params.clone()).ok_or_else(|| {
            let example = vec!["float"; self.params.len()].join(", ");
            PyValueError::new_err(format!(
                "{} has not been called yet: say for which types, as in signature=\"({example})\"",
                self.name
            ))
        })
    }

    /// The specialisation for these argument types, compiled now if there is none.
    fn specialisation(&self, py: Python<'_>, types: &[Ty]) -> PyResult<Arc<Specialisation>> {
        // The lock is never held while Python may run: who waits for it holds the interpreter.
        let find = |known: &[Arc<Specialisation>]| known.iter().rev().find(|s| s.params == types).cloned();
        let count = {
            let known = self.known();
            if let Some(found) = find(&known) {
                return Ok(found);
            }
            known.len()
        };
        if count >= MAX_SPECIALISATIONS {
            let span = self.unit.span();
            let args = vec![self.name.clone(), MAX_SPECIALISATIONS.to_string()];
            let diag = jib_core::diag::Diag { code: "limit-specialisations", args, span };
            return Err(compile_error(py, &self.source, diag.into()));
        }
        let made = Specialisation::compile(&self.unit, types, self.result.as_ref(), self.options);
        let made = Arc::new(made.map_err(|error| compile_error(py, &self.source, error))?);
        let mut known = self.known();
        // Another thread may have been faster: one of them is kept.
        Ok(find(&known).unwrap_or_else(|| {
            known.push(made.clone());
            made
        }))
    }

    fn call<'a, 'py: 'a>(
        &self,
        py: Python<'py>,
        args: impl Iterator<Item = Borrowed<'a, 'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut slots = Slots::new();
        let mut types: SmallVec<[Ty; 8]> = SmallVec::new();
        for (param, value) in self.params.iter().zip(args) {
            let place = Place { function: &self.name, param: &param.name, depth: 0 };
            match &param.declared {
                Some(ty) => {
                    convert::declared(&value, ty, place, &mut slots)?;
                    types.push(ty.clone());
                }
                // `def f(x=None)` may be given what it defaults to.
                None if value.is_none() && param.default.as_ref().is_some_and(|default| default.is_none(py)) => {
                    types.push(Ty::None);
                }
                None => types.push(convert::argument(&value, place, &mut slots)?),
            }
        }
        let specialisation = self.specialisation(py, &types)?;
        let mut out = Slots::from_elem(0, specialisation.width);
        let mut host = Run::new(py, self.budget, &self.interrupts).with_externs(&self.externs);
        match specialisation.run(&slots, &mut out, &mut host) {
            Ok(()) => convert::result(py, &specialisation.result, &mut out.iter()),
            Err(Stop::Failed(failure)) => Err(run_error(py, &self.source, &failure, host.refusal)),
            Err(Stop::Raised(error)) => Err(error),
            Err(Stop::Compiling(error)) => Err(compile_error(py, &self.source, error)),
        }
    }

    /// Arguments in the order of the parameters, as a `def` binds them.
    fn bind<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let misfit = || {
            let keywords: Vec<Bound<'py, PyAny>> =
                kwargs.map(|kwargs| kwargs.keys().iter().collect()).unwrap_or_default();
            let words = py.import(intern!(py, "jib.builtins"))?.getattr(intern!(py, "misfit"))?;
            let words: String = words.call1((&self.name, &self.rows, args.len(), keywords))?.extract()?;
            PyResult::Ok(PyTypeError::new_err(words))
        };
        if args.len() > self.params.iter().filter(|p| p.kind != Kind::Keyword).count() {
            return Err(misfit()?);
        }
        let mut bound: Vec<Option<Bound<'py, PyAny>>> = args.iter().map(Some).collect();
        // Keyword-only parameters come after all that positional arguments can fill.
        bound.resize(self.params.len(), None);
        for (key, value) in kwargs.into_iter().flatten() {
            let key: String = key.extract().map_err(|_| PyTypeError::new_err("keywords must be strings"))?;
            let at = self.params.iter().position(|p| p.name == key && p.kind != Kind::Positional);
            match at {
                Some(at) if bound[at].is_none() => bound[at] = Some(value),
                _ => return Err(misfit()?),
            }
        }
        let mut whole = Vec::with_capacity(bound.len());
        for (param, value) in self.params.iter().zip(bound) {
            match (value, &param.default) {
                (Some(value), _) => whole.push(value),
                (None, Some(default)) => whole.push(default.bind(py).clone()),
                (None, None) => return Err(misfit()?),
            }
        }
        Ok(whole)
    }
}
