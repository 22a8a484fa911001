//! The way up: types rise along definitions and uses until they stay.
//!
//! In: instances that have work. Out: for each value of each instance its final type. Always holds: an instruction is looked at
//! again only when one of its operands has risen or what it calls has been seen to return more, so that the work is about
//! linear in the text; it is counted, and `WORK` ends it. The order is that of passes over the blocks, in which nothing is looked at
//! that cannot have changed.

use std::collections::{BTreeSet, HashMap};

use super::emit::{Emit, Operand};
use super::infer::{Inference, Site, is_weak};
use super::{Ty, join};
use crate::diag::{Diag, Error};
use crate::ir::ssa::{self, End, UNDEF, Val};

/// How many operands may be looked at, elements of tuples counted. Two or three times what a text has are needed; much more
/// only where a tuple rises element by element.
const WORK: usize = 5_000_000;

/// Where each value of a function is read. An instruction is its place in its block; after those come the end (what is returned),
/// and the arguments of the jumps, one after the other.
pub struct Uses {
    /// Where the uses of a value begin in `sites`.
    starts: Vec<u32>,
    sites: Vec<Site>,
    /// Where each block stands in the order.
    place: Vec<u32>,
}

impl Uses {
    pub fn new(ssa: &ssa::Function) -> Uses {
        let mut place = vec![u32::MAX; ssa.blocks.len()];
        ssa.order.iter().zip(0..).for_each(|(&block, at)| place[block as usize] = at);
        let mut starts = vec![0u32; ssa.values as usize + 1];
        each_use(ssa, |value, _| starts[value as usize] += 1);
        let mut total = 0;
        for start in &mut starts {
            total += std::mem::replace(start, total);
        }
        let mut sites = vec![(0, 0); total as usize];
        let mut next = starts.clone();
        each_use(ssa, |value, site| {
            sites[next[value as usize] as usize] = site;
            next[value as usize] += 1;
        });
        Uses { starts, sites, place }
    }

    fn of(&self, value: Val) -> &[Site] {
        &self.sites[self.starts[value as usize] as usize..self.starts[value as usize + 1] as usize]
    }
}

fn each_use(ssa: &ssa::Function, mut with: impl FnMut(Val, Site)) {
    for (&number, at) in ssa.order.iter().zip(0..) {
        let block = &ssa.blocks[number as usize];
        for (inst, i) in block.insts.iter().zip(0..) {
            inst.op.operands().iter().for_each(|&value| with(value, (at, i)));
        }
        let end = block.insts.len() as u32;
        if let End::Return(value) = block.end {
            with(value, (at, end));
        }
        let args = block.end.edges().flat_map(|edge| &edge.args);
        args.zip(end + 1..).filter(|&(&arg, _)| arg != UNDEF).for_each(|(&arg, i)| with(arg, (at, i)));
    }
}

/// How far one instance has come.
pub struct Progress {
    /// What is known of each value; None: it has not been seen to be computed.
    pub env: Vec<Option<Operand>>,
    /// How many instructions of a block have been looked at, the end counted; None: it has not been reached. Fewer than all: the
    /// next one is a call that was not seen to return.
    done: Vec<Option<u32>>,
    /// What is to be looked at, in this pass and in the next one.
    now: BTreeSet<Site>,
    next: BTreeSet<Site>,
    /// What is being looked at.
    here: Site,
    /// Arguments that had no common type with the parameter: asked again when it rises.
    clashes: HashMap<Val, Vec<Site>>,
}

impl Progress {
    pub fn new(ssa: &ssa::Function, params: &[Ty], weak: &[bool]) -> Progress {
        let mut env = vec![None; ssa.values as usize];
        for (i, (value, ty)) in env.iter_mut().zip(params).enumerate() {
            *value = Some(Operand::typed(ty.clone()).with_weak(is_weak(weak, i)));
        }
        let mut done = vec![None; ssa.blocks.len()];
        done[0] = Some(0);
        let now = BTreeSet::from([(0, 0)]);
        Progress { env, done, now, next: BTreeSet::new(), here: (0, 0), clashes: HashMap::new() }
    }

    /// Has something looked at when the instance is settled next.
    pub fn again(&mut self, site: Site) {
        self.now.insert(site);
    }

    fn take(&mut self) -> Option<Site> {
        if self.now.is_empty() {
            std::mem::swap(&mut self.now, &mut self.next);
        }
        self.here = self.now.pop_first()?;
        Some(self.here)
    }

    fn put(&mut self, site: Site) {
        let pass = if site > self.here { &mut self.now } else { &mut self.next };
        pass.insert(site);
    }

    /// Takes over what is known of a value now; who has read it reads it again if that is new.
    fn learn(&mut self, ssa: &ssa::Function, uses: &Uses, value: Val, given: Option<Operand>) {
        let known = &mut self.env[value as usize];
        let same = match (&*known, &given) {
            (None, None) => true,
            (Some(old), Some(new)) => old.is_like(new),
            _ => false,
        };
        *known = given;
        if same {
            return;
        }
        for &site in uses.of(value) {
            let done = self.done[ssa.order[site.0 as usize] as usize];
            if done.is_some_and(|done| {
                site.1 <= done || done as usize > ssa.blocks[ssa.order[site.0 as usize] as usize].insts.len()
            }) {
                self.put(site);
            }
        }
    }

    /// Joins what a jump brings into what a parameter holds.
    fn rise(&mut self, ssa: &ssa::Function, uses: &Uses, param: Val, arg: Val, site: Site) {
        let Some(new) = self.env.get(arg as usize).cloned().flatten() else { return };
        let risen = match &self.env[param as usize] {
            None => Some(new.ty),
            Some(old) => match join(&old.ty, &new.ty) {
                Some(ty) => (ty != old.ty).then_some(ty),
                None => {
                    self.clashes.entry(param).or_default().push(site);
                    None
                }
            },
        };
        if let Some(ty) = risen {
            self.learn(ssa, uses, param, Some(Operand::typed(ty)));
            for site in self.clashes.remove(&param).unwrap_or_default() {
                self.put(site);
            }
        }
    }

    /// Goes where a block leads, with what it brings there.
    fn leave(&mut self, ssa: &ssa::Function, uses: &Uses, at: u32) {
        let block = &ssa.blocks[ssa.order[at as usize] as usize];
        let mut arg_at = block.insts.len() as u32 + 1;
        for edge in block.end.edges() {
            if self.done[edge.block as usize].is_none() {
                self.done[edge.block as usize] = Some(0);
                self.put((uses.place[edge.block as usize], 0));
            }
            for (param, &arg) in ssa.blocks[edge.block as usize].params.iter().zip(&edge.args) {
                self.rise(ssa, uses, param.value, arg, (at, arg_at));
                arg_at += 1;
            }
        }
    }

    /// One argument of a jump again.
    fn argument(&mut self, ssa: &ssa::Function, uses: &Uses, site: Site) {
        let block = &ssa.blocks[ssa.order[site.0 as usize] as usize];
        let mut index = site.1 as usize - block.insts.len() - 1;
        for edge in block.end.edges() {
            if let Some(&arg) = edge.args.get(index) {
                let param = ssa.blocks[edge.block as usize].params[index].value;
                return self.rise(ssa, uses, param, arg, site);
            }
            index -= edge.args.len();
        }
    }
}

impl Inference<'_> {
    /// Raises the types of one instance until they stay. Gives the instances to look at next: new ones, and the callers if
    /// what it returns has changed.
    pub fn settle(&mut self, at: usize) -> Result<Vec<usize>, Error> {
        let unit = self.unit;
        let declared = &unit[self.instances[at].function];
        let (ssa, uses) = (&declared.ssa, &declared.uses);
        let known = self.instances.len();
        let Some(mut progress) = self.instances[at].progress.take() else { return Ok(Vec::new()) };
        let mut result = self.instances[at].result.clone();
        while let Some((place, index)) = progress.take() {
            let number = ssa.order[place as usize];
            let block = &ssa.blocks[number as usize];
            let (Some(done), end) = (progress.done[number as usize], block.insts.len() as u32) else { continue };
            if index < end {
                // What comes after the call that a block waits for is looked at when that returns.
                if index <= done {
                    let last = if index == done { end } else { index + 1 };
                    self.look(at, &mut progress, (place, index), last)?;
                }
                if index < done || progress.done[number as usize] != Some(end) {
                    continue;
                }
                progress.done[number as usize] = Some(end + 1);
                progress.leave(ssa, uses, place);
            } else if done == end && index == end {
                // An empty block, reached now.
                progress.done[number as usize] = Some(end + 1);
                progress.leave(ssa, uses, place);
            } else if done > end && index > end {
                progress.argument(ssa, uses, (place, index));
            }
            if let (true, End::Return(value)) = (progress.done[number as usize] == Some(end + 1), &block.end)
                && let Some(operand) = &progress.env[*value as usize]
            {
                let ty = operand.ty.clone();
                result = Some(result.map_or(ty.clone(), |old| join(&old, &ty).unwrap_or(old)));
            }
        }
        self.instances[at].progress = Some(progress);
        let mut next: Vec<usize> = (known..self.instances.len()).collect();
        if result != self.instances[at].result {
            self.instances[at].result = result;
            for (caller, site) in self.instances[at].callers.clone() {
                if let Some(progress) = &mut self.instances[caller].progress {
                    progress.again(site);
                }
                if next.last() != Some(&caller) {
                    next.push(caller);
                }
            }
        }
        Ok(next)
    }

    /// Looks at the instructions of a block from one up to, but without, another, or up to a call that was not seen to return.
    fn look(&mut self, at: usize, progress: &mut Progress, (place, first): Site, last: u32) -> Result<(), Error> {
        let unit = self.unit;
        let declared = &unit[self.instances[at].function];
        let (ssa, uses) = (&declared.ssa, &declared.uses);
        let number = ssa.order[place as usize] as usize;
        let mut e = Emit::dry(self.mode);
        for index in first..last {
            let inst = &ssa.blocks[number].insts[index as usize];
            progress.here = (place, index);
            e.span = inst.span;
            self.work += 1;
            for operand in inst.op.operands().iter().filter_map(|&value| progress.env[value as usize].as_ref()) {
                self.work += operand.ty.size();
            }
            if self.work > WORK {
                return Err(Diag::new("limit-types", inst.span, &[]).into());
            }
            let given = match self.apply(&mut e, (at, Some((place, index))), &progress.env, &inst.op) {
                Ok(given) => given,
                Err(diag) if diag.code.starts_with("limit") => return Err(diag.into()),
                // Not known to be a mistake before all types are final.
                Err(_) => None,
            };
            if given.is_none() && matches!(inst.op, ssa::Op::Call(..)) {
                progress.done[number] = Some(index);
                return Ok(());
            }
            progress.learn(ssa, uses, inst.value, given);
            progress.done[number] = progress.done[number].max(Some(index + 1));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
