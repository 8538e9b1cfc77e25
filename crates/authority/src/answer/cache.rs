//! Signed answers, kept while they are true, so that a signature is made once for everyone who asks the same.
//!
//! Bounded in octets. An answer that is outdated, or whose certificate's standing has changed, is never given out,
//! whenever it was put in. Of many who ask the same at once one signs and the others wait for it.

use std::sync::Arc;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use super::signed::Signed;
use crate::clock::Clock;
use crate::status::generations::Generations;

/// What an answer weighs together with its key and its share of the table, in octets, as a first guess.
const EXPECTED: u64 = 1024;

/// What one entry costs besides key and value: the table's slot, its index, two allocations.
const ENTRY: u64 = 96;

/// What became of the attempt to make an answer.
///
/// Failures pass through the cache only to whoever is waiting for them.
type Attempt<E> = Result<Arc<Signed>, E>;

/// The cache. A key is the question as its client wrote it: the list of CertIDs, octet by octet.
#[derive(Debug)]
pub(crate) struct Answers<E> {
    cache: Cache<Vec<u8>, Attempt<E>, Weight>,
}

#[derive(Debug, Clone)]
struct Weight;

impl<E> Weighter<Vec<u8>, Attempt<E>> for Weight {
    fn weight(&self, key: &Vec<u8>, attempt: &Attempt<E>) -> u64 {
        key.len() as u64 + ENTRY + attempt.as_ref().map_or(0, |answer| answer.weight())
    }
}

impl<E: Clone> Answers<E> {
    /// A cache of so many octets.
    pub(crate) fn new(octets: u64) -> Self {
        let items = usize::try_from(octets / EXPECTED).unwrap_or(usize::MAX).max(1);
        let options = OptionsBuilder::new()
            .estimated_items_capacity(items)
            .weight_capacity(octets)
            .build()
            .expect("items and weight are given");
        let lifecycle = DefaultLifecycle::default();
        let cache = Cache::with_options(options, Weight, DefaultHashBuilder::default(), lifecycle);
        Self { cache }
    }

    /// The answer to `question` if it is here and current.
    pub(crate) fn current(
        &self,
        question: &[u8],
        generations: &Generations,
        clock: &dyn Clock,
    ) -> Option<Arc<Signed>> {
        // The time is read after the answer is taken, which is then never from the future.
        let answer = self.cache.get(question)?.ok()?;
        answer.is_current(generations, clock.now()).then_some(answer)
    }

    /// The answer to `question`: the present one, else what `make` makes, once for everyone who asks meanwhile.
    ///
    /// Who waited for another's answer gets it only if it is true when it arrives; else he makes his own. A failure is
    /// told to everyone who waited for it and not kept.
    pub(crate) async fn current_or<F>(
        &self,
        question: &[u8],
        generations: &Generations,
        clock: &dyn Clock,
        make: impl Fn() -> F,
    ) -> Attempt<E>
    where
        F: Future<Output = Attempt<E>>,
    {
        loop {
            let guard = match self.cache.get_value_or_guard_async(question).await {
                Ok(Ok(answer)) if answer.is_current(generations, clock.now()) => return Ok(answer),
                Ok(Ok(outdated)) => {
                    self.cache.remove_if(question, |attempt| is(attempt, &outdated));
                    continue;
                }
                Ok(Err(failure)) => return Err(failure),
                Err(guard) => guard,
            };
            let attempt = make().await;
            let kept = guard.insert(attempt.clone()).is_ok();
            if kept && attempt.is_err() {
                self.cache.remove_if(question, Result::is_err);
            }
            match attempt {
                // Somebody changed the standing while the answer was signed. It was asked for before that was
                // acknowledged, but who asked after it may be waiting for the same answer: the next one serves both.
                Ok(answer) if !answer.is_true(generations) => {}
                attempt => return attempt,
            }
        }
    }

    /// How many octets the answers take now.
    pub(crate) fn octets(&self) -> u64 {
        self.cache.weight()
    }
}

fn is<E>(attempt: &Attempt<E>, answer: &Arc<Signed>) -> bool {
    attempt.as_ref().is_ok_and(|kept| Arc::ptr_eq(kept, answer))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use lanyard_pki::{SerialNumber, Time};
    use tokio::sync::Notify;

    use super::*;
    use crate::clock::ManualClock;

    const NOW: Time = Time::from_unix(1_800_000_000);

    fn clock() -> ManualClock {
        ManualClock::new(NOW)
    }

    fn serial(number: u8) -> SerialNumber {
        SerialNumber::from_bytes(&[number]).unwrap()
    }

    fn answer(text: &'static [u8], generations: &Generations, serials: &[u8]) -> Arc<Signed> {
        let stamps = serials.iter().map(|number| generations.stamp(&serial(*number))).collect();
        Arc::new(Signed::new(text.to_vec(), NOW, NOW.plus(600), stamps))
    }

    #[tokio::test]
    async fn an_answer_is_made_once_and_given_until_it_ends() {
        let (answers, generations) = (Answers::<()>::new(1 << 20), Generations::new());
        let signed = AtomicU32::new(0);
        let clock = ManualClock::new(NOW);
        for seconds in [0, 1, 599, 600, 601] {
            let now = NOW.plus(seconds);
            clock.set(now);
            let make = async || {
                signed.fetch_add(1, Ordering::SeqCst);
                let stamps = Box::new([generations.stamp(&serial(1))]);
                Ok(Arc::new(Signed::new(Vec::new(), now, now.plus(600), stamps)))
            };
            answers.current_or(b"q", &generations, &clock, make).await.unwrap();
        }
        assert_eq!(signed.load(Ordering::SeqCst), 2);
        clock.set(NOW);
        assert!(answers.current(b"q", &generations, &clock).is_none(), "the clock was set back");
    }

    #[tokio::test]
    async fn an_answer_is_gone_once_any_of_its_certificates_changes() {
        let (answers, generations) = (Answers::<()>::new(1 << 20), Generations::new());
        let make = async || Ok(answer(b"both", &generations, &[1, 2]));
        answers.current_or(b"q", &generations, &clock(), make).await.unwrap();
        assert!(answers.current(b"q", &generations, &clock()).is_some());
        generations.advance(&serial(2));
        assert!(answers.current(b"q", &generations, &clock()).is_none());
        let make = async || Ok(answer(b"again", &generations, &[1, 2]));
        let again = answers.current_or(b"q", &generations, &clock(), make).await.unwrap();
        assert_eq!(&again.der[..], b"again");
    }

    #[tokio::test]
    async fn an_answer_made_before_a_change_is_not_given_to_who_asks_after_it() {
        let answers = Arc::new(Answers::<()>::new(1 << 20));
        let generations = Arc::new(Generations::new());
        let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let first = tokio::spawn({
            let (answers, generations) = (answers.clone(), generations.clone());
            let (begun, go_on) = (begun.clone(), go_on.clone());
            async move {
                let rounds = AtomicU32::new(0);
                let make = async || {
                    if rounds.fetch_add(1, Ordering::SeqCst) > 0 {
                        return Ok(answer(b"revoked", &generations, &[1]));
                    }
                    let good = answer(b"good", &generations, &[1]);
                    begun.notify_one();
                    go_on.notified().await;
                    Ok(good)
                };
                answers.current_or(b"q", &generations, &clock(), make).await.unwrap()
            }
        });
        begun.notified().await;
        generations.advance(&serial(1));
        let second = tokio::spawn({
            let (answers, generations) = (answers.clone(), generations.clone());
            async move {
                let make = async || Ok(answer(b"revoked", &generations, &[1]));
                answers.current_or(b"q", &generations, &clock(), make).await.unwrap()
            }
        });
        tokio::task::yield_now().await;
        go_on.notify_one();
        assert_eq!(&second.await.unwrap().der[..], b"revoked");
        assert_eq!(&first.await.unwrap().der[..], b"revoked");
        let kept = answers.current(b"q", &generations, &clock()).unwrap();
        assert_eq!(&kept.der[..], b"revoked");
    }

    #[tokio::test]
    async fn many_who_ask_at_once_wait_for_one_signature() {
        let answers = Arc::new(Answers::<()>::new(1 << 20));
        let generations = Arc::new(Generations::new());
        let (signed, go_on) = (Arc::new(AtomicU32::new(0)), Arc::new(Notify::new()));
        let askers: Vec<_> = (0..50)
            .map(|_| {
                let (answers, generations) = (answers.clone(), generations.clone());
                let (signed, go_on) = (signed.clone(), go_on.clone());
                tokio::spawn(async move {
                    let make = async || {
                        signed.fetch_add(1, Ordering::SeqCst);
                        go_on.notified().await;
                        Ok(answer(b"a", &generations, &[1]))
                    };
                    answers.current_or(b"q", &generations, &clock(), make).await.unwrap()
                })
            })
            .collect();
        while signed.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        go_on.notify_one();
        for asker in askers {
            asker.await.unwrap();
        }
        assert_eq!(signed.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn a_failure_is_told_and_not_kept() {
        let (answers, generations) = (Answers::<&str>::new(1 << 20), Generations::new());
        let fail = async || Err("no store");
        let told = answers.current_or(b"q", &generations, &clock(), fail).await;
        assert_eq!(told.unwrap_err(), "no store");
        let make = async || Ok(answer(b"a", &generations, &[1]));
        assert!(answers.current_or(b"q", &generations, &clock(), make).await.is_ok());
    }

    #[tokio::test]
    async fn the_cache_stays_within_its_octets() {
        let (answers, generations) = (Answers::<()>::new(100_000), Generations::new());
        for number in 0..1_000_u32 {
            let make = async || Ok(answer(&[7; 1_000], &generations, &[1]));
            answers.current_or(&number.to_be_bytes(), &generations, &clock(), make).await.unwrap();
        }
        assert!(answers.octets() <= 100_000, "{}", answers.octets());
        assert!(answers.octets() > 20_000, "{}", answers.octets());
    }
}
