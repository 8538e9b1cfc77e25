//! Lets so many in at a time, keeps so many waiting, and sends the rest away.

use std::sync::Arc;
use std::time::Duration;

use metrics::gauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::ComeBack;
use crate::config::LimitsSection;

const WAITING: &str = "lanyard_scep_waiting";
const WORKING: &str = "lanyard_scep_working";

/// When a client that was sent away is to come again.
const RETRY_AFTER_SECONDS: u64 = 10;

/// The door through which SCEP messages come.
#[derive(Debug)]
pub struct Turnstile {
    /// A place inside or in the queue.
    places: Arc<Semaphore>,
    /// A place inside.
    inside: Arc<Semaphore>,
    wait: Duration,
}

/// One message's turn; over when dropped.
#[derive(Debug)]
pub struct Turn {
    _place: OwnedSemaphorePermit,
    _inside: OwnedSemaphorePermit,
    _working: Counted,
}

impl Turnstile {
    /// A door with these limits.
    pub fn new(limits: &LimitsSection) -> Self {
        let places =
            limits.scep_concurrency.saturating_add(limits.scep_queue).min(Semaphore::MAX_PERMITS);
        Self {
            places: Arc::new(Semaphore::new(places)),
            inside: Arc::new(Semaphore::new(limits.scep_concurrency.min(Semaphore::MAX_PERMITS))),
            wait: limits.scep_queue_wait.into(),
        }
    }

    /// A turn, once there is one.
    pub async fn enter(&self) -> Result<Turn, ComeBack> {
        let away = ComeBack { seconds: RETRY_AFTER_SECONDS };
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| away)?;
        let inside = match Arc::clone(&self.inside).try_acquire_owned() {
            Ok(inside) => inside,
            Err(_) => self.wait_for_turn().await.ok_or(away)?,
        };
        Ok(Turn { _place: place, _inside: inside, _working: Counted::new(WORKING) })
    }

    async fn wait_for_turn(&self) -> Option<OwnedSemaphorePermit> {
        let _waiting = Counted::new(WAITING);
        let inside = Arc::clone(&self.inside).acquire_owned();
        tokio::time::timeout(self.wait, inside).await.ok()?.ok()
    }
}

/// Counts one while it lives.
#[derive(Debug)]
struct Counted(&'static str);

impl Counted {
    fn new(name: &'static str) -> Self {
        gauge!(name).increment(1.0);
        Self(name)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        gauge!(self.0).decrement(1.0);
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future as _;
    use std::task::Poll;

    use super::*;
    use crate::config::unit::Span;

    fn turnstile(inside: usize, queue: usize, wait: Span) -> Turnstile {
        Turnstile::new(&LimitsSection {
            scep_concurrency: inside,
            scep_queue: queue,
            scep_queue_wait: wait,
            ..LimitsSection::default()
        })
    }

    #[tokio::test]
    async fn a_turn_that_ends_lets_the_next_one_in() {
        let turnstile = turnstile(1, 1, Span::minutes(1));
        let first = turnstile.enter().await.unwrap();
        let mut second = Box::pin(turnstile.enter());
        let waits =
            std::future::poll_fn(|context| Poll::Ready(second.as_mut().poll(context).is_pending()))
                .await;
        assert!(waits);
        drop(first);
        second.await.unwrap();
    }

    #[tokio::test]
    async fn whoever_finds_the_queue_full_is_sent_away_at_once() {
        let turnstile = turnstile(1, 0, Span::minutes(1));
        let _first = turnstile.enter().await.unwrap();
        assert_eq!(turnstile.enter().await.unwrap_err(), ComeBack { seconds: RETRY_AFTER_SECONDS });
    }

    #[tokio::test]
    async fn whoever_waits_too_long_is_sent_away() {
        let turnstile = turnstile(1, 5, Span::seconds(0));
        let _first = turnstile.enter().await.unwrap();
        assert_eq!(turnstile.enter().await.unwrap_err(), ComeBack { seconds: RETRY_AFTER_SECONDS });
    }
}
