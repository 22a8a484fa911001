use super::Arena;

/// Deterministic: the generator of Numerical Recipes.
fn random(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    (*state >> 33) as usize
}

#[test]
fn the_smallest_that_fits_and_the_lowest_of_these() {
    let mut arena = Arena::new(100);
    assert_eq!(arena.take(1), None);
    arena.add(0..100, "first");
    let taken: Vec<_> = [10, 30, 10, 20, 10].iter().map(|&size| arena.take(size)).collect();
    assert_eq!(taken, [Some(0), Some(10), Some(40), Some(50), Some(70)]);
    for (start, size) in [(10, 30), (50, 20)] {
        assert_eq!(arena.give(start, size), None);
    }
    // Free: 10..40, 50..70, 80..100.
    assert_eq!([arena.take(20), arena.take(20), arena.take(25), arena.take(20)], [Some(50), Some(80), Some(10), None]);
}

#[test]
fn neighbours_join_within_their_chunk() {
    let mut arena = Arena::new(100);
    arena.add(0..100, "first");
    assert_eq!(arena.take(100), Some(0));
    arena.add(100..200, "second");
    assert_eq!(arena.take(100), Some(100));
    // Not over its end, in whichever order.
    assert_eq!([arena.give(90, 10), arena.give(100, 10), arena.give(80, 10)], [None; 3]);
    assert_eq!([arena.take(20), arena.take(11)], [Some(80), None]);
    assert_eq!(arena.give(90, 10), None);
    assert_eq!(arena.take(11), None);
    assert_eq!(arena.give(120, 10), None);
    assert_eq!(arena.give(110, 10), None);
    assert_eq!(arena.take(30), Some(100));
}

#[test]
fn one_chunk_is_kept_for_nothing() {
    let mut arena = Arena::new(100);
    for (start, owner) in [(0, "first"), (100, "second"), (200, "third")] {
        arena.add(start..start + 100, owner);
        assert_eq!(arena.take(100), Some(start));
    }
    assert_eq!(arena.give(100, 100), None);
    assert_eq!(arena.give(0, 100), Some("first"));
    assert_eq!(arena.take(1), Some(100));
    assert_eq!(arena.give(200, 100), None);
    assert_eq!(arena.give(100, 1), Some("second"));
    arena.add(1000..1300, "large");
    assert_eq!((arena.take(300), arena.give(1000, 300)), (Some(1000), Some("large")));
    assert_eq!((arena.chunks.len(), arena.sizes.len(), arena.starts.len()), (1, 1, 1));
}

#[test]
fn nothing_is_given_out_twice_and_nothing_is_lost() {
    let (mut arena, mut state, mut mapped) = (Arena::new(64), 1, 0);
    let mut used: Vec<(usize, usize)> = Vec::new();
    let mut owned = vec![None; 1 << 16];
    for round in 0..if cfg!(miri) { 500 } else { 20_000 } {
        // Grows for a while, shrinks for a while.
        if random(&mut state) % 100 < if round % 4000 < 2000 { 60 } else { 40 } {
            let size = 1 + random(&mut state) % if random(&mut state).is_multiple_of(50) { 200 } else { 8 };
            let start = arena.take(size).unwrap_or_else(|| {
                let len = size.max(64);
                arena.add(mapped..mapped + len, mapped);
                // With a gap now and then.
                mapped += len + random(&mut state) % 2;
                arena.take(size).expect("there is a new chunk")
            });
            for cell in &mut owned[start..start + size] {
                assert_eq!(cell.replace(round), None);
            }
            used.push((start, size));
        } else if !used.is_empty() {
            let (start, size) = used.swap_remove(random(&mut state) % used.len());
            owned[start..start + size].fill(None);
            if let Some(chunk) = arena.give(start, size) {
                assert!(!arena.chunks.contains_key(&chunk));
            }
        }
        let free: usize = arena.sizes.values().sum();
        let all: usize = arena.chunks.iter().map(|(start, (end, _))| end - start).sum();
        assert_eq!(all, free + used.iter().map(|(_, size)| size).sum::<usize>());
        assert_eq!(arena.sizes.len(), arena.starts.len());
    }
    for (start, size) in used {
        arena.give(start, size);
    }
    assert!(arena.chunks.len() <= 1 && arena.sizes.len() <= 1);
}
