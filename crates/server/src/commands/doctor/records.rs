//! The store, the clock, and the authority's own certificates; without a server, the list and the RA that it left.

use lanyard_authority::Clock as _;
use lanyard_authority::clock::SystemClock;
use lanyard_pki::Time;
use lanyard_store::{AuditVerdict, CaState, CrlPartition, Options, RaState, Store, StoreError};

use super::{Finding, services};
use crate::config::Config;
use crate::control::operations::ca::CaView;
use crate::exit::Failure;
use crate::open::store_url;
use crate::routes::ca::state_name;

/// Seconds in a day.
const DAY: i64 = 86_400;

/// How long before its end a successor should be prepared, in days.
const PREPARE: i64 = 180;

/// One authority, as far as the doctor looks.
struct Seen {
    name: String,
    state: String,
    validity: Option<(Time, Time)>,
}

/// `running` is what a running server says about its authorities.
pub(super) async fn look(
    config: &Config,
    running: Option<&Result<Vec<CaView>, Failure>>,
) -> Vec<Finding> {
    let seen = match running {
        Some(Ok(cas)) => Ok((cas.iter().map(Seen::from).collect(), None)),
        Some(Err(failure)) => Err(failure.to_string()),
        None if !config.data.exists() && config.storage.url.is_none() => return Vec::new(),
        None => read(config).await.map(|(cas, left)| (cas, Some(left))),
    };
    match seen {
        Err(error) => vec![Finding::problem(
            "store",
            error,
            "Look at storage.url and the disk; restore a damaged store from a back-up.",
        )],
        Ok((seen, left)) => {
            let now = SystemClock.now();
            let mut findings =
                vec![Finding::well("store", format!("{} answers.", store_url(config)))];
            findings.push(clock(&seen, now));
            findings.extend(authorities(&seen, now));
            findings.extend(left.map(|left| left.findings(now)).unwrap_or_default());
            findings.push(audit_trail(config).await);
            findings
        }
    }
}

impl From<&CaView> for Seen {
    fn from(view: &CaView) -> Self {
        let time = |text: &Option<String>| text.as_deref().and_then(|text| text.parse().ok());
        let validity = time(&view.not_before).zip(time(&view.not_after));
        Self { name: view.name.clone(), state: view.state.clone(), validity }
    }
}

/// Without a server, the store is read and nothing of it is changed.
async fn read(config: &Config) -> Result<(Vec<Seen>, Left), String> {
    read_store(config).await.map_err(|error| error.to_string())
}

async fn read_store(config: &Config) -> Result<(Vec<Seen>, Left), StoreError> {
    let store = Store::open(&store_url(config), Options::READING).await?;
    let cas = store.cas().await?;
    let current = cas.iter().find(|ca| ca.record.state == CaState::Current).map(|ca| ca.id);
    let left = match current {
        None => Left { crl: None, ra: None, issues: false },
        Some(ca) => {
            let crl = store.latest_crl(ca, CrlPartition::COMPLETE, false).await?;
            let ras = store.ra_certificates(Time::MIN).await?;
            let ra = ras.iter().find(|ra| ra.state == RaState::Current && ra.record.ca == ca);
            Left {
                crl: crl.map(|crl| (crl.this_update, crl.next_update)),
                ra: ra.map(|ra| ra.record.not_after),
                issues: true,
            }
        }
    };
    store.close().await;
    let seen = cas
        .into_iter()
        .map(|ca| Seen {
            name: ca.record.name,
            state: state_name(ca.record.state).to_owned(),
            validity: ca.record.material.map(|material| (material.not_before, material.not_after)),
        })
        .collect();
    Ok((seen, left))
}

/// What a server that does not run has left: nobody makes it anew.
struct Left {
    /// When the current authority's last list was made, and until when it is valid.
    crl: Option<(Time, Time)>,
    /// When the certificate ends that clients encrypt to, where it is not the authority's.
    ra: Option<Time>,
    /// Whether there is a current authority.
    issues: bool,
}

impl Left {
    fn findings(&self, now: Time) -> Vec<Finding> {
        const START: &str = "Start the server: it makes a new one.";
        let crl = match self.crl {
            Some((made, end)) => Some(services::freshness(made, Some(end), now, START)),
            None if self.issues => Some(Finding::warning("CRL", "None was made yet.", START)),
            None => None,
        };
        let ra = self.ra.map(|end| {
            let text = format!("Clients encrypt to a certificate that is valid until {end}.");
            if end < now {
                Finding::warning("SCEP", text, START)
            } else {
                Finding::well("SCEP", text)
            }
        });
        crl.into_iter().chain(ra).collect()
    }
}

/// Whether the record of what was done is as it was written.
async fn audit_trail(config: &Config) -> Finding {
    let verified =
        async { Store::open(&store_url(config), Options::READING).await?.verify_audit().await };
    match verified.await {
        Ok(AuditVerdict::Intact { entries, .. }) => Finding::well(
            "audit",
            format!("{entries} entries, each following from the one before."),
        ),
        Ok(AuditVerdict::Broken { number }) => Finding::problem(
            "audit",
            format!("Entry {number} is not as it was written: somebody changed the store."),
            "Find out who had access to the store; compare with a back-up.",
        ),
        Err(error) => Finding::warning(
            "audit",
            format!("The trail could not be read: {error}."),
            "Run this as the user that the server runs as.",
        ),
    }
}

/// A clock that is behind what was issued is wrong; one that is ahead cannot be told from a late look.
fn clock(seen: &[Seen], now: Time) -> Finding {
    let earliest = seen.iter().filter_map(|ca| ca.validity).map(|(from, _)| from).max();
    match earliest {
        Some(from) if now < from => Finding::problem(
            "clock",
            format!("It shows {now}, before the authority's certificate began at {from}."),
            "Set the clock, and keep it with NTP.",
        ),
        _ => Finding::well("clock", format!("It shows {now}.")),
    }
}

fn authorities(seen: &[Seen], now: Time) -> Vec<Finding> {
    let current = state_name(CaState::Current);
    let has_next = seen.iter().any(|ca| ca.state == state_name(CaState::Next));
    let mut findings: Vec<Finding> = seen
        .iter()
        .filter(|ca| ca.state == current)
        .filter_map(|ca| ca.validity.map(|(_, to)| (ca, to)))
        .map(|(ca, to)| {
            let days = to.seconds_since(now) / DAY;
            let text = format!("{} is valid until {to} ({days} days).", ca.name);
            match days {
                ..0 => Finding::problem("authority", text, "It issues nothing any more: `lanyard ca prepare-next`."),
                0..PREPARE if !has_next => Finding::warning(
                    "authority",
                    text,
                    "Prepare its successor with `lanyard ca prepare-next`, so that clients learn it in time.",
                ),
                _ => Finding::well("authority", text),
            }
        })
        .collect();
    if findings.is_empty() {
        let waits = seen.iter().any(|ca| ca.state == state_name(CaState::Requested));
        findings.push(if waits {
            Finding::problem(
                "authority",
                "Its certificate was requested from another CA and is not there yet.",
                "`lanyard ca show --json` has the request; give the answer to `lanyard ca import`.",
            )
        } else {
            Finding::warning(
                "authority",
                "There is none yet.",
                "`lanyard serve` makes it at its first start.",
            )
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    fn ca(state: CaState, from: i64, days: i64) -> Seen {
        let from = Time::from_unix(from);
        Seen {
            name: "CN=CA".into(),
            state: state_name(state).to_owned(),
            validity: Some((from, from.plus(days * DAY))),
        }
    }

    #[test]
    fn an_authority_near_its_end_needs_a_successor() {
        let now = Time::from_unix(1_000_000);
        let near = ca(CaState::Current, 0, 100);
        assert_eq!(authorities(&[near], now)[0].state, State::Warning);
        let pair = [ca(CaState::Current, 0, 100), ca(CaState::Next, 0, 3650)];
        assert_eq!(authorities(&pair, now)[0].state, State::Well);
        assert_eq!(authorities(&[ca(CaState::Current, 0, 1)], now)[0].state, State::Problem);
        assert_eq!(authorities(&[ca(CaState::Current, 0, 3650)], now)[0].state, State::Well);
    }

    #[test]
    fn an_authority_that_waits_for_its_certificate_is_in_trouble() {
        let waiting = Seen { validity: None, ..ca(CaState::Requested, 0, 0) };
        assert_eq!(authorities(&[waiting], Time::from_unix(0))[0].state, State::Problem);
    }

    #[test]
    fn without_a_server_the_list_and_the_ra_end_and_nobody_makes_new_ones() {
        let at = Time::from_unix;
        let left = Left { crl: Some((at(0), at(400))), ra: Some(at(300)), issues: true };
        let states = |now| left.findings(at(now)).iter().map(|one| one.state).collect::<Vec<_>>();
        assert_eq!(states(0), [State::Well, State::Well]);
        assert_eq!(states(301), [State::Warning, State::Warning]);
        assert_eq!(states(401), [State::Problem, State::Warning]);
        let nothing = Left { crl: None, ra: None, issues: true };
        assert_eq!(nothing.findings(at(0))[0].state, State::Warning);
    }

    #[test]
    fn a_clock_before_the_authoritys_birth_is_wrong() {
        let born = ca(CaState::Current, 1_000_000, 3650);
        assert_eq!(clock(&[born], Time::from_unix(999_999)).state, State::Problem);
    }
}
