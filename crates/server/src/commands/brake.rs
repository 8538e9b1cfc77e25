//! `lanyard brake`: what the brake on mass revocation holds back, and what becomes of it.

use std::fmt::Write as _;

use clap::{Args, Subcommand};
use lanyard_lifecycle::verdict::Rule;

use crate::cli::{GlobalArgs, InstallationArgs};
use crate::control::Installation;
use crate::control::operations::brake::{
    BatchView, BrakeView, DecideHeldBack, DecidedView, DecisionView, ShowBrake,
};
use crate::exit::Failure;
use crate::output::{Output, table};

/// What to do with the brake.
#[derive(Debug, Subcommand)]
pub enum BrakeCommand {
    /// Show how many certificates directories have revoked lately, and what is held back
    Show(ShowArgs),
    /// Let a batch that is held back be revoked
    Confirm(DecideArgs),
    /// Leave the certificates of a batch as they are: what the directory says is not believed
    Discard(DecideArgs),
}

/// Flags of `lanyard brake show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    #[command(flatten)]
    installation: InstallationArgs,
}

/// Flags of `lanyard brake confirm` and `discard`.
#[derive(Debug, Args)]
pub struct DecideArgs {
    #[command(flatten)]
    installation: InstallationArgs,
    /// The batch's number, as `show` has it
    batch: i64,
}

/// Runs `lanyard brake`.
pub async fn run(
    command: BrakeCommand,
    global: &GlobalArgs,
    output: Output,
) -> Result<(), Failure> {
    match command {
        BrakeCommand::Show(args) => {
            let installation = Installation::find(&args.installation, global).await?;
            let brake = installation.run(ShowBrake {}).await?;
            output.answer(&brake, || shown(&brake))
        }
        BrakeCommand::Confirm(args) => decide(args, DecisionView::Confirm, global, output).await,
        BrakeCommand::Discard(args) => decide(args, DecisionView::Discard, global, output).await,
    }
}

async fn decide(
    args: DecideArgs,
    decision: DecisionView,
    global: &GlobalArgs,
    output: Output,
) -> Result<(), Failure> {
    let installation = Installation::find(&args.installation, global).await?;
    let decided = installation.run(DecideHeldBack { id: args.batch, decision }).await?;
    output.answer(&decided, || told(&decided))
}

fn told(decided: &DecidedView) -> String {
    match decided.decision {
        DecisionView::Confirm => format!("Batch {} is being revoked.", decided.id),
        DecisionView::Discard => format!("The certificates of batch {} stay good.", decided.id),
    }
}

fn shown(brake: &BrakeView) -> String {
    let mut text = format!(
        "{} certificates follow an object; directories have revoked {} lately, {} more may be revoked now.\n",
        brake.tethered, brake.revoked, brake.lets_pass
    );
    if brake.waiting == 0 {
        text.push_str("Nothing waits for a person.\n");
    }
    for batch in brake.batches.iter().filter(|batch| batch.state == "held") {
        text.push_str(&waiting(batch));
    }
    let rows: Vec<_> = brake
        .batches
        .iter()
        .filter(|batch| batch.state != "held")
        .map(|batch| {
            let or_nothing = |text: &Option<String>| text.clone().unwrap_or_default();
            vec![
                batch.id.to_string(),
                batch.state.clone(),
                batch.opened_at.clone(),
                or_nothing(&batch.decided_at),
                or_nothing(&batch.decided_by),
            ]
        })
        .collect();
    if !rows.is_empty() {
        let header = ["batch", "was", "held back", "decided", "by"];
        let _ = write!(text, "\nEarlier:\n{}", table(&header, &rows));
    }
    text
}

/// What a person has to decide on, and how.
fn waiting(batch: &BatchView) -> String {
    let mut text = format!(
        "\nBatch {}: {} certificates are held back since {}. They stay good until you decide:\n",
        batch.id, batch.certificates, batch.opened_at
    );
    let _ = writeln!(
        text,
        "  lanyard brake confirm {0}    revokes them\n  lanyard brake discard {0}    leaves them",
        batch.id
    );
    let rows: Vec<_> = batch
        .examples
        .iter()
        .map(|one| {
            let rule = Rule::from_name(&one.rule).map_or(one.rule.as_str(), |rule| rule.text());
            vec![one.serial.clone(), one.kind.clone(), rule.to_owned()]
        })
        .collect();
    let _ = write!(text, "\n{}", table(&["serial", "kind", "why"], &rows));
    if u64::try_from(rows.len()).is_ok_and(|shown| shown < batch.certificates) {
        text.push_str("…\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::operations::brake::HeldBackView;

    #[test]
    fn a_person_reads_what_waits_and_how_to_decide() {
        let held = HeldBackView {
            serial: "4a01".to_owned(),
            kind: "EntraUser".to_owned(),
            rule: Rule::EntraUserDeleted.name().to_owned(),
            held_at: "2026-11-21T10:42:00Z".to_owned(),
        };
        let batch = |id, state: &str, examples| BatchView {
            id,
            state: state.to_owned(),
            opened_at: "2026-11-21T10:42:00Z".to_owned(),
            certificates: 40,
            decided_by: (state != "held").then(|| "root".to_owned()),
            decided_at: (state != "held").then(|| "2026-11-21T10:50:00Z".to_owned()),
            examples,
        };
        let brake = BrakeView {
            tethered: 600,
            revoked: 30,
            waiting: 40,
            lets_pass: 0,
            batches: vec![batch(2, "held", vec![held]), batch(1, "discarded", Vec::new())],
        };
        insta::assert_snapshot!(shown(&brake));
        let calm = BrakeView { waiting: 0, lets_pass: 30, batches: Vec::new(), ..brake };
        insta::assert_snapshot!(shown(&calm));
    }
}
