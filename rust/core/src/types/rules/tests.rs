//! The types of results against NumPy's (`numpy_types.txt`, which `numpy_types.py` writes).

use std::collections::BTreeMap;

use crate::builtins::primitive;
use crate::ir::Literal;
use crate::typed::Mode;
use crate::types::emit::{Emit, Operand};
use crate::types::{FloatTy, IntTy, Item, Ty};

fn operand(name: &str) -> Operand {
    let weak = |ty| Operand::typed(ty).with_weak(true);
    match name {
        "pybool" => weak(Ty::Bool),
        "pyint" => weak(Ty::INT),
        "pyfloat" => weak(Ty::FLOAT),
        name => Operand::typed(Item::ALL.into_iter().find(|&item| short(&item.ty()) == name).expect("a type").ty()),
    }
}

fn short(ty: &Ty) -> String {
    match ty {
        Ty::Bool => "bool".into(),
        Ty::Int(IntTy::I64) => "i64".into(),
        Ty::Float(FloatTy::F64) => "f64".into(),
        other => other.to_string(),
    }
}

/// What we give.
fn ours(name: &str, operands: &[Operand]) -> String {
    let Some(row) = primitive(name) else { return "?".into() };
    let mut operands = operands.to_vec();
    match name {
        "where" => operands.insert(0, Operand::typed(Ty::Bool)),
        "clip" => operands.push(operands[1].clone()),
        "round" => operands.push(Operand::literal(Literal::None)),
        _ => {}
    }
    match (row.rule)(&mut Emit::dry(Mode::Numpy), row, &operands) {
        Ok(result) => short(&result.ty),
        Err(_) => "-".into(),
    }
}

/// Where we differ; docs/architecture.md says so.
fn differs(name: &str, operands: &[&str]) -> bool {
    match name {
        // 1 / x of ints; and what is about the last bit of a double.
        "reciprocal" | "nextafter" => true,
        "gcd" | "lcm" => operands.contains(&"u64"),
        // np.clip takes its first argument for an array.
        "clip" => operands[0].starts_with("py"),
        "square" | "round" => operands == ["bool"],
        "power" => operands == ["bool", "pyint"],
        _ => false,
    }
}

#[test]
fn results_have_numpys_types() {
    let mut wrong: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for line in include_str!("tests/numpy_types.txt").lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [name, operands @ .., result] = &words[..] else { panic!("{line}") };
        let have = ours(name, &operands.iter().map(|name| operand(name)).collect::<Vec<_>>());
        // There are no halves here: what NumPy computes in them is a float.
        let result = if *result == "f16" { "f64" } else { result };
        if have != result && !differs(name, operands) {
            wrong.entry(name).or_default().push(format!("{} -> {result}, not {have}", operands.join(" ")));
        }
    }
    for (name, rows) in &wrong {
        println!("{name}:");
        rows.iter().for_each(|row| println!("    {row}"));
    }
    assert!(wrong.is_empty());
}
