//! Single flight: however many wait for an object, its directory is asked once.
//!
//! A look-up goes on when those who wait for it have gone: what it learns is recorded for the next.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared};
use lanyard_directory::{Found, Ignorance, Query, Why};

/// What a look-up ends with.
pub(super) type Landed = Result<Found, Ignorance>;

/// A look-up under way.
pub(super) type Flight = Shared<BoxFuture<'static, Landed>>;

/// The look-ups under way at one directory.
#[derive(Debug, Default)]
pub(super) struct Flights(Mutex<HashMap<Query, Flight>>);

/// Whether there is room for one more.
pub(super) enum Boarded {
    /// This one answers the question.
    Flight(Flight),
    /// So many are under way that this one is not begun.
    Full,
}

impl Flights {
    /// The flight that answers a question: the one under way, else a new one that `begin` begins.
    pub(super) fn board(
        &self,
        query: &Query,
        most: usize,
        begin: impl FnOnce() -> tokio::task::JoinHandle<Landed>,
    ) -> Boarded {
        let mut flights = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = flights.get(query) {
            return Boarded::Flight(flight.clone());
        }
        if flights.len() >= most {
            return Boarded::Full;
        }
        let task = begin();
        let flight = async move { task.await.unwrap_or_else(|_| Err(interrupted())) };
        let flight = flight.boxed().shared();
        flights.insert(query.clone(), flight.clone());
        Boarded::Flight(flight)
    }

    /// Whoever asks from now on gets a new flight. To be called when what was learnt is recorded.
    pub(super) fn land(&self, query: &Query) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(query);
    }
}

/// Lands a flight however its task ends.
pub(super) struct Landing<'f> {
    pub(super) flights: &'f Flights,
    pub(super) query: &'f Query,
}

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        self.flights.land(self.query);
    }
}

fn interrupted() -> Ignorance {
    Ignorance::new("Lanyard", "look up an object", Why::Unreachable, "the look-up was interrupted")
}
