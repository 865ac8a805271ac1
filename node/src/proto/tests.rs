//! The decoder under any splitting of any input.

use proptest::prelude::*;

use super::{Decoder, Limits, Step};

const LIMITS: Limits = Limits {
    item_size_max: 4096,
    item_overhead: 59,
};

/// Decodes `input` fed in pieces that end at `cuts`, and describes what came out.
fn decode(input: &[u8], cuts: &[usize]) -> Vec<String> {
    let mut decoder = Decoder::new(LIMITS);
    let mut start = 0;
    let mut out = Vec::new();
    for &end in cuts.iter().chain([&input.len()]) {
        loop {
            match decoder.step(&input[start..end.max(start)]) {
                Step::Incomplete => break,
                Step::Discarded(count) => start += count,
                Step::Overlong => {
                    out.push("closed".to_owned());
                    return out;
                }
                Step::Request { consumed, request } => {
                    assert!(consumed > 0);
                    start += consumed;
                    out.push(format!("{request:?}"));
                }
            }
        }
    }
    out.push(format!("{} bytes left", input.len() - start));
    out
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("a".to_owned()),
        Just("Zm9v".to_owned()),
        "[a-z:]{1,20}",
        Just("k".repeat(251))
    ]
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        "[0-9]{1,3}",
        Just("-1".to_owned()),
        Just("x".to_owned()),
        Just("4294967297".into())
    ]
}

/// Commands that are right, wrong, and nearly right.
fn command() -> impl Strategy<Value = Vec<u8>> {
    let value = proptest::collection::vec(any::<u8>(), 0..40);
    let store = (
        key(),
        number(),
        number(),
        value.clone(),
        0..3_usize,
        0..3_usize,
    )
        .prop_map(|(key, flags, exptime, value, verb, tail)| {
            let verb = ["set", "append", "cas"][verb];
            let tail = ["", " 5", " noreply"][tail];
            let mut bytes =
                format!("{verb} {key} {flags} {exptime} {}{tail}\r\n", value.len()).into_bytes();
            bytes.extend(&value);
            bytes.extend(b"\r\n");
            bytes
        });
    let meta = (key(), value, "( [a-zA-Z][0-9]{0,3}){0,6}").prop_map(|(key, value, flags)| {
        let mut bytes = format!("ms {key} {}{flags}\r\n", value.len()).into_bytes();
        bytes.extend(&value);
        bytes.extend(b"\r\n");
        bytes
    });
    let large = (4000..6000_usize).prop_map(|length| {
        let mut bytes = format!("set large 0 0 {length}\r\n").into_bytes();
        bytes.extend(vec![b'x'; length]);
        bytes.extend(b"\r\n");
        bytes
    });
    let line = prop_oneof![
        (key(), number()).prop_map(|(key, number)| format!("incr {key} {number}\r\n")),
        (key(), number()).prop_map(|(key, number)| format!("gat {number} {key} {key}\n")),
        (key(), key()).prop_map(|(a, b)| format!("get {a} {b}\r\n")),
        (key(), "( [a-zA-Z][0-9]{0,3}){0,6}")
            .prop_map(|(key, flags)| format!("mg {key}{flags}\r\n")),
        (key(), "( [a-zA-Z][0-9]{0,3}){0,6}")
            .prop_map(|(key, flags)| format!("ma {key}{flags}\r\n")),
        "[a-z ]{0,30}\r\n",
        Just("version\r\n".to_owned()),
        Just("\r\n".to_owned()),
    ]
    .prop_map(String::into_bytes);
    let garbage = proptest::collection::vec(any::<u8>(), 0..60);
    prop_oneof![4 => line, 3 => store, 2 => meta, 1 => large, 1 => garbage]
}

proptest! {
    /// However the bytes arrive, the same requests come out. Only a line of more than 2 KiB is served
    /// when it comes in one piece, and closes the connection when it does not, as in memcached.
    #[test]
    fn splitting_changes_nothing(
        commands in proptest::collection::vec(command(), 0..12),
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..20),
    ) {
        let input = commands.concat();
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(input.len() + 1)).collect();
        ends.sort_unstable();
        let whole = decode(&input, &[]);
        let every: Vec<usize> = (0..input.len()).collect();
        for cuts in [ends, every] {
            let mut pieces = decode(&input, &cuts);
            let has_long_line = input.split(|&byte| byte == b'\n').any(|line| line.len() > 2048);
            if has_long_line && pieces.last().is_some_and(|last| last == "closed") {
                pieces.pop();
                prop_assert!(whole.starts_with(&pieces));
            } else {
                prop_assert_eq!(&pieces, &whole);
            }
        }
    }

    /// No input makes the decoder panic, consume what is not there, or stand still for ever.
    #[test]
    fn garbage_is_harmless(input in proptest::collection::vec(any::<u8>(), 0..3000)) {
        decode(&input, &[]);
    }
}

#[test]
fn an_announced_length_reserves_nothing() {
    let mut decoder = Decoder::new(Limits {
        item_size_max: 1 << 30,
        item_overhead: 59,
    });
    assert!(matches!(
        decoder.step(b"set a 0 0 1000000000\r\n"),
        Step::Incomplete
    ));
    assert_eq!(decoder.needed(), 1_000_000_024);
    assert!(decoder.awaits_data());
}

#[test]
fn a_value_that_cannot_fit_is_discarded_piece_by_piece() {
    let mut decoder = Decoder::new(LIMITS);
    let line = b"set a 0 0 5000\r\n";
    assert!(matches!(
        decoder.step(line),
        Step::Request { consumed: 16, .. }
    ));
    assert!(decoder.is_discarding());
    assert!(matches!(decoder.step(&[b'x'; 5001]), Step::Discarded(5001)));
    assert!(matches!(decoder.step(b"\nversion\r\n"), Step::Discarded(1)));
    assert!(!decoder.is_discarding());
}

#[test]
fn lines_have_an_end() {
    let mut decoder = Decoder::new(LIMITS);
    assert!(matches!(decoder.step(&[b'x'; 2048]), Step::Incomplete));
    assert!(matches!(decoder.step(&[b'x'; 2049]), Step::Overlong));
    let mut get = b"get ".to_vec();
    get.resize(1024 * 1024, b'k');
    let mut decoder = Decoder::new(LIMITS);
    assert!(matches!(decoder.step(&get), Step::Incomplete));
    get.push(b'k');
    assert!(matches!(decoder.step(&get), Step::Overlong));
}
