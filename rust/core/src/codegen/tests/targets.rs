//! Code for machines that are only looked at.

use super::*;
use crate::codegen::target::{Target, targets};
use crate::listing::Listing;
use crate::span::Span;

fn built() -> Vec<Target> {
    targets().filter(|(_, built)| *built).map(|(name, _)| Target::named(name).expect("is built")).collect()
}

fn asm(module: &Module, target: Option<Target>) -> Result<Listing, CodeError> {
    dump::dump_asm(
        module,
        Outside::Slots,
        &Options { verify: true, ..Options::default() },
        target,
        true,
        &Lines(vec![0]),
    )
}

/// `x*x + y`; each operation with a place of its own.
fn sums(ty: &Ty, mode: Mode) -> Module {
    let mut f = function("sums", &[ty.clone(), ty.clone()], ty.clone());
    let (x, y) = (f.param(BlockId(0), 0), f.param(BlockId(0), 1));
    let square = f.op(Op::Mul(mode), &[x, x], ty.clone());
    let sum = f.op(Op::Add(mode), &[square, y], ty.clone());
    f.ret(sum);
    let mut module = module(vec![f.done()]);
    for (inst, (start, end)) in module.functions[0].blocks[0].insts.iter_mut().zip([(0, 3), (0, 7)]) {
        inst.span = Span { start, end };
    }
    module
}

#[test]
fn every_machine_that_was_built_in_has_code() {
    let names: Vec<&str> = built().iter().map(|target| target.name()).collect();
    assert!(names.contains(&"aarch64") && names.contains(&"x86_64"), "{names:?}");
    for target in built() {
        for ty in [Ty::FLOAT, Ty::INT, F32, Ty::Int(IntTy::U8)] {
            let Listing { text, places } = asm(&sums(&ty, Mode::Numpy), Some(target)).expect("compiles");
            assert!(text.lines().count() > 4 && text.lines().count() == places.len(), "{}\n{text}", target.name());
            // Both begin at the same character: the ends tell them apart. Of ints one instruction may do both; never of floats.
            let ends = if matches!(ty, Ty::Int(_)) { &[7][..] } else { &[3, 7] };
            for &end in ends {
                let place = Some(Span { start: 0, end });
                assert!(places.contains(&place), "{} {end}: {places:?}", target.name());
            }
            for optimised in [false, true] {
                let clif =
                    dump::dump_clif(&sums(&ty, Mode::Numpy), Outside::Slots, optimised, Some(target), &Lines(vec![0]))
                        .expect("builds");
                assert_eq!(clif.text.lines().count(), clif.places.len());
                assert!(clif.places.contains(&Some(Span { start: 0, end: 3 })), "{}", clif.text);
            }
        }
    }
}

/// Offsets follow each other, and the bytes between two are those that stand there.
#[test]
fn bytes_are_those_of_the_code() {
    for target in built().into_iter().map(Some).chain([None]) {
        let text = asm(&sums(&Ty::FLOAT, Mode::Numpy), target).expect("compiles").text;
        let mut at = 0;
        for line in text.lines().filter(|line| !line.starts_with(';')) {
            let (offset, rest) = line.trim_start().split_once("  ").expect("an offset");
            assert_eq!(usize::from_str_radix(offset, 16), Ok(at), "{text}");
            at += rest.split_once("  ").expect("bytes").0.split(' ').count();
        }
        assert!(at > 8, "{text}");
    }
}

#[test]
fn what_a_machine_cannot_do_is_no_bug() {
    for target in built() {
        match asm(&sums(&Ty::INT, Mode::Python), Some(target)) {
            Ok(listing) => assert!(listing.text.contains("; sums (entry)"), "{}", target.name()),
            // Cranelift checks no ints of 64 bits for overflow there.
            Err(CodeError::Target(words)) => {
                assert!(target.name() == "riscv64" && words.contains("riscv64"), "{words}")
            }
            Err(error) => panic!("{}: {error:?}", target.name()),
        }
    }
}

#[test]
fn names_that_cannot_be_had_are_told_apart() {
    let wrong = |name: &str| Target::named(name).err().expect("is refused");
    assert_eq!(wrong("vax"), "there is no target called 'vax'; there are aarch64, riscv64, s390x, x86_64");
    assert!(wrong(&"\u{1b}".repeat(1000)).len() < 700);
    for (name, built) in targets() {
        if !built {
            assert!(wrong(name).starts_with(&format!("the target '{name}' was not built into this jib, which has ")));
        }
    }
}
