//! Requests, as any client may send them to the embedded node.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| memlens_node::fuzzing::requests(bytes));
