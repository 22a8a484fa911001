use cranelift_codegen::ir::{AbiParam, InstBuilder, types};
use cranelift_codegen::{Context, isa::OwnedTargetIsa};
use cranelift_frontend::{FunctionBuilder, FunctionBuilderContext};
use cranelift_module::FuncId;

use super::Linker;
use crate::code::{Options, memory::Pages, symbols::Name};
use crate::codegen::isa::isa;

const KEY: u64 = 0x9e37_79b9_7f4a_7c15;

/// `rounds` times `x = rotate(x ^ key, 1)`, each round with a key of its own: some twenty bytes of code a round.
fn mixer(isa: &OwnedTargetIsa, rounds: u64) -> Context {
    let mut context = Context::new();
    let mut frontend = FunctionBuilderContext::new();
    context.func.signature.call_conv = isa.default_call_conv();
    context.func.signature.params.push(AbiParam::new(types::I64));
    context.func.signature.returns.push(AbiParam::new(types::I64));
    let mut f = FunctionBuilder::new(&mut context.func, &mut frontend);
    let block = f.create_block();
    f.append_block_params_for_function_params(block);
    f.switch_to_block(block);
    f.seal_block(block);
    let mut x = f.block_params(block)[0];
    for round in 0..rounds {
        let key = f.ins().iconst(types::I64, KEY.wrapping_mul(round) as i64);
        let mixed = f.ins().bxor(x, key);
        x = f.ins().rotl_imm_u(mixed, 1);
    }
    f.ins().return_(&[x]);
    f.finalize(isa.frontend_config());
    context.compile(&**isa, &mut Default::default()).expect("compiles");
    context
}

fn mixed(x: u64, rounds: u64) -> u64 {
    (0..rounds).fold(x, |x, round| (x ^ KEY.wrapping_mul(round)).rotate_left(1))
}

/// So many copies of a function, and what the first and the last of them answer.
fn linked(rounds: u64, copies: u32) -> Pages {
    let isa = isa(&Options::default(), false).expect("a target");
    let context = mixer(&isa, rounds);
    let mut linker = Linker::new(isa, copies as usize);
    for copy in 0..copies {
        linker.define(FuncId::from_u32(copy), &context, || Name::of("mixer")).expect("compiled");
    }
    let wanted = [0, copies - 1].map(FuncId::from_u32);
    let (addresses, pages) = linker.finish(&[], wanted).expect("links");
    for address in addresses {
        assert!(pages.range().contains(&(address as usize)));
        // SAFETY: the function has this signature, and `pages` is alive.
        let answer = unsafe {
            let run = std::mem::transmute::<*const u8, extern "C" fn(u64) -> u64>(address);
            run(7)
        };
        assert_eq!(answer, mixed(7, rounds));
    }
    pages
}

#[test]
fn a_small_unit_takes_a_page() {
    let page = region::page::size();
    assert_eq!(linked(1, 1).range().len(), page);
    assert_eq!(linked(1, 5).range().len(), page);
}

#[test]
fn a_unit_may_be_larger_than_a_chunk() {
    let units: Vec<_> = (0..3).map(|n| linked(4_000, 100 + n)).collect();
    assert!(units.iter().all(|pages| pages.range().len() > 4 << 20), "{}", units[0].range().len());
    let mut ranges: Vec<_> = units.iter().map(Pages::range).collect();
    ranges.sort_by_key(|range| range.start);
    assert!(ranges.windows(2).all(|pair| pair[0].end <= pair[1].start));
}
