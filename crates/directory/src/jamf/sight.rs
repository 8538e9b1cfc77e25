//! Whether we see the whole instance.
//!
//! An account of Jamf Pro can be confined to a site. To it, devices of other sites do not exist: not
//! by their number, and in no list. Were its access narrowed while we use it, everything else would
//! seem deleted. So an account proves an absence only while the instance says that it has Full Access.
//! API clients cannot be confined.

use serde::Deserialize;

use super::session::{Reading, Session};
use super::settings::Credential;
use crate::ignorance::{Ignorance, Why};

const OPERATION: &str = "see how far the account sees";
/// What Jamf Pro calls the access of an account that is confined to nothing.
pub(super) const FULL: &str = "Full Access";

/// `/api/v1/auth`, as far as it matters.
#[derive(Debug, Deserialize)]
struct Authorization {
    account: Account,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Account {
    #[serde(default)]
    access_level: Option<String>,
}

/// Refuses unless the account is known to be confined to nothing: the instance has to say so, by an
/// answer of status 2xx with Full Access. Whatever else it answers (404 where it is too old for the
/// question, 400, 403, an answer without a level) leaves open what the account does not see, and
/// then no absence is proven.
pub(super) async fn is_unlimited(
    session: &Session,
    credential: &Credential,
) -> Result<(), Ignorance> {
    if matches!(credential, Credential::Client { .. }) {
        return Ok(());
    }
    let path = ["api", "v1", "auth"];
    let answer = session.get(OPERATION, Reading::One, &path, &[], FULL).await?;
    let level = if answer.status.is_success() {
        answer.json::<Authorization>()?.account.access_level
    } else {
        None
    };
    let detail = match level {
        Some(level) if level.replace(' ', "").eq_ignore_ascii_case("FullAccess") => return Ok(()),
        Some(_) => {
            "the account is confined to a site or a group, and what it does not see looks deleted"
        }
        None => {
            "the instance does not say that the account has Full Access, and what it might not see \
             would look deleted"
        }
    };
    let why = Why::Forbidden { permission: Some(FULL) };
    Err(Ignorance::new(session.service().name(), OPERATION, why, detail))
}
