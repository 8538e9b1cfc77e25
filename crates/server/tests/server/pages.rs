//! What people and monitoring see.

use lanyard_authority::Clock as _;
use lanyard_server::client::ocsp::ask;
use lanyard_server::config::Audience;

use crate::enrollment::revocation;
use crate::site::Site;

#[tokio::test(flavor = "multi_thread")]
async fn the_status_page_runs_nothing_and_names_the_authority() {
    let site = Site::start().await;
    let answer = site.get("/").await;
    let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    let html = answer.text().await.unwrap();
    assert!(html.contains("CN=Test CA,O=Example") && html.contains("/static"), "{html}");
    for asset in ["/assets/lanyard.css", "/assets/lanyard.svg"] {
        assert!(html.contains(asset));
        assert_eq!(site.get(asset).await.status(), 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_for_the_local_network_behind_a_proxy_too() {
    let site =
        Site::with(|config| config.listen.trusted_proxies = vec!["127.0.0.1".parse().unwrap()])
            .await;
    let from = |address: &str| {
        let request = site.http.get(site.url("/metrics")).header("x-forwarded-for", address);
        async move { request.send().await.unwrap() }
    };
    assert_eq!(from("203.0.113.9").await.status(), 403);
    let local = from("192.168.1.7").await;
    assert_eq!(local.status(), 200);
    assert!(local.text().await.unwrap().contains("lanyard_http_requests_total"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ocsp_answer_beyond_those_under_way_is_try_later_and_counted() {
    let site = Site::with(|config| config.limits.ocsp_under_way = 0).await;
    let (ca, url) = (site.ca().await, site.url("/ocsp").parse().unwrap());
    let said = ask(&site.http, url, &ca, &ca, [7; 32], site.clock.now()).await.unwrap_err();
    assert!(said.to_string().contains("tryLater"), "{said}");
    let counted = r#"lanyard_refusals_total{door="ocsp",reason="too many under way"} 1"#;
    let metrics = site.get("/metrics").await.text().await.unwrap();
    assert!(metrics.contains(counted), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_tell_when_things_end_what_waits_and_what_was_revoked() {
    let site = Site::start().await;
    let (device, _) = site.device("CN=device-1").await;
    let authority = &site.server.app().authority;
    authority.refresh_crls().await;
    let ca = authority.cas().iter().next().unwrap().clone();
    let crl = authority.complete_crl(ca.id).unwrap();
    let metrics = async || site.get("/metrics").await.text().await.unwrap();
    let by_ca = |name: &str, figure: i64| {
        format!("\n{name}{{ca=\"{}\"}} {figure}\n", hex::encode(ca.key_identifier))
    };
    let text = metrics().await;
    for line in [
        by_ca("lanyard_ca_not_after_timestamp_seconds", ca.certificate.not_after().unix()),
        by_ca("lanyard_crl_number", crl.number().0),
        by_ca("lanyard_crl_next_update_timestamp_seconds", crl.next_update().unix()),
        "\nlanyard_requests_pending 0\n".to_owned(),
        "\n# HELP lanyard_requests_pending Requests that wait".to_owned(),
        "\nlanyard_ocsp_answers_kept_bytes ".to_owned(),
        "\nlanyard_status_records_kept ".to_owned(),
        "\nlanyard_status_records_kept_bytes ".to_owned(),
    ] {
        assert!(text.contains(&line), "{line} in {text}");
    }

    let control = site.control().await;
    control.run(revocation(&device, "privilegeWithdrawn")).await.unwrap();
    let text = metrics().await;
    let line = "\nlanyard_revocations_total{reason=\"privilegeWithdrawn\"} 1\n";
    assert!(text.contains(line), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_for_nobody_is_not_there() {
    let site = Site::with(|config| {
        config.observe.metrics = Audience::Nobody;
        config.observe.status_page = Audience::Nobody;
    })
    .await;
    assert_eq!(site.get("/metrics").await.status(), 404);
    assert_eq!(site.get("/").await.status(), 404);
    assert_eq!(site.get("/probe").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ca_is_there_in_every_form_by_its_key_too() {
    let site = Site::start().await;
    let der = site.get("/ca").await;
    assert_eq!(der.headers()["content-type"], "application/pkix-cert");
    let ca = site.ca().await;
    let key = hex::encode(ca.public_key().unwrap().key_identifier());
    assert_eq!(
        site.get(&format!("/ca/{key}")).await.bytes().await.unwrap(),
        der.bytes().await.unwrap()
    );
    for path in ["/ca/pem".to_owned(), "/ca/chain".to_owned(), format!("/ca/{key}/pem")] {
        let text = site.get(&path).await.text().await.unwrap();
        assert!(text.starts_with("-----BEGIN CERTIFICATE-----"), "{path}: {text}");
    }
}
