//! The cross-talk oracle, as long as a suite that runs at every change can afford.

use std::time::Duration;

use memlens_tests::Seed;
use memlens_tests::oracle::{Plan, run};

#[test]
fn no_wrong_answer_and_no_lost_future_while_everything_goes_wrong() {
    let plan = Plan {
        operations: 300_000,
        faults: 300,
        timeout: Duration::from_millis(200),
    };
    let report = run(plan, &Seed::from_environment());
    assert!(report.operations() >= plan.operations - 64, "{report:?}");
    assert!(report.answered > plan.operations / 4, "{report:?}");
    assert!(report.injected() > plan.faults / 2, "{report:?}");
}
