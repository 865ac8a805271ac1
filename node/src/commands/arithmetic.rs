//! `incr` and `decr`.

use super::get::key;
use super::{Context, Flow};
use crate::store::{Delta, DeltaOutcome};

pub(super) const NOT_NUMERIC: &str = "CLIENT_ERROR cannot increment or decrement non-numeric value";
pub(super) const NO_MEMORY: &str = "SERVER_ERROR out of memory";

pub(super) fn arithmetic(
    context: &mut Context<'_>,
    name: &[u8],
    increment: bool,
    amount: u64,
    noreply: bool,
) -> Flow {
    let delta = Delta {
        increment,
        amount,
        cas: 0,
        initial: None,
    };
    match context
        .shared
        .store
        .add_delta(key(context, name), &delta, context.at)
    {
        DeltaOutcome::Changed { value, .. } | DeltaOutcome::Created { value, .. } => {
            if !noreply {
                context.replies.number(value);
                context.replies.bytes(b"\r\n");
            }
        }
        // No cas unique was given, so none can differ.
        DeltaOutcome::NotFound | DeltaOutcome::CasMismatch => context.answer("NOT_FOUND", noreply),
        DeltaOutcome::NotNumeric => context.answer(NOT_NUMERIC, noreply),
        DeltaOutcome::NoMemory | DeltaOutcome::NoMemoryToCreate => {
            context.answer(NO_MEMORY, noreply);
        }
    }
    Flow::Continue
}
