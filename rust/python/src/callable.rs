//! The function object's native half: what is called.
//!
//! In: positional and keyword arguments. Out: a value, or an exception. Always holds: a call takes the specialisation that fits
//! its argument types exactly, compiling it on first need, with no Python on the way.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use jib_core::code::OptLevel;
use jib_core::typed::Mode;
use jib_core::types::{Ty, parse};
use jib_core::unit::Unit;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use smallvec::SmallVec;

use crate::convert::{self, Place, Slots};
use crate::dump;
use crate::errors::{compile_error, run_error};
use crate::guard::guard;
use crate::host::Interpreter;
use crate::specialise::{Engine, Options, Specialisation};

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
    /// What `signature=` says it returns.
    result: Option<Ty>,
    /// Microseconds from bytes to SSA.
    crossing: f64,
    specialisations: Mutex<Vec<Arc<Specialisation>>>,
}

struct Param {
    name: String,
    /// "positional", "any" or "keyword".
    kind: Kind,
    declared: Option<Ty>,
    default: Option<Py<PyAny>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Positional,
    Any,
    Keyword,
}

#[pymethods]
impl Callable {
    /// `params` are (name, kind, has default, default); `signature` is its text or None.
    #[new]
    #[pyo3(signature = (ir, source, params, signature, engine, opt_level, arithmetic))]
    #[expect(clippy::too_many_arguments, reason = "Python's `compile` is its only caller")]
    fn new(
        py: Python<'_>,
        ir: &[u8],
        source: Py<PyAny>,
        params: Vec<(String, String, bool, Py<PyAny>)>,
        signature: Option<&str>,
        engine: &str,
        opt_level: &str,
        arithmetic: &str,
    ) -> PyResult<Callable> {
        guard(py, || {
            let options = Options {
                engine: choose("engine", engine, &[("native", Engine::Native), ("interpreter", Engine::Interpreter)])?,
                opt_level: choose("opt_level", opt_level, &[("none", OptLevel::None), ("speed", OptLevel::Speed)])?,
                mode: choose("arithmetic", arithmetic, &[("python", Mode::Python), ("numpy", Mode::Numpy)])?,
            };
            let start = Instant::now();
            let unit = Unit::decode(ir).map_err(|error| compile_error(py, &source, error))?;
            let crossing = start.elapsed().as_secs_f64() * 1e6;
            let params = params.into_iter().zip(unit.params()).map(|((name, kind, has_default, default), (_, ty))| Param {
                kind: match &*kind {
                    "positional" => Kind::Positional,
                    "keyword" => Kind::Keyword,
                    _ => Kind::Any,
                },
                name,
                declared: ty.cloned(),
                default: has_default.then_some(default),
            });
            let mut callable = Callable {
                name: unit.name().to_owned(),
                params: params.collect(),
                unit: Arc::new(unit),
                options,
                source,
                result: None,
                crossing,
                specialisations: Mutex::new(Vec::new()),
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

    /// What has been compiled: (argument types, result type, bytes of code, [(stage, microseconds)]).
    fn _specializations(&self) -> Vec<(Vec<String>, String, usize, Vec<(&'static str, f64)>)> {
        let row = |s: &Arc<Specialisation>| {
            let types = s.params.iter().map(Ty::to_string).collect();
            let mut stages = vec![("cross", self.crossing)];
            stages.extend(&s.stages);
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
        let mut known = self.known();
        if let Some(found) = known.iter().rev().find(|s| s.params == types) {
            return Ok(found.clone());
        }
        if known.len() == MAX_SPECIALISATIONS {
            let span = self.unit.span();
            let args = vec![self.name.clone(), MAX_SPECIALISATIONS.to_string()];
            let diag = jib_core::diag::Diag { code: "limit-specialisations", args, span };
            return Err(compile_error(py, &self.source, diag.into()));
        }
        let made = Specialisation::compile(&self.unit, types, self.result.as_ref(), self.options);
        let made = Arc::new(made.map_err(|error| compile_error(py, &self.source, error))?);
        known.push(made.clone());
        Ok(made)
    }

    fn call<'a, 'py: 'a>(
        &self,
        py: Python<'py>,
        args: impl Iterator<Item = Borrowed<'a, 'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut slots = Slots::new();
        let mut types: SmallVec<[Ty; 8]> = SmallVec::new();
        for (param, value) in self.params.iter().zip(args) {
            let place = Place { function: &self.name, param: &param.name };
            match &param.declared {
                Some(ty) => {
                    convert::declared(&value, ty, place, &mut slots)?;
                    types.push(ty.clone());
                }
                None => types.push(convert::argument(&value, place, &mut slots)?),
            }
        }
        let specialisation = self.specialisation(py, &types)?;
        let mut out = Slots::from_elem(0, specialisation.width);
        let mut host = Interpreter { py, pending: None };
        match specialisation.run(&slots, &mut out, &mut host) {
            Ok(()) => convert::result(py, &specialisation.result, &mut out.iter()),
            Err(failure) => Err(run_error(py, &self.source, &failure, host.pending)),
        }
    }

    /// Arguments in the order of the parameters, as a `def` binds them.
    fn bind<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let name = &self.name;
        let refuse = |words: String| PyTypeError::new_err(format!("{name}() {words}"));
        let positional = self.params.iter().filter(|p| p.kind != Kind::Keyword).count();
        if args.len() > positional {
            let s = if positional == 1 { "" } else { "s" };
            let were = if args.len() == 1 { "was" } else { "were" };
            return Err(refuse(format!("takes {positional} positional argument{s} but {} {were} given", args.len())));
        }
        let mut bound: Vec<Option<Bound<'py, PyAny>>> = args.iter().map(Some).collect();
        bound.resize(self.params.len(), None);
        for (key, value) in kwargs.into_iter().flatten() {
            let key: String = key.extract()?;
            let at = self.params.iter().position(|p| p.name == key && p.kind != Kind::Positional);
            let at = at.ok_or_else(|| refuse(format!("got an unexpected keyword argument '{key}'")))?;
            if bound[at].replace(value).is_some() {
                return Err(refuse(format!("got multiple values for argument '{key}'")));
            }
        }
        let mut missing = Vec::new();
        let mut whole = Vec::with_capacity(bound.len());
        for (param, value) in self.params.iter().zip(bound) {
            match (value, &param.default) {
                (Some(value), _) => whole.push(value),
                (None, Some(default)) => whole.push(default.bind(py).clone()),
                (None, None) => missing.push(format!("'{}'", param.name)),
            }
        }
        match missing.as_slice() {
            [] => Ok(whole),
            [one] => Err(refuse(format!("missing 1 required argument: {one}"))),
            [most @ .., last] => {
                let most = most.join(", ");
                Err(refuse(format!("missing {} required arguments: {most} and {last}", missing.len())))
            }
        }
    }
}
