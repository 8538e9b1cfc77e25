//! What is known of an object, how old it is, and until when it serves.

use std::borrow::Cow;

use lanyard_pki::Time;

use super::Outage;
use crate::fact::{Fact, FactSource};
use crate::object::{ObjectKey, ObjectState, Presence};

/// What is known of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// What people call who said it: "Intune".
    pub service: Cow<'static, str>,
    /// The object.
    pub key: ObjectKey,
    /// What is known.
    pub known: Known,
}

/// What is known of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly every sight is an observation")]
pub enum Known {
    /// Its directory has said this.
    Observed {
        /// Whether it is there, and how it is.
        presence: Presence,
        /// The last instant at which it is known to have been so.
        learnt: Time,
        /// When its directory was first heard to have it; none if it never was.
        first_seen: Option<Time>,
        /// Since when it is known to be absent.
        absent_since: Option<Time>,
        /// When it is too old to serve an answer.
        stale_at: Time,
        /// When it is too old for a decision unless its directory is asked again; none where the
        /// directory tells of changes by itself.
        current_until: Option<Time>,
    },
    /// Nothing was ever learnt of it, and nothing can be now.
    Never,
}

impl Sight {
    /// Everything that was said, as facts for people.
    #[must_use]
    pub fn facts(&self) -> Vec<Fact> {
        match &self.known {
            Known::Never => Vec::new(),
            Known::Observed { presence, learnt, .. } => {
                let state =
                    ObjectState { key: self.key, presence: presence.clone(), learnt: *learnt };
                state.facts(self.service.clone())
            }
        }
    }

    /// What serves a decision at `now`; none is ignorance.
    pub(super) fn told(&self, outage: Outage, now: Time) -> Option<Told<'_>> {
        let Known::Observed { presence, learnt, first_seen, absent_since, stale_at, current_until } =
            &self.known
        else {
            return None;
        };
        let is_old = current_until.is_some_and(|until| until < now);
        if now >= *stale_at || (is_old && outage == Outage::TryLater) {
            return None;
        }
        let ask_again = match *current_until {
            None => *stale_at,
            Some(until) if until >= now => until,
            // While nobody can be asked: as often as if one could, so that the end of an outage is
            // noticed.
            Some(until) => now.plus(until.seconds_since(*learnt).max(1)),
        };
        Some(Told {
            sight: self,
            presence,
            learnt: *learnt,
            first_seen: *first_seen,
            absent_since: *absent_since,
            stale_at: *stale_at,
            ask_again: ask_again.min(*stale_at),
        })
    }
}

/// What serves a decision.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told<'a> {
    sight: &'a Sight,
    pub(super) presence: &'a Presence,
    pub(super) learnt: Time,
    pub(super) first_seen: Option<Time>,
    pub(super) absent_since: Option<Time>,
    /// When it is too old for any answer.
    pub(super) stale_at: Time,
    /// When its directory is to be asked again: what it said serves good answers until then.
    pub(super) ask_again: Time,
}

impl Told<'_> {
    pub(super) fn fact(&self, name: &'static str, value: impl Into<Cow<'static, str>>) -> Fact {
        Fact {
            source: FactSource::Directory {
                name: self.sight.service.clone(),
                directory: self.sight.key.directory,
            },
            object: Some(self.sight.key.object),
            name: name.into(),
            value: value.into(),
            learnt: self.learnt,
        }
    }
}
