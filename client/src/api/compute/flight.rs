//! One computation for all callers of a key that share a client.
//!
//! The first caller is the pilot; those who come while it is on its way follow, and share what comes
//! of it. A pilot that goes away before is replaced by one of its followers, which takes over what
//! the pilot held across processes, so that nobody has to wait for the end of its lease.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

use super::lease::Lease;
use crate::error::Result;
use crate::key::{Key, ToKey};
use crate::value::Value;

/// A key that outlives its caller.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct KeptKey {
    bytes: Box<[u8]>,
    hash: Option<u64>,
    is_binary: bool,
}

impl From<Key<'_>> for KeptKey {
    fn from(key: Key<'_>) -> Self {
        Self {
            bytes: key.as_bytes().into(),
            hash: key.hash(),
            is_binary: key.is_binary(),
        }
    }
}

impl ToKey for KeptKey {
    fn to_key(&self) -> Result<Key<'_>> {
        let key = match self.is_binary {
            true => Key::binary(&self.bytes)?,
            false => Key::new(&self.bytes)?,
        };
        Ok(self.hash.map_or(key, |hash| key.with_hash(hash)))
    }
}

impl fmt::Debug for KeptKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptKey").finish_non_exhaustive()
    }
}

/// What all callers get.
type Outcome = Result<Value>;

/// The computations that are under way.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    flights: HashMap<KeptKey, Flight>,
    /// How many there were.
    number: u64,
}

#[derive(Debug)]
struct Flight {
    number: u64,
    followers: usize,
    cockpit: Cockpit,
}

#[derive(Debug)]
enum Cockpit {
    Taken(watch::Receiver<Option<Outcome>>),
    /// The pilot has gone away, and left what it held. There are followers, and one is on its way.
    Vacant(Option<Lease>),
}

/// A caller's place.
#[derive(Debug)]
pub(super) enum Seat {
    Pilot(Pilot),
    Follower(Follower),
}

#[derive(Debug)]
pub(super) struct Pilot {
    flights: Arc<Flights>,
    key: KeptKey,
    outcome: watch::Sender<Option<Outcome>>,
    has_landed: bool,
    /// What it holds across processes, as soon as it has won it.
    pub(super) lease: Option<Lease>,
}

#[derive(Debug)]
pub(super) struct Follower {
    flights: Arc<Flights>,
    key: KeptKey,
    number: u64,
    outcome: watch::Receiver<Option<Outcome>>,
    /// Whether its flight still counts it.
    is_aboard: bool,
}

impl Flights {
    /// Joins the flight for `key`, or begins one.
    pub(super) fn board(self: &Arc<Self>, key: &KeptKey) -> Seat {
        let mut state = self.state.lock();
        let Some(flight) = state.flights.get_mut(key) else {
            state.number += 1;
            let number = state.number;
            let (pilot, outcome) = self.pilot(key, None);
            let flight = Flight {
                number,
                followers: 0,
                cockpit: Cockpit::Taken(outcome),
            };
            state.flights.insert(key.clone(), flight);
            return Seat::Pilot(pilot);
        };
        if let Cockpit::Taken(outcome) = &flight.cockpit {
            flight.followers += 1;
            return Seat::Follower(Follower {
                flights: Arc::clone(self),
                key: key.clone(),
                number: flight.number,
                outcome: outcome.clone(),
                is_aboard: true,
            });
        }
        Seat::Pilot(self.take_over(key, flight))
    }

    fn pilot(
        self: &Arc<Self>,
        key: &KeptKey,
        lease: Option<Lease>,
    ) -> (Pilot, watch::Receiver<Option<Outcome>>) {
        let (sender, receiver) = watch::channel(None);
        let pilot = Pilot {
            flights: Arc::clone(self),
            key: key.clone(),
            outcome: sender,
            has_landed: false,
            lease,
        };
        (pilot, receiver)
    }

    /// Fills a cockpit that is vacant.
    fn take_over(self: &Arc<Self>, key: &KeptKey, flight: &mut Flight) -> Pilot {
        let (mut pilot, outcome) = self.pilot(key, None);
        let taken = Cockpit::Taken(outcome);
        if let Cockpit::Vacant(lease) = std::mem::replace(&mut flight.cockpit, taken) {
            pilot.lease = lease;
        }
        pilot
    }
}

impl Pilot {
    /// Tells all followers what came of it. Who comes from now on begins another flight.
    pub(super) fn land(&mut self, outcome: Outcome) {
        self.flights.state.lock().flights.remove(&self.key);
        self.has_landed = true;
        self.outcome.send_replace(Some(outcome));
    }
}

impl Drop for Pilot {
    fn drop(&mut self) {
        if self.has_landed {
            return;
        }
        let mut state = self.flights.state.lock();
        match state.flights.get_mut(&self.key) {
            Some(flight) if flight.followers > 0 => {
                flight.cockpit = Cockpit::Vacant(self.lease.take());
            }
            _ => drop(state.flights.remove(&self.key)),
        }
    }
}

impl Follower {
    /// Waits for what comes of the flight. `Err`: the pilot has gone away, and this is the caller's
    /// place in what follows.
    pub(super) async fn landing(mut self) -> Result<Outcome, Seat> {
        if let Ok(outcome) = self.outcome.wait_for(Option::is_some).await
            && let Some(outcome) = outcome.clone()
        {
            return Ok(outcome);
        }
        let flights = Arc::clone(&self.flights);
        let mut state = flights.state.lock();
        let this = state.flights.get_mut(&self.key);
        let Some(flight) = this.filter(|flight| flight.number == self.number) else {
            drop(state);
            return Err(flights.board(&self.key));
        };
        if let Cockpit::Taken(outcome) = &flight.cockpit {
            self.outcome = outcome.clone();
            drop(state);
            return Err(Seat::Follower(self));
        }
        flight.followers -= 1;
        self.is_aboard = false;
        let pilot = flights.take_over(&self.key, flight);
        drop(state);
        Err(Seat::Pilot(pilot))
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        if !self.is_aboard {
            return;
        }
        let mut state = self.flights.state.lock();
        let this = state.flights.get_mut(&self.key);
        let Some(flight) = this.filter(|flight| flight.number == self.number) else {
            return; // It has landed.
        };
        flight.followers -= 1;
        if flight.followers == 0 && matches!(flight.cockpit, Cockpit::Vacant(_)) {
            state.flights.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn key() -> KeptKey {
        Key::new(b"key").unwrap().into()
    }

    fn pilot(seat: Seat) -> Pilot {
        match seat {
            Seat::Pilot(pilot) => pilot,
            Seat::Follower(_) => panic!("a follower"),
        }
    }

    fn follower(seat: Seat) -> Follower {
        match seat {
            Seat::Follower(follower) => follower,
            Seat::Pilot(_) => panic!("a pilot"),
        }
    }

    fn poll<F: Future>(future: F) -> Poll<F::Output> {
        pin!(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    /// What a follower knows by now, which has to be something.
    fn landed(follower: Follower) -> Result<Outcome, Seat> {
        match poll(follower.landing()) {
            Poll::Ready(landed) => landed,
            Poll::Pending => panic!("still on its way"),
        }
    }

    fn is_empty(flights: &Flights) -> bool {
        flights.state.lock().flights.is_empty()
    }

    #[test]
    fn followers_share_what_comes_of_it_and_later_callers_do_not() {
        let flights = Arc::new(Flights::default());
        let mut first = pilot(flights.board(&key()));
        let (second, third) = (flights.board(&key()), flights.board(&key()));
        first.land(Ok(Value::new("value", 3)));
        let fourth = pilot(flights.board(&key()));
        drop(first);
        for seat in [second, third] {
            let outcome = landed(follower(seat)).unwrap();
            assert_eq!(outcome.unwrap(), Value::new("value", 3));
        }
        assert!(!is_empty(&flights), "the fourth is on its way");
        drop(fourth);
        assert!(is_empty(&flights));
    }

    #[test]
    fn a_pilot_that_goes_away_is_replaced_by_one_of_its_followers() {
        let flights = Arc::new(Flights::default());
        let first = pilot(flights.board(&key()));
        let (second, third) = (
            follower(flights.board(&key())),
            follower(flights.board(&key())),
        );
        drop(first);
        let mut second = pilot(landed(second).unwrap_err());
        let third = follower(landed(third).unwrap_err());
        let fourth = follower(flights.board(&key()));
        second.land(Ok(Value::new("value", 0)));
        for follower in [third, fourth] {
            assert!(landed(follower).is_ok());
        }
        assert!(is_empty(&flights));
    }

    #[test]
    fn nothing_is_left_of_a_flight_that_everybody_has_left() {
        let flights = Arc::new(Flights::default());
        let first = pilot(flights.board(&key()));
        let (second, third) = (flights.board(&key()), flights.board(&key()));
        drop(second);
        drop(first);
        assert!(!is_empty(&flights), "the third may take over");
        drop(third);
        assert!(is_empty(&flights));
        // A newcomer may be faster than the followers that are left.
        let first = pilot(flights.board(&key()));
        let second = follower(flights.board(&key()));
        drop(first);
        let third = pilot(flights.board(&key()));
        let second = follower(landed(second).unwrap_err());
        drop(third);
        drop(pilot(landed(second).unwrap_err()));
        assert!(is_empty(&flights));
    }

    #[test]
    fn keys_with_other_servers_or_forms_are_other_keys() {
        let flights = Arc::new(Flights::default());
        let plain = Key::new(b"key").unwrap();
        let keys = [
            plain.into(),
            plain.with_hash(1).into(),
            Key::binary(b"key").unwrap().into(),
        ];
        let seats: Vec<Pilot> = keys.iter().map(|key| pilot(flights.board(key))).collect();
        assert_eq!(seats.len(), 3);
        for key in &keys {
            assert_eq!(KeptKey::from(key.to_key().unwrap()), *key);
        }
    }
}
