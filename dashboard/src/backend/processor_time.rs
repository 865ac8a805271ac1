//! What work costs the processor.

use std::time::Duration;

/// Where Linux tells nanoseconds that the reading thread has run.
#[cfg(target_os = "linux")]
const SCHEDULED: &str = "/proc/thread-self/schedstat";

/// Processor time that the calling thread has taken since it began. `None` where the system does not
/// tell: only Linux does, where the kernel keeps account.
#[cfg(target_os = "linux")]
pub(super) fn of_this_thread() -> Option<Duration> {
    let text = std::fs::read_to_string(SCHEDULED).ok()?;
    let nanoseconds = text.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

/// Processor time that the calling thread has taken since it began. `None` where the system does not
/// tell: only Linux does, where the kernel keeps account.
#[cfg(not(target_os = "linux"))]
pub(super) const fn of_this_thread() -> Option<Duration> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::of_this_thread;

    #[test]
    fn work_takes_time() {
        let before = of_this_thread().unwrap();
        // Asking is work. However fast the machine: it ends when some of it was counted.
        while of_this_thread().unwrap() == before {}
        assert!(of_this_thread().unwrap() > before);
    }
}
