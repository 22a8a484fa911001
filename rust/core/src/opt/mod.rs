//! Passes over typed IR: what they change is how fast the answer comes, never the answer, nor which failure comes first.
//!
//! In and out: a verified module. Each pass is one file, iterative, and about linear in the size of its function; `PASSES` is
//! their order. Always holds: an operation that can raise stays where it is, unless the rewrite above which it is proven that
//! it cannot.

mod affine;
mod bounds;
mod choose;
mod dce;
mod fold;
mod fuse;
mod if_convert;
mod inline;
mod merge;
mod params;
mod ranges;
mod renumber;
mod rewrite;
mod rounds;
mod simplify_cfg;
mod unroll;
mod vectorise;

use crate::diag::Error;
use crate::typed::Module;
use crate::typed::verify::seam;

/// One pass: what it is called in dumps, and what it does.
pub struct Pass {
    pub name: &'static str,
    pub run: fn(&mut Module),
}

/// The order. Functions are cleaned before they are inlined, so that more are small enough, and once more afterwards, when
/// arguments have become known.
pub const PASSES: &[Pass] = &[
    Pass { name: "fold", run: fold::run },
    Pass { name: "simplify-cfg", run: simplify_cfg::run },
    Pass { name: "dce", run: dce::run },
    Pass { name: "fuse", run: fuse::run },
    Pass { name: "inline", run: inline::run },
    Pass { name: "rounds", run: rounds::run },
    Pass { name: "params", run: params::run },
    Pass { name: "fold", run: fold::run },
    Pass { name: "simplify-cfg", run: simplify_cfg::run },
    Pass { name: "params", run: params::run },
    Pass { name: "merge", run: merge::run },
    Pass { name: "bounds", run: bounds::run },
    Pass { name: "dce", run: dce::run },
    Pass { name: "vectorise", run: vectorise::run },
    Pass { name: "unroll", run: unroll::run },
    Pass { name: "ranges", run: ranges::run },
    Pass { name: "choose", run: choose::run },
    Pass { name: "affine", run: affine::run },
    Pass { name: "dce", run: dce::run },
    Pass { name: "renumber", run: renumber::run },
];

/// Runs every pass in order. In debug builds and tests the module is verified after each.
pub fn optimize(module: &mut Module) -> Result<(), Error> {
    crate::trip!("passes");
    for pass in PASSES {
        (pass.run)(module);
        seam(module, pass.name)?;
    }
    Ok(())
}

/// The entry without branches, if that can be had: for what is done to many elements at once. With it, whether it may raise flags of the
/// floating-point unit that the branches would not have raised.
pub fn without_branches(module: &Module) -> Result<Option<(Module, bool)>, Error> {
    let mut entry = module.functions[0].clone();
    if entry.blocks.len() == 1 {
        return Ok(None);
    }
    let flags = if_convert::run(&mut entry);
    if entry.blocks.len() > 1 {
        return Ok(None);
    }
    let functions = std::iter::once(entry).chain(module.functions[1..].iter().cloned()).collect();
    let mut module = Module { functions, raises: module.raises.clone(), text: module.text.clone() };
    seam(&module, "if-convert")?;
    for pass in [fold::run, dce::run, renumber::run] {
        pass(&mut module);
    }
    seam(&module, "passes after if-convert")?;
    Ok(Some((module, flags)))
}

#[cfg(test)]
mod tests;
