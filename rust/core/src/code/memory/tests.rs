//! Other tests compile meanwhile: what is counted is counted with room for what their threads do.

use std::sync::Arc;

use cranelift_jit::{BranchProtection, JITMemoryKind, JITMemoryProvider};

use super::{Pages, Writer};

#[test]
fn a_writer_stays_in_its_pages() {
    let page = region::page::size();
    let pages = Arc::new(Pages::take(page + 1).expect("there is memory"));
    assert_eq!((pages.start % page, pages.len), (0, 2 * page));
    let mut writer = Writer::new(pages.clone());
    let mut at = |size, align, kind| writer.allocate(size, align, kind).map(|at| at as usize - pages.start);
    assert_eq!(at(3, 16, JITMemoryKind::Executable).expect("fits"), 0);
    assert_eq!(at(8, 8, JITMemoryKind::ReadOnly).expect("fits"), 8);
    assert_eq!(at(page, 16, JITMemoryKind::Executable).expect("fits"), 16);
    for (size, align, kind) in [
        (page, 1, JITMemoryKind::Executable),
        (usize::MAX, 1, JITMemoryKind::Executable),
        (1, 1 << 63, JITMemoryKind::Executable),
        (1, 1, JITMemoryKind::Writable),
    ] {
        assert!(at(size, align, kind).is_err(), "{size} {align}");
    }
    assert_eq!(at(page - 16, 1, JITMemoryKind::Executable).expect("fits"), page + 16);
    assert!(at(1, 1, JITMemoryKind::Executable).is_err());
}

#[test]
fn nothing_is_written_to_sealed_pages() {
    let mut writer = Writer::new(Arc::new(Pages::take(1).expect("there is memory")));
    writer.allocate(1, 1, JITMemoryKind::Executable).expect("fits");
    writer.finalize(BranchProtection::None).expect("can be executed");
    assert!(writer.allocate(1, 1, JITMemoryKind::Executable).is_err());
}

#[test]
fn what_cannot_be_had_is_an_error() {
    for bytes in [usize::MAX, usize::MAX - region::page::size() + 1, 1 << 60] {
        assert!(Pages::take(bytes).is_err());
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::ops::Range;
    use std::sync::Arc;

    use cranelift_jit::{BranchProtection, JITMemoryKind, JITMemoryProvider};

    use super::super::{CHUNK, Pages, Writer};

    /// The rights of the mapping that has an address.
    fn rights(address: usize) -> String {
        let maps = std::fs::read_to_string("/proc/self/maps").expect("Linux has it");
        let mut lines = maps.lines().map(|line| line.split(' ').collect::<Vec<_>>());
        let parse = |at: &str| usize::from_str_radix(at, 16).expect("an address");
        let within = |range: &str| range.split_once('-').map(|(from, to)| parse(from)..parse(to));
        let found = lines.find(|words| within(words[0]).is_some_and(|range: Range<usize>| range.contains(&address)));
        found.expect("it is mapped")[1].to_owned()
    }

    #[test]
    fn rights_change_and_contents_go() {
        let pages = Arc::new(Pages::take(1).expect("there is memory"));
        let mut writer = Writer::new(pages.clone());
        let at = writer.allocate(8, 8, JITMemoryKind::Executable).expect("fits").cast::<u64>();
        assert_eq!(rights(at as usize), "rw-p");
        // SAFETY: the pages are ours and writable.
        unsafe { at.write(0xfeed) };
        writer.finalize(BranchProtection::None).expect("can be executed");
        assert_eq!(rights(at as usize), "r-xp");
        // SAFETY: the pages are ours and can be read.
        assert_eq!(unsafe { at.read() }, 0xfeed);
        super::super::empty(pages.start, pages.len);
        // SAFETY: as above.
        assert_eq!(unsafe { at.read() }, 0);
    }

    /// As when linking fails: the whole is larger than a chunk, so that it goes with its pages.
    #[test]
    fn pages_that_were_never_sealed_can_be_given_back() {
        let pages = Pages::take(CHUNK + 1).expect("there is memory");
        assert_eq!(rights(pages.start + CHUNK), "rw-p");
    }
}
