//! The process itself killed at every step of issuing, without a chance to tidy up; another process goes on.

use std::process::Command;

use super::*;

const FOLDER: &str = "LANYARD_TEST_FOLDER";
const STEP: &str = "LANYARD_TEST_STEP";
const STEPS: [Step; 5] =
    [Step::CaKeyMade, Step::CaStored, Step::Built, Step::Signed, Step::Recorded];

/// Ends the process at a step as a crash does.
#[derive(Debug)]
struct Abort(Step);

impl Steps for Abort {
    fn at(&self, step: Step) -> BoxFuture<'_, Result<(), Fault>> {
        if step == self.0 {
            std::process::abort();
        }
        Box::pin(std::future::ready(Ok(())))
    }
}

#[tokio::test]
async fn a_process_killed_at_any_step_loses_nothing_and_issues_once() {
    for (number, step) in STEPS.into_iter().enumerate() {
        let installation = Installation::new();
        let device = Device::new("laptop");
        let request = device.request("t1").await;
        std::fs::write(installation.path().join("csr"), request.csr.as_der()).unwrap();
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tests::killed::child", "--ignored"])
            .env(FOLDER, installation.path())
            .env(STEP, number.to_string())
            .output()
            .unwrap();
        let signal = std::os::unix::process::ExitStatusExt::signal(&child.status);
        assert!(signal.is_some(), "{step:?}: {}", String::from_utf8_lossy(&child.stdout));

        let authority = installation.open(settings()).await;
        assert_eq!(authority.cas().iter().count(), 1, "{step:?}");
        let first = issued(authority.issue(request.clone()).await);
        let second = issued(authority.issue(request).await);
        assert_eq!(first.certificate, second.certificate, "{step:?}");
        assert_eq!(recorded(&authority).await, 1, "{step:?}");
        let trail = authority.store().verify_audit().await.unwrap();
        let intact = matches!(trail, lanyard_store::AuditVerdict::Intact { .. });
        assert!(intact, "{step:?}: {trail:?}");
    }
}

/// The process that is killed.
#[tokio::test]
#[ignore = "started by the test above, which kills it"]
async fn child() {
    let folder = variable(FOLDER);
    let step = STEPS[variable(STEP).parse::<usize>().unwrap()];
    let folder = Path::new(&folder);
    let csr = CertificationRequest::from_der(&std::fs::read(folder.join("csr")).unwrap()).unwrap();
    let clock = Arc::new(ManualClock::new(START));
    let ports = ports(folder, clock, 1).await;
    let authority = open_disturbed(settings(), ports, Arc::new(Abort(step))).await.unwrap();
    let signer = csr.public_key().fingerprint();
    let request = Request {
        endpoint: STATIC,
        csr,
        proof: Proof::Challenge,
        transaction: Some(Transaction { id: b"t1".to_vec(), signer }),
        actor: Actor::System,
    };
    let _ = authority.issue(request).await;
}

#[expect(clippy::disallowed_methods, reason = "how a test tells its child what to do")]
fn variable(name: &str) -> String {
    std::env::var(name).unwrap()
}
