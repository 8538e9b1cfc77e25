//! `lanyard request`: decide on requests that wait for approval.

use clap::{Args, Subcommand};

use crate::cli::{GlobalArgs, InstallationArgs};
use crate::control::Installation;
use crate::control::operations::request::{ApproveRequest, DeclineRequest, ListRequests};
use crate::exit::Failure;
use crate::output::{Output, table};

/// What to do with waiting requests.
#[derive(Debug, Subcommand)]
pub enum RequestCommand {
    /// List the requests that wait, oldest first
    List(ListArgs),
    /// Grant a request: its certificate is issued now
    Approve(ApproveArgs),
    /// Refuse a request: the client is told when it asks again
    Decline(DeclineArgs),
}

/// Flags of `lanyard request list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    installation: InstallationArgs,
}

/// Flags of `lanyard request approve`.
#[derive(Debug, Args)]
pub struct ApproveArgs {
    #[command(flatten)]
    installation: InstallationArgs,
    /// The request's number, as `list` shows it
    id: i64,
}

/// Flags of `lanyard request decline`.
#[derive(Debug, Args)]
pub struct DeclineArgs {
    #[command(flatten)]
    installation: InstallationArgs,
    /// The request's number, as `list` shows it
    id: i64,
    /// Why, for the audit trail
    #[arg(long, default_value = "")]
    reason: String,
}

/// Runs `lanyard request`.
pub async fn run(
    command: RequestCommand,
    global: &GlobalArgs,
    output: Output,
) -> Result<(), Failure> {
    match command {
        RequestCommand::List(args) => {
            let installation = Installation::find(&args.installation, global).await?;
            let waiting = installation.run(ListRequests {}).await?;
            output.answer(&waiting, || {
                if waiting.is_empty() {
                    return "No request waits.".into();
                }
                let rows: Vec<_> = waiting
                    .iter()
                    .map(|one| {
                        let text = |value: &Option<String>| value.clone().unwrap_or_default();
                        vec![
                            one.id.to_string(),
                            one.received_at.clone(),
                            text(&one.address),
                            text(&one.subject),
                        ]
                    })
                    .collect();
                table(&["number", "received", "from", "subject"], &rows)
            })
        }
        RequestCommand::Approve(args) => {
            let installation = Installation::find(&args.installation, global).await?;
            let approved = installation.run(ApproveRequest { id: args.id }).await?;
            output.answer(&approved, || {
                format!("Issued certificate {} for request {}.", approved.serial, approved.id)
            })
        }
        RequestCommand::Decline(args) => {
            let installation = Installation::find(&args.installation, global).await?;
            let declined =
                installation.run(DeclineRequest { id: args.id, reason: args.reason }).await?;
            output.answer(&declined, || format!("Declined request {}.", declined.id))
        }
    }
}
