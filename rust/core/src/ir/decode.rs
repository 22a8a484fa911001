//! Bytes → IR. Trusts nothing: whatever is wrong with the bytes ends in `Error::Broken`, never in a crash or a large allocation.

use std::sync::Arc;

use super::{Args, Function, Inst, Literal, Module, Number, Op, Param, Signature};
use crate::builtins;
use crate::diag::Error;
use crate::externs::{Extern, ExternRef};
use crate::fault::RAISABLE;
use crate::span::{Lines, Span};

const MAGIC: &[u8; 8] = b"jib-ir\0\x02";

/// Reads what `encode` in Python wrote; docs/ir.md has the layout. `externs` are the functions of the host that its table names.
pub fn decode(bytes: &[u8], externs: &[Arc<Extern>]) -> Result<Module, Error> {
    let mut reader = Reader::open(bytes, externs)?;
    let module = reader.module()?;
    if reader.at != reader.words.len() {
        return Err(broken("words left over"));
    }
    Ok(module)
}

fn broken(what: &str) -> Error {
    Error::broken(what)
}

struct Reader<'a> {
    words: &'a [u8],
    consts: &'a [u8],
    strings: Vec<Arc<str>>,
    externs: &'a [Arc<Extern>],
    at: usize,
}

fn u32_at(bytes: &[u8], index: usize) -> Option<u32> {
    let four = bytes.get(index * 4..index * 4 + 4)?;
    Some(u32::from_le_bytes(four.try_into().ok()?))
}

impl<'a> Reader<'a> {
    fn open(bytes: &'a [u8], externs: &'a [Arc<Extern>]) -> Result<Reader<'a>, Error> {
        let (head, rest) = bytes.split_at_checked(24).ok_or_else(|| broken("too short"))?;
        if &head[..8] != MAGIC {
            return Err(broken("wrong magic or version"));
        }
        let count = |i: usize| u32_at(&head[8..], i).map_or(0, |n| n as usize);
        let (nwords, nconsts, nstrings, nbytes) = (count(0), count(1), count(2), count(3));
        if rest.len() != nwords * 4 + nconsts * 8 + nstrings * 4 + nbytes {
            return Err(broken("sizes do not add up"));
        }
        let (words, rest) = rest.split_at(nwords * 4);
        let (consts, rest) = rest.split_at(nconsts * 8);
        let (lengths, mut text) = rest.split_at(nstrings * 4);
        let mut strings = Vec::with_capacity(nstrings);
        for i in 0..nstrings {
            let length = u32_at(lengths, i).unwrap_or(0) as usize;
            let (head, tail) = text.split_at_checked(length).ok_or_else(|| broken("string too long"))?;
            strings.push(std::str::from_utf8(head).map_err(|_| broken("string is not UTF-8"))?.into());
            text = tail;
        }
        if !text.is_empty() {
            return Err(broken("string bytes left over"));
        }
        Ok(Reader { words, consts, strings, externs, at: 0 })
    }

    fn word(&mut self) -> Result<u32, Error> {
        let four = self.words.get(self.at..self.at + 4).ok_or_else(|| broken("words end early"))?;
        self.at += 4;
        Ok(u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
    }

    /// A count of things that take at least a word each: never more than what is left, so no allocation outgrows the input.
    fn count(&mut self) -> Result<usize, Error> {
        let count = self.word()? as usize;
        if count > (self.words.len() - self.at) / 4 {
            return Err(broken("count larger than what is left"));
        }
        Ok(count)
    }

    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T, Error>) -> Result<Vec<T>, Error> {
        let count = self.count()?;
        let mut items = Vec::with_capacity(count);
        for _ in 0..count {
            items.push(item(self)?);
        }
        Ok(items)
    }

    fn string(&mut self) -> Result<Arc<str>, Error> {
        let index = self.word()? as usize;
        self.strings.get(index).cloned().ok_or_else(|| broken("string index"))
    }

    fn optional_string(&mut self) -> Result<Option<Arc<str>>, Error> {
        match self.word()? as usize {
            0 => Ok(None),
            index => self.strings.get(index - 1).cloned().map(Some).ok_or_else(|| broken("string index")),
        }
    }

    fn constant(&mut self) -> Result<u64, Error> {
        let index = self.word()? as usize;
        let eight =
            index.checked_mul(8).and_then(|i| self.consts.get(i..i + 8)).ok_or_else(|| broken("constant index"))?;
        Ok(u64::from_le_bytes(eight.try_into().map_err(|_| broken("constant"))?))
    }

    fn span(&mut self) -> Result<Span, Error> {
        Ok(Span { start: self.word()?, end: self.word()? })
    }

    fn module(&mut self) -> Result<Module, Error> {
        let lines = self.list(Reader::word)?;
        if lines.first() != Some(&0) || lines.windows(2).any(|w| w[0] >= w[1]) {
            return Err(broken("line starts"));
        }
        let names = self.list(Reader::string)?;
        if names.len() != self.externs.len() || names.iter().zip(self.externs).any(|(name, of)| *name != of.name) {
            return Err(broken("its table of host functions is not what was given"));
        }
        let functions = self.list(Reader::function)?;
        if functions.is_empty() {
            return Err(broken("no function"));
        }
        let arities: Vec<usize> = functions.iter().map(|f| f.signature.params.len()).collect();
        for function in &functions {
            check(function, &arities)?;
        }
        Ok(Module { lines: Arc::new(Lines(lines)), functions })
    }

    fn function(&mut self) -> Result<Function, Error> {
        let name = self.string()?;
        let span = self.span()?;
        let params = self.list(|r| Ok(Param { name: r.string()?, ty: r.optional_string()?, span: r.span()? }))?;
        let result = self.optional_string()?;
        let result_span = self.span()?;
        let locals = self.list(Reader::string)?;
        let mut insts = Vec::new();
        let blocks = self.list(|r| {
            let first = insts.len() as Number;
            let count = r.count()?;
            for _ in 0..count {
                let inst = r.inst().map_err(|error| match error {
                    Error::Broken(words) => broken(&format!("in '{name}': instruction {}: {words}", insts.len())),
                    other => other,
                })?;
                insts.push(inst);
            }
            Ok((first, insts.len() as Number))
        })?;
        Ok(Function { signature: Signature { name, span, params, result, result_span }, locals, blocks, insts })
    }

    fn inst(&mut self) -> Result<Inst, Error> {
        let opcode = self.word()?;
        let span = self.span()?;
        let op = match opcode {
            1 => Op::Const(self.literal()?),
            2 => Op::Get(self.word()?),
            3 => Op::Set(self.word()?, self.word()?),
            4 => {
                let name = self.string()?;
                let primitive =
                    builtins::primitive(&name).ok_or_else(|| broken(&format!("no primitive is called '{name}'")))?;
                Op::Prim(primitive, self.args()?)
            }
            5 => Op::Call(self.word()?, self.args()?),
            6 => Op::Tuple(self.args()?),
            7 => Op::Unpack { value: self.word()?, index: self.word()?, count: self.word()? },
            8 => Op::Cast(self.string()?, self.word()?),
            9 => Op::Jump(self.word()?),
            10 => Op::Branch(self.word()?, self.word()?, self.word()?),
            11 => Op::Return(self.word()?),
            12 => Op::Raise(self.string()?, self.optional_string()?),
            13 => {
                let index = self.word()?;
                let of = self.externs.get(index as usize);
                let of = of.ok_or_else(|| broken(&format!("there is no host function {index}")))?.clone();
                Op::Extern(ExternRef { index, of }, self.args()?)
            }
            other => return Err(broken(&format!("opcode {other}"))),
        };
        Ok(Inst { op, span })
    }

    fn args(&mut self) -> Result<Args, Error> {
        let count = self.count()?;
        let mut args = Args::with_capacity(count);
        for _ in 0..count {
            args.push(self.word()?);
        }
        Ok(args)
    }

    fn literal(&mut self) -> Result<Literal, Error> {
        Ok(match self.word()? {
            0 if self.word()? == 0 => Literal::None,
            1 => match self.word()? {
                bit @ 0..=1 => Literal::Bool(bit == 1),
                _ => return Err(broken("bool constant")),
            },
            2 => Literal::Int(self.constant()? as i64),
            3 => Literal::Float(f64::from_bits(self.constant()?)),
            4 => Literal::Str(self.string()?),
            _ => return Err(broken("kind of constant")),
        })
    }
}

/// What `Function` promises of its indices and blocks.
fn check(function: &Function, arities: &[usize]) -> Result<(), Error> {
    let name = &function.signature.name;
    let wrong = |what: &str| broken(&format!("in '{name}': {what}"));
    if function.locals.len() < function.signature.params.len() {
        return Err(wrong("there are fewer locals than parameters"));
    }
    if function.blocks.is_empty() {
        return Err(wrong("there are no blocks"));
    }
    for (block, &(first, last)) in function.blocks.iter().enumerate() {
        let insts = &function.insts[first as usize..last as usize];
        let ends = insts.iter().rev().map(|inst| inst.op.is_terminator());
        if !ends.enumerate().all(|(from_end, ends)| ends == (from_end == 0)) || insts.is_empty() {
            return Err(wrong(&format!("block {block} does not end in its only terminator")));
        }
    }
    for (number, inst) in function.insts.iter().enumerate() {
        let fine = operands(function, number).and_then(|()| references(function, &inst.op, arities));
        fine.map_err(|what| wrong(&format!("instruction {number} {what}")))?;
    }
    Ok(())
}

/// What is wrong with the values that an instruction uses.
fn operands(function: &Function, number: usize) -> Result<(), String> {
    let there = |operand: u32| (operand as usize) < number && function.insts[operand as usize].op.has_result();
    match function.insts[number].op.operands().iter().find(|operand| !there(**operand)) {
        Some(operand) => Err(format!("uses the result of {operand}, which has none before it")),
        None => Ok(()),
    }
}

/// What is wrong with everything else that an instruction names.
fn references(function: &Function, op: &Op, arities: &[usize]) -> Result<(), String> {
    let count =
        |callee: &str, takes: String, given: usize| Err(format!("calls {callee}, which takes {takes}, with {given}"));
    match op {
        Op::Get(local) | Op::Set(local, _) if *local as usize >= function.locals.len() => {
            Err(format!("names local {local} of {}", function.locals.len()))
        }
        Op::Call(callee, args) => match arities.get(*callee as usize) {
            None => Err(format!("calls function {callee} of {}", arities.len())),
            Some(takes) if *takes != args.len() => count(&format!("function {callee}"), takes.to_string(), args.len()),
            Some(_) => Ok(()),
        },
        Op::Extern(callee, args) if callee.of.params.len() != args.len() => {
            count(&format!("'{}'", callee.of.name), callee.of.params.len().to_string(), args.len())
        }
        Op::Unpack { index, count, .. } if index >= count => Err(format!("takes element {index} of {count}")),
        Op::Prim(primitive, args) if !primitive.takes(args.len()) => {
            let takes = match primitive.arity {
                (least, most) if least == most => least.to_string(),
                (least, usize::MAX) => format!("{least} or more"),
                (least, most) => format!("{least} to {most}"),
            };
            count(&format!("'{}'", primitive.name), takes, args.len())
        }
        Op::Raise(exception, _) if !RAISABLE.contains(&&**exception) => {
            Err(format!("raises '{exception}', which no text can raise"))
        }
        op => match op.successors().iter().find(|&&b| b == 0 || b as usize >= function.blocks.len()) {
            Some(0) => Err("goes to block 0, where nothing goes".to_owned()),
            Some(block) => Err(format!("goes to block {block} of {}", function.blocks.len())),
            None => Ok(()),
        },
    }
}
