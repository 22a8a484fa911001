//! Any bytes as IR: refused, or put into SSA form, inferred for ints and for floats, and optimised, with every seam verified.
//!
//! A finding is a panic, or an internal error after the bytes were accepted: what `decode` lets through must be whole.
#![no_main]

use std::sync::Arc;

use jib_core::diag::Error;
use jib_core::externs::Extern;
use jib_core::limits::Limits;
use jib_core::opt::optimize;
use jib_core::typed::Mode;
use jib_core::types::Ty;
use jib_core::types::ticks::Counting;
use jib_core::unit::Unit;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    // As in seeds.py; most bytes know of no host function.
    let host = |name, signature, pure| Extern::host(name, signature, pure).map(Arc::new).expect("a signature");
    let externs = [host("f", "float(float)", false), host("g", "None(int, bool)", true)];
    let unit = Unit::decode(bytes, Limits::default());
    let Ok(unit) = unit.or_else(|_| Unit::with_externs(bytes, Limits::default(), &externs)) else { return };
    for ty in [Ty::INT, Ty::FLOAT] {
        let args: Vec<Ty> = unit.params().map(|(_, declared)| declared.unwrap_or(&ty).clone()).collect();
        for mode in [Mode::Python, Mode::Numpy] {
            let done = unit.specialise(&args, None, mode, Counting::Polls).and_then(|mut module| optimize(&mut module));
            if let Err(Error::Internal(words)) = done {
                panic!("accepted, but {words}");
            }
        }
    }
});
