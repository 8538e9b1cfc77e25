//! `lanyard directory`: the directories that certificates follow, and what they say.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use clap::{Args, Subcommand, ValueEnum};
use lanyard_lifecycle::object::ObjectKind;
use uuid::Uuid;

use crate::cli::{GlobalArgs, InstallationArgs};
use crate::control::Installation;
use crate::control::operations::directory::{
    DirectoryView, FeedView, Freshness, KnownBy, ListDirectories, LookUpObject, ObjectView,
    SyncDirectories,
};
use crate::exit::{ExitStatus, Failure};
use crate::output::{Output, table};

/// What to do with directories.
#[derive(Debug, Subcommand)]
pub enum DirectoryCommand {
    /// Show each directory, and how well its objects are known
    List(ListArgs),
    /// Show what is known of a user or device
    Show(ShowArgs),
    /// Ask the directory now about a user or device
    LookUp(ShowArgs),
    /// Read directories now, before it is due
    Sync(SyncArgs),
}

/// Flags of `lanyard directory list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    installation: InstallationArgs,
}

/// Flags of `lanyard directory show` and `look-up`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    #[command(flatten)]
    installation: InstallationArgs,
    /// The directory, by name or id, where several are configured
    #[arg(long, value_name = "NAME")]
    directory: Option<String>,
    /// What it is
    kind: KindArg,
    /// What it is known by: its id, unless --by says otherwise
    what: String,
    /// By what
    #[arg(long, value_name = "WHAT", default_value = "id")]
    by: ByArg,
}

/// What an object is known by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ByArg {
    /// Its id
    Id,
    /// Its user principal name
    Upn,
    /// Its user name in Jamf Pro
    Username,
    /// Its address in Jamf Pro
    Email,
    /// Of a device in Intune, its id in Entra ID
    EntraDeviceId,
}

/// Flags of `lanyard directory sync`.
#[derive(Debug, Args)]
pub struct SyncArgs {
    #[command(flatten)]
    installation: InstallationArgs,
    /// The directory, by name or id; without it, all
    directory: Option<String>,
    /// One kind of object; without it, all
    #[arg(long)]
    kind: Option<KindArg>,
    /// Wait until everything is read
    #[arg(long)]
    wait: bool,
}

/// A kind of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KindArg {
    /// A user in Entra ID
    EntraUser,
    /// A device in Entra ID
    EntraDevice,
    /// A user at risk in Entra ID
    RiskyUser,
    /// A device in Intune
    IntuneDevice,
    /// A computer in Jamf Pro
    JamfComputer,
    /// A mobile device in Jamf Pro
    JamfMobileDevice,
    /// A user in Jamf Pro
    JamfUser,
}

impl From<KindArg> for ObjectKind {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::EntraUser => Self::EntraUser,
            KindArg::EntraDevice => Self::EntraDevice,
            KindArg::RiskyUser => Self::RiskyUser,
            KindArg::IntuneDevice => Self::IntuneDevice,
            KindArg::JamfComputer => Self::JamfComputer,
            KindArg::JamfMobileDevice => Self::JamfMobileDevice,
            KindArg::JamfUser => Self::JamfUser,
        }
    }
}

/// Runs `lanyard directory`.
pub async fn run(
    command: DirectoryCommand,
    global: &GlobalArgs,
    output: Output,
) -> Result<(), Failure> {
    match command {
        DirectoryCommand::List(args) => {
            let installation = Installation::find(&args.installation, global).await?;
            let directories = installation.run(ListDirectories {}).await?;
            output.answer(&directories, || listed(&directories))
        }
        DirectoryCommand::Show(args) => show(args, Freshness::Known, global, output).await,
        DirectoryCommand::LookUp(args) => show(args, Freshness::Now, global, output).await,
        DirectoryCommand::Sync(args) => sync(args, global, output).await,
    }
}

async fn show(
    args: ShowArgs,
    freshness: Freshness,
    global: &GlobalArgs,
    output: Output,
) -> Result<(), Failure> {
    let operation = LookUpObject {
        by: args.by()?,
        directory: args.directory,
        kind: args.kind.into(),
        freshness,
    };
    let installation = Installation::find(&args.installation, global).await?;
    let found = output.progress("Asking the directory", installation.run(operation)).await?;
    output.answer(&found, || shown(&found))
}

impl ShowArgs {
    fn by(&self) -> Result<KnownBy, Failure> {
        let what = self.what.clone();
        Ok(match self.by {
            ByArg::Id => KnownBy::Id(what),
            ByArg::Upn => KnownBy::UserPrincipalName(what),
            ByArg::Username => KnownBy::Username(what),
            ByArg::Email => KnownBy::Email(what),
            ByArg::EntraDeviceId => {
                let id = Uuid::try_parse(&what);
                KnownBy::EntraDeviceId(id.map_err(|error| Failure::new(ExitStatus::Usage, error))?)
            }
        })
    }
}

/// How often the progress of a sync is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// How long trouble that was there before is given to pass.
const PATIENCE: Duration = Duration::from_secs(45);

async fn sync(args: SyncArgs, global: &GlobalArgs, output: Output) -> Result<(), Failure> {
    let kind = args.kind.map(ObjectKind::from);
    let before = find(&args, global).await?.run(ListDirectories {}).await?;
    let operation = SyncDirectories { directory: args.directory.clone(), kind };
    let begun = find(&args, global).await?.run(operation).await?;
    if !args.wait {
        return output.answer(&begun, || "The directories are read now.".to_owned());
    }
    let read = wait(&args, global, output, &before, begun).await;
    if std::io::stderr().is_terminal() {
        eprint!("\r\x1b[K");
    }
    let read = read?;
    output.answer(&read, || listed(&read))
}

/// Waits until a round of everything that was demanded has ended.
async fn wait(
    args: &SyncArgs,
    global: &GlobalArgs,
    output: Output,
    before: &[DirectoryView],
    mut now: Vec<DirectoryView>,
) -> Result<Vec<DirectoryView>, Failure> {
    let kind = args.kind.map(ObjectKind::from);
    let begun = Instant::now();
    loop {
        let left: Vec<(&FeedView, &FeedView)> = before
            .iter()
            .zip(&now)
            .filter(|(_, directory)| {
                let named = |name: &str| directory.name == name || directory.id == name;
                args.directory.as_deref().is_none_or(named)
            })
            .flat_map(|(old, new)| old.feeds.iter().zip(&new.feeds))
            .filter(|(_, new)| kind.is_none_or(|kind| kind == new.kind) && !is_read(new))
            .collect();
        // Trouble from before is told until a page has been read: it counts once there was time for one.
        let is_new = |old: &FeedView, new: &FeedView| {
            old.trouble_since != new.trouble_since || begun.elapsed() > PATIENCE
        };
        let trouble = left.iter().find(|(old, new)| new.trouble.is_some() && is_new(old, new));
        if let Some(trouble) = trouble.and_then(|(_, feed)| feed.trouble.clone()) {
            return Err(Failure::new(ExitStatus::Failed, trouble));
        }
        if left.is_empty() {
            return Ok(now);
        }
        let left: Vec<&FeedView> = left.iter().map(|(_, feed)| *feed).collect();
        tell(&left, output);
        tokio::time::sleep(LOOK).await;
        now = find(args, global).await?.run(ListDirectories {}).await?;
    }
}

async fn find(args: &SyncArgs, global: &GlobalArgs) -> Result<Installation, Failure> {
    match Installation::find(&args.installation, global).await? {
        running @ Installation::Running(_) => Ok(running),
        Installation::Opened { opened, .. } => {
            opened.store.close().await;
            let text =
                "no server runs that would read the directories: start it with `lanyard serve`";
            Err(Failure::new(ExitStatus::Unreachable, text))
        }
    }
}

/// Whether a round that was demanded has begun, and ended.
fn is_read(now: &FeedView) -> bool {
    let is_at_rest = now.phase == "resting" && !now.proving && !now.demanded;
    now.how == "on-demand" || (is_at_rest && now.as_of.is_some())
}

/// Shows on a terminal how far it is.
fn tell(left: &[&FeedView], output: Output) {
    let mut terminal = std::io::stderr();
    if output.is_json() || !terminal.is_terminal() {
        return;
    }
    let told: Vec<String> = left.iter().map(|feed| progress(feed)).collect();
    let line: String = told.join(", ").chars().take(100).collect();
    // What cannot be written is lost: nobody looks.
    let _ = write!(terminal, "\r\x1b[K{line}").and_then(|()| terminal.flush());
}

fn progress(feed: &FeedView) -> String {
    let what = feed.kind.name();
    match (feed.phase.as_str(), feed.total) {
        ("resting", _) if feed.proving => format!("{what}: looking up what is missing"),
        ("resting", _) => format!("{what}: waiting"),
        (_, Some(total)) => format!("{what}: {} of {total}", feed.seen),
        (_, None) => format!("{what}: {}", feed.seen),
    }
}

fn listed(directories: &[DirectoryView]) -> String {
    if directories.is_empty() {
        return "No directory is configured.".to_owned();
    }
    let mut rows = Vec::new();
    let mut troubles = String::new();
    for directory in directories {
        for feed in &directory.feeds {
            let age = feed.staleness_seconds.map_or_else(|| "-".to_owned(), |s| format!("{s} s"));
            let doing = match feed.phase.as_str() {
                "resting" if !feed.proving && feed.seen > feed.present && feed.how == "sweep" => {
                    // A list of numbers: what they stand for is asked for when it is needed.
                    format!("{} listed by number", feed.seen)
                }
                "resting" if !feed.proving => String::new(),
                _ => progress(feed),
            };
            rows.push(vec![
                directory.name.clone(),
                feed.kind.name().to_owned(),
                feed.health.clone(),
                feed.present.to_string(),
                age,
                doing,
            ]);
            if let (Some(trouble), Some(since)) = (&feed.trouble, &feed.trouble_since) {
                let line =
                    format!("{} {}: {trouble} (since {since})\n", directory.name, feed.kind.name());
                troubles.push_str(&line);
            }
        }
    }
    table(&["directory", "objects", "state", "known", "as of", "doing"], &rows) + &troubles
}

fn shown(found: &ObjectView) -> String {
    let mut rows = vec![vec!["presence".to_owned(), found.presence.clone()]];
    let optional = [
        ("id", &found.object),
        ("said by", &found.service),
        ("known as of", &found.learnt),
        ("first seen", &found.first_seen),
        ("absent since", &found.absent_since),
        ("nothing newer", &found.trouble),
    ];
    for (name, value) in optional {
        rows.extend(value.as_ref().map(|value| vec![name.to_owned(), value.clone()]));
    }
    rows.extend(found.facts.iter().map(|fact| vec![fact.name.clone(), fact.value.clone()]));
    table(&[found.kind.text(), ""], &rows)
}
