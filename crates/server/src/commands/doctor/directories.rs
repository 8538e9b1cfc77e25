//! The directories: what each connector finds when it tries itself, and how far behind the mirror is.

use super::Finding;
use crate::control::client::ControlClient;
use crate::control::operations::directory::{
    CheckDirectories, CheckView, DirectoryView, FeedView, ListDirectories,
};

const ABOUT: &str = "directory";

/// Asks the running server, which has the credentials.
pub(super) async fn look(client: &ControlClient) -> Vec<Finding> {
    let directories = match client.run(ListDirectories {}).await {
        Ok(directories) if directories.is_empty() => return Vec::new(),
        Ok(directories) => directories,
        Err(failure) => return vec![unanswered(&failure)],
    };
    let mut findings = match client.run(CheckDirectories {}).await {
        Ok(checks) => checks.into_iter().map(check).collect(),
        Err(failure) => vec![unanswered(&failure)],
    };
    for directory in &directories {
        findings.extend(directory.feeds.iter().map(|feed| mirror(directory, feed)));
    }
    findings
}

fn unanswered(failure: &crate::exit::Failure) -> Finding {
    let fix = "Look at the server's log; restart it after an update.";
    Finding::problem(ABOUT, format!("The server does not tell: {failure}."), fix)
}

fn check(check: CheckView) -> Finding {
    let CheckView { directory, service, what, outcome, found, disables, remedy } = check;
    let mut text = format!("{directory}, {service}: {what}: {found}");
    if let Some(disables) = disables {
        text.push_str(" Without it: ");
        text.push_str(&disables);
    }
    let fix = remedy.unwrap_or_else(|| "See the server's log.".to_owned());
    match outcome.as_str() {
        "ok" => Finding::well(ABOUT, text),
        "warning" => Finding::warning(ABOUT, text, fix),
        _ => Finding::problem(ABOUT, text, fix),
    }
}

fn mirror(directory: &DirectoryView, feed: &FeedView) -> Finding {
    let what = format!("{}: every {}", directory.name, feed.kind.text());
    let age = feed.staleness_seconds.map(|age| format!("known as of {age} s ago"));
    let age = age.unwrap_or_else(|| "never read to its end".to_owned());
    let trouble = feed.trouble.as_ref().map(|trouble| format!(" {trouble}.")).unwrap_or_default();
    let text = format!("{what}: {} known, {age}.{trouble}", feed.present);
    let fix =
        "Mend what the checks above name; `lanyard directory sync --wait` then reads it at once.";
    match (feed.health.as_str(), &feed.trouble) {
        ("stale", _) => Finding::problem(ABOUT, text, fix),
        ("behind", _) | (_, Some(_)) => Finding::warning(ABOUT, text, fix),
        _ => Finding::well(ABOUT, text),
    }
}
