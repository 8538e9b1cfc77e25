//! `lanyard ca`: look after the certificate authority.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use lanyard_pki::pem;
use serde_json::json;

use super::{read_file, write_out};
use crate::cli::{GlobalArgs, InstallationArgs};
use crate::config::unit::Span;
use crate::config::{CertifiedBySetting, KeySetting};
use crate::control::Installation;
use crate::control::operations::ca::{
    ActivateCa, CaView, ImportCa, ListCas, MakeResponder, PrepareNextCa, PreparedView, RequestCa,
    Wanted,
};
use crate::exit::{ExitStatus, Failure};
use crate::output::Output;

/// What to do with the certificate authority.
#[derive(Debug, Subcommand)]
pub enum CaCommand {
    /// Show every authority of the installation: current, next, retired, requested
    Show(ShowArgs),
    /// Make a key and the request for another CA to certify it
    Request(RequestArgs),
    /// Take the other CA's answer: the certificate and those above it
    Import(ImportArgs),
    /// Make the authority that is to follow the current one; clients see it by GetNextCACert
    PrepareNext(PrepareNextArgs),
    /// Make the next authority the one that issues, now or at a time
    Activate(ActivateArgs),
    /// Write an authority's certificate, with those above it
    Export(ExportArgs),
    /// Make what a responder without the store signs with: see `lanyard serve --responder`
    Responder(ResponderArgs),
}

/// Flags of `lanyard ca show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    #[command(flatten)]
    installation: InstallationArgs,
}

/// What a new authority is to be.
#[derive(Debug, Args)]
pub struct WantedArgs {
    /// Its subject, as in CN=Example Device CA,O=Example [default: as configured]
    #[arg(long, value_name = "NAME")]
    subject: Option<String>,
    /// Its key [default: as configured]
    #[arg(long, value_enum)]
    key: Option<KeySetting>,
}

/// Flags of `lanyard ca request`.
#[derive(Debug, Args)]
pub struct RequestArgs {
    #[command(flatten)]
    installation: InstallationArgs,
    #[command(flatten)]
    wanted: WantedArgs,
    /// Write the request here instead of to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Flags of `lanyard ca import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    #[command(flatten)]
    installation: InstallationArgs,
    /// Files with the certificate and the whole chain above it, PEM or DER, in any order
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Which authority, by number [default: the only one that waits]
    #[arg(long, value_name = "NUMBER")]
    id: Option<i64>,
}

/// Flags of `lanyard ca prepare-next`.
#[derive(Debug, Args)]
pub struct PrepareNextArgs {
    #[command(flatten)]
    installation: InstallationArgs,
    #[command(flatten)]
    wanted: WantedArgs,
    /// How long it is valid when it certifies itself, as in 3650d [default: as configured]
    #[arg(long, value_name = "SPAN")]
    validity: Option<Span>,
    /// Have another CA certify it: write the request instead
    #[arg(long)]
    request: bool,
}

/// Flags of `lanyard ca activate`.
#[derive(Debug, Args)]
pub struct ActivateArgs {
    #[command(flatten)]
    installation: InstallationArgs,
    /// Which authority, by number [default: the only next one]
    #[arg(long, value_name = "NUMBER")]
    id: Option<i64>,
    /// When, as in 2026-12-01T00:00:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

/// Flags of `lanyard ca export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    #[command(flatten)]
    installation: InstallationArgs,
    /// Which authority, by number [default: the current one]
    #[arg(long, value_name = "NUMBER")]
    id: Option<i64>,
    /// In which form
    #[arg(long, value_enum, default_value = "chain")]
    form: CaForm,
    /// Write here instead of to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// Flags of `lanyard ca responder`.
#[derive(Debug, Args)]
pub struct ResponderArgs {
    #[command(flatten)]
    installation: InstallationArgs,
    /// How long its certificates are valid
    #[arg(long, value_name = "SPAN", default_value = "90d")]
    validity: Span,
    /// Write here. Whoever has the file may answer in the authority's name until the certificates end, and read whose
    /// certificate a serial number is of
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

/// The form of an exported authority.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CaForm {
    /// The certificate and those above it, PEM
    Chain,
    /// The certificate alone, PEM
    Pem,
    /// The certificate alone, DER
    Der,
}

/// Runs `lanyard ca`.
pub async fn run(command: CaCommand, global: &GlobalArgs, output: Output) -> Result<(), Failure> {
    match command {
        CaCommand::Show(args) => show(args, global, output).await,
        CaCommand::Request(args) => request(args, global, output).await,
        CaCommand::Import(args) => import(args, global, output).await,
        CaCommand::PrepareNext(args) => prepare_next(args, global, output).await,
        CaCommand::Activate(args) => activate(args, global, output).await,
        CaCommand::Export(args) => export(args, global, output).await,
        CaCommand::Responder(args) => responder(args, global, output).await,
    }
}

async fn show(args: ShowArgs, global: &GlobalArgs, output: Output) -> Result<(), Failure> {
    let installation = Installation::find(&args.installation, global).await?;
    let cas = installation.run(ListCas {}).await?;
    output.answer(&cas, || cas.iter().map(described).collect::<Vec<_>>().join("\n"))
}

fn described(ca: &CaView) -> String {
    let mut text = format!("{} ({}, number {})\n", ca.name, ca.state, ca.id);
    let mut line = |name: &str, value: &Option<String>| {
        if let Some(value) = value {
            let _ = writeln!(text, "  {name:<14}{value}");
        }
    };
    line("key", &ca.key);
    line("key name", &Some(ca.key_name.clone()));
    line("key id", &Some(ca.key_identifier.clone()));
    line("valid from", &ca.not_before);
    line("valid to", &ca.not_after);
    line("SHA-256", &ca.fingerprint_sha256);
    line("SHA-1", &ca.fingerprint_sha1);
    line("RA valid to", &ca.ra_not_after);
    line("activates at", &ca.activates_at);
    if ca.request.is_some() {
        text.push_str("  waits for its certificate: `lanyard ca import`\n");
    }
    text
}

impl WantedArgs {
    fn wanted(self) -> Wanted {
        Wanted { subject: self.subject, key: self.key, ..Wanted::default() }
    }
}

async fn request(args: RequestArgs, global: &GlobalArgs, output: Output) -> Result<(), Failure> {
    let installation = Installation::find(&args.installation, global).await?;
    let wanted = args.wanted.wanted();
    let requested = output.progress("Making a key", installation.run(RequestCa { wanted })).await?;
    write_out(args.out.as_deref(), requested.request.as_bytes(), &requested, output)
}

async fn import(args: ImportArgs, global: &GlobalArgs, output: Output) -> Result<(), Failure> {
    let mut certificates = Vec::new();
    for file in &args.files {
        certificates.extend(certificates_in(&read_file(file)?));
    }
    if certificates.is_empty() {
        return Err(Failure::new(ExitStatus::Usage, "the files hold no certificate"));
    }
    let installation = Installation::find(&args.installation, global).await?;
    let imported = installation.run(ImportCa { id: args.id, certificates }).await?;
    output.answer(&imported, || {
        format!("Authority {} has its certificate; it is the {} one.", imported.id, imported.state)
    })
}

/// The certificates in a file: PEM, else one in DER.
fn certificates_in(content: &[u8]) -> Vec<Vec<u8>> {
    let blocks = str::from_utf8(content).ok().and_then(|text| pem::decode_all(text).ok());
    match blocks {
        Some(blocks) if !blocks.is_empty() => blocks
            .into_iter()
            .filter(|block| block.label == pem::CERTIFICATE)
            .map(|block| block.der)
            .collect(),
        _ => vec![content.to_vec()],
    }
}

async fn prepare_next(
    args: PrepareNextArgs,
    global: &GlobalArgs,
    output: Output,
) -> Result<(), Failure> {
    let installation = Installation::find(&args.installation, global).await?;
    let wanted = Wanted {
        validity: args.validity,
        certified_by: args.request.then_some(CertifiedBySetting::Another),
        ..args.wanted.wanted()
    };
    let prepared =
        output.progress("Making a key", installation.run(PrepareNextCa { wanted })).await?;
    output.answer(&prepared, || match &prepared {
        PreparedView::Next { id } => format!(
            "Authority {id} is the next one and is announced by GetNextCACert.\n\
             Make it issue with `lanyard ca activate` once clients know it."
        ),
        PreparedView::Requested(requested) => requested.request.clone(),
    })
}

async fn activate(args: ActivateArgs, global: &GlobalArgs, output: Output) -> Result<(), Failure> {
    let installation = Installation::find(&args.installation, global).await?;
    let at = args.at.clone();
    let activated = installation.run(ActivateCa { id: args.id, at: args.at }).await?;
    output.answer(&activated, || match at {
        Some(at) => format!("Authority {} will issue from {at} on.", activated.id),
        None => format!("Authority {} issues now.", activated.id),
    })
}

async fn export(args: ExportArgs, global: &GlobalArgs, output: Output) -> Result<(), Failure> {
    let installation = Installation::find(&args.installation, global).await?;
    let cas = installation.run(ListCas {}).await?;
    let wanted = |ca: &&CaView| match args.id {
        Some(id) => ca.id == id,
        None => ca.state == "current",
    };
    let ca = cas.iter().find(wanted).filter(|ca| !ca.chain.is_empty()).ok_or_else(|| {
        Failure::new(ExitStatus::NotFound, "there is no such authority with a certificate")
    })?;
    let blocks = pem::decode_all(&ca.chain)?;
    let first = blocks.first().map(|block| block.der.clone()).unwrap_or_default();
    let content = match args.form {
        CaForm::Chain => ca.chain.clone().into_bytes(),
        CaForm::Pem => pem::encode(pem::CERTIFICATE, &first).into_bytes(),
        CaForm::Der => first,
    };
    write_out(args.out.as_deref(), &content, &json!({ "id": ca.id, "chain": ca.chain }), output)
}

async fn responder(
    args: ResponderArgs,
    global: &GlobalArgs,
    output: Output,
) -> Result<(), Failure> {
    let installation = Installation::find(&args.installation, global).await?;
    let made = installation.run(MakeResponder { validity: args.validity }).await?;
    crate::file::write_private(&args.out, made.material.as_bytes()).map_err(|error| {
        Failure::new(ExitStatus::Failed, format!("{}: {error}", args.out.display()))
    })?;
    let file = args.out.display().to_string();
    output.answer(&json!({ "file": file }), || format!("Written to {file}."))
}
