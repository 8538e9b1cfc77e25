//! Reads a request's body: never more than its limit, never longer than its time.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Body;

/// Why a body was not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is larger than its limit.
    #[error("the request is larger than {limit} octets")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// It did not arrive in time.
    #[error("the request did not arrive in time")]
    TooSlow,
    /// The connection broke.
    #[error("the request did not arrive whole")]
    Broken,
}

impl BodyError {
    /// The HTTP status that says so.
    pub fn status(self) -> StatusCode {
        match self {
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Broken => StatusCode::BAD_REQUEST,
        }
    }

    /// Its name in metrics.
    pub fn reason(self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too large",
            Self::TooSlow => "too slow",
            Self::Broken => "incomplete",
        }
    }
}

/// The whole body. One that announces too much is refused before it is read.
pub async fn read<B>(body: B, limit: usize, time: Duration) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if body.size_hint().lower() > limit as u64 {
        return Err(BodyError::TooLarge { limit });
    }
    let mut reading = pin!(Limited::new(body, limit).collect());
    let read = match soon(reading.as_mut()).await {
        Some(read) => read,
        None => tokio::time::timeout(time, reading).await.map_err(|_| BodyError::TooSlow)?,
    };
    match read {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(BodyError::TooLarge { limit }),
        Err(_) => Err(BodyError::Broken),
    }
}

/// What a future comes to if it is ready at the second look.
///
/// Most bodies come with their header, but hyper hands them over only once they are asked for. Setting a clock for that
/// moment, and stopping it, would cost more than to look again.
async fn soon<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    let mut looked = false;
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if looked => Poll::Ready(None),
        Poll::Pending => {
            looked = true;
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use http_body_util::{Full, StreamBody};

    use super::*;

    #[tokio::test]
    async fn a_body_of_the_limit_is_read_and_one_octet_more_is_refused() {
        let limit = 16;
        let second = Duration::from_secs(1);
        let whole = read(Full::new(Bytes::from(vec![7; limit])), limit, second).await.unwrap();
        assert_eq!(whole.len(), limit);
        let refused = read(Full::new(Bytes::from(vec![7; limit + 1])), limit, second).await;
        assert_eq!(refused, Err(BodyError::TooLarge { limit }));
    }

    #[tokio::test]
    async fn a_body_without_a_length_is_cut_off_at_the_limit() {
        let chunks = futures_util::stream::repeat_with(|| {
            Ok::<_, std::convert::Infallible>(hyper::body::Frame::data(Bytes::from_static(
                &[0; 10],
            )))
        });
        let refused = read(StreamBody::new(chunks), 64, Duration::from_secs(1)).await;
        assert_eq!(refused, Err(BodyError::TooLarge { limit: 64 }));
    }

    #[tokio::test]
    async fn a_body_that_never_comes_is_given_up() {
        let never = futures_util::stream::pending::<
            Result<hyper::body::Frame<Bytes>, std::convert::Infallible>,
        >();
        let refused = read(StreamBody::new(never), 64, Duration::from_millis(1)).await;
        assert_eq!(refused, Err(BodyError::TooSlow));
    }
}
