//! Jamf Pro tried out for an administrator.

use std::sync::Arc;

use serde::Deserialize;

use super::collection::Collection;
use super::inventory::{Inventory, Route};
use super::people;
use super::session::Reading;
use super::{JamfPro, Session, sight};
use crate::check::Check;
use crate::ignorance::{Ignorance, Why};

/// More than this, and the ends of tokens are misjudged.
const MOST_SKEW: i64 = 300;

#[derive(Deserialize)]
struct Version {
    version: String,
}

impl JamfPro {
    pub(super) async fn checks(&self) -> Vec<Check> {
        let mut checks = vec![self.token().await];
        if !matches!(checks.as_slice(), [check] if check.outcome == crate::check::Outcome::Ok) {
            return checks;
        }
        checks.extend(self.version().await);
        checks.extend(self.sight().await);
        checks.push(devices(&self.session, &self.computers).await);
        checks.push(devices(&self.session, &self.mobile_devices).await);
        checks.push(self.users().await);
        checks
    }

    async fn token(&self) -> Check {
        const WHAT: &str = "Sign-in";
        match self.session.tokens().token().await {
            Ok(_) => Check::ok(WHAT, "Jamf Pro gave a token."),
            Err(ignorance) => Check::problem(WHAT, format!("{ignorance}."))
                .disables(
                    "nothing of Jamf Pro is known: no certificate for its devices and users is \
                     issued, and the status of theirs is unknown once the last facts are too old.",
                )
                .remedy(match ignorance.why {
                    Why::Unauthorized | Why::Refused { status: 400 } => {
                        "check the client id and secret (or the account and password); in Jamf Pro \
                         under Settings > System > API roles and clients the client must be enabled."
                    }
                    Why::Refused { status: 404 } | Why::Unreadable | Why::Redirected => {
                        "check the address: it is the one of the Jamf Pro web application, with its \
                         path if it has one, and https."
                    }
                    _ => {
                        "check that this machine reaches the address (name, proxy, firewall, TLS \
                         certificate)."
                    }
                }),
        }
    }

    /// Version and clock. The version is for information: an instance that does not tell is no
    /// worse for it.
    async fn version(&self) -> Vec<Check> {
        let path = ["api", "v1", "jamf-pro-version"];
        let read = self.session.get("read the version", Reading::One, &path, &[], "any").await;
        let Ok(answer) = read else { return Vec::new() };
        let mut checks = Vec::new();
        if let Ok(Version { version }) = answer.json() {
            let version: String = version.chars().filter(|c| !c.is_control()).take(60).collect();
            checks.push(Check::ok("Version", format!("Jamf Pro {version}.")));
        }
        if let Some(theirs) = answer.date() {
            let skew = theirs.seconds_since(answer.asked);
            checks.push(if skew.abs() <= MOST_SKEW {
                Check::ok("Clock", format!("The clocks differ by {} s.", skew.abs()))
            } else {
                let found = format!("The clock of Jamf Pro is {skew} s ahead of ours.");
                Check::warning("Clock", found)
                    .disables("times in facts and audit entries cannot be compared.")
                    .remedy("synchronise the clocks of both machines (NTP).")
            });
        }
        checks
    }

    /// A check of its own only where something is wrong: API clients always see everything.
    async fn sight(&self) -> Option<Check> {
        let ignorance = sight::is_unlimited(&self.session, &self.credential).await.err()?;
        let check = Check::problem("Access", format!("{ignorance}."))
            .disables("no deletion in Jamf Pro is believed, and so none revokes.")
            .remedy(
                "use an API client, which always sees everything, or give the account Full Access \
                 (Settings > System > User accounts and groups).",
            );
        Some(check)
    }

    async fn users(&self) -> Check {
        match self.people.roster.listed(&self.session).await {
            Ok(listed) => {
                let found = format!("Granted; there are {} users.", listed.ids.len());
                Check::ok(privilege(people::PRIVILEGE), found)
            }
            Err(ignorance) => missing(
                people::PRIVILEGE,
                &ignorance,
                "certificates of users (OU=users-on-computers, OU=users-on-devices) are not issued, \
                 and a deleted user keeps them until the last facts are too old.",
            ),
        }
    }
}

async fn devices(session: &Arc<Session>, inventory: &Inventory) -> Check {
    let name = inventory.collection.privilege();
    let (collection, disabled) = match inventory.collection {
        Collection::Computers => (
            "computers",
            "certificates of computers and their users (OU=computers, OU=users-on-computers) are \
             not issued, and the status of theirs is unknown once the last facts are too old.",
        ),
        Collection::MobileDevices => (
            "mobile devices",
            "certificates of mobile devices and their users (OU=devices, OU=users-on-devices) are \
             not issued, and the status of theirs is unknown once the last facts are too old.",
        ),
    };
    let route = match inventory.route(session).await {
        Ok(route) => route,
        Err(ignorance) => return missing(name, &ignorance, disabled),
    };
    let counted = match route {
        Route::Pro(version) => {
            inventory.list(session, version, 0, 1).await.map(|(listing, _)| listing.total)
        }
        Route::Classic => {
            inventory.roster.listed(session).await.map(|listed| listed.ids.len() as u64)
        }
    };
    let count = match counted {
        Ok(count) => count,
        Err(ignorance) => return missing(name, &ignorance, disabled),
    };
    match route {
        Route::Pro("v1") if inventory.collection == Collection::Computers => Check::warning(
            privilege(name),
            format!("Granted; there are {count} {collection}, read by version 1 of the inventory."),
        )
        .disables("nothing yet: Jamf has deprecated that version, and will remove it.")
        .remedy("upgrade Jamf Pro; newer versions are then used by themselves."),
        Route::Pro(version) => {
            let found = format!("Granted; there are {count} {collection} (Pro API, {version}).");
            Check::ok(privilege(name), found)
        }
        Route::Classic => Check::warning(
            privilege(name),
            format!("Granted; there are {count} {collection}, read by the Classic API."),
        )
        .disables("names and assignments of devices are as of their last look-up.")
        .remedy("upgrade Jamf Pro; its Pro API is then used by itself."),
    }
}

fn privilege(name: &str) -> String {
    format!("Privilege {name}")
}

fn missing(name: &str, ignorance: &Ignorance, disables: &str) -> Check {
    let remedy = if matches!(ignorance.why, Why::Forbidden { .. }) {
        format!(
            "in Jamf Pro under Settings > System > API roles and clients add the privilege {name} \
             to the role of Lanyard's client (or to the account)."
        )
    } else {
        "see the message; Jamf Pro answered, but not as documented, or not in time.".to_owned()
    };
    Check::problem(privilege(name), format!("{ignorance}.")).disables(disables).remedy(remedy)
}
