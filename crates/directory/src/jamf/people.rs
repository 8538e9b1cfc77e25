//! Users, whom only the Classic API has.

use std::sync::Arc;

use ::http::StatusCode;
use lanyard_lifecycle::ObjectId;
use lanyard_lifecycle::object::JamfUser;
use tokio::time::Instant;

use super::absence;
use super::roster::Roster;
use super::session::{Reading, Session};
use super::wire::JamfId;
use super::wire::classic::{User, UserDocument, UserList};
use crate::http::Answer;
use crate::ignorance::{Ignorance, Why};

pub(super) const PRIVILEGE: &str = "Read Users";
const LOOK_UP: &str = "look up a user";

/// The users of an instance.
#[derive(Debug)]
pub(super) struct People {
    pub(super) roster: Roster,
}

/// What a look-up found.
pub(super) struct Found {
    /// None where it is proven that there is none.
    pub(super) user: Option<(JamfId, JamfUser)>,
    /// The answer that says so.
    pub(super) answer: Answer,
}

impl People {
    pub(super) fn new() -> Self {
        Self { roster: Roster::new("users", PRIVILEGE) }
    }

    /// By number, asked for at that time.
    pub(super) async fn by_id(
        &self,
        session: &Arc<Session>,
        id: JamfId,
        asked: Instant,
    ) -> Result<Found, Ignorance> {
        let number = id.0.to_string();
        let answer = read(session, "id", &number).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return if self.roster.lacks(session, id, asked).await? {
                Ok(Found { user: None, answer })
            } else {
                Err(answer.unreadable(absence::CONTRADICTION))
            };
        }
        let UserDocument { user } = answer.json()?;
        if user.id != id {
            return Err(answer.unreadable("another user than the one asked for"));
        }
        Ok(found(user, answer))
    }

    /// By user name. Letter case does not matter.
    pub(super) async fn by_name(
        &self,
        session: &Arc<Session>,
        name: &str,
    ) -> Result<Found, Ignorance> {
        let answer = read(session, "name", name).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return self.nobody(session, answer).await;
        }
        let UserDocument { user } = answer.json()?;
        let same = |known: &String| known.to_lowercase() == name.to_lowercase();
        if !user.name.as_ref().is_some_and(same) {
            return Err(answer.unreadable("another user than the one asked for"));
        }
        Ok(found(user, answer))
    }

    /// By mail address. Letter case does not matter.
    pub(super) async fn by_email(
        &self,
        session: &Arc<Session>,
        address: &str,
    ) -> Result<Found, Ignorance> {
        let answer = read(session, "email", address).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return self.nobody(session, answer).await;
        }
        let UserList { users } = answer.json()?;
        let mut users: Vec<User> = users
            .into_iter()
            .filter(|user| user.has_email(address) || user.shows_no_email())
            .collect();
        users.dedup_by_key(|user| user.id);
        match (users.pop(), users.len()) {
            (None, _) => Ok(Found { user: None, answer }),
            (Some(user), 0) => Ok(found(user, answer)),
            (Some(_), others) => {
                let service = session.service().name();
                let detail = format!("{} users have this mail address", others + 1);
                Err(Ignorance::new(service, LOOK_UP, Why::NotAskable, detail))
            }
        }
    }

    /// A 404 for a name proves nothing about any user we know; that the collection answers shows at
    /// least that it came from there.
    async fn nobody(&self, session: &Arc<Session>, answer: Answer) -> Result<Found, Ignorance> {
        self.roster.listed(session).await?;
        Ok(Found { user: None, answer })
    }
}

async fn read(session: &Arc<Session>, by: &str, value: &str) -> Result<Answer, Ignorance> {
    if matches!(value, "" | "." | "..") {
        let service = session.service().name();
        let detail = "no user can be named so";
        return Err(Ignorance::new(service, LOOK_UP, Why::NotAskable, detail));
    }
    let path = ["JSSResource", "users", by, value];
    session.get(LOOK_UP, Reading::One, &path, &[], PRIVILEGE).await
}

fn found(user: User, answer: Answer) -> Found {
    Found { user: Some((user.id, user.into())), answer }
}

/// The number of a user, of an object id that is one.
pub(super) fn user_id(object: ObjectId) -> Option<JamfId> {
    match object.jamf_numbers() {
        (0, user) if user > 0 => Some(JamfId(user)),
        _ => None,
    }
}
