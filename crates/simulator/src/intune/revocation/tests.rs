use super::*;
use proptest::prelude::*;
use std::collections::HashMap;

#[derive(Debug, Clone)]
enum Step {
    Ask,
    Download(u32),
    Answer(usize, &'static str),
    Pass(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let code = prop_oneof![Just("None"), Just("CertificateNotFoundError"), Just("4101")];
    prop_oneof![
        Just(Step::Ask),
        (1..=4u32).prop_map(Step::Download),
        (any::<usize>(), code).prop_map(|(which, code)| Step::Answer(which, code)),
        (1..=90u64).prop_map(Step::Pass),
    ]
}

fn download(queue: &mut Queue, most: u32, now: Time) -> Vec<String> {
    let asked = DownloadParameters { max_requests: most, issuer_name: None };
    queue.download(&asked, now).into_iter().map(|item| item.request_context).collect()
}

fn result(context: &str, code: &str) -> RevocationResult {
    RevocationResult {
        request_context: context.to_owned(),
        succeeded: code == "None",
        error_code: code.to_owned(),
        error_message: None,
    }
}

proptest! {
    #[test]
    fn every_request_comes_again_until_it_is_answered_and_never_within_the_cool_down(
        steps in proptest::collection::vec(step(), 1..60),
    ) {
        let mut queue = Queue::default();
        let mut now = Time::from_unix_seconds(1_800_000_000);
        let mut seen: HashMap<String, Time> = HashMap::new();
        let mut over: Vec<String> = Vec::new();
        for step in steps {
            match step {
                Step::Ask => {
                    queue.ask("01".to_owned(), None, now);
                }
                Step::Pass(minutes) => now = now.plus(Duration::from_mins(minutes)),
                Step::Download(most) => {
                    let handed = download(&mut queue, most, now);
                    prop_assert!(handed.len() <= most as usize);
                    for context in handed {
                        prop_assert!(!over.contains(&context));
                        let before = seen.insert(context, now);
                        prop_assert!(before.is_none_or(|at| now.since(at) >= COOL_DOWN));
                    }
                }
                Step::Answer(which, code) => {
                    let mut contexts: Vec<_> = seen.keys().cloned().collect();
                    contexts.sort();
                    let Some(context) = contexts.get(which % contexts.len().max(1)) else {
                        continue;
                    };
                    prop_assert_eq!(queue.upload(&[result(context, code)]), Ok(true));
                    if code != "4101" {
                        over.push(context.clone());
                    }
                }
            }
        }
        let open = queue.items().count() - queue.items().filter(|item| {
            matches!(item.standing, Standing::Revoked | Standing::Failed)
        }).count();
        let handed = download(&mut queue, 500, now.plus(COOL_DOWN));
        prop_assert_eq!(handed.len(), open);
    }
}
