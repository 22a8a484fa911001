//! How a run ends badly, whichever engine ran it; and what a run may ask of its host.

use std::sync::Arc;

use crate::fault::Fault;
use crate::span::Span;
use crate::typed::Raise;

/// A run-time failure and where in the text it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub cause: Cause,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// An operation without an answer.
    Fault(Fault),
    /// `raise` or `assert` in the text.
    Raised(Raise),
    /// A variable was read that was never written on this path.
    Unbound(Arc<str>),
    /// The system refuses memory for what calls a C function; what it said.
    NoMemory(Arc<str>),
    /// The host refused or failed; it knows why.
    Host,
}

/// The host could not do what was asked; it keeps the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HostError;

/// How many ticks pass between two polls, if what lies between two ticks is short (`ticks::interval`): 5 us of the tightest
/// loop, so that a poll of 50 ns costs 1 %, and less than a millisecond of any loop whose rounds take less than 60 ns.
pub const POLL_INTERVAL: u64 = 1 << 14;

/// Polls a host until a run may go on for `needed` ticks, of which it has `budget` and gets at most `most` at a time. What it
/// has left after them.
pub fn refill(host: &mut dyn Host, mut budget: u64, needed: u64, most: u64) -> Result<u64, HostError> {
    while budget < needed {
        host.poll()?;
        budget += host.interval(most).max(1);
    }
    Ok(budget - needed)
}

/// What running code may ask of whoever runs it.
pub trait Host {
    fn print(&mut self, text: &str) -> Result<(), HostError>;

    /// Calls a function of the host, by its place among those that the unit was given: a slot for each argument, and for the result.
    fn call(&mut self, _index: u32, _args: &[u64], _out: &mut [u64]) -> Result<(), HostError> {
        Err(HostError)
    }

    /// New memory for the elements of an array, so many bytes: its address. It stays as long as the run's result is of use, or until
    /// `keep` gives it back.
    fn memory(&mut self, _bytes: usize) -> Result<u64, HostError> {
        Err(HostError)
    }

    /// How many arrays the run has made so far.
    fn mark(&mut self) -> u64 {
        0
    }

    /// Nobody reads memory any more that was made since the mark, unless one of these addresses lies in it.
    fn keep(&mut self, _mark: u64, _addresses: &[u64]) {}

    /// Does `job` for each number below `jobs`, in any order and by several threads, if there are any for work of so many picoseconds; it
    /// says whether to begin with more. None: there are none, and nothing was done.
    fn spread(
        &mut self,
        _jobs: u64,
        _picos: u64,
        _job: &(dyn Fn(u64) -> bool + Sync),
    ) -> Option<Result<(), HostError>> {
        None
    }

    /// Whether to go on, asked when a run has no ticks left. Refuses when interrupted, or when fuel or time are spent.
    fn poll(&mut self) -> Result<(), HostError> {
        Ok(())
    }

    /// How many ticks may pass until the next `poll`, not more than `most`: asked when a run begins and after each poll. A host
    /// that counts fuel gives what is left if that is less.
    fn interval(&mut self, most: u64) -> u64 {
        most
    }
}

impl Cause {
    /// The exception's class and message as Python would show them; None when the host knows.
    pub fn exception(&self) -> Option<(&str, Option<String>)> {
        match self {
            Cause::Fault(fault) => Some((fault.exception(), Some(fault.message().to_owned()))),
            Cause::Raised(raise) => Some((&raise.exception, raise.message.as_deref().map(str::to_owned))),
            Cause::Unbound(name) => Some((
                "UnboundLocalError",
                // CPython 3.11's words.
                Some(format!("cannot access local variable '{name}' where it is not associated with a value")),
            )),
            Cause::NoMemory(words) => Some((
                "OSError",
                Some(format!("the system refuses memory for machine code ({words}), which calling a C function needs")),
            )),
            Cause::Host => None,
        }
    }
}
