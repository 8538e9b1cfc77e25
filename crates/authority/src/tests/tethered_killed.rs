//! The process stopped between judging and recording, and after it: nothing that was learnt is lost, and nothing is dated
//! anew.

use lanyard_lifecycle::object::ManagementState;
use lanyard_lifecycle::revocation::Standing;

use super::mirrored::{mirroring, open_with};
use super::tethered::{DEVICE, Fleet, USER, held};
use super::*;
use crate::mirror::testing::{device, user};

#[tokio::test]
async fn what_was_learnt_before_a_kill_is_recorded_after_it() {
    for step in [Step::ChangesJudged, Step::JudgementsRecorded] {
        let fleet = Fleet::new().await;
        for number in 1..=5 {
            fleet.put(number, user(&format!("person{number}@example.com"), true));
            fleet.put(number, device(ManagementState::Managed));
        }
        fleet.work().await;
        let (mut users, mut devices) = (Vec::new(), Vec::new());
        for number in 1..=5 {
            users.push(fleet.issue(Kind::EntraUser, number).await);
            devices.push(fleet.issue(Kind::IntuneDevice, number).await);
        }
        fleet.work().await;
        fleet.put(2, user("person2@example.com", false));
        fleet.delete(DEVICE, 3);
        fleet.pass(601);
        let since = fleet.now();
        fleet.authority.work_mirror().await.unwrap();

        let (stopped, script) = fleet.stopped().await;
        let kill = Arc::new(Kill { step, reached: Notify::new() });
        let ports = stopped.ports().await;
        let run = async {
            let authority = open_disturbed(mirroring(), ports.clone(), kill.clone()).await.unwrap();
            authority.work_tethers().await.unwrap();
        };
        tokio::select! {
            biased;
            () = kill.reached.notified() => {}
            () = run => panic!("{step:?} was never reached"),
        }
        ports.store.close().await;
        drop(ports);

        let authority =
            open_with(&stopped.installation, &script, mirroring(), Arc::new(Undisturbed)).await;
        let fleet = stopped.with_process(authority);
        fleet.authority.work_tethers().await.unwrap();
        for (number, (of_user, of_device)) in users.iter().zip(&devices).enumerate() {
            let expected =
                |is_held| if is_held { Standing::OnHold { since } } else { Standing::NotRevoked };
            assert_eq!(fleet.standing(of_user).await, expected(number == 1), "{step:?}");
            assert_eq!(fleet.standing(of_device).await, expected(number == 2), "{step:?}");
        }
        assert_eq!(fleet.told(&users[1]).await, held(since));
        // Nothing is left to be judged, and nothing is judged twice.
        fleet.pass(30);
        fleet.delete(USER, 5);
        fleet.work().await;
        assert_eq!(fleet.standing(&users[4]).await, Standing::OnHold { since: fleet.now() });
        assert_eq!(fleet.standing(&users[1]).await, Standing::OnHold { since });
    }
}
