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

/// Feeds the watchdog, where there is one, at half its time, whenever `work` comes to its end.
///
/// The watchdog is for a program that hangs: one that finds itself unwell says so elsewhere and goes on with what it can
/// do, while a restart would take that away as well.
pub async fn watchdog<F>(stop: CancellationToken, work: impl Fn() -> F)
where
    F: Future<Output = ()>,
{
    let Some(every) = sd_notify::watchdog_enabled() else { return };
    while stop.run_until_cancelled(tokio::time::sleep(every / 2)).await.is_some() {
        work().await;
        notify(&[NotifyState::Watchdog]);
    }
}

fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "systemd could not be told");
    }
}
