//! The runtime behind a blocking client, and how a thread waits for what happens there.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use tokio::runtime::{Builder, Handle};
use tokio::task::coop;

use crate::error::{Error, ErrorKind, Result};

/// A tokio runtime with one thread, which ends with it.
#[derive(Debug)]
pub(super) struct Runtime {
    handle: Handle,
    /// Taken when this is dropped.
    owned: Option<tokio::runtime::Runtime>,
}

impl Runtime {
    pub(super) fn start() -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("memlens")
            .enable_all()
            .build()
            .map_err(|error| {
                Error::with_detail(ErrorKind::Io, error.to_string()).caused_by(error)
            })?;
        Ok(Self {
            handle: runtime.handle().clone(),
            owned: Some(runtime),
        })
    }

    pub(super) const fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Permission to block this thread.
    pub(super) fn check(&self) -> Result<Waiting<'_>> {
        if is_running_async_code() {
            return Err(Error::invalid_input(
                "the blocking client was called from async code; use memlens::Client there",
            ));
        }
        Ok(Waiting(self))
    }

    /// Runs `future` on this thread, if it may be blocked.
    pub(super) fn wait<F: Future>(&self, future: F) -> Result<F::Output> {
        Ok(self.check()?.wait(future))
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        if let Some(runtime) = self.owned.take() {
            // Unlike a plain drop it doesn't wait for the thread, and so is allowed anywhere.
            runtime.shutdown_background();
        }
    }
}

/// This thread may be blocked.
pub(super) struct Waiting<'a>(&'a Runtime);

impl Waiting<'_> {
    /// Runs `future` on this thread. Only what it waits for happens on the runtime's thread, so a
    /// request is written without a hand-over.
    pub(super) fn wait<F: Future>(self, future: F) -> F::Output {
        let _entered = self.0.handle.enter();
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
                return output;
            }
            thread::park();
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.unpark();
    }
}

/// Whether tokio is polling a future on this thread right now.
///
/// That this thread knows a runtime does not say so: one that runs `spawn_blocking` does as well,
/// and may block. tokio tells the two apart but by panicking, except that what it polls gets a
/// limited budget of progress, and what may block an unlimited one. The limit is below 256.
fn is_running_async_code() -> bool {
    if Handle::try_current().is_err() {
        return false;
    }
    let mut context = Context::from_waker(Waker::noop());
    // When this one is dropped, the budget is again what it was before.
    let Poll::Ready(_restore) = coop::poll_proceed(&mut context) else {
        return true;
    };
    (0..=u8::MAX).any(|_| match coop::poll_proceed(&mut context) {
        Poll::Ready(step) => {
            step.made_progress();
            false
        }
        Poll::Pending => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn multi_thread() -> tokio::runtime::Runtime {
        Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .unwrap()
    }

    fn current_thread() -> tokio::runtime::Runtime {
        Builder::new_current_thread().build().unwrap()
    }

    async fn check() -> bool {
        is_running_async_code()
    }

    #[test]
    fn threads_that_may_block_are_told_from_those_that_may_not() {
        assert!(!is_running_async_code());
        for runtime in [multi_thread(), current_thread()] {
            assert!(runtime.block_on(check()));
            assert!(runtime.block_on(runtime.spawn(check())).unwrap());
            let blocking = runtime.spawn_blocking(is_running_async_code);
            assert!(!runtime.block_on(blocking).unwrap());
            let _entered = runtime.enter();
            assert!(!is_running_async_code());
        }
        let in_place = async { tokio::task::block_in_place(is_running_async_code) };
        assert!(!multi_thread().block_on(in_place));
    }

    #[test]
    fn asking_costs_async_code_none_of_its_budget() {
        current_thread().block_on(async {
            for _ in 0..1000 {
                assert!(is_running_async_code());
            }
            assert!(coop::has_budget_remaining());
        });
    }

    #[test]
    fn a_wake_before_the_thread_parks_is_not_lost() {
        let runtime = Runtime::start().unwrap();
        let yields = async {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            7
        };
        assert_eq!(runtime.wait(yields).unwrap(), 7);
    }

    #[test]
    fn it_can_be_dropped_by_async_code() {
        let runtime = Runtime::start().unwrap();
        current_thread().block_on(async move { drop(runtime) });
    }
}
