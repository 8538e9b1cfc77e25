//! Giving a client its certificate: where that is the order, once Intune has taken notice of it.

use lanyard_lifecycle::Refusal;
use lanyard_store::{Attempt, NoticeState};

use super::tell::{Telling, Told};
use super::{CLAIM, KeptBack, Word, notice_of};
use crate::certify::Issued;
use crate::error::Doing as _;
use crate::intune::Accepted;
use crate::settings::{Endpoint, Follows, NoticeOrder};
use crate::{Authority, Error};

impl Authority {
    /// Gives a client its certificate once Intune has taken notice of it, if that is the endpoint's order.
    pub(crate) async fn hand_over(
        &self,
        endpoint: &Endpoint,
        accepted: &Accepted,
        order: NoticeOrder,
        issued: Issued,
    ) -> Result<Issued, Error> {
        if order == NoticeOrder::AfterAnswer {
            self.wake_notices();
            return Ok(issued);
        }
        let telling = Telling {
            id: notice_of(&issued.serial),
            attempt: Attempt::FIRST,
            directory: accepted.directory,
            serial: Some(issued.serial.clone()),
            transaction: accepted.transaction.as_bytes().to_vec(),
            request: accepted.request.clone(),
            word: Word::Issued { kept_back: KeptBack::UntilTaken },
            scope: endpoint.scope,
            created_at: self.now(),
        };
        let told = self.tell_undisturbed(telling).await?;
        self.wake_notices();
        handed(told, issued)
    }

    /// Gives a client a certificate that was issued to it before, under the same condition.
    pub(crate) async fn hand_over_again(&self, issued: Issued) -> Result<Issued, Error> {
        let notice = self.store().notice(notice_of(&issued.serial)).await;
        let Some(notice) = notice.doing("look up a notice")? else { return Ok(issued) };
        match notice.state {
            NoticeState::Delivered => return Ok(issued),
            // A client has it already where it did not have to wait. Else its revocation is recorded before a notice is
            // given up; should it not be, it must not leave all the same.
            NoticeState::GivenUp => {
                let endpoint = self.settings().endpoint(notice.endpoint);
                return match endpoint.map(|endpoint| &endpoint.follows) {
                    Some(Follows::Intune(intune)) if intune.notice == NoticeOrder::AfterAnswer => {
                        Ok(issued)
                    }
                    _ => Err(Refusal::NoticeRefused.into()),
                };
            }
            NoticeState::Waiting => {}
        }
        let until = self.now().plus(CLAIM);
        let claimed = self.store().claim_notice(notice.id, until).await;
        let Some(claimed) = claimed.doing("claim a notice")? else {
            return Err(Refusal::NoticeWaiting.into());
        };
        let telling = self.telling(&claimed)?;
        if telling.word == (Word::Issued { kept_back: KeptBack::No }) {
            let _ = self.tell_undisturbed(telling).await?;
            return Ok(issued);
        }
        handed(self.tell_undisturbed(telling).await?, issued)
    }
}

fn handed(told: Told, issued: Issued) -> Result<Issued, Error> {
    match told {
        Told::Taken => Ok(issued),
        Told::Again => Err(Refusal::NoticeWaiting.into()),
        Told::Refused => Err(Refusal::NoticeRefused.into()),
    }
}
