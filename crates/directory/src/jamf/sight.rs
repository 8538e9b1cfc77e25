//! Whether we see the whole instance.
//!
//! An account of Jamf Pro can be confined to a site. To it, devices of other sites do not exist: not
//! by their number, and in no list. Were its access narrowed while we use it, everything else would
//! seem deleted. API clients cannot be confined.

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

/// Refuses when the account says of itself that it is confined. An instance that does not tell is
/// taken for one where it is not.
pub(super) async fn is_unlimited(
    session: &Session,
    credential: &Credential,
) -> Result<(), Ignorance> {
    if matches!(credential, Credential::Client { .. }) {
        return Ok(());
    }
    let path = ["api", "v1", "auth"];
    let answer = match session.get(OPERATION, Reading::One, &path, &[], FULL).await {
        Ok(answer) if answer.status.is_success() => answer,
        // Not there, or not for this account.
        Ok(_) | Err(Ignorance { why: Why::Forbidden { .. }, .. }) => return Ok(()),
        Err(ignorance) => return Err(ignorance),
    };
    let authorization: Authorization = answer.json()?;
    match authorization.account.access_level.as_deref() {
        Some(level) if !level.replace(' ', "").eq_ignore_ascii_case("FullAccess") => {
            let detail = "the account is confined to a site or a group, and what it does not see looks deleted";
            let why = Why::Forbidden { permission: Some(FULL) };
            Err(Ignorance::new(session.service().name(), OPERATION, why, detail))
        }
        _ => Ok(()),
    }
}
