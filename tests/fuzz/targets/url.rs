//! Server lists and URLs.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| memlens::fuzzing::url(bytes));
