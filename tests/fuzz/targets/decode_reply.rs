//! Replies, as any server may send them.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| memlens::fuzzing::reply(bytes));
