//! Callers in a hurry: futures that are dropped somewhere in the middle.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use fastrand::Rng;

/// Drops the inner future when it was polled so many times without an end, and is `None` then.
#[derive(Debug)]
pub struct DropAfter<F> {
    inner: Option<Pin<Box<F>>>,
    polls: u32,
}

impl<F> DropAfter<F> {
    /// Lets `inner` be polled `polls` times more than once.
    pub fn new(inner: F, polls: u32) -> Self {
        Self {
            inner: Some(Box::pin(inner)),
            polls,
        }
    }

    /// One in `rate` is dropped, after fewer than `most` polls more than one; the others run to their end.
    pub fn sometimes(inner: F, random: &mut Rng, rate: u32, most: u32) -> Self {
        let polls = match random.u32(..rate) {
            0 => random.u32(..most),
            _ => u32::MAX,
        };
        Self::new(inner, polls)
    }
}

impl<F: Future> Future for DropAfter<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(inner) = &mut self.inner else {
            return Poll::Ready(None);
        };
        if let Poll::Ready(output) = inner.as_mut().poll(context) {
            return Poll::Ready(Some(output));
        }
        if self.polls == 0 {
            self.inner = None;
            return Poll::Ready(None);
        }
        self.polls -= 1;
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::Waker;

    use super::*;

    #[test]
    fn it_polls_as_often_as_told_and_drops() {
        let alive = Arc::new(());
        let kept = Arc::clone(&alive);
        let endless = async move {
            let _kept = kept;
            std::future::pending::<()>().await;
        };
        let mut future = Box::pin(DropAfter::new(endless, 2));
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..2 {
            assert_eq!(future.as_mut().poll(&mut context), Poll::Pending);
        }
        assert_eq!(Arc::strong_count(&alive), 2);
        assert_eq!(future.as_mut().poll(&mut context), Poll::Ready(None));
        assert_eq!(Arc::strong_count(&alive), 1);
    }
}
