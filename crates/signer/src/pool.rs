//! A few threads for long computations, so that the threads which serve requests stay free.
//!
//! A private RSA operation takes from a quarter of a millisecond (2048 bits) to ten (8192 bits):
//! too long between two turns of a runtime that also answers OCSP. The number of threads bounds how
//! many run at a time; waiting callers wait in order. How many may wait is for the callers to
//! bound.
//!
//! Going to another thread and back costs some ten microseconds each time. Work that needs the keys
//! again and again is better moved here as a whole ([`Pool::drive`]): then every computation in it
//! is carried out where it stands.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::thread;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;

/// The threads. They end when the last handle is dropped, with what they are at; what has not begun
/// is given up.
pub struct Pool {
    /// None where the system refuses threads: then everything is computed where it is asked for.
    runtime: Option<Runtime>,
    number: usize,
    threads: usize,
}

thread_local! {
    /// The number of the pool that this thread belongs to; 0 is none.
    static POOL: Cell<usize> = const { Cell::new(0) };
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

    /// A pool of this many threads.
    pub fn new(threads: NonZeroUsize) -> Self {
        static NUMBERS: AtomicUsize = AtomicUsize::new(1);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        // What is driven here may set timers and read from sockets.
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads.get())
            .thread_name("keys")
            .on_thread_start(move || POOL.set(number))
            // Computations take milliseconds: sockets are looked at more often than the usual 61 turns apart.
            .event_interval(16)
            .enable_all()
            .build()
            .ok();
        let threads = if runtime.is_some() { threads.get() } else { 0 };
        Self { runtime, number, threads }
    }

    /// How many threads there are.
    pub const fn threads(&self) -> usize {
        self.threads
    }

    /// Computes `work` on one of the threads: at once, if that is where the caller runs.
    ///
    /// The computation is carried out even if the future is dropped, unless it has not begun.
    pub async fn run<T, F>(&self, work: F) -> Result<T, Aborted>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let Some(runtime) = self.runtime.as_ref().filter(|_| POOL.get() != self.number) else {
            return panic::catch_unwind(AssertUnwindSafe(work)).map_err(|_| Aborted);
        };
        let (reply, result) = oneshot::channel();
        runtime.spawn(async move {
            if !reply.is_closed() {
                // Nobody waits for a result that was given up.
                let _ = reply.send(work());
            }
        });
        result.await.map_err(|_| Aborted)
    }

    /// Runs `task` on the threads, and every computation for which it asks this pool with it.
    ///
    /// It is carried out even if the future is dropped.
    pub async fn drive<F>(&self, task: F) -> Result<F::Output, Aborted>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        match &self.runtime {
            Some(runtime) => runtime.spawn(task).await.map_err(|_| Aborted),
            None => Ok(task.await),
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pool({} threads)", self.threads)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
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

    #[tokio::test]
    async fn what_is_driven_computes_where_it_stands() {
        let pool = Arc::new(pool(1));
        let inside = pool.clone();
        let driven = pool.drive(async move {
            let here = thread::current().id();
            // With one thread, which this task holds, it would wait for ever otherwise.
            let there = inside.run(|| thread::current().id()).await;
            (here, there)
        });
        let (here, there) = driven.await.unwrap();
        assert_eq!(Ok(here), there);
        assert_ne!(here, thread::current().id());
        let inside = pool.clone();
        let ended = pool.drive(async move { inside.run(|| -> u8 { panic!("on purpose") }).await });
        assert_eq!(ended.await, Ok(Err(Aborted)));
        assert_eq!(pool.drive(async { panic!("on purpose") }).await, Err::<(), _>(Aborted));
    }

    async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
        std::future::poll_fn(|context| match Pin::new(&mut *future).poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => Poll::Ready(None),
        })
        .await
    }
}
