//! Judging a certificate by its serial number, the CRL and what the directories say, without a record of it.

use lanyard_lifecycle::binding::Binding;
use lanyard_lifecycle::id::DirectoryId;
use lanyard_lifecycle::kind::{Source, Tether as Follows};
use lanyard_lifecycle::object::Presence;
use lanyard_lifecycle::revocation::Standing;
use lanyard_lifecycle::tether::{Known, Sight, Tethered, judge, objects};
use lanyard_lifecycle::verdict::{Lasting, Opinion, Rule, State, Verdict, conclude};
use lanyard_pki::{SerialNumber, Time};
use lanyard_store::{CaId, StatusRecord};

use super::Knowledge;
use crate::ca::Ca;
use crate::certify::INTERNAL;
use crate::settings::seconds;
use crate::tether::judge::{Found, Judged, Tether};
use crate::tether::sights::{Looked, Purpose};
use crate::{Authority, Fault};

/// How soon a missing CRL is looked for again, in seconds.
const AGAIN: i64 = 5;

impl Authority {
    /// What is known of a serial number below a CA, or below any.
    pub(crate) async fn judge_detached(
        &self,
        knowledge: &Knowledge,
        serial: &SerialNumber,
        below: Option<CaId>,
    ) -> Result<Found, Fault> {
        let stamp = self.memory().generations.stamp(serial);
        let cas = self.cas();
        let mut asked = cas.iter().filter(|ca| below.is_none_or(|below| below == ca.id));
        let found = asked.find_map(|ca| Some((ca, self.read(serial, ca)?)));
        let Some((ca, tethered)) = found else { return Ok(Found { stamp, judged: None }) };
        let now = self.now();
        let Some(listed) = knowledge.current(ca.id, now) else {
            let judged = undecided(ca, tethered, now);
            return Ok(Found { stamp, judged: Some(judged) });
        };
        let standing = listed.standing(serial);
        let mut record = record(ca, tethered, standing);
        let mut live = Vec::new();
        let mut tether = Tether {
            reached: now,
            until: listed.next_update,
            stamps: Box::default(),
            vouched: None,
        };
        if !record.is_revoked_for_good() {
            let (directory, looked) = self.look_everywhere(tethered).await?;
            record.binding.directory = directory;
            let tethered = Tethered { binding: record.binding, ..tethered };
            live = judge(&tethered, &looked.sights, &self.settings().tether.rules, now);
            tether.until = tether.until.min(looked.until);
            tether.stamps = looked.stamps;
        }
        let mut verdict = conclude(Some(standing), None, live.clone(), now);
        if matches!(standing, Standing::Revoked { .. }) {
            tether.until = listed.next_update;
        } else {
            // Nobody writes it down here, so that it may end with what the directory says.
            verdict.lasting = Lasting::Passing;
            let again = now.plus(seconds(self.settings().status.freshness.on_hold));
            let ends = [Some(listed.next_update), verdict.next_change, Some(again)];
            let is_good = verdict.state == State::Good;
            verdict.next_change =
                ends[..if is_good { 2 } else { 3 }].iter().flatten().min().copied();
        }
        Ok(Found { stamp, judged: Some(Judged { record, verdict, live, tether: Some(tether) }) })
    }

    /// What a serial number says, if it was made below a CA for something that follows an object.
    fn read(&self, serial: &SerialNumber, ca: &Ca) -> Option<Tethered> {
        let decoded = self.serials().decode(serial, &ca.key_identifier)?;
        let (kind, object) = (decoded.kind, decoded.object);
        (kind.tether() == Follows::Directory).then_some(Tethered {
            binding: Binding { kind, object, directory: None },
            source: Source::Intune,
            // When it was issued nobody knows here: no object is too new to be seen.
            issued_at: Time::from_unix(0),
        })
    }

    /// Looks for the objects in every directory: they are where they are found. Only if none has them and each could say
    /// so are they absent.
    async fn look_everywhere(
        &self,
        tethered: Tethered,
    ) -> Result<(Option<DirectoryId>, Looked), Fault> {
        let rules = &self.settings().tether.rules;
        let mut best: Option<(u8, DirectoryId, Looked)> = None;
        for directory in self.settings().directories.iter().map(|one| one.id) {
            let binding = Binding { directory: Some(directory), ..tethered.binding };
            let keys = objects(&Tethered { binding, ..tethered }, rules);
            if !keys.iter().all(|key| self.serves(key)) {
                continue;
            }
            let looked = self.look(&keys, Purpose::Answer).await?;
            let rank = rank(&looked.sights, self.now());
            if best.as_ref().is_none_or(|(known, ..)| rank > *known) {
                best = Some((rank, directory, looked));
            }
        }
        if let Some((_, directory, looked)) = best {
            return Ok((Some(directory), looked));
        }
        let until = self.now().plus(AGAIN);
        Ok((None, Looked { sights: Vec::new(), until, stamps: Box::default(), vouched: None }))
    }
}

/// Nothing can be said of it without a CRL.
fn undecided(ca: &Ca, tethered: Tethered, now: Time) -> Judged {
    let verdict = Verdict {
        state: State::Undecided,
        rule: Rule::NobodyAsked,
        lasting: Lasting::Passing,
        facts: Vec::new(),
        next_change: None,
    };
    let tether =
        Tether { reached: now, until: now.plus(AGAIN), stamps: Box::default(), vouched: None };
    let record = record(ca, tethered, Standing::NotRevoked);
    Judged { record, verdict, live: Vec::<Opinion>::new(), tether: Some(tether) }
}

/// Which directory's word counts: of one that has the object, then of one that cannot say, then of one that has not.
fn rank(sights: &[Sight], now: Time) -> u8 {
    match sights.first().map(|sight| &sight.known) {
        Some(Known::Observed { presence: Presence::Present(_), .. }) => 2,
        Some(Known::Observed { stale_at, .. }) if now < *stale_at => 0,
        Some(Known::Observed { .. } | Known::Never) | None => 1,
    }
}

/// What stands for the record.
fn record(ca: &Ca, tethered: Tethered, standing: Standing) -> StatusRecord {
    StatusRecord {
        ca: ca.id,
        binding: tethered.binding,
        source: tethered.source,
        endpoint: INTERNAL,
        scope: ca.scope,
        not_before: ca.certificate.not_before(),
        not_after: ca.certificate.not_after(),
        issued_at: tethered.issued_at,
        standing,
        by_hand: standing,
        by_rule: None,
        held_back: None,
        invalidity_date: None,
    }
}
