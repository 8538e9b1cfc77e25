//! A directory by script: what it was asked, and which subscriptions it has.

use std::sync::Mutex;
use std::sync::atomic::AtomicU8;

use lanyard_directory::{BoxFuture, Listed, Why};
use lanyard_lifecycle::object::ObjectKind;
use lanyard_store::{Options, StoreUrl};
use tokio::sync::Notify;

use super::*;
use crate::config::DirectorySection;

const DIRECTORY: DirectoryId = DirectoryId::from_bytes([7; 16]);
const START: Time = Time::from_unix(1_800_000_000);

#[derive(Debug, Default)]
struct Scripted {
    /// Ids and addresses of the subscriptions that there are.
    there: Mutex<Vec<(String, Url)>>,
    asked: Mutex<Vec<String>>,
    /// Whether the answer to the next subscription is lost, although it is made.
    loses: Mutex<bool>,
}

impl Scripted {
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    fn note(&self, what: &str, id: &str) {
        self.asked.lock().unwrap().push(format!("{what} {id}"));
    }

    fn ids(&self) -> Vec<String> {
        self.there.lock().unwrap().iter().map(|(id, _)| id.clone()).collect()
    }

    fn renewed(&self, id: &str) -> Renewed {
        if self.ids().iter().any(|own| own == id) {
            Renewed::Until(START.plus(5 * 86_400))
        } else {
            Renewed::Gone
        }
    }
}

impl Subscriptions for Scripted {
    fn subscribable(&self) -> &[ObjectKind] {
        &[ObjectKind::EntraUser]
    }

    fn subscribe<'a>(
        &'a self,
        request: &'a SubscriptionRequest,
    ) -> BoxFuture<'a, Result<Subscription, Ignorance>> {
        let mut there = self.there.lock().unwrap();
        let number = self.asked.lock().unwrap().len() + there.len();
        let id = format!("{number}{}", request.notification_url.path());
        there.push((id.clone(), request.notification_url.clone()));
        self.note("subscribe", request.notification_url.path());
        let lost = std::mem::take(&mut *self.loses.lock().unwrap());
        let late = || Ignorance::new("Example", "subscribe", Why::TimedOut, "");
        let subscription = Subscription { id, until_unix: request.until.unix() };
        Box::pin(std::future::ready(if lost { Err(late()) } else { Ok(subscription) }))
    }

    fn listed(&self) -> BoxFuture<'_, Result<Vec<Listed>, Ignorance>> {
        let there = self.there.lock().unwrap();
        let listed = there
            .iter()
            .map(|(id, url)| Listed { id: id.clone(), notification_url: url.to_string() });
        Box::pin(std::future::ready(Ok(listed.collect())))
    }

    fn renew<'a>(&'a self, id: &'a str, _: Time) -> BoxFuture<'a, Result<Renewed, Ignorance>> {
        self.note("renew", id);
        Box::pin(std::future::ready(Ok(self.renewed(id))))
    }

    fn reauthorize<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Renewed, Ignorance>> {
        self.note("reauthorize", id);
        Box::pin(std::future::ready(Ok(self.renewed(id))))
    }

    fn unsubscribe<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), Ignorance>> {
        self.note("unsubscribe", id);
        self.there.lock().unwrap().retain(|(own, _)| own != id);
        Box::pin(std::future::ready(Ok(())))
    }
}

/// A process of an installation whose address is this.
fn graph(script: &Arc<Scripted>, path: &str) -> GraphCaller {
    GraphCaller {
        subscriptions: script.clone(),
        kind: ObjectKind::EntraUser,
        url: format!("https://ca.example{path}").parse().unwrap(),
        client_state: "s3cret".into(),
        demands: AtomicU8::new(0),
        wake: Notify::new(),
    }
}

async fn store(folder: &tempfile::TempDir) -> Store {
    let url = StoreUrl::Sqlite(folder.path().join("store.db"));
    Store::open(&url, Options::WRITING).await.unwrap()
}

fn keeper<'a>(store: &'a Store, owner: &'a str) -> Keeper<'a> {
    Keeper { store, owner, directory: DIRECTORY }
}

#[tokio::test]
async fn a_subscription_is_made_once_and_renewed_before_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let (store, script) = (store(&folder).await, Arc::<Scripted>::default());
    let (graph, keeper) = (graph(&script, "/a"), keeper(&store, "one"));
    keeper.visit(&graph, START).await.unwrap();
    assert_eq!(script.asked(), ["subscribe /a"]);
    keeper.visit(&graph, START.plus(86_400)).await.unwrap();
    assert_eq!(script.asked(), Vec::<String>::new());
    keeper.visit(&graph, START.plus(2 * 86_400)).await.unwrap();
    assert_eq!(script.asked(), ["renew 0/a"]);
    // One that is gone by then is made anew.
    script.there.lock().unwrap().clear();
    keeper.visit(&graph, START.plus(4 * 86_400)).await.unwrap();
    assert_eq!(script.asked(), ["renew 0/a", "subscribe /a"]);
}

#[tokio::test]
async fn one_that_was_made_although_its_answer_was_lost_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let (store, script) = (store(&folder).await, Arc::<Scripted>::default());
    let (graph, keeper) = (graph(&script, "/a"), keeper(&store, "one"));
    let another = "https://elsewhere.example/".parse().unwrap();
    script.there.lock().unwrap().push(("another's".to_owned(), another));
    *script.loses.lock().unwrap() = true;
    assert!(keeper.visit(&graph, START).await.is_err());
    let lost = script.ids()[1].clone();
    keeper.visit(&graph, START.plus(60)).await.unwrap();
    assert_eq!(script.asked(), ["subscribe /a", &format!("unsubscribe {lost}"), "subscribe /a"]);
    assert_eq!(script.ids().len(), 2, "ours, and one that leads elsewhere");
    assert_eq!(script.ids()[0], "another's");
}

#[tokio::test]
async fn a_subscription_ends_when_its_address_changes_or_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let (store, script) = (store(&folder).await, Arc::<Scripted>::default());
    let keeper = keeper(&store, "one");
    keeper.visit(&graph(&script, "/a"), START).await.unwrap();
    keeper.visit(&graph(&script, "/b"), START.plus(1)).await.unwrap();
    let urls: Vec<String> =
        script.there.lock().unwrap().iter().map(|(_, url)| url.path().to_owned()).collect();
    assert_eq!(urls, ["/b"]);
    // Another process of the installation holds the lease.
    let another = Keeper { owner: "another", ..keeper };
    assert_eq!(another.end(script.as_ref(), START.plus(2)).await.unwrap(), Ended::ByAnother);
    assert_eq!(keeper.end(script.as_ref(), START.plus(2)).await.unwrap(), Ended::Yes);
    assert_eq!(script.ids(), Vec::<String>::new());
    script.asked();
    assert_eq!(keeper.end(script.as_ref(), START.plus(3)).await.unwrap(), Ended::Yes);
    assert_eq!(script.asked(), Vec::<String>::new(), "nothing is left to be ended");
}

#[tokio::test]
async fn what_a_notification_demands_is_done_by_whoever_holds_the_lease() {
    let folder = tempfile::tempdir().unwrap();
    let (store, script) = (store(&folder).await, Arc::<Scripted>::default());
    let (first, second) = (keeper(&store, "first"), keeper(&store, "second"));
    let (at_first, at_second) = (graph(&script, "/a"), graph(&script, "/a"));
    first.visit(&at_first, START).await.unwrap();
    second.visit(&at_second, START.plus(1)).await.unwrap();
    assert_eq!(script.asked(), ["subscribe /a"]);
    // The notifications come to the one that does not keep the subscription.
    at_second.demands.store(GraphCaller::REAUTHORIZE, Ordering::SeqCst);
    second.visit(&at_second, START.plus(2)).await.unwrap();
    assert_eq!(script.asked(), Vec::<String>::new());
    first.visit(&at_first, START.plus(60)).await.unwrap();
    assert_eq!(script.asked(), ["reauthorize 0/a"]);
    first.visit(&at_first, START.plus(61)).await.unwrap();
    assert_eq!(script.asked(), Vec::<String>::new(), "once");
    script.there.lock().unwrap().clear();
    at_second.demands.store(GraphCaller::REMOVED, Ordering::SeqCst);
    second.visit(&at_second, START.plus(62)).await.unwrap();
    first.visit(&at_first, START.plus(120)).await.unwrap();
    first.visit(&at_first, START.plus(121)).await.unwrap();
    assert_eq!(script.asked(), ["subscribe /a"]);
}

#[test]
fn a_tenant_whose_address_was_removed_is_told_of_as_one_that_never_tells() {
    let script = Arc::<Scripted>::default();
    let told = |notification_url: Option<Url>| {
        let section = DirectorySection { notification_url, ..DirectorySection::default() };
        crate::directories::told(&section, script.clone(), "s3cret".into())
    };
    assert!(matches!(told(None), HowTold::Never(_)));
    let url: Url = "https://ca.example/n".parse().unwrap();
    assert!(matches!(told(Some(url.clone())), HowTold::Graph(graph) if graph.url == url));
}
