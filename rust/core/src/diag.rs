//! What is wrong with a text, as Rust reports it: a code whose sentence stands in Python's table of messages, what goes
//! into the sentence, and the place. What is wrong with IR is said in words, since it was no person who wrote it.

use std::sync::Arc;

use crate::span::Span;

/// One mistake of the user's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diag {
    pub code: &'static str,
    pub args: Vec<String>,
    pub span: Span,
}

impl Diag {
    pub fn new(code: &'static str, span: Span, args: &[&dyn ToString]) -> Diag {
        Diag { code, span, args: args.iter().map(|a| a.to_string()).collect() }
    }
}

/// Why there is no code: the user's mistake, the system's refusal, or a bug: of who made the IR, or of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    User(Diag),
    /// There is no memory for machine code: what the system said.
    Memory(Arc<str>),
    /// What crossed is no IR: what it breaks, in words, with the function and the instruction.
    Broken(Arc<str>),
    /// A broken invariant, in words for a bug report.
    Internal(Arc<str>),
}

impl Error {
    pub fn internal(words: impl AsRef<str>) -> Error {
        Error::Internal(words.as_ref().into())
    }

    pub fn broken(words: impl AsRef<str>) -> Error {
        Error::Broken(words.as_ref().into())
    }
}

impl From<Diag> for Error {
    fn from(diag: Diag) -> Error {
        Error::User(diag)
    }
}
