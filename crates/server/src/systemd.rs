//! Tells systemd that the server is ready, alive, stopping. Without systemd, nothing happens.

use sd_notify::NotifyState;
use tokio_util::sync::CancellationToken;

/// The server answers.
pub fn ready(status: &str) {
    notify(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The server stops.
pub fn stopping() {
    notify(&[NotifyState::Stopping]);
}

/// Feeds the watchdog, where there is one, at half its time, as long as `healthy` says so.
pub async fn watchdog<F>(stop: CancellationToken, healthy: impl Fn() -> F)
where
    F: Future<Output = bool>,
{
    let Some(every) = sd_notify::watchdog_enabled() else { return };
    while stop.run_until_cancelled(tokio::time::sleep(every / 2)).await.is_some() {
        if healthy().await {
            notify(&[NotifyState::Watchdog]);
        } else {
            tracing::error!("The server is not well: the watchdog is not fed");
        }
    }
}

fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "systemd could not be told");
    }
}
