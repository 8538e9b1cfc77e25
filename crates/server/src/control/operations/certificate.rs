//! Operations on issued certificates.

use lanyard_authority::revoke::{Revocation, Revoked};
use lanyard_authority::{Actor, Authority};
use lanyard_lifecycle::kind::Kind;
use lanyard_lifecycle::revocation::{Change, RevocationReason, Standing};
use lanyard_lifecycle::verdict::{State, Verdict};
use lanyard_pki::{Certificate, SerialNumber, Time, dump, pem};
use lanyard_store::{Cursor, Filter, SearchText, Standings, Summary, Within};
use serde::{Deserialize, Serialize};

use crate::control::{Operation, OperationError};

/// The reason that is a hold (RFC 5280 section 5.3.1).
pub(super) const CERTIFICATE_HOLD: &str = "certificateHold";

/// A certificate in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateView {
    /// Its serial number, hexadecimal.
    pub serial: String,
    /// Its subject, where it is kept.
    pub subject: Option<String>,
    /// Its alternative names, where they are kept.
    pub alternative_names: Vec<String>,
    /// What it is tethered to.
    pub kind: String,
    /// Where it was issued.
    pub source: String,
    /// When it begins.
    pub not_before: String,
    /// When it ends.
    pub not_after: String,
    /// `good`, `on hold` or `revoked`, as recorded.
    pub standing: String,
    /// Since when it is not good.
    pub since: Option<String>,
    /// Why it is not good.
    pub reason: Option<String>,
    /// Who revoked it.
    pub revoked_by: Option<String>,
}

impl From<Summary> for CertificateView {
    fn from(summary: Summary) -> Self {
        let (standing, since, reason) = standing(summary.standing);
        Self {
            serial: summary.serial.to_string(),
            subject: summary.names.subject,
            alternative_names: summary.names.alternative_names,
            kind: summary.binding.kind.name().to_owned(),
            source: summary.source.name().to_owned(),
            not_before: summary.not_before.to_string(),
            not_after: summary.not_after.to_string(),
            standing: standing.to_owned(),
            since,
            reason,
            revoked_by: summary.revoked_by,
        }
    }
}

fn standing(standing: Standing) -> (&'static str, Option<String>, Option<String>) {
    match standing {
        Standing::NotRevoked => ("good", None, None),
        Standing::OnHold { since } => {
            ("on hold", Some(since.to_string()), Some(CERTIFICATE_HOLD.to_owned()))
        }
        Standing::Revoked { since, reason } => {
            ("revoked", Some(since.to_string()), Some(reason.name().to_owned()))
        }
    }
}

/// Which standings to list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum StandingFilter {
    /// All
    #[default]
    Any,
    /// Neither on hold nor revoked
    Good,
    /// On hold
    OnHold,
    /// Revoked
    Revoked,
    /// On hold or revoked
    NotGood,
}

impl From<StandingFilter> for Standings {
    fn from(filter: StandingFilter) -> Self {
        match filter {
            StandingFilter::Any => Self::Any,
            StandingFilter::Good => Self::Good,
            StandingFilter::OnHold => Self::OnHold,
            StandingFilter::Revoked => Self::Revoked,
            StandingFilter::NotGood => Self::NotGood,
        }
    }
}

/// The issued certificates that match, newest first.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SearchCertificates {
    /// What serial number, common name or user principal name begin with.
    pub begins: Option<String>,
    /// What subject or alternative names contain.
    pub contains: Option<String>,
    /// With which standing.
    pub standing: StandingFilter,
    /// Of which kind.
    pub kind: Option<String>,
    /// Issued at this time or later, RFC 3339.
    pub issued_from: Option<String>,
    /// Issued before this time, RFC 3339.
    pub issued_before: Option<String>,
    /// Ending before this time, RFC 3339.
    pub ends_before: Option<String>,
    /// Where an earlier page ended.
    pub after: Option<i64>,
    /// How many on a page.
    pub limit: u32,
}

/// A page of certificates.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CertificatePage {
    /// The certificates.
    pub certificates: Vec<CertificateView>,
    /// Where the next page begins; none at the end.
    pub next: Option<i64>,
}

impl Operation for SearchCertificates {
    const NAME: &'static str = "certificate-search";
    type Answer = CertificatePage;

    async fn run(self, authority: &Authority, _: &Actor) -> Result<Self::Answer, OperationError> {
        let text = match (self.begins, self.contains) {
            (Some(text), _) => Some(SearchText::StartsWith(text)),
            (None, Some(text)) => Some(SearchText::Contains(text)),
            (None, None) => None,
        };
        let kind = self.kind.as_deref().map(kind).transpose()?;
        let instant = |text: &Option<String>| text.as_deref().map(time).transpose();
        let filter = Filter {
            text,
            kind,
            standing: self.standing.into(),
            from: instant(&self.issued_from)?,
            until: instant(&self.issued_before)?,
            ends_until: instant(&self.ends_before)?,
            ..Filter::all(Within::Everywhere)
        };
        let page = authority.search(filter, self.after.map(Cursor), self.limit).await?;
        Ok(CertificatePage {
            certificates: page.items.into_iter().map(CertificateView::from).collect(),
            next: page.next.map(|Cursor(next)| next),
        })
    }
}

/// A certificate whole.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CertificateDetail {
    /// What is recorded.
    pub record: CertificateView,
    /// How it stands now.
    pub verdict: VerdictView,
    /// SHA-256 of the certificate, where it is kept.
    pub fingerprint_sha256: Option<String>,
    /// The certificate as text, where it is kept.
    pub text: Option<String>,
    /// The certificate, PEM, where it is kept.
    pub certificate: Option<String>,
}

/// How a certificate stands, and why.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct VerdictView {
    /// `good`, `on hold`, `revoked`, `unknown` or `undecided`.
    pub state: String,
    /// Since when it is not good.
    pub since: Option<String>,
    /// Why it is not good.
    pub reason: Option<String>,
    /// The rule that decided.
    pub rule: String,
    /// What it was decided from.
    pub facts: Vec<String>,
}

impl From<Verdict> for VerdictView {
    fn from(verdict: Verdict) -> Self {
        let (state, since, reason) = match verdict.state {
            State::Good => ("good", None, None),
            State::OnHold { since } => ("on hold", Some(since), None),
            State::Revoked { since, reason } => {
                ("revoked", Some(since), Some(reason.name().to_owned()))
            }
            State::Unknown => ("unknown", None, None),
            State::Undecided => ("undecided", None, None),
        };
        Self {
            state: state.to_owned(),
            since: since.map(|since| since.to_string()),
            reason,
            rule: verdict.rule.text().to_owned(),
            facts: verdict
                .facts
                .iter()
                .map(|fact| format!("{}={} (learnt {})", fact.name, fact.value, fact.learnt))
                .collect(),
        }
    }
}

/// One certificate, and how it stands now.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShowCertificate {
    /// Its serial number.
    pub serial: String,
}

impl Operation for ShowCertificate {
    const NAME: &'static str = "certificate-show";
    type Answer = CertificateDetail;

    async fn run(self, authority: &Authority, _: &Actor) -> Result<Self::Answer, OperationError> {
        let serial = serial(&self.serial)?;
        let shown = authority.show(&serial, Within::Everywhere).await?;
        let der = shown.certificate.der;
        let text = der.as_deref().and_then(|der| Certificate::from_der(der).ok());
        Ok(CertificateDetail {
            record: shown.certificate.summary.into(),
            verdict: shown.verdict.into(),
            fingerprint_sha256: shown.certificate.fingerprint.map(hex::encode),
            text: text.map(|certificate| dump::certificate(&certificate)),
            certificate: der.map(|der| pem::encode(pem::CERTIFICATE, &der)),
        })
    }
}

/// What is to happen to a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeView {
    /// Revoke it, for this reason of RFC 5280; certificateHold puts it on hold.
    Revoke {
        /// The reason's name.
        reason: String,
    },
    /// Lift its hold.
    Release,
}

/// Revokes a certificate, puts it on hold or releases it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChangeStanding {
    /// Its serial number.
    pub serial: String,
    /// What is to happen.
    pub change: ChangeView,
    /// Since when its key may be known to others, RFC 3339.
    pub invalidity_date: Option<String>,
}

/// How a certificate stands after an operation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StandingView {
    /// Its serial number.
    pub serial: String,
    /// Whether the operation changed anything.
    pub changed: bool,
    /// `good`, `on hold` or `revoked`.
    pub standing: String,
    /// Since when it is not good.
    pub since: Option<String>,
    /// Why it is not good.
    pub reason: Option<String>,
}

impl Operation for ChangeStanding {
    const NAME: &'static str = "certificate-change-standing";
    type Answer = StandingView;

    async fn run(
        self,
        authority: &Authority,
        actor: &Actor,
    ) -> Result<Self::Answer, OperationError> {
        let serial = serial(&self.serial)?;
        let change = match &self.change {
            ChangeView::Release => Change::Release,
            ChangeView::Revoke { reason } => change_named(reason)?,
        };
        let invalidity_date = self.invalidity_date.as_deref().map(time).transpose()?;
        let revocation = Revocation {
            serial: serial.clone(),
            change,
            invalidity_date,
            actor: actor.clone(),
            within: Within::Everywhere,
        };
        let revoked = authority.revoke(revocation).await?;
        // OCSP says so already. Whoever looks at the CRL after the command finds it there too.
        authority.refresh_crls().await;
        let (changed, now) = match revoked {
            Revoked::Changed(now) => (true, now),
            Revoked::Unchanged(now) => (false, now),
        };
        let (standing, since, reason) = standing(now);
        Ok(StandingView {
            serial: serial.to_string(),
            changed,
            standing: standing.to_owned(),
            since,
            reason,
        })
    }
}

/// A certificate and those above it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExportCertificate {
    /// Its serial number.
    pub serial: String,
}

/// A certificate and those above it, DER.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExportedView {
    /// The certificate.
    pub certificate: Vec<u8>,
    /// Its authority's and those above.
    pub chain: Vec<Vec<u8>>,
}

impl Operation for ExportCertificate {
    const NAME: &'static str = "certificate-export";
    type Answer = ExportedView;

    async fn run(self, authority: &Authority, _: &Actor) -> Result<Self::Answer, OperationError> {
        let serial = serial(&self.serial)?;
        let exported = authority.export(&serial, Within::Everywhere).await?;
        Ok(ExportedView { certificate: exported.certificate, chain: exported.chain })
    }
}

pub(super) fn serial(text: &str) -> Result<SerialNumber, OperationError> {
    text.parse()
        .map_err(|error| OperationError::Invalid(format!("the serial number {text:?}: {error}")))
}

fn kind(name: &str) -> Result<Kind, OperationError> {
    Kind::from_name(name).ok_or_else(|| {
        let known: Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        OperationError::Invalid(format!(
            "there is no kind {name:?}; kinds are {}",
            known.join(", ")
        ))
    })
}

fn change_named(reason: &str) -> Result<Change, OperationError> {
    Change::from_name(reason).filter(|change| *change != Change::Release).ok_or_else(|| {
        OperationError::Invalid(format!(
            "there is no reason {reason:?}; reasons are {}",
            reasons().join(", ")
        ))
    })
}

/// The names of the reasons to revoke or to hold a certificate.
pub fn reasons() -> Vec<&'static str> {
    RevocationReason::ALL.iter().map(|reason| reason.name()).chain([CERTIFICATE_HOLD]).collect()
}

/// An instant in an operation's arguments.
pub(super) fn time(text: &str) -> Result<Time, OperationError> {
    text.parse().map_err(|_| {
        OperationError::Invalid(format!("{text:?} is not a time: write it as 2026-11-21T08:00:00Z"))
    })
}
