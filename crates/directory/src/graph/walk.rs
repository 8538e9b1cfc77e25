//! Reading a collection page by page, to where Graph's own links lead.

use ::http::{HeaderName, Method};
use lanyard_pki::Time;
use serde::de::DeserializeOwned;
use url::Url;

use super::cursor::{Place, Round};
use super::{Graph, Page, is_expired_cursor};
use crate::change::{ChangesError, Cursor, RoundEnd};

/// Fewer and larger pages, where the service can: a million devices are read one page at a time.
const PREFERENCE: &str = "odata.maxpagesize=999";

/// A page that was read, and where it is.
pub(crate) struct Read<T> {
    pub(crate) page: Page<T>,
    /// When it was asked for.
    pub(crate) asked: Time,
    pub(crate) next: Cursor,
    pub(crate) end: RoundEnd,
}

/// What comes after the last page of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ends {
    /// A link to what changes from then on.
    WithDeltaLink,
    /// Nothing: the next round reads everything again.
    Bare,
}

/// A collection.
pub(crate) struct Collection {
    pub(crate) operation: &'static str,
    pub(crate) permission: &'static str,
    /// Where it begins.
    pub(crate) first: Url,
    pub(crate) ends: Ends,
}

impl Graph {
    /// The page at `place`.
    pub(crate) async fn read<T: DeserializeOwned>(
        &self,
        collection: &Collection,
        place: Place<'_>,
    ) -> Result<Read<T>, ChangesError> {
        let url = match place.link {
            None => collection.first.clone(),
            // A cursor from when the tenant was elsewhere.
            Some(link) => self.link(link).ok_or(ChangesError::Resync)?,
        };
        let call = self
            .call(collection.operation, Method::GET, &url)
            .permission(collection.permission)
            .header(HeaderName::from_static("prefer"), PREFERENCE);
        let answer = self.send(call).await?;
        if place.link.is_some() && is_expired_cursor(&answer) {
            return Err(ChangesError::Resync);
        }
        let page: Page<T> = answer.json()?;
        let (link, round, end) = match (&page.next_link, &page.delta_link, collection.ends) {
            (Some(next), _, _) => (Some(next), place.round, RoundEnd::MorePages),
            (None, Some(delta), Ends::WithDeltaLink) => {
                (Some(delta), Round::Further, RoundEnd::RoundComplete)
            }
            (None, _, Ends::Bare) => (None, Round::First, RoundEnd::RoundComplete),
            (None, None, Ends::WithDeltaLink) => {
                return Err(answer.unreadable("a page without a link to the next").into());
            }
        };
        if link.is_some_and(|link| self.link(link).is_none()) {
            let detail = "a link that leads to another service, which is not followed";
            return Err(answer.unreadable(detail).into());
        }
        if end == RoundEnd::MorePages && link.map(String::as_str) == Some(url.as_str()) {
            // A link that was kept would lead here again, however often it is followed.
            if place.link.is_some() {
                return Err(ChangesError::Resync);
            }
            return Err(answer.unreadable("a page that leads to itself").into());
        }
        let next = Place { link: link.map(String::as_str), round, ..place }.cursor();
        Ok(Read { asked: answer.asked, next, end, page })
    }
}
