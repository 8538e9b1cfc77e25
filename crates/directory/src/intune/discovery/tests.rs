use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::*;
use crate::canned::{self, Canned, Reply};
use crate::http::Limits;

const LIST: &str =
    "GET /v1.0/servicePrincipals/appId=0000000a-0000-0000-c000-000000000000/endpoints";

fn discovery(
    base: &str,
    answer: impl Fn() -> Reply + Send + Sync + 'static,
) -> (Arc<Canned>, Discovery) {
    let wire = Canned::new(move |_| answer());
    let service = wire.service("Microsoft Graph", Limits::default());
    let graph = Graph::new(service, canned::tokens(), base.parse().unwrap());
    (wire, Discovery::new(graph))
}

fn listed(uri: &str) -> Reply {
    Reply::json(
        200,
        &json!({"value": [
            {"id": "1", "capability": "x", "providerId": "y", "providerName": "SomethingElse",
             "providerResourceId": "z", "uri": "https://other.example.org/", "deletedDateTime": null},
            {"providerName": "SCEPREQUESTVALIDATIONFESERVICE", "uri": uri},
            {"serviceName": "pkiConnectorFEService", "uri": uri},
            {"providerName": null, "uri": null},
        ]}),
    )
}

#[tokio::test]
async fn services_are_found_by_either_name_in_any_letter_case_with_one_call() {
    let uri = "https://fef.example.org/RACerts/Gateway/StatelessScepRequestValidationService";
    let (wire, discovery) = discovery("https://graph.example.org/", move || listed(uri));
    for service in IntuneService::ALL {
        assert_eq!(discovery.endpoint(service).await.unwrap().as_str(), uri);
    }
    assert_eq!(wire.lines(), [LIST]);
}

#[tokio::test(start_paused = true)]
async fn an_address_that_failed_is_asked_for_anew_but_not_at_once() {
    let turn = AtomicUsize::new(0);
    let (wire, discovery) = discovery("https://graph.example.org/", move || {
        listed(
            ["https://a.example.org/", "https://b.example.org/"]
                [turn.fetch_add(1, Ordering::SeqCst)],
        )
    });
    let service = IntuneService::ScepRequestValidation;
    let first = discovery.endpoint(service).await.unwrap();
    discovery.failed().await;
    assert_eq!(discovery.endpoint(service).await.unwrap(), first);
    tokio::time::advance(Duration::from_secs(6)).await;
    assert_ne!(discovery.endpoint(service).await.unwrap(), first);
    tokio::time::advance(Duration::from_hours(23)).await;
    discovery.endpoint(service).await.unwrap();
    assert_eq!(wire.lines().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_old_address_serves_while_graph_does_not_answer() {
    let turn = AtomicUsize::new(0);
    let (_, discovery) = discovery("https://graph.example.org/", move || {
        match turn.fetch_add(1, Ordering::SeqCst) {
            0 => listed("https://a.example.org/"),
            _ => Reply::Refused,
        }
    });
    let service = IntuneService::PkiConnector;
    let first = discovery.endpoint(service).await.unwrap();
    tokio::time::advance(Duration::from_hours(25)).await;
    assert_eq!(discovery.endpoint(service).await.unwrap(), first);
}

#[tokio::test(start_paused = true)]
async fn an_old_address_outlives_an_asker_that_goes_away() {
    let turn = AtomicUsize::new(0);
    let (wire, discovery) = discovery("https://graph.example.org/", move || {
        match turn.fetch_add(1, Ordering::SeqCst) {
            0 => listed("https://a.example.org/"),
            1 => Reply::Silence,
            _ => Reply::Refused,
        }
    });
    let service = IntuneService::PkiConnector;
    let first = discovery.endpoint(service).await.unwrap();
    tokio::time::advance(Duration::from_hours(25)).await;
    let patience = Duration::from_secs(1);
    tokio::time::timeout(patience, discovery.endpoint(service)).await.unwrap_err();
    assert_eq!(wire.lines().len(), 2);
    assert_eq!(discovery.endpoint(service).await.unwrap(), first);
}

#[tokio::test]
async fn a_tenant_without_intune_is_told_so() {
    let (_, discovery) =
        discovery("https://graph.example.org/", || Reply::json(200, &json!({"value": []})));
    let told = discovery.endpoint(IntuneService::PkiConnector).await.unwrap_err().to_string();
    assert!(told.contains("PkiConnectorFEService") && told.contains("Intune set up"), "{told}");
}

#[tokio::test]
async fn our_token_goes_to_no_address_in_the_clear() {
    let service = IntuneService::ScepRequestValidation;
    for uri in ["http://fef.example.org/", "ftp://x/", "https://a:b@x/", "mailto:x", "", "x"] {
        let (_, discovery) = discovery("https://graph.example.org/", move || listed(uri));
        discovery.endpoint(service).await.unwrap_err();
    }
    let (_, discovery) =
        discovery("http://127.0.0.1:9/graph/", || listed("http://127.0.0.1:9/manage/x"));
    discovery.endpoint(service).await.unwrap();
}
