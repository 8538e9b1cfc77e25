//! What is known now of the objects behind a certificate, and for how long that need not be asked for again.

use lanyard_lifecycle::object::ObjectKey;
use lanyard_lifecycle::tether::{Known, Sight};
use lanyard_pki::Time;

use crate::mirror::{Answer, Need, Observed, Told, Vouched};
use crate::settings::seconds;
use crate::status::generations::Stamp;
use crate::{Authority, Fault};

/// The longest that an outage is believed in without another try, in seconds.
const LOOK_AGAIN: i64 = 15;

/// How often objects that change while they are looked at are looked at again at once.
const LOOKS: u32 = 4;

/// What objects are looked at for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// An answer: it ends when what it rests on is too old.
    Answer,
    /// The record, because of what was just learnt of an object.
    RecordNews,
    /// The record, because time has passed.
    RecordDue,
    /// A person who looks on: what is known, however old.
    Explain,
}

impl Purpose {
    fn need(self) -> Need {
        match self {
            Self::Answer | Self::RecordDue => Need::Current,
            Self::RecordNews | Self::Explain => Need::Known,
        }
    }
}

/// What is known of some objects at one moment.
#[derive(Debug)]
pub(crate) struct Looked {
    pub(crate) sights: Vec<Sight>,
    /// When that is too old for a decision.
    pub(crate) until: Time,
    /// The generation of each object before anything was read of it.
    pub(crate) stamps: Box<[Stamp]>,
    /// What vouches for them after that.
    pub(crate) vouched: Option<Vouched>,
}

impl Authority {
    /// Looks at objects.
    pub(crate) async fn look(&self, keys: &[ObjectKey], purpose: Purpose) -> Result<Looked, Fault> {
        let generations = &self.memory().generations;
        // Which feed vouches is known of one object; where there are several, they are looked at again.
        let vouching = match keys {
            [only] if purpose == Purpose::Answer => self.vouching(only).await?,
            _ => None,
        };
        let mut looks = 1;
        loop {
            let stamps: Box<[Stamp]> =
                keys.iter().map(|key| generations.stamp_object(key)).collect();
            let mut sights = Vec::with_capacity(keys.len());
            let mut until = Time::NO_WELL_DEFINED_END;
            let mut vouched = vouching;
            for key in keys {
                let (sight, again, told) = self.sight(*key, purpose).await?;
                sights.push(sight);
                vouched = vouched.filter(|_| told == Told::ByChanges);
                until = until.min(again);
            }
            // Looking may have taught something: what is seen then is newer than the stamps.
            let is_true = stamps.iter().all(|stamp| generations.is_current(*stamp));
            if is_true || looks == LOOKS {
                return Ok(Looked { sights, until, stamps, vouched });
            }
            looks += 1;
        }
    }

    /// What is known of objects that a certificate is asked for, as new as a decision needs it.
    pub(crate) async fn sights(&self, keys: &[ObjectKey]) -> Result<Vec<Sight>, Fault> {
        self.look(keys, Purpose::Answer).await.map(|looked| looked.sights)
    }

    async fn sight(&self, key: ObjectKey, purpose: Purpose) -> Result<(Sight, Time, Told), Fault> {
        let answer = self.observe(key, purpose.need()).await?;
        let now = self.now();
        let again = now.plus(self.patience(&key));
        let (service, known, until, told) = match answer {
            Answer::Observed(observed) => {
                let until = Some(observed.current_until).filter(|until| *until > now);
                let until = until.unwrap_or(again);
                let (service, told) = (observed.service.into(), observed.told);
                (service, seen(observed, purpose, now), until, told)
            }
            Answer::NoSuch { .. } => (key.kind.text().into(), Known::Never, again, Told::ByAsking),
            Answer::Unknown(ignorance) => {
                (ignorance.service.into(), Known::Never, again, Told::ByAsking)
            }
        };
        Ok((Sight { service, key, known }, until, told))
    }

    /// How soon a directory that could not be asked is asked again, in seconds.
    fn patience(&self, key: &ObjectKey) -> i64 {
        let directories = &self.settings().directories;
        let directory = directories.iter().find(|one| one.id == key.directory);
        let delay = directory.map_or(LOOK_AGAIN, |one| seconds(one.max_detection_delay));
        delay.clamp(1, LOOK_AGAIN)
    }
}

/// What was observed, as the judgement takes it.
fn seen(observed: Observed, purpose: Purpose, now: Time) -> Known {
    let is_fresh = now < observed.stale_at;
    let (stale_at, current_until) = match (purpose, observed.told) {
        // What is recorded changes with what is learnt, and with time where the rules count it: not because a fact has
        // grown old since.
        (Purpose::RecordNews | Purpose::RecordDue, _) if is_fresh => {
            (Time::NO_WELL_DEFINED_END, None)
        }
        (Purpose::Answer, Told::ByAsking) => (observed.stale_at, Some(observed.current_until)),
        _ => (observed.stale_at, None),
    };
    Known::Observed {
        presence: observed.state.presence,
        learnt: observed.state.learnt,
        first_seen: observed.first_seen,
        absent_since: observed.absent_since,
        stale_at,
        current_until,
    }
}
