//! The `memlens` program.
fn main() {}
