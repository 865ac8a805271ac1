//! Jump consistent hashing (Lamping and Veach, 2014): no table at all, but buckets can only be
//! added and removed at the end of the list.

/// The bucket of `hash` among `buckets`.
pub(super) fn bucket(mut hash: u64, buckets: u32) -> u32 {
    let mut bucket = 0;
    let mut next = 0_u64;
    while next < u64::from(buckets) {
        bucket = next as u32;
        hash = hash.wrapping_mul(2_862_933_555_777_941_757).wrapping_add(1);
        let step = (1_u64 << 31) as f64 / ((hash >> 33) + 1) as f64;
        next = ((next + 1) as f64 * step) as u64;
    }
    bucket
}
