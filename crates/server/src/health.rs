//! What does not work at present, in words: for `/probe` and the status page.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use lanyard_authority::Fault;
use lanyard_authority::detached::AnsweredCa;
use lanyard_lifecycle::id::OrganizationId;
use lanyard_pki::Time;

use crate::app::App;

/// Free space below which the embedded database cannot record anything any more, in octets.
const NO_ROOM: u64 = 1 << 20;

/// What does not work at present, a sentence each; none when all is well.
pub async fn troubles(app: &App) -> Vec<String> {
    if let Some(responder) = &app.responder {
        return troubles_of(&responder.authorities(), app.now());
    }
    let mut troubles = Vec::new();
    if let Some(id) = app.store_health.note(app.authority.show_cas().await.map(|_| ())) {
        troubles.push(format!("The store does not answer (fault {id})."));
    }
    if app.config.storage.url.is_none() && is_full(room(app.config.data.clone()).await) {
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

/// What keeps a responder without the store from answering. A CA that is over asks for nothing.
fn troubles_of(cas: &[AnsweredCa], now: Time) -> Vec<String> {
    let mut troubles = Vec::new();
    for ca in cas.iter().filter(|ca| now < ca.not_after) {
        let name = &ca.name;
        match &ca.crl {
            None => troubles.push(format!("There is no CRL of {name}: clients get tryLater.")),
            Some(crl) if !crl.is_current_at(now) => troubles.push(format!(
                "The CRL of {name} has ended ({}): clients get tryLater.",
                crl.next_update
            )),
            Some(_) => {}
        }
        if let Some((begin, end)) = ca.responder_validity
            && !(begin <= now && now < end)
        {
            troubles.push(format!(
                "What signs for {name} is valid from {begin} to {end}: make another with `lanyard ca responder`."
            ));
        }
    }
    troubles
}

/// Whether the store answers, as far as was seen. However often it is asked, each change is logged once.
#[derive(Debug, Default)]
pub struct StoreHealth {
    /// The fault that began it, while the store does not answer.
    fault: Mutex<Option<String>>,
}

impl StoreHealth {
    /// Takes note of whether it answered; returns the id under which the log has why it does not.
    fn note(&self, answered: Result<(), Fault>) -> Option<String> {
        let mut known = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        match answered {
            Ok(()) => {
                if known.take().is_some() {
                    tracing::info!("The store answers again");
                }
                None
            }
            Err(fault) => {
                let id = known.get_or_insert_with(|| {
                    let (id, cause) = (fault.id(), fault.report());
                    tracing::error!(fault.id = %id, "The store does not answer: {cause}");
                    id
                });
                Some(id.clone())
            }
        }
    }
}

/// Octets that are free where `folder` is, where the system knows.
async fn room(folder: PathBuf) -> Option<u64> {
    tokio::task::spawn_blocking(move || free(&folder)).await.ok().flatten()
}

fn free(folder: &Path) -> Option<u64> {
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
        assert!(free(&std::env::temp_dir()).is_some());
    }

    #[test]
    fn a_store_that_is_away_is_one_fault_until_it_answers_again() {
        let health = StoreHealth::default();
        let away = || health.note(Err(Fault::lasting("read", "nobody is there")));
        assert_eq!(health.note(Ok(())), None);
        let first = away();
        assert!(first.is_some());
        assert_eq!(away(), first, "the log has it under this id");
        assert_eq!(health.note(Ok(())), None);
        assert_ne!(away(), first, "it went away again");
    }
}
