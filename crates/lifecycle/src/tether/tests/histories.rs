//! Random histories: what happens to objects, outages of their directory, restarts, and clients who ask
//! in between; against a model that knows the table by heart and nothing of how it is carried out.

use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;

use super::*;
use crate::verdict::{ByRule, Freshness, State};

mod world;

use world::{Fate, World, says};

#[derive(Debug, Clone, Copy)]
enum Event {
    /// One of the certificate's objects changes.
    Happens {
        object: usize,
        fate: Fate,
    },
    /// The directory tells of an object by itself.
    Told {
        object: usize,
    },
    Outage,
    Return,
    /// What was only in memory is lost.
    Restart,
    Passes {
        seconds: i64,
    },
    /// A client asks, and looks at the answer again somewhen in its life.
    Asks {
        later: prop::sample::Index,
    },
    /// The worker judges, and records.
    Works,
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![
        Just(Kind::IntuneDevice),
        Just(Kind::IntuneBootstrap),
        Just(Kind::EntraDevice),
        Just(Kind::EntraUser),
        Just(Kind::JamfComputer),
        Just(Kind::JamfDevice),
        Just(Kind::JamfUserOnComputer),
        Just(Kind::JamfUserOnDevice),
    ]
}

fn fates() -> impl Strategy<Value = Fate> {
    prop_oneof![
        3 => Just(Fate::Well),
        2 => Just(Fate::Gone),
        2 => Just(Fate::Bad),
        1 => Just(Fate::Worse),
    ]
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        3 => (0_usize..2, fates()).prop_map(|(object, fate)| Event::Happens { object, fate }),
        2 => (0_usize..2).prop_map(|object| Event::Told { object }),
        1 => Just(Event::Outage),
        2 => Just(Event::Return),
        1 => Just(Event::Restart),
        4 => (1_i64..400).prop_map(|seconds| Event::Passes { seconds }),
        1 => (1_i64..2 * DAY).prop_map(|seconds| Event::Passes { seconds }),
        4 => any::<prop::sample::Index>().prop_map(|later| Event::Asks { later }),
        2 => Just(Event::Works),
    ];
    proptest::collection::vec(event, 1..80)
}

fn wipes() -> impl Strategy<Value = OnWipe> {
    prop_oneof![3 => Just(OnWipe::Permanent), 1 => Just(OnWipe::Hold), 1 => Just(OnWipe::Off)]
}

impl World {
    /// A client asks: the answer is the one given last, as long as that may be relied on. `later` is
    /// somewhere in its life.
    fn ask(&mut self, later: prop::sample::Index) -> TestCaseResult {
        let answered = self.answer.take().filter(|(_, until)| self.now < *until);
        let (verdict, until) = if let Some((verdict, until)) = answered {
            (verdict, Some(until))
        } else {
            let sights = self.work();
            let verdict = self.judge(&sights, self.now);
            let until = Freshness::default().until(&verdict, None, self.now);
            let life = until.map_or(0, |until| until.seconds_since(self.now));
            if let Ok(life @ 1..) = usize::try_from(life) {
                let then = self.now.plus(i64::try_from(later.index(life)).unwrap());
                let then = self.judge(&sights, then);
                prop_assert_eq!(then.state, verdict.state, "time alone changes no answer");
            }
            let (end, change) = (until.unwrap_or(Time::MIN), verdict.next_change);
            prop_assert!(change.is_none_or(|change| end <= change));
            (verdict, until)
        };
        let recorded = self.by_rule.as_ref().filter(|by_rule| by_rule.is_permanent());
        prop_assert_eq!(verdict.is_lasting(), recorded.is_some());
        if let Some(by_rule) = recorded {
            prop_assert_eq!(verdict.state, State::from(by_rule.standing));
        } else {
            let model = self.model();
            prop_assert!(model.contains(&says(verdict.state)), "{model:?} {verdict:?}");
        }
        self.answer = until.map(|until| (verdict, until));
        Ok(())
    }

    fn object(&self, number: usize) -> ObjectKey {
        let keys: Vec<ObjectKey> = self.truth.keys().copied().collect();
        keys[number % keys.len()]
    }

    fn goes_on(&mut self, event: Event) -> TestCaseResult {
        match event {
            Event::Happens { object, fate } => {
                self.truth.insert(self.object(object), fate);
            }
            Event::Told { object } if self.is_up => self.hear(self.object(object)),
            Event::Told { .. } => {}
            Event::Outage => self.is_up = false,
            Event::Return => self.is_up = true,
            Event::Restart => self.answer = None,
            Event::Passes { seconds } => self.now = self.now.plus(seconds),
            Event::Works => {
                self.work();
            }
            Event::Asks { later } => self.ask(later)?,
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn certificates_follow_their_objects_through_any_history(
        kind in kinds(), wipe in wipes(), start in fates(), events in events(),
    ) {
        let mut world = World::new(kind, wipe, start);
        for event in events {
            let permanent = world.by_rule.clone().filter(ByRule::is_permanent);
            world.goes_on(event)?;
            if let Some(permanent) = permanent {
                prop_assert_eq!(world.by_rule.as_ref(), Some(&permanent), "it is never undone");
            } else if world.by_rule.as_ref().is_some_and(ByRule::is_permanent) {
                prop_assert!(world.may_be_permanent(), "{:?}", world.mirror);
            }
        }
    }

    #[test]
    fn what_is_reversible_returns_once_the_directory_can_say_so(
        kind in kinds(), wipe in wipes(), events in events(),
    ) {
        let mut world = World::new(kind, wipe, Fate::Well);
        for event in events {
            world.goes_on(event)?;
        }
        world.truth.values_mut().for_each(|fate| *fate = Fate::Well);
        world.is_up = true;
        world.now = world.now.plus(DELAY + 1);
        let sights = world.work();
        let verdict = world.judge(&sights, world.now);
        if let Some(by_rule) = world.by_rule {
            prop_assert!(by_rule.is_permanent(), "a hold was not lifted");
        } else {
            prop_assert_eq!(verdict.state, State::Good);
        }
    }
}
