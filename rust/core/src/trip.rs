//! Trip wires: where a test makes the core panic, to see that no panic gets further than it should.
//!
//! In: the name of a stage, set by a test of a build with the feature `faults`. Out: a panic the next time that stage is entered. Always
//! holds: without the feature a wire is nothing at all, and no text or argument can set one.

/// Where wires are.
pub const STAGES: &[&str] = &[
    "decode",
    "ssa",
    "infer",
    "ticks",
    "passes",
    "codegen",
    "machine",
    "link",
    "interp",
    "helper",
    "infallible helper",
    "poll",
    "print",
    "extern",
    "convert",
    "result",
];

/// Panics here if a test has asked for it.
#[macro_export]
macro_rules! trip {
    ($stage:literal) => {
        #[cfg(feature = "faults")]
        $crate::trip::wire($stage);
    };
}

#[cfg(feature = "faults")]
mod set {
    use std::sync::Mutex;

    static NEXT: Mutex<Option<String>> = Mutex::new(None);

    /// The stage to panic in next, once, whatever thread comes there; None: in none.
    pub fn set(stage: Option<String>) {
        *NEXT.lock().unwrap_or_else(|broken| broken.into_inner()) = stage;
    }

    pub fn wire(stage: &str) {
        let hit = NEXT.lock().unwrap_or_else(|broken| broken.into_inner()).take_if(|next| next == stage).is_some();
        if hit {
            panic!("planted in {stage}");
        }
    }
}

#[cfg(feature = "faults")]
pub use set::{set, wire};
