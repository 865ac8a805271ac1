//! Bob Jenkins's lookup3 (`hashlittle`).

/// The initial value of libmemcached and twemproxy.
pub(super) const INITIAL: u32 = 13;

/// lookup3 of `text`.
pub(super) fn lookup3(text: &[u8], initial: u32) -> u32 {
    let start = 0xdead_beef_u32
        .wrapping_add(text.len() as u32)
        .wrapping_add(initial);
    let mut state = [start; 3];
    // The last block, even a full one, is finished instead of mixed.
    let mut rest = text;
    while rest.len() > 12 {
        let (block, after) = rest.split_at(12);
        add(&mut state, block);
        mix(&mut state);
        rest = after;
    }
    if !rest.is_empty() {
        add(&mut state, rest);
        finish(&mut state);
    }
    state[2]
}

/// Adds up to twelve bytes, read as three little-endian words.
fn add(state: &mut [u32; 3], bytes: &[u8]) {
    for (position, byte) in bytes.iter().enumerate() {
        let word = &mut state[position / 4];
        *word = word.wrapping_add(u32::from(*byte) << (8 * (position % 4)));
    }
}

fn mix([a, b, c]: &mut [u32; 3]) {
    let step = |x: &mut u32, y: &mut u32, z: &mut u32, turn: u32| {
        *x = x.wrapping_sub(*z) ^ z.rotate_left(turn);
        *z = z.wrapping_add(*y);
    };
    step(a, b, c, 4);
    step(b, c, a, 6);
    step(c, a, b, 8);
    step(a, b, c, 16);
    step(b, c, a, 19);
    step(c, a, b, 4);
}

fn finish([a, b, c]: &mut [u32; 3]) {
    let step = |x: &mut u32, y: u32, turn: u32| {
        *x = (*x ^ y).wrapping_sub(y.rotate_left(turn));
    };
    step(c, *b, 14);
    step(a, *c, 11);
    step(b, *a, 25);
    step(c, *b, 16);
    step(a, *c, 4);
    step(b, *a, 14);
    step(c, *b, 24);
}
