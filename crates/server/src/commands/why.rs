//! `lanyard certificate why`: why a certificate stands as it does, for people and for programs.

use std::fmt::Write as _;

use clap::Args;
use lanyard_authority::Clock as _;
use lanyard_authority::clock::SystemClock;
use lanyard_lifecycle::verdict::Rule;
use lanyard_pki::Time;

use crate::cli::{GlobalArgs, InstallationArgs};
use crate::control::Installation;
use crate::control::operations::why::{ExplainCertificate, WhyView};
use crate::exit::Failure;
use crate::output::{Output, table};

/// Flags of `lanyard certificate why`.
#[derive(Debug, Args)]
pub struct WhyArgs {
    #[command(flatten)]
    installation: InstallationArgs,
    /// The serial number, hexadecimal
    serial: String,
}

/// Runs `lanyard certificate why`.
pub async fn run(args: WhyArgs, global: &GlobalArgs, output: Output) -> Result<(), Failure> {
    let installation = Installation::find(&args.installation, global).await?;
    let asking = Box::pin(installation.run(ExplainCertificate { serial: args.serial }));
    let why = output.progress("Asking directories", asking).await?;
    output.answer(&why, || explained(&why, SystemClock.now()))
}

/// The explanation, for people.
pub(super) fn explained(why: &WhyView, now: Time) -> String {
    let mut text = sentence(why);
    text.push('\n');
    let rows: Vec<_> = why
        .facts
        .iter()
        .map(|fact| {
            let about = fact.object.clone().unwrap_or_default();
            let said = format!("{}={}", fact.name, fact.value);
            vec![fact.source.clone(), said, age(&fact.learnt, now), about]
        })
        .collect();
    if !rows.is_empty() {
        let _ = write!(text, "\n{}", table(&["source", "says", "learnt", "of"], &rows));
    }
    let until = why.ocsp.next_update.as_ref();
    let until = until.map(|until| format!("; clients may rely on it until {until}"));
    let _ = write!(text, "\nOCSP says {}{}.\n", why.ocsp.status, until.unwrap_or_default());
    text
}

/// The verdict in a sentence.
pub(super) fn sentence(why: &WhyView) -> String {
    let state = match why.state.as_str() {
        "onHold" => "on hold",
        // Nobody can decide now: what is said of the rule says why.
        "unknown" if why.ocsp.status == "tryLater" => "undecided",
        state => state,
    };
    let mut text = format!("{} is {state}", why.serial);
    if let Some(since) = &why.since {
        let _ = write!(text, " since {since}");
    }
    if let Some(reason) = why.reason.as_ref().filter(|_| why.state == "revoked") {
        let _ = write!(text, " ({reason})");
    }
    let rule = Rule::from_name(&why.rule).map_or(why.rule.as_str(), |rule| rule.text());
    let _ = write!(text, ": {rule}.");
    text
}

/// How long ago, as people say it.
fn age(learnt: &str, now: Time) -> String {
    let Ok(learnt) = learnt.parse::<Time>() else { return learnt.to_owned() };
    match now.seconds_since(learnt).max(0) {
        seconds @ 0..120 => format!("{seconds} s ago"),
        seconds @ 120..7_200 => format!("{} min ago", seconds / 60),
        seconds @ 7_200..172_800 => format!("{} h ago", seconds / 3_600),
        seconds => format!("{} days ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::operations::why::{FactView, OcspView};

    fn wiped() -> WhyView {
        let fact = |source: &str, name: &str, value: &str, learnt: &str| FactView {
            source: source.to_owned(),
            object: Some("0f8fad5b-d9cb-469f-a165-70867728950e".to_owned()),
            name: name.to_owned(),
            value: value.to_owned(),
            learnt: learnt.to_owned(),
        };
        WhyView {
            serial: "4a01".to_owned(),
            state: "revoked".to_owned(),
            reason: Some("cessationOfOperation".to_owned()),
            since: Some("2026-11-21T10:42:00Z".to_owned()),
            facts: vec![
                fact("Intune", "managementState", "wipePending", "2026-11-21T10:42:00Z"),
                fact("Intune", "complianceState", "compliant", "2026-11-21T08:00:00Z"),
            ],
            rule: Rule::IntuneDeviceWiped.name().to_owned(),
            ocsp: OcspView {
                status: "revoked".to_owned(),
                next_update: Some("2026-11-28T10:42:12Z".to_owned()),
            },
        }
    }

    fn at(text: &str) -> Time {
        text.parse().unwrap()
    }

    #[test]
    fn a_person_reads_the_verdict_then_every_fact_with_its_age() {
        insta::assert_snapshot!(explained(&wiped(), at("2026-11-21T10:42:12Z")));
    }

    #[test]
    fn what_nobody_can_decide_is_called_undecided() {
        let ocsp = OcspView { status: "tryLater".to_owned(), next_update: None };
        let rule = Rule::DirectorySilent.name().to_owned();
        let (state, facts) = ("unknown".to_owned(), Vec::new());
        let why = WhyView { state, reason: None, since: None, facts, rule, ocsp, ..wiped() };
        insta::assert_snapshot!(explained(&why, at("2026-11-21T10:42:12Z")));
    }

    #[test]
    fn programs_find_the_names_that_they_rely_on() {
        insta::assert_snapshot!(serde_json::to_string_pretty(&wiped()).unwrap());
    }
}
