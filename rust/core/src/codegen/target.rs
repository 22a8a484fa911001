//! The machines whose code can be looked at, beside the one we run on.
//!
//! In: a name. Out: Cranelift's target of that name, for compiling only: what comes of it is never run. Always holds: a name of the table
//! that was not built in is told from one that nobody knows.

use std::sync::Arc;

use cranelift_codegen::isa::{self, LookupError, TargetIsa};
use cranelift_codegen::settings::Configurable;

use super::isa::flags;
use crate::code::Options;

/// A machine by its name: what its code is for, and which of its extensions are there. They are chosen so that vectors of 128 bits can be
/// shown on all, and are the same wherever jib runs.
struct Row {
    name: &'static str,
    triple: &'static str,
    has: &'static [&'static str],
}

const TABLE: [Row; 4] = [
    Row { name: "aarch64", triple: "aarch64-unknown-linux-gnu", has: &[] },
    Row { name: "riscv64", triple: "riscv64gc-unknown-linux-gnu", has: &["has_v", "zvl128b"] },
    Row { name: "s390x", triple: "s390x-unknown-linux-gnu", has: &[] },
    Row { name: "x86_64", triple: "x86_64-unknown-linux-gnu", has: &["haswell"] },
];

/// A machine of the table that was built in.
#[derive(Clone, Copy)]
pub struct Target(&'static Row);

impl Target {
    /// The machine of this name; else what is wrong with the name.
    pub fn named(name: &str) -> Result<Target, String> {
        match TABLE.iter().find(|row| row.name == name) {
            Some(row) if is_built(row) => Ok(Target(row)),
            Some(_) => {
                let built = listed(TABLE.iter().filter(|row| is_built(row)));
                Err(format!("the target '{name}' was not built into this jib, which has {built}"))
            }
            None => {
                let name: String = name.chars().take(80).collect();
                Err(format!("there is no target called '{}'; there are {}", name.escape_debug(), listed(TABLE.iter())))
            }
        }
    }

    pub fn name(self) -> &'static str {
        self.0.name
    }

    pub(super) fn isa(self, options: &Options, large: bool) -> Result<Arc<dyn TargetIsa>, String> {
        let mut builder = isa::lookup_by_name(self.0.triple).map_err(|error| error.to_string())?;
        for feature in self.0.has {
            builder.enable(feature).map_err(|error| format!("enabling {feature}: {error}"))?;
        }
        builder.finish(flags(options, large)?).map_err(|error| error.to_string())
    }
}

/// The machines that can be asked for, and whether each was built in.
pub fn targets() -> impl Iterator<Item = (&'static str, bool)> {
    TABLE.iter().map(|row| (row.name, is_built(row)))
}

fn is_built(row: &Row) -> bool {
    !matches!(isa::lookup_by_name(row.triple), Err(LookupError::SupportDisabled | LookupError::Unsupported))
}

fn listed<'a>(rows: impl Iterator<Item = &'a Row>) -> String {
    rows.map(|row| row.name).collect::<Vec<_>>().join(", ")
}
