//! What does not work at present, in words: for `/probe` and the status page.

use std::path::Path;

use lanyard_lifecycle::id::OrganizationId;

use crate::app::App;

/// Free space below which the embedded database cannot record anything any more, in octets.
const NO_ROOM: u64 = 1 << 20;

/// What does not work at present, a sentence each; none when all is well.
pub async fn troubles(app: &App) -> Vec<String> {
    let mut troubles = Vec::new();
    if let Err(fault) = app.authority.show_cas().await {
        tracing::error!(fault.id = %fault.id(), "The store does not answer: {}", fault.report());
        troubles.push(format!("The store does not answer (fault {}).", fault.id()));
    }
    if app.config.storage.url.is_none() && is_full(room(&app.config.data)) {
        troubles.push("The disk is full: no certificate can be recorded.".to_owned());
    }
    let cas = app.authority.cas();
    match cas.current(OrganizationId::DEFAULT) {
        None => troubles.push(
            "No authority issues here: its certificate has to be requested and imported."
                .to_owned(),
        ),
        Some(ca) if !ca.is_valid_at(app.now()) => {
            troubles.push("The authority's own certificate is not valid now.".to_owned());
        }
        Some(_) => {}
    }
    troubles
}

/// Octets that are free where `folder` is, where the system knows.
fn room(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

fn is_full(room: Option<u64>) -> bool {
    room.is_some_and(|octets| octets < NO_ROOM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_trouble_and_one_that_cannot_be_asked_is_not() {
        assert!(is_full(Some(NO_ROOM - 1)));
        assert!(!is_full(Some(NO_ROOM)));
        assert!(!is_full(None));
        assert!(room(&std::env::temp_dir()).is_some());
    }
}
