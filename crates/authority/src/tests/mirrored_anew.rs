//! A directory that wants to be read from the start.

use lanyard_lifecycle::object::ObjectKind;

use super::mirrored::{id, open, populated};
use super::*;
use crate::mirror::testing::user;
use crate::mirror::{Answer, Need};

#[tokio::test]
async fn a_directory_that_refuses_the_way_to_the_next_page_is_not_asked_without_a_rest() {
    let installation = Installation::new();
    let script = populated(&installation.clock);
    script.world().refuses_links = true;
    let authority = open(&installation, &script).await;
    let next = authority.work_mirror().await.unwrap();
    let asked = script.world().pages;
    assert!(asked <= 8, "{asked} pages were asked for at once");
    assert!(next > START, "it is asked again after a rest, at {next}");

    script.world().refuses_links = false;
    for _ in 0..3 {
        installation.clock.advance(60);
        authority.work_mirror().await.unwrap();
    }
    let last = authority.observe(id(ObjectKind::EntraUser, 7), Need::Known).await.unwrap();
    let Answer::Observed(last) = last else { panic!("{last:?}") };
    assert_eq!(last.state.properties(), Some(&user("person7@example.com", true)));
}
