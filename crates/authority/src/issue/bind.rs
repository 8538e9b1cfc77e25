//! From what a request claims to the object that its certificate follows: looked up, found good, and bound to.
//!
//! Which names mean which object, and which object may have what, is decided in the lifecycle room; here its directory is
//! asked for it.

use lanyard_directory::Why;
use lanyard_lifecycle::Refusal;
use lanyard_lifecycle::binding::{self, Asked, Binding, Candidate, DeviceDirectory, Sought};
use lanyard_lifecycle::id::{DirectoryId, ObjectId};
use lanyard_lifecycle::kind::Kind;
use lanyard_lifecycle::object::{ObjectKey, ObjectKind, Presence, Properties};
use lanyard_lifecycle::policy::Claims;
use lanyard_lifecycle::refusal::Unbound;
use lanyard_lifecycle::tether::{
    Known, Newcomers, Outage, Rules, Sight, Tethered, Vouched, may_enroll, objects,
};
use lanyard_lifecycle::verdict::Rule;
use lanyard_store::{FeedKey, ObjectName};

use crate::error::Doing as _;
use crate::mirror::{Answer, Need};
use crate::settings::{Endpoint, Follows, seconds};
use crate::{Authority, Error, Fault};

/// What a certificate is tethered to, and what is known of that.
#[derive(Debug)]
pub(crate) struct Bound {
    /// Its kind, object and directory.
    pub(crate) binding: Binding,
    /// Every object that decides about it, as it was when that was found good.
    sights: Vec<Sight>,
}

impl Bound {
    /// What its directory says of an object of this kind.
    pub(crate) fn properties(&self, kind: ObjectKind) -> Option<&Properties> {
        let sight = self.sights.iter().find(|sight| sight.key.kind == kind)?;
        match &sight.known {
            Known::Observed { presence: Presence::Present(properties), .. } => Some(properties),
            Known::Observed { presence: Presence::Absent, .. } | Known::Never => None,
        }
    }
}

impl Authority {
    /// Finds the object that a request is about, and whether it may have a certificate now.
    pub(crate) async fn bind(
        &self,
        endpoint: &Endpoint,
        claims: &Claims,
        vouched: Vouched,
    ) -> Result<Bound, Error> {
        let sought = binding::sought(endpoint.follows.rule(), claims)?;
        let (kind, object) = match (sought, endpoint.follows.directory()) {
            (Sought::Untethered(kind), _) => return self.free(kind),
            (_, None) => {
                let why = "the endpoint follows no directory";
                return Err(Fault::lasting("bind a certificate", why).into());
            }
            (Sought::Device(candidates), Some(directory)) => {
                let devices = match &endpoint.follows {
                    Follows::Intune(intune) => intune.devices,
                    Follows::Nothing(_) | Follows::Entra(_) | Follows::Jamf(_) => {
                        DeviceDirectory::Entra
                    }
                };
                let device = self.device(directory, devices, candidates).await?;
                (device.kind, device.object)
            }
            (Sought::User { user_principal_name }, Some(directory)) => {
                let name = ObjectName::UserPrincipalName(user_principal_name);
                (Kind::EntraUser, self.named(directory, ObjectKind::EntraUser, name).await?)
            }
            (Sought::JamfDevice { kind, device }, Some(_)) => (kind, ObjectId::jamf_device(device)),
            (Sought::JamfUser { kind, device, email }, Some(directory)) => {
                let name = ObjectName::Email(email);
                let user = self.named(directory, ObjectKind::JamfUser, name).await?;
                let (_, user) = user.jamf_numbers();
                (kind, ObjectId::jamf_user(device, user))
            }
        };
        let directory = endpoint.follows.directory();
        let binding = directory.and_then(|directory| Binding::tethered(kind, object, directory));
        let binding = binding.ok_or(Refusal::Unbound(Unbound::NotFollowed(kind)))?;
        self.examine(endpoint, binding, vouched).await
    }

    fn free(&self, kind: Kind) -> Result<Bound, Error> {
        let binding = Binding::untethered(kind, self.random());
        let binding = binding.ok_or(Refusal::Unbound(Unbound::NotFollowed(kind)))?;
        Ok(Bound { binding, sights: Vec::new() })
    }

    /// Whether what a certificate would be tethered to may have one now, and of which kind: a first one, or another after
    /// one that it has.
    pub(crate) async fn examine(
        &self,
        endpoint: &Endpoint,
        binding: Binding,
        vouched: Vouched,
    ) -> Result<Bound, Error> {
        let now = self.now();
        let rules = self.rules_of(endpoint);
        let asked = Tethered { binding, source: endpoint.source, issued_at: now };
        let plain = match binding.kind {
            // It is judged anew whether the device complies by now.
            Kind::IntuneBootstrap => Binding { kind: Kind::IntuneDevice, ..binding },
            _ => binding,
        };
        let objects = objects(&Tethered { binding: plain, ..asked }, &rules);
        let sights = self.sights(&objects).await?;
        let kind = may_enroll(&asked, &sights, &rules, vouched, now)?;
        let bound = Bound { binding: Binding { kind, ..binding }, sights };
        if kind == Kind::IntuneBootstrap {
            self.check_newcomer(endpoint, &bound)?;
        }
        Ok(bound)
    }

    /// Whether what a certificate would be tethered to has one already.
    pub(super) async fn has_certificates(&self, bound: &Bound) -> Result<bool, Fault> {
        let Some(object) = bound.sights.first().map(|sight| sight.key) else { return Ok(false) };
        let found = self.store().certificates_bound_to(object, self.now(), None, 1).await;
        Ok(!found.doing("look for certificates of an object")?.items.is_empty())
    }

    /// The installation's rules, with what the endpoint says of devices that do not comply yet. What was known before an
    /// outage serves the certificates that there are, but gets nobody another.
    fn rules_of(&self, endpoint: &Endpoint) -> Rules {
        let mut rules = self.settings().tether.rules.clone();
        rules.outage = Outage::TryLater;
        if let Some(compliance) = &mut rules.compliance {
            compliance.newcomers = match &endpoint.follows {
                Follows::Intune(intune) if intune.bootstrap.is_some() => Newcomers::Bootstrap,
                _ => Newcomers::Refused,
            };
        }
        rules
    }

    /// Only a device that was enrolled of late gets a certificate although it does not comply: one that has not become
    /// compliant for long is no newcomer.
    fn check_newcomer(&self, endpoint: &Endpoint, bound: &Bound) -> Result<(), Refusal> {
        let within = match &endpoint.follows {
            Follows::Intune(intune) => intune.bootstrap.map(|bootstrap| bootstrap.within),
            Follows::Nothing(_) | Follows::Entra(_) | Follows::Jamf(_) => None,
        };
        let enrolled = match bound.properties(ObjectKind::IntuneDevice) {
            Some(Properties::IntuneDevice(device)) => device.enrolled,
            _ => None,
        };
        let is_new = within.zip(enrolled).is_some_and(|(within, enrolled)| {
            self.now().seconds_since(enrolled) <= seconds(within)
        });
        if is_new {
            Ok(())
        } else {
            Err(Refusal::Unbound(Unbound::NotGood(Rule::IntuneDeviceNotCompliant)))
        }
    }

    /// The device that is meant, of those that may be.
    async fn device(
        &self,
        directory: DirectoryId,
        devices: DeviceDirectory,
        candidates: Vec<Candidate>,
    ) -> Result<Candidate, Error> {
        let mut asked: Vec<(Candidate, Asked)> = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            // Where one directory has the device, the next need not be asked.
            let is_found = |one: &(Candidate, Asked)| {
                one.1 == Asked::Present && one.0.object_kind != candidate.object_kind
            };
            if asked.iter().any(is_found) {
                break;
            }
            let key =
                ObjectKey { directory, kind: candidate.object_kind, object: candidate.object };
            asked.push((candidate, self.asked(self.observe(key, Need::Current).await?)));
        }
        Ok(binding::choose(devices, &asked)?)
    }

    fn asked(&self, answer: Answer) -> Asked {
        let trouble = match answer {
            Answer::Observed(observed) => match observed.trouble {
                // What is too old for a decision is as good as nothing.
                Some(trouble) if self.now() > observed.current_until => trouble,
                _ if observed.state.presence == Presence::Absent => return Asked::Absent,
                _ => return Asked::Present,
            },
            Answer::NoSuch { .. } => return Asked::Absent,
            Answer::Unknown(trouble) => trouble,
        };
        match trouble.why {
            Why::Forbidden { .. } => Asked::NotPermitted,
            Why::NotAskable => Asked::NotConnected,
            _ => Asked::Silent,
        }
    }

    /// The object of a kind with a name.
    async fn named(
        &self,
        directory: DirectoryId,
        kind: ObjectKind,
        name: ObjectName,
    ) -> Result<ObjectId, Error> {
        let answer = self.observe_named(FeedKey { directory, kind }, name, Need::Current).await?;
        match answer {
            Answer::Observed(observed) if observed.state.presence != Presence::Absent => {
                Ok(observed.state.key.object)
            }
            Answer::Observed(_) | Answer::NoSuch { .. } => {
                Err(Refusal::Unbound(Unbound::NoSuchObject(kind)).into())
            }
            Answer::Unknown(_) => Err(Refusal::DirectorySilent { kind }.into()),
        }
    }
}
