//! A few threads for long computations, so that the threads which serve requests stay free.
//!
//! A private RSA operation takes from a quarter of a millisecond (2048 bits) to ten (8192 bits):
//! too long between two turns of a runtime that also answers OCSP. The number of threads bounds how
//! many run at a time; waiting callers wait in order. How many may wait is for the callers to
//! bound.

use std::collections::VecDeque;
use std::fmt;
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// The threads. They end when the last handle is dropped and the queue is empty.
pub struct Pool {
    shared: Arc<Shared>,
    threads: usize,
}

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    ready: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    closed: bool,
}

/// The computation ended without a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the computation ended without a result")]
pub struct Aborted;

impl Pool {
    /// The pool that software keys share: as many threads as the machine lets us use processors.
    pub fn shared() -> Arc<Self> {
        static SHARED: LazyLock<Arc<Pool>> = LazyLock::new(|| {
            let processors = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
            Arc::new(Pool::new(processors))
        });
        SHARED.clone()
    }

    /// A pool of this many threads. Those that the system refuses are left out.
    pub fn new(threads: NonZeroUsize) -> Self {
        let shared = Arc::new(Shared::default());
        let started = (0..threads.get())
            .filter(|n| {
                let shared = shared.clone();
                let named = thread::Builder::new().name(format!("keys-{n}"));
                named.spawn(move || shared.work()).is_ok()
            })
            .count();
        Self { shared, threads: started }
    }

    /// How many threads there are.
    pub const fn threads(&self) -> usize {
        self.threads
    }

    /// Computes `work` on one of the threads; without any, at once.
    ///
    /// The computation is carried out even if the future is dropped, unless it has not begun.
    pub async fn run<T, F>(&self, work: F) -> Result<T, Aborted>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        if self.threads == 0 {
            return Ok(work());
        }
        let (reply, result) = oneshot::channel();
        let job = Box::new(move || {
            if !reply.is_closed() {
                // Nobody waits for a result that was given up.
                let _ = reply.send(work());
            }
        });
        self.shared.lock().jobs.push_back(job);
        self.shared.ready.notify_one();
        result.await.map_err(|_| Aborted)
    }
}

impl Shared {
    fn work(&self) {
        while let Some(job) = self.next() {
            // A panic ends the computation, whose caller learns of it by the missing reply; not the
            // thread.
            let _ = panic::catch_unwind(AssertUnwindSafe(job));
        }
    }

    fn next(&self) -> Option<Job> {
        let mut queue = self.lock();
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                return Some(job);
            }
            if queue.closed {
                return None;
            }
            queue = self.ready.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.ready.notify_all();
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pool({} threads)", self.threads)
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::Pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Poll;

    use super::*;

    fn pool(threads: usize) -> Pool {
        Pool::new(NonZeroUsize::new(threads).unwrap())
    }

    #[tokio::test]
    async fn no_more_run_at_a_time_than_there_are_threads() {
        let pool = Arc::new(pool(2));
        let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let waiting: Vec<_> = (0..64)
            .map(|n| {
                let (pool, running, most) = (pool.clone(), running.clone(), most.clone());
                tokio::spawn(async move {
                    pool.run(move || {
                        let now = running.fetch_add(1, Ordering::SeqCst) + 1;
                        most.fetch_max(now, Ordering::SeqCst);
                        thread::yield_now();
                        running.fetch_sub(1, Ordering::SeqCst);
                        n
                    })
                    .await
                })
            })
            .collect();
        for (n, result) in waiting.into_iter().enumerate() {
            assert_eq!(result.await.unwrap(), Ok(n));
        }
        assert!((1..=2).contains(&most.load(Ordering::SeqCst)));
    }

    #[tokio::test]
    async fn a_panic_is_told_to_its_caller_and_the_thread_lives_on() {
        let pool = pool(1);
        let ended = pool.run(|| -> u8 { panic!("on purpose") }).await;
        assert_eq!(ended, Err(Aborted));
        assert_eq!(pool.run(|| 7).await, Ok(7));
    }

    #[tokio::test]
    async fn what_was_given_up_before_it_began_is_not_computed() {
        let pool = pool(1);
        let (open, gate) = std::sync::mpsc::channel::<()>();
        let mut first = Box::pin(pool.run(move || gate.recv()));
        assert!(poll_once(&mut first).await.is_none());
        let computed = Arc::new(AtomicUsize::new(0));
        let counter = computed.clone();
        let mut second = Box::pin(pool.run(move || counter.fetch_add(1, Ordering::SeqCst)));
        assert!(poll_once(&mut second).await.is_none());
        drop(second);
        open.send(()).unwrap();
        assert_eq!(first.await, Ok(Ok(())));
        assert_eq!(pool.run(|| 1).await, Ok(1));
        assert_eq!(computed.load(Ordering::SeqCst), 0);
    }

    async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        std::future::poll_fn(|context| match Pin::new(&mut *future).poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => Poll::Ready(None),
        })
        .await
    }
}
