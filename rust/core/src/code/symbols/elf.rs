//! An object file that has no code, but says what lies where in memory: sections `.text`, `.symtab`, `.strtab`.
//!
//! In: symbols of one unit. Out: the bytes of an ELF file of 64 bits in this machine's byte order. Always holds: every symbol lies in `.text`,
//! whose contents are not in the file but at its address.

use super::Symbol;

/// What ELF calls the processor.
pub const MACHINE: u16 = if cfg!(target_arch = "x86_64") {
    62
} else if cfg!(target_arch = "aarch64") {
    183
} else if cfg!(target_arch = "riscv64") {
    243
} else if cfg!(target_arch = "s390x") {
    22
} else {
    0
};

const HEADER: u64 = 64;
const SECTION: u64 = 64;
const SYMBOL: u64 = 24;

const SECTIONS: u16 = 4;
const TEXT: u16 = 1;
const STRINGS: u16 = 3;

/// Section types and flags.
const SYMTAB: u32 = 2;
const STRTAB: u32 = 3;
const NOBITS: u32 = 8;
const ALLOC_AND_EXEC: u64 = 2 | 4;

/// A function that is seen from outside.
const GLOBAL_FUNCTION: u8 = 1 << 4 | 2;

struct Bytes(Vec<u8>);

macro_rules! put {
    ($bytes:expr, $($number:expr),*) => { $($bytes.0.extend_from_slice(&$number.to_ne_bytes());)* };
}

pub fn object(symbols: &[Symbol<'_>]) -> Vec<u8> {
    let start = symbols.iter().map(|symbol| symbol.start).min().unwrap_or(0) as u64;
    let end = symbols.iter().map(|symbol| symbol.start + symbol.size).max().unwrap_or(0) as u64;
    let mut strings = b"\0".to_vec();
    let mut string = |text: &str| {
        let at = strings.len() as u32;
        strings.extend_from_slice(text.as_bytes());
        strings.push(0);
        at
    };
    let names = [".text", ".symtab", ".strtab"].map(&mut string);
    let symbol_names: Vec<u32> = symbols.iter().map(|symbol| string(&symbol.name.name)).collect();

    let symbols_at = HEADER + u64::from(SECTIONS) * SECTION;
    let symbols_size = (symbols.len() as u64 + 1) * SYMBOL;
    let strings_at = symbols_at + symbols_size;
    let order = if cfg!(target_endian = "little") { 1 } else { 2 };
    let mut out = Bytes(vec![0x7f, b'E', b'L', b'F', 2, order, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    // That it is an executable says that addresses are not relative to anything.
    put!(
        out,
        2u16,
        MACHINE,
        1u32,
        0u64,
        0u64,
        HEADER,
        0u32,
        HEADER as u16,
        0u16,
        0u16,
        SECTION as u16,
        SECTIONS,
        STRINGS
    );
    let mut section =
        |name: u32, kind: u32, flags: u64, address: u64, at: u64, size: u64, link: u32, info: u32, each: u64| {
            put!(out, name, kind, flags, address, at, size, link, info, 8u64, each);
        };
    section(0, 0, 0, 0, 0, 0, 0, 0, 0);
    section(names[0], NOBITS, ALLOC_AND_EXEC, start, symbols_at, end - start, 0, 0, 0);
    // One local symbol, which is none.
    section(names[1], SYMTAB, 0, 0, symbols_at, symbols_size, u32::from(STRINGS), 1, SYMBOL);
    section(names[2], STRTAB, 0, 0, strings_at, strings.len() as u64, 0, 0, 0);
    put!(out, 0u64, 0u64, 0u64);
    for (symbol, name) in symbols.iter().zip(symbol_names) {
        put!(out, name, GLOBAL_FUNCTION, 0u8, TEXT, symbol.start as u64, symbol.size as u64);
    }
    out.0.extend_from_slice(&strings);
    out.0
}
