//! The process killed in the middle of mirroring, without a chance to tidy up; another one goes on where it was.

use std::process::Command;

use lanyard_lifecycle::object::{ManagementState, ObjectKind, Presence};

use super::mirrored::{id, mirroring, open, populated};
use super::*;
use crate::mirror::testing::{Scripted, device, user};
use crate::mirror::{Answer, Need};

const FOLDER: &str = "LANYARD_TEST_FOLDER";
const STEP: &str = "LANYARD_TEST_STEP";
const STEPS: [Step; 4] = [Step::PageRead, Step::PageRecorded, Step::ProofRead, Step::ProofRecorded];
/// The kills, by step and how often it is reached before.
const KILLS: [(usize, usize); 8] = [(0, 0), (0, 4), (1, 0), (1, 2), (1, 5), (2, 0), (3, 0), (3, 1)];

/// Ends the process at a step as a crash does.
#[derive(Debug)]
struct Abort {
    step: Step,
    left: AtomicUsize,
}

impl Steps for Abort {
    fn at(&self, step: Step) -> BoxFuture<'_, Result<(), Fault>> {
        if step == self.step && self.left.fetch_sub(1, Ordering::SeqCst) == 0 {
            std::process::abort();
        }
        Box::pin(std::future::ready(Ok(())))
    }
}

/// What has happened at the directory since it was read first: changes that the directory has forgotten to tell.
fn later(script: &Scripted) {
    let mut world = script.world();
    world.delete(ObjectKind::EntraUser, 2);
    world.delete(ObjectKind::EntraUser, 6);
    world.delete(ObjectKind::IntuneDevice, 3);
    world.delete(ObjectKind::IntuneDevice, 8);
    world.put(5, user("person5@example.com", false));
    world.put(9, user("person9@example.com", true));
    world.put(1, device(ManagementState::WipePending));
    world.forget_changes();
}

#[tokio::test]
async fn a_mirror_whose_process_is_killed_anywhere_ends_up_as_its_directory() {
    for (step, before) in KILLS {
        let case = format!("{:?} after {before}", STEPS[step]);
        let installation = Installation::new();
        let script = populated(&installation.clock);
        let authority = open(&installation, &script).await;
        authority.work_mirror().await.unwrap();
        authority.store().close().await;
        drop(authority);

        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tests::mirrored_killed::child", "--ignored"])
            .env(FOLDER, installation.path())
            .env(STEP, format!("{step} {before}"))
            .output()
            .unwrap();
        let signal = std::os::unix::process::ExitStatusExt::signal(&child.status);
        assert!(signal.is_some(), "{case}: {}", String::from_utf8_lossy(&child.stdout));

        later(&script);
        installation.clock.advance(700);
        let authority = open(&installation, &script).await;
        // Nothing that was known is lost meanwhile.
        for number in [1, 4, 5, 7] {
            let known = authority.observe(id(ObjectKind::EntraUser, number), Need::Known).await;
            assert!(matches!(known.unwrap(), Answer::Observed(_)), "{case}: user {number}");
        }
        authority.work_mirror().await.unwrap();
        for (kind, numbers) in [(ObjectKind::EntraUser, 1..=9), (ObjectKind::IntuneDevice, 1..=8)] {
            for number in numbers {
                let key = id(kind, number);
                let there = script.world().objects.get(&(kind, key.object)).cloned();
                let known = match authority.observe(key, Need::Known).await.unwrap() {
                    Answer::Observed(observed) => match observed.state.presence {
                        Presence::Present(properties) => Some(properties),
                        Presence::Absent => None,
                    },
                    _ => None,
                };
                assert_eq!(known, there, "{case}: {key}");
            }
        }
        let report = authority.directories().await.unwrap();
        let present: Vec<_> = report[0].feeds.iter().take(2).map(|feed| feed.present).collect();
        assert_eq!(present, [6, 6], "{case}");
    }
}

/// The process that is killed.
#[tokio::test]
#[ignore = "started by the test above, which kills it"]
async fn child() {
    let folder = variable(FOLDER);
    let text = variable(STEP);
    let (step, before) = text.split_once(' ').unwrap();
    let step = STEPS[step.parse::<usize>().unwrap()];
    let clock = Arc::new(ManualClock::new(START));
    let script = populated(&clock);
    later(&script);
    clock.advance(700);
    let mut ports = ports(Path::new(&folder), clock, 1).await;
    ports.directories.push(script);
    let abort = Abort { step, left: AtomicUsize::new(before.parse().unwrap()) };
    let authority = open_disturbed(mirroring(), ports, Arc::new(abort)).await.unwrap();
    authority.work_mirror().await.unwrap();
}

#[expect(clippy::disallowed_methods, reason = "how a test tells its child what to do")]
fn variable(name: &str) -> String {
    std::env::var(name).unwrap()
}
