//! Long runs that measure, where the tests only judge: `make soak`.
//!
//!     soak oracle [operations] [faults]    the cross-talk oracle; 10 000 000 and 10 000 by default
//!     soak outages [seconds]               how slow and dead servers are felt; an outage of 60 s by default
//!     soak memory [minutes]                what a server that stands still costs in memory; 10 by default

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic,
    reason = "a program that reports, and ends at the first thing that is wrong"
)]

mod memory;
mod outages;

use std::time::{Duration, Instant};

use memlens_tests::Seed;
use memlens_tests::oracle::{Plan, run};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next();
    let mut number = |default| match arguments.next() {
        Some(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{text:?} is no number")),
        None => default,
    };
    match what.as_deref() {
        Some("oracle") => oracle(number(10_000_000), number(10_000)),
        Some("outages") => outages::measure(Duration::from_secs(number(60))),
        Some("memory") => memory::measure(number(10) as u32),
        _ => panic!("say what to run: `oracle`, `outages` or `memory`"),
    }
}

fn oracle(operations: u64, faults: u64) {
    let plan = Plan {
        operations,
        faults,
        timeout: Duration::from_millis(200),
    };
    let begun = Instant::now();
    let report = run(plan, &Seed::from_environment());
    println!(
        "{} operations in {:.0?}",
        report.operations(),
        begun.elapsed()
    );
    println!("  answered, and right      {}", report.answered);
    println!("  dropped by their caller  {}", report.cancelled);
    for (kind, count) in &report.failed {
        println!("  failed: {kind:<16} {count}");
    }
    println!("{} faults", report.injected());
    for (fault, count) in &report.faults {
        println!("  {fault:<24} {count}");
    }
    println!("0 wrong answers, 0 lost futures");
    println!("the latest end after a deadline: {:.1?}", report.latest);
}
