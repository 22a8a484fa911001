//! Names of machine code, for profilers and debuggers, which know addresses.
//!
//! In: where each function of a unit came to lie, and what people call it. Out: what other programs read. Always holds: unless somebody asked
//! for names when the process began, none is made, and the question whether somebody did is all that it costs; what cannot be told fails
//! nothing; a name is one line without control characters, whatever the text called its functions.
//!
//! An address that was told is never used for other code in this process (`memory::Pages`): who was told has no way to learn that the name
//! is no longer true. perf, of two names for an address, takes either.

mod elf;
mod gdb;
#[cfg(target_os = "linux")]
mod jitdump;
#[cfg(target_os = "linux")]
mod own;
#[cfg(target_os = "linux")]
mod perf_map;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use cranelift_codegen::{Final, MachBufferFinalized};

use crate::codegen::Face;
use crate::span::Text;
use crate::typed::{FuncId, Module};

/// Characters of a name; types and file names may be long.
const LONGEST: usize = 400;

/// Who can be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reader {
    /// perf's map: names.
    Perf = 1,
    /// perf's dump: names, code and lines, for `perf inject`.
    Jitdump = 2,
    /// gdb: names.
    Gdb = 4,
}

/// `Reader`s, as bits.
static READERS: AtomicU8 = AtomicU8::new(0);

/// Whether anybody is told.
pub fn wanted() -> bool {
    READERS.load(Ordering::Relaxed) != 0
}

fn is_told(reader: Reader) -> bool {
    READERS.load(Ordering::Relaxed) & reader as u8 != 0
}

/// From here on this reader is told. To be called before anything is compiled, where nobody can fork meanwhile. `shared`: somebody else in
/// this process writes perf's map too.
pub fn begin(reader: Reader, shared: bool) -> io::Result<()> {
    match reader {
        Reader::Gdb => {}
        #[cfg(target_os = "linux")]
        Reader::Perf => perf_map::open(shared)?,
        #[cfg(target_os = "linux")]
        Reader::Jitdump => jitdump::open()?,
        #[cfg(not(target_os = "linux"))]
        _ => return Err(io::Error::new(io::ErrorKind::Unsupported, format!("perf is Linux's (shared: {shared})"))),
    }
    READERS.fetch_or(reader as u8, Ordering::Relaxed);
    Ok(())
}

/// Machine code, and what people call it.
pub(super) struct Symbol<'a> {
    pub start: usize,
    pub size: usize,
    pub name: &'a Name,
}

/// Says what code lies where: the functions of one unit, that can be run from now on.
pub(super) fn tell(symbols: &[Symbol<'_>]) {
    #[cfg(target_os = "linux")]
    if is_told(Reader::Perf) {
        perf_map::add(symbols);
    }
    #[cfg(target_os = "linux")]
    if is_told(Reader::Jitdump) {
        jitdump::add(symbols);
    }
    if is_told(Reader::Gdb) {
        gdb::add(symbols);
    }
}

/// What people call a function of machine code.
pub(super) struct Name {
    pub name: String,
    /// Where code was made for another place than the code before it: offset, and character of the text.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code))]
    pub places: Vec<(u32, u32)>,
    pub text: Option<Arc<Text>>,
}

impl Name {
    /// Of what no text has.
    pub fn of(what: &str) -> Name {
        Name { name: clean(&format!("jib:{what}")), places: Vec::new(), text: None }
    }

    /// Of a planned function: `jib:gcd(int, int) gcd.jib:1`, and how it is entered, unless other functions of the text call it.
    pub fn planned(module: &Module, (id, face): (FuncId, Face)) -> Name {
        let function = &module.functions[id.0 as usize];
        let types: Vec<String> = function.params().iter().map(|&param| function.ty(param).to_string()).collect();
        let text = module.text.as_deref();
        let name = text.filter(|_| id.0 == 0).map_or(&*function.name, |text| &text.name);
        let (file, line) = text.map_or(("", 0), |text| text.place(function.span.start));
        let place = if file.is_empty() { String::new() } else { format!(" {file}:{line}") };
        let face = match face {
            Face::Inner => "",
            Face::Entry => " [entry]",
            Face::Outer => " [outer]",
            Face::Block => " [elements]",
        };
        let mut named = Name::of(&format!("{name}({}){place}", types.join(", ")));
        // What tells faces apart is not to be cut off.
        named.name += face;
        named.text = module.text.clone();
        named
    }

    /// With the places that instructions have, where somebody is told.
    pub fn with_places(mut self, code: &MachBufferFinalized<Final>) -> Name {
        if is_told(Reader::Jitdump) && self.text.is_some() {
            let known = code.get_srclocs_sorted().iter().filter(|range| !range.loc.is_default());
            self.places = known.map(|range| (range.start, range.loc.bits())).collect();
        }
        self
    }
}

/// One line, not too long, with nothing in it that a terminal obeys.
pub fn clean(name: &str) -> String {
    let mut clean = String::with_capacity(name.len());
    for (count, character) in name.chars().enumerate() {
        match character {
            _ if count == LONGEST => {
                clean.push('…');
                break;
            }
            '\'' | '"' | '\\' => clean.push(character),
            other => clean.extend(other.escape_debug()),
        }
    }
    clean
}

#[cfg(test)]
mod tests;
