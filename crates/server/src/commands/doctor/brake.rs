//! The brake on mass revocation: whether it holds something back.

use super::Finding;
use crate::control::client::ControlClient;
use crate::control::operations::brake::{BrakeView, ShowBrake};

const ABOUT: &str = "brake";

/// Asks the running server.
pub(super) async fn look(client: &ControlClient) -> Option<Finding> {
    match client.run(ShowBrake {}).await {
        Ok(brake) => finding(&brake),
        Err(failure) => {
            let text = format!("The server does not tell: {failure}.");
            Some(Finding::problem(ABOUT, text, "Look at the server's log."))
        }
    }
}

/// Nothing is said where no certificate follows an object.
fn finding(brake: &BrakeView) -> Option<Finding> {
    if brake.waiting > 0 {
        let text = format!(
            "{} certificates are to be revoked because their objects are gone, and stay good until you decide.",
            brake.waiting
        );
        let fix = "`lanyard brake show` says which; then `lanyard brake confirm` or `discard`.";
        return Some(Finding::problem(ABOUT, text, fix));
    }
    (brake.tethered > 0).then(|| {
        let text =
            format!("{} certificates follow an object; nothing is held back.", brake.tethered);
        Finding::well(ABOUT, text)
    })
}

#[cfg(test)]
mod tests {
    use super::super::State;
    use super::*;

    #[test]
    fn what_waits_for_a_person_is_a_problem() {
        let brake = |tethered, waiting| BrakeView {
            tethered,
            revoked: 0,
            waiting,
            lets_pass: 25,
            batches: Vec::new(),
        };
        assert_eq!(finding(&brake(9, 1)).map(|finding| finding.state), Some(State::Problem));
        assert_eq!(finding(&brake(9, 0)).map(|finding| finding.state), Some(State::Well));
        assert_eq!(finding(&brake(0, 0)), None);
    }
}
