//! Bools: bytes of 0 and 1 in memory, lanes of zeros and ones in vectors.
//!
//! All bools of a round are loaded, and stored, together: they are fewer bytes than a vector has.

use cranelift_codegen::ir::condcodes::IntCC;
use cranelift_codegen::ir::immediates::V128Imm;
use cranelift_codegen::ir::{self, Endianness, InstBuilder, MemFlagsData, types};

use super::super::Lower;
use super::super::array::element;
use super::Plan;

/// The bytes of both vectors' lanes of 64 bits that become lanes of 32.
const LOW_HALVES: [u8; 16] = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27];

impl Lower<'_, '_, '_> {
    /// A round's masks, one for each vector.
    pub(super) fn load_masks(&mut self, plan: &Plan, address: ir::Value) -> Vec<ir::Value> {
        let bytes = plan.round();
        let mut masks: Vec<ir::Value> = (0..bytes.div_ceil(16))
            .map(|i| {
                let raw = self.load_bytes(bytes.min(16), address, i as i32 * 16);
                let zero = self.splat_int(types::I8X16, 0);
                // Any other byte than 0 is true.
                self.at.ins().icmp(IntCC::NotEqual, raw, zero)
            })
            .collect();
        let mut bits = 8;
        while bits < plan.bits() {
            bits *= 2;
            let needed = (bytes * bits).div_ceil(128);
            let halves = masks.iter().flat_map(|&mask| [(mask, false), (mask, true)]).take(needed);
            masks = halves
                .map(|(mask, high)| if high { self.at.ins().swiden_high(mask) } else { self.at.ins().swiden_low(mask) })
                .collect();
        }
        masks
    }

    /// 16 bytes or fewer, the rest of the vector nobody looks at.
    fn load_bytes(&mut self, bytes: usize, address: ir::Value, offset: i32) -> ir::Value {
        let (raw, whole) = match bytes {
            16 => return self.at.ins().load(types::I8X16, element(), address, offset),
            8 => (self.at.ins().load(types::I64, element(), address, offset), types::I64X2),
            4 => (self.at.ins().load(types::I32, element(), address, offset), types::I32X4),
            _ => {
                let raw = self.at.ins().load(types::I16, element(), address, offset);
                (self.at.ins().uextend(types::I32, raw), types::I32X4)
            }
        };
        let vector = self.at.ins().scalar_to_vector(whole, raw);
        self.bitcast(types::I8X16, vector)
    }

    pub(super) fn store_masks(&mut self, plan: &Plan, mut masks: Vec<ir::Value>, address: ir::Value) {
        let mut bits = plan.bits();
        while bits > 8 {
            let pairs: Vec<(ir::Value, ir::Value)> =
                masks.chunks(2).map(|pair| (pair[0], pair[pair.len() - 1])).collect();
            masks = pairs
                .into_iter()
                .map(|(a, b)| match bits {
                    64 => {
                        let (a, b) = (self.bitcast(types::I8X16, a), self.bitcast(types::I8X16, b));
                        let mask = self.at.func.dfg.immediates.push(V128Imm(LOW_HALVES).to_vec().into());
                        let halves = self.at.ins().shuffle(a, b, mask);
                        self.bitcast(types::I32X4, halves)
                    }
                    _ => self.at.ins().snarrow(a, b),
                })
                .collect();
            bits /= 2;
        }
        let bytes = plan.round();
        for (i, mask) in masks.into_iter().enumerate() {
            let one = self.splat_int(types::I8X16, 1);
            let bools = self.at.ins().band(mask, one);
            let (whole, low) = match bytes {
                8 => (types::I64X2, types::I64),
                4 => (types::I32X4, types::I32),
                2 => (types::I16X8, types::I16),
                _ => {
                    self.at.ins().store(element(), bools, address, i as i32 * 16);
                    continue;
                }
            };
            let whole = self.bitcast(whole, bools);
            let low_bytes = self.at.ins().extractlane(whole, 0);
            debug_assert_eq!(self.at.func.dfg.value_type(low_bytes), low);
            self.at.ins().store(element(), low_bytes, address, 0);
        }
    }

    /// The same bits as another type of vector, the first lane lowest.
    pub(super) fn bitcast(&mut self, to: ir::Type, vector: ir::Value) -> ir::Value {
        if self.at.func.dfg.value_type(vector) == to {
            return vector;
        }
        self.at.ins().bitcast(to, MemFlagsData::new().with_endianness(Endianness::Little), vector)
    }

    pub(super) fn splat_int(&mut self, ty: ir::Type, value: i64) -> ir::Value {
        let lane = self.at.ins().iconst(ty.lane_type(), value & mask_of(ty.lane_bits()));
        self.at.ins().splat(ty, lane)
    }
}

fn mask_of(bits: u32) -> i64 {
    if bits == 64 { -1 } else { (1 << bits) - 1 }
}
