//! One connection's pipeline under any order of events.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| memlens::fuzzing::pipeline(bytes));
