//! `lanyard certificate`: find, show, revoke, release, export.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use lanyard_pki::pem;
use serde_json::json;

use super::{why, write_out};
use crate::cli::{GlobalArgs, InstallationArgs};
use crate::control::Installation;
use crate::control::operations::certificate::{
    CertificateDetail, CertificatePage, ChangeStanding, ChangeView, ExportCertificate,
    SearchCertificates, ShowCertificate, StandingFilter, StandingView, reasons,
};
use crate::exit::Failure;
use crate::output::{Output, table};

/// What to do with certificates.
#[derive(Debug, Subcommand)]
pub enum CertificateCommand {
    /// List issued certificates, newest first
    Search(SearchArgs),
    /// Show a certificate and how it stands
    Show(ShowArgs),
    /// Say why a certificate stands as it does: every source's facts, the rule, what OCSP says
    Why(why::WhyArgs),
    /// Revoke a certificate, or put it on hold with --reason certificateHold; every answer says so at once
    Revoke(RevokeArgs),
    /// Lift the hold on a certificate
    Release(ReleaseArgs),
    /// Write a certificate, with its chain where wanted
    Export(ExportArgs),
}

/// Flags of `lanyard certificate search`.
#[derive(Debug, Args)]
pub struct SearchArgs {
    #[command(flatten)]
    installation: InstallationArgs,
    /// What serial number, common name or user principal name begin with
    text: Option<String>,
    /// What subject or alternative names contain, instead
    #[arg(long, value_name = "TEXT", conflicts_with = "text")]
    contains: Option<String>,
    /// With which standing
    #[arg(long, value_enum, default_value = "any")]
    standing: StandingFilter,
    /// Of which kind
    #[arg(long)]
    kind: Option<String>,
    /// Issued at this time or later, as in 2026-11-21T00:00:00Z
    #[arg(long, value_name = "TIME")]
    issued_from: Option<String>,
    /// Issued before this time
    #[arg(long, value_name = "TIME")]
    issued_before: Option<String>,
    /// Ending before this time
    #[arg(long, value_name = "TIME")]
    ends_before: Option<String>,
    /// How many to list
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Go on where an earlier list ended
    #[arg(long, value_name = "PLACE")]
    after: Option<i64>,
}

/// Flags of `lanyard certificate show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    #[command(flatten)]
    installation: InstallationArgs,
    /// The serial number, hexadecimal
    serial: String,
}

/// Flags of `lanyard certificate revoke`.
#[derive(Debug, Args)]
pub struct RevokeArgs {
    #[command(flatten)]
    installation: InstallationArgs,
    /// The serial number, hexadecimal
    serial: String,
    /// The reason, as RFC 5280 calls it
    #[arg(long, default_value = "unspecified", value_parser = reason)]
    reason: String,
    /// Since when the key may be known to others, as in 2026-11-21T00:00:00Z
    #[arg(long, value_name = "TIME")]
    invalid_since: Option<String>,
}

fn reason(text: &str) -> Result<String, String> {
    let known = reasons();
    match known.iter().find(|reason| reason.eq_ignore_ascii_case(text)) {
        Some(reason) => Ok((*reason).to_owned()),
        None => Err(format!("one of {}", known.join(", "))),
    }
}

/// Flags of `lanyard certificate release`.
#[derive(Debug, Args)]
pub struct ReleaseArgs {
    #[command(flatten)]
    installation: InstallationArgs,
    /// The serial number, hexadecimal
    serial: String,
}

/// Flags of `lanyard certificate export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    #[command(flatten)]
    installation: InstallationArgs,
    /// The serial number, hexadecimal
    serial: String,
    /// In which form
    #[arg(long, value_enum, default_value = "pem")]
    form: CertificateForm,
    /// Write here instead of to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// The form of an exported certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CertificateForm {
    /// PEM
    Pem,
    /// PEM, with those above it
    Chain,
    /// DER
    Der,
}

/// Runs `lanyard certificate`.
pub async fn run(
    command: CertificateCommand,
    global: &GlobalArgs,
    output: Output,
) -> Result<(), Failure> {
    match command {
        CertificateCommand::Search(args) => search(args, global, output).await,
        CertificateCommand::Show(args) => show(args, global, output).await,
        CertificateCommand::Why(args) => Box::pin(why::run(args, global, output)).await,
        CertificateCommand::Revoke(args) => {
            let change = ChangeView::Revoke { reason: args.reason };
            let operation =
                ChangeStanding { serial: args.serial, change, invalidity_date: args.invalid_since };
            change_standing(&args.installation, operation, global, output).await
        }
        CertificateCommand::Release(args) => {
            let change = ChangeView::Release;
            let operation = ChangeStanding { serial: args.serial, change, invalidity_date: None };
            change_standing(&args.installation, operation, global, output).await
        }
        CertificateCommand::Export(args) => export(args, global, output).await,
    }
}

async fn search(args: SearchArgs, global: &GlobalArgs, output: Output) -> Result<(), Failure> {
    let installation = Installation::find(&args.installation, global).await?;
    let operation = SearchCertificates {
        begins: args.text,
        contains: args.contains,
        standing: args.standing,
        kind: args.kind,
        issued_from: args.issued_from,
        issued_before: args.issued_before,
        ends_before: args.ends_before,
        after: args.after,
        limit: args.limit,
    };
    let page = output.progress("Searching", installation.run(operation)).await?;
    output.answer(&page, || listed(&page))
}

fn listed(page: &CertificatePage) -> String {
    if page.certificates.is_empty() && page.next.is_none() {
        return "No certificate matches.".into();
    }
    let rows: Vec<_> = page
        .certificates
        .iter()
        .map(|one| {
            let name = one.subject.clone().filter(|subject| !subject.is_empty());
            let name = name.or_else(|| one.alternative_names.first().cloned()).unwrap_or_default();
            vec![
                one.serial.clone(),
                one.standing.clone(),
                one.not_after.clone(),
                one.kind.clone(),
                name,
            ]
        })
        .collect();
    let mut text = table(&["serial", "standing", "ends", "kind", "subject"], &rows);
    if let Some(next) = page.next {
        let _ = writeln!(text, "\nThere are more: --after {next}");
    }
    text
}

async fn show(args: ShowArgs, global: &GlobalArgs, output: Output) -> Result<(), Failure> {
    let installation = Installation::find(&args.installation, global).await?;
    let detail = installation.run(ShowCertificate { serial: args.serial }).await?;
    output.answer(&detail, || described(&detail))
}

fn described(detail: &CertificateDetail) -> String {
    let verdict = &detail.verdict;
    let mut text = verdict.state.clone();
    if let Some(since) = &verdict.since {
        let _ = write!(text, " since {since}");
    }
    if let Some(reason) = &verdict.reason {
        let _ = write!(text, ", {reason}");
    }
    let _ = writeln!(text, " ({})", verdict.rule);
    for fact in &verdict.facts {
        let _ = writeln!(text, "  {fact}");
    }
    let record = &detail.record;
    let _ = writeln!(text, "{} certificate from {}", record.kind, record.source);
    if let Some(by) = &record.revoked_by {
        let _ = writeln!(text, "revoked by {by}");
    }
    match &detail.text {
        Some(certificate) => {
            let _ = write!(text, "\n{certificate}");
        }
        None => {
            let _ = writeln!(
                text,
                "serial {}, from {} to {}; the certificate itself is not kept",
                record.serial, record.not_before, record.not_after
            );
        }
    }
    text
}

async fn change_standing(
    args: &InstallationArgs,
    operation: ChangeStanding,
    global: &GlobalArgs,
    output: Output,
) -> Result<(), Failure> {
    let installation = Installation::find(args, global).await?;
    let now =
        output.progress("Waiting for the revocation list", installation.run(operation)).await?;
    output.answer(&now, || sentence(&now))
}

fn sentence(now: &StandingView) -> String {
    let mut text =
        format!("{} is {}{}", now.serial, if now.changed { "" } else { "still " }, now.standing);
    if let Some(since) = &now.since {
        let _ = write!(text, " since {since}");
    }
    if let Some(reason) = &now.reason {
        let _ = write!(text, " ({reason})");
    }
    text + "."
}

async fn export(args: ExportArgs, global: &GlobalArgs, output: Output) -> Result<(), Failure> {
    let installation = Installation::find(&args.installation, global).await?;
    let exported = installation.run(ExportCertificate { serial: args.serial }).await?;
    let one = pem::encode(pem::CERTIFICATE, &exported.certificate);
    let chain: String =
        exported.chain.iter().map(|der| pem::encode(pem::CERTIFICATE, der)).collect();
    let json = json!({ "certificate": one, "chain": chain });
    let content = match args.form {
        CertificateForm::Pem => one.into_bytes(),
        CertificateForm::Chain => (one + &chain).into_bytes(),
        CertificateForm::Der => exported.certificate,
    };
    write_out(args.out.as_deref(), &content, &json, output)
}
