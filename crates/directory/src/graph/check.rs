//! What `lanyard doctor` says about a way to Graph: token, clock, and permission by permission.

use lanyard_pki::Time;
use url::Url;

use super::Graph;
use super::permission::Permission;
use crate::check::Check;
use crate::http::Answer;
use crate::ignorance::{Ignorance, Why};
use crate::token::{SignIn, Token, Tokens};

/// A permission to try, where, and what it is for.
pub(crate) struct Probe {
    pub(crate) permission: Permission,
    /// Something that cannot be read without.
    pub(crate) url: Url,
    /// What does not work without, as the rest of a sentence.
    pub(crate) disables: &'static str,
    /// A licence that the service wants besides.
    pub(crate) licence: Option<&'static str>,
}

/// The clocks may be so far apart, in seconds, before anybody is told.
const SKEW_TOLD: i64 = 60;
/// From here on signing in fails.
const SKEW_FATAL: i64 = 300;

/// Whether there is a token, and the token.
pub async fn check_token(tokens: &Tokens, sign_in: &SignIn, what: &str) -> (Check, Option<Token>) {
    let what = format!("Token for {what}");
    match tokens.token().await {
        Ok(token) => {
            let found = format!("Signed in as {}.", sign_in.describe());
            (Check::ok(what, found), Some(token))
        }
        Err(ignorance) => {
            let check = Check::problem(what, format!("{ignorance}."))
                .disables("nothing of this directory can be asked.")
                .remedy(sign_in_remedy(&ignorance));
            (check, None)
        }
    }
}

/// How far the service's clock is from ours.
pub fn check_clock(service: &str, ours: Time, theirs: Time) -> Check {
    let skew = ours.seconds_since(theirs);
    let found = match skew {
        0 => format!("The clock agrees with that of {service}."),
        1.. => format!("The clock is {skew} s ahead of that of {service}."),
        _ => format!("The clock is {} s behind that of {service}.", skew.unsigned_abs()),
    };
    let apart = skew.abs();
    if apart <= SKEW_TOLD {
        return Check::ok(CLOCK, found);
    }
    let check = if apart >= SKEW_FATAL {
        Check::problem(CLOCK, found)
            .disables("signing in with a certificate fails, and tokens seem to have ended.")
    } else {
        Check::warning(CLOCK, found).disables("times in facts and certificates are off.")
    };
    check.remedy("let the machine keep its clock by NTP.")
}

const CLOCK: &str = "Clock";

/// How a call went that needs `permission`; `roles` are those of the token.
pub fn check_permission(
    permission: &Permission,
    roles: Option<&[String]>,
    tried: &Result<Answer, Ignorance>,
    disables: &str,
    licence: Option<&str>,
) -> Check {
    let what = format!("Permission {}", permission.name);
    let claimed = roles.map(|roles| permission.is_among(roles));
    let why = match tried {
        Ok(answer) if answer.status.is_success() => match claimed {
            Some(false) => return Check::ok(what, "Granted by another role."),
            _ => return Check::ok(what, "Granted, and it works."),
        },
        Ok(answer) => answer.refusal(),
        Err(ignorance) => ignorance.clone(),
    };
    let problem = |found: String| Check::problem(what.clone(), found).disables(disables);
    match (why.why, claimed) {
        (Why::Forbidden { .. } | Why::Unauthorized, Some(true)) => {
            let remedy = match licence {
                Some(licence) => format!("make sure that the tenant has {licence}."),
                None => "see whether a conditional access policy or an administrative unit keeps \
                         the application out."
                    .to_owned(),
            };
            problem(format!("The token has the role, and yet: {why}.")).remedy(remedy)
        }
        (Why::Forbidden { .. } | Why::Unauthorized, _) => {
            problem(format!("Missing: {}.", why.detail)).remedy(format!("{}.", permission.remedy()))
        }
        (Why::Refused { .. }, _) if licence.is_some() => {
            let licence = licence.unwrap_or_default();
            problem(format!("{why}.")).remedy(format!("make sure that the tenant has {licence}."))
        }
        _ => {
            let remedy = "see whether this machine reaches the service, and the service's health.";
            problem(format!("Could not be tried: {why}.")).remedy(remedy)
        }
    }
}

impl Graph {
    /// Token, permissions and clock.
    pub(crate) async fn check(&self, sign_in: &SignIn, probes: &[Probe]) -> Vec<Check> {
        let (token_check, token) = check_token(&self.tokens, sign_in, self.service.name()).await;
        let mut checks = vec![token_check];
        if let Some(token) = token {
            checks.append(&mut self.check_permissions(&token, probes).await);
        }
        checks
    }

    /// Permissions, and the clock where an answer tells the service's.
    pub(crate) async fn check_permissions(&self, token: &Token, probes: &[Probe]) -> Vec<Check> {
        let (roles, mut clock, mut checks) = (token.roles(), None, Vec::new());
        for probe in probes {
            let Probe { permission, url, disables, licence } = probe;
            let tried = self.get("try a permission", url, permission.name).await;
            if let Ok(answer) = &tried {
                clock = clock.or(answer.date().map(|date| (answer.asked, date)));
            }
            let roles = roles.as_deref();
            checks.push(check_permission(permission, roles, &tried, disables, *licence));
        }
        let clock = clock.map(|(ours, theirs)| check_clock(self.service.name(), ours, theirs));
        checks.into_iter().chain(clock).collect()
    }
}

/// What to do about a sign-in that failed, by the numbers in Entra's messages.
fn sign_in_remedy(ignorance: &Ignorance) -> &'static str {
    let known =
        REMEDIES.iter().find(|(number, _)| ignorance.detail.contains(&format!("AADSTS{number}:")));
    match (known, ignorance.why) {
        (Some((_, remedy)), _) => remedy,
        (None, Why::Unauthorized) => {
            "compare tenant, client id and credential with the app registration."
        }
        (None, _) => "see whether this machine reaches the sign-in service, and its health.",
    }
}

const REMEDIES: &[(u32, &str)] = &[
    (
        7_000_215,
        "configure the secret's value; what was given may be the secret's id, or mistyped.",
    ),
    (7_000_222, "the client secret has expired: make a new one in the app registration."),
    (700_016, "the client id is not known in this tenant: compare both with the app registration."),
    (90_002, "the tenant is not known in this cloud: compare the tenant id, and the cloud."),
    (90_023, "the tenant is not written as an id or a domain: compare the tenant id."),
    (700_027, "register this certificate with the app, or configure the key that belongs to it."),
    (700_024, "the assertion is not valid now: set the machine's clock."),
    (
        500_011,
        "the resource is not known in this tenant: compare the cloud; Intune may be missing.",
    ),
    (501_051, "assign the application a role of the resource: it requires assignment."),
];
