//! Entra ID: users, devices and risky users.
//!
//! Devices are known by their `deviceId`, which certificates carry; notices of their removal name
//! the directory object, whose id is another ([`crate::Change::RemovedByGraphId`]). What proves an
//! absence is in [`crate::graph::is_not_found`]. Managed devices are [`crate::intune`]'s.

mod changes;
mod look_up;
pub mod notification;
mod subscriptions;
mod wire;

use std::time::Duration;

use lanyard_lifecycle::{DirectoryId, ObjectId, ObjectKind};

use crate::change::{Batch, ChangesError, Cursor};
use crate::check::Check;
use crate::connector::{BoxFuture, Connector, Feed, FeedKind, Found, Query};
use crate::graph::{Graph, Page, Permission, Probe, Workload, is_not_found};
use crate::ignorance::{Ignorance, Why};
use crate::tenant::Tenant;
use crate::token::SignIn;
use look_up::device_segment;
use wire::Related;

/// The users and devices of a tenant.
#[derive(Debug)]
pub struct EntraId {
    directory: DirectoryId,
    graph: Graph,
    /// Risky users may be asked for once a second only, by all applications of the tenant together.
    protection: Graph,
    sign_in: SignIn,
    risk: UserRisk,
}

/// Whether risky users are followed. It takes a permission and a licence, and not every cloud has
/// them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UserRisk {
    /// They are not asked for.
    #[default]
    Ignored,
    /// They are read all at once, round by round.
    Followed,
    /// So are they, and nothing else of the tenant: neither users nor devices are read.
    Alone,
}

impl UserRisk {
    const fn is_followed(self) -> bool {
        matches!(self, Self::Followed | Self::Alone)
    }
}

/// The tenant takes one a second, counted where they arrive: they may come closer together than
/// they were sent.
const BETWEEN_RISKY_REQUESTS: Duration = Duration::from_millis(1100);

impl EntraId {
    /// The users and devices of `tenant`.
    pub fn new(tenant: &Tenant, risk: UserRisk) -> Self {
        let protection = "Microsoft Graph (risky users)";
        Self {
            directory: tenant.directory(),
            graph: tenant.graph("Microsoft Graph"),
            protection: tenant.graph_at_most_every(protection, BETWEEN_RISKY_REQUESTS),
            sign_in: tenant.sign_in().clone(),
            risk,
        }
    }

    /// The people registered as owners of a device, by its `deviceId`; none when there is no such
    /// device.
    ///
    /// # Errors
    /// Whenever Graph neither listed them nor proved that it has no such device.
    pub async fn owners(&self, device: ObjectId) -> Result<Option<Vec<ObjectId>>, Ignorance> {
        let segment = device_segment(device.into());
        let path = [segment.as_str(), "registeredOwners"];
        let mut url = self.graph.query(&path, &[("$select", "id")]);
        let mut owners = Vec::new();
        for _ in 0..MOST_OWNER_PAGES {
            let answer =
                self.graph.get("list a device's owners", &url, Permission::DIRECTORY.name).await?;
            if is_not_found(&answer, Workload::Directory) {
                return Ok(None);
            }
            let page: Page<Related> = answer.json()?;
            let people = page.value.into_iter().filter(|related| {
                related.kind.as_deref().is_none_or(|kind| kind == "#microsoft.graph.user")
            });
            owners.extend(people.map(|related| ObjectId::from(related.id)));
            let Some(next) = page.next_link else { return Ok(Some(owners)) };
            url = self.graph.link(&next).ok_or_else(|| {
                answer.unreadable("a link that leads to another service, which is not followed")
            })?;
        }
        let detail = "more pages of owners than a device can have";
        Err(Ignorance::new(
            self.graph.service().name(),
            "list a device's owners",
            Why::Unreadable,
            detail,
        ))
    }

    async fn try_out(&self) -> Vec<Check> {
        let one = [("$top", "1"), ("$select", "id")];
        let directory = |collection, disables| Probe {
            permission: Permission::DIRECTORY,
            url: self.graph.query(&[collection], &one),
            disables,
            licence: None,
        };
        let mut probes = vec![
            directory("users", "certificates of users cannot follow their users."),
            directory("devices", "certificates of devices cannot follow Entra ID."),
        ];
        if self.risk == UserRisk::Alone {
            probes.clear();
        }
        let mut checks = self.graph.check(&self.sign_in, &probes).await;
        if self.risk.is_followed()
            && let Ok(token) = self.protection.tokens().token().await
        {
            let risky = Probe {
                permission: Permission::RISKY_USERS,
                url: self.protection.query(&["identityProtection", "riskyUsers"], &one),
                disables: "users at risk keep their certificates.",
                licence: Some("Entra ID P2"),
            };
            let mut risky = self.protection.check_permissions(&token, &[risky]).await;
            // The clock was told already.
            risky.truncate(1);
            checks.append(&mut risky);
        }
        checks
    }
}

const USERS: Feed = Feed { kind: ObjectKind::EntraUser, how: FeedKind::Delta };
const DEVICES: Feed = Feed { kind: ObjectKind::EntraDevice, how: FeedKind::Delta };
const RISKY_USERS: Feed = Feed { kind: ObjectKind::RiskyUser, how: FeedKind::Sweep };
const MOST_OWNER_PAGES: usize = 8;

impl Connector for EntraId {
    fn directory(&self) -> DirectoryId {
        self.directory
    }

    fn name(&self) -> &'static str {
        "Entra ID"
    }

    fn feeds(&self) -> &[Feed] {
        match self.risk {
            UserRisk::Ignored => const { &[USERS, DEVICES] },
            UserRisk::Followed => const { &[USERS, DEVICES, RISKY_USERS] },
            UserRisk::Alone => const { &[RISKY_USERS] },
        }
    }

    fn look_up<'a>(&'a self, query: &'a Query) -> BoxFuture<'a, Result<Found, Ignorance>> {
        Box::pin(self.ask(query))
    }

    fn look_up_all<'a>(
        &'a self,
        queries: &'a [Query],
    ) -> BoxFuture<'a, Vec<Result<Found, Ignorance>>> {
        Box::pin(self.ask_all(queries))
    }

    fn changes<'a>(
        &'a self,
        kind: ObjectKind,
        cursor: Option<&'a Cursor>,
    ) -> BoxFuture<'a, Result<Batch, ChangesError>> {
        Box::pin(self.read_changes(kind, cursor))
    }

    fn check(&self) -> BoxFuture<'_, Vec<Check>> {
        Box::pin(self.try_out())
    }
}

#[cfg(test)]
pub(crate) mod tests;
