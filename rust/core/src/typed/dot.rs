//! Control flow as a picture: `dump("cfg")` in the language of Graphviz.
//!
//! In: a module. Out: one digraph, a cluster per function, a box per block with the text of its instructions; the edges of a
//! branch say T and F. Names and texts are quoted: whatever is in them, the file is well-formed. A box comes from all that the
//! text of its instructions spans.

use super::{Block, Module, Terminator, text};
use crate::listing::Listing;
use crate::span::Span;

pub fn to_dot(module: &Module) -> String {
    listing(module).text
}

pub fn listing(module: &Module) -> Listing {
    let mut out = Listing::default();
    out.line("digraph jib {\n  node [shape=box, fontname=\"monospace\"];", None);
    for (f, function) in module.functions.iter().enumerate() {
        out.line(&format!("  subgraph cluster_{f} {{"), None);
        out.line(&format!("    label={};", quote(&function.name)), Some(function.span));
        let used = text::used_values(function);
        for (b, block) in function.blocks.iter().enumerate() {
            let mut lines = vec![format!("{}:", text::block_head(function, b))];
            let show = |inst| format!("  {}", text::instruction(module, function, inst, used_result(&used, inst)));
            lines.extend(block.insts.iter().map(show));
            lines.push(format!("  {}", text::terminator(module, &block.end)));
            out.line(&format!("    f{f}b{b} [label={}];", quote_left(&lines)), Some(whole(block)));
            let labels = if matches!(block.end, Terminator::Branch(..)) {
                [" [label=\"T\"]", " [label=\"F\"]"]
            } else {
                ["", ""]
            };
            for (target, label) in block.end.targets().zip(labels) {
                out.line(&format!("    f{f}b{b} -> f{f}b{}{label};", target.block.0), Some(block.end_span));
            }
        }
        out.line("  }", None);
    }
    out.line("}", None);
    out
}

/// From where the text of a block's first instruction begins to where that of its last ends.
fn whole(block: &Block) -> Span {
    let spans = block.insts.iter().map(|inst| inst.span);
    spans.fold(block.end_span, |a, b| Span { start: a.start.min(b.start), end: a.end.max(b.end) })
}

fn used_result(used: &[bool], inst: &super::Inst) -> bool {
    used[inst.result.0 as usize]
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

fn quote(text: &str) -> String {
    format!("\"{}\"", escape(text))
}

/// A label whose lines all begin at the left.
fn quote_left(lines: &[String]) -> String {
    let body: String = lines.iter().map(|line| escape(line) + "\\l").collect();
    format!("\"{body}\"")
}

#[cfg(test)]
mod tests {
    use super::super::build::{function, gcd, module};
    use super::*;
    use crate::types::Ty;

    #[test]
    fn one_cluster_per_function_and_marked_edges() {
        let dot = to_dot(&module(vec![gcd(), gcd()]));
        assert!(dot.starts_with("digraph jib {\n") && dot.ends_with("}\n"));
        assert!(dot.contains("subgraph cluster_1 {\n    label=\"gcd\";"));
        assert!(dot.contains("f0b1 -> f0b2 [label=\"T\"];\n    f0b1 -> f0b3 [label=\"F\"];"));
        assert!(dot.contains("f1b0 -> f1b1;"));
        assert!(dot.contains("[label=\"block3:\\l  return %2\\l\"];"));
    }

    #[test]
    fn texts_are_escaped() {
        let mut f = function("f\"\\", &[], Ty::None);
        f.raise();
        let mut module = module(vec![f.done()]);
        module.raises[0].message = Some("a\"b\\l".into());
        let dot = to_dot(&module);
        assert!(dot.contains(r#"label="f\"\\";"#), "{dot}");
        // The text form quotes once, DOT once more.
        assert!(dot.contains(r#"raise ValueError \"a\\\"b\\\\l\"\l"#), "{dot}");
    }
}
