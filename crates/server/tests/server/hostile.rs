//! What no decent client sends: each gets a clear answer, and the next client is served.

use std::time::Duration;

use lanyard_server::config::unit::{Size, Span};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::site::Site;

fn status_line(answer: &str) -> &str {
    answer.lines().next().unwrap_or_default()
}

async fn is_well(site: &Site) {
    assert_eq!(site.get("/probe").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_never_ends_its_header_is_cut_off() {
    let site = Site::with(|config| config.listen.header_timeout = Span::seconds(1)).await;
    let mut slow = TcpStream::connect(site.address()).await.unwrap();
    slow.write_all(b"GET /ocsp/ HTTP/1.1\r\nHost: x\r\nX-Slow: ").await.unwrap();
    let mut rest = Vec::new();
    // Ends when the server closes; a server that does not is found by the test runner's own limit.
    let _ = slow.read_to_end(&mut rest).await;
    is_well(&site).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_is_answered_408() {
    let site = Site::with(|config| config.listen.body_timeout = Span::seconds(1)).await;
    for path in ["/ocsp", "/static?operation=PKIOperation"] {
        let mut slow = TcpStream::connect(site.address()).await.unwrap();
        let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc");
        slow.write_all(head.as_bytes()).await.unwrap();
        let mut answer = [0; 64];
        let read = slow.read(&mut answer).await.unwrap();
        assert!(answer[..read].starts_with(b"HTTP/1.1 408"), "{path}");
    }
    is_well(&site).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_large_is_answered_413_before_and_while_it_is_read() {
    let site = Site::with(|config| config.limits.scep_body = Size::kibibytes(4)).await;
    for path in ["/ocsp", "/static?operation=PKIOperation"] {
        let announced =
            format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n");
        assert!(status_line(&site.raw(announced.as_bytes()).await).contains(" 413 "), "{path}");
        let mut endless =
            format!("POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
        for _ in 0..64 {
            endless.push_str("400\r\n");
            endless.push_str(&"x".repeat(0x400));
            endless.push_str("\r\n");
        }
        assert!(status_line(&site.raw(endless.as_bytes()).await).contains(" 413 "), "{path}");
    }
    is_well(&site).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_told_from_a_message() {
    let site = Site::start().await;
    let nested = b"\x30\x80".repeat(3000);
    let bodies: [&[u8]; 5] =
        [b"", b"hello", &[0xff; 300], &nested, b"\x30\x84\xff\xff\xff\xff\x00"];
    for body in bodies {
        let scep = site.http.post(site.url("/static?operation=PKIOperation")).body(body.to_vec());
        let answer = scep.send().await.unwrap();
        assert_eq!(answer.status(), 400);
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
        let ocsp = site.http.post(site.url("/ocsp")).body(body.to_vec()).send().await.unwrap();
        assert_eq!(ocsp.status(), 200);
        assert_eq!(
            ocsp.bytes().await.unwrap().as_ref(),
            b"\x30\x03\x0a\x01\x01",
            "malformedRequest"
        );
    }
    for query in [
        "",
        "?operation=",
        "?operation=Nonsense",
        "?operation=PKIOperation",
        "?operation=PKIOperation&message=%zz",
    ] {
        assert_eq!(site.get(&format!("/static{query}")).await.status(), 400, "{query}");
    }
    is_well(&site).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_http_is_refused() {
    let site = Site::start().await;
    for octets in
        [&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], b"GET\r\n\r\n", b"\0\0\0\0\r\n\r\n"]
    {
        let answer = site.raw(octets).await;
        assert!(answer.is_empty() || status_line(&answer).contains(" 400 "), "{answer}");
    }
    let endless = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(200_000));
    let answer = site.raw(endless.as_bytes()).await;
    assert!(answer.is_empty() || status_line(&answer).contains(" 4"), "{answer}");
    is_well(&site).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_and_careless_clients_are_served() {
    let site = Site::start().await;
    for line in [
        "GET /static?operation=GetCACaps HTTP/1.0",
        "GET //static?operation=GetCACaps&message=default HTTP/1.0",
        "GET /static/?operation=GetCACaps HTTP/1.0",
        "GET /static/pkiclient.exe?operation=GetCACaps&message=0 HTTP/1.0",
        "POST /static?operation=GetCACaps HTTP/1.0",
    ] {
        let answer = site.raw(format!("{line}\r\n\r\n").as_bytes()).await;
        assert!(status_line(&answer).contains(" 200 "), "{line}: {answer}");
        assert!(answer.contains("POSTPKIOperation"), "{line}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_sixteen_kilobytes_in_the_request_line_is_read() {
    let site = Site::start().await;
    let message = "A".repeat(40_000);
    let answer = site.get(&format!("/static?operation=PKIOperation&message={message}")).await;
    // Read and understood to be no message: not refused for its length.
    assert_eq!(answer.status(), 400);
    assert!(answer.text().await.unwrap().contains("no SCEP message"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_404_and_what_is_not_allowed_405() {
    let site = Site::start().await;
    for path in [
        "/nowhere",
        "/static/other.exe?operation=GetCACaps",
        "/crl",
        "/crl/wrong",
        "/ca/0011",
        "/ca/x/y",
    ] {
        let answer = site.get(path).await;
        assert_eq!(answer.status(), 404, "{path}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
    }
    for path in ["/ocsp", "/static?operation=GetCACaps", "/ca"] {
        let answer = site.http.delete(site.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), 405, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_without_a_challenge_is_not_there() {
    let site = Site::with(|config| config.endpoints.r#static.challenge = None).await;
    assert_eq!(site.get("/static?operation=GetCACaps").await.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_finds_the_queue_full_is_told_when_to_come_back() {
    let site = Site::with(|config| {
        config.limits.scep_concurrency = 1;
        config.limits.scep_queue = 0;
    })
    .await;
    let busy = site.server.app().turnstile.enter().await.unwrap();
    let send = || site.http.post(site.url("/static?operation=PKIOperation")).body("x").send();
    let away = send().await.unwrap();
    assert_eq!(away.status(), 429);
    assert!(away.headers().contains_key("retry-after"));
    drop(busy);
    assert_eq!(send().await.unwrap().status(), 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn more_connections_than_one_address_may_have_are_closed() {
    let site = Site::with(|config| config.listen.connections_per_address = 2).await;
    let request = b"GET /probe HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(site.address()).await.unwrap();
        stream.write_all(request).await.unwrap();
        assert_ne!(stream.read(&mut [0; 32]).await.unwrap(), 0);
        open.push(stream);
    }
    let mut third = TcpStream::connect(site.address()).await.unwrap();
    let _ = third.write_all(request).await;
    assert!(matches!(third.read(&mut [0; 32]).await, Ok(0) | Err(_)), "closed without an answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_in_progress_is_answered_while_the_server_stops() {
    let site = Site::start().await;
    let mut stream = TcpStream::connect(site.address()).await.unwrap();
    stream
        .write_all(
            b"POST /ocsp HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
        )
        .await
        .unwrap();
    let mut answer = [0; 256];
    let read = stream.read(&mut answer).await.unwrap();
    assert!(answer[..read].starts_with(b"HTTP/1.1 100"), "the server reads the body");
    let stopping = tokio::spawn(site.server.stop());
    stream.write_all(b"hello").await.unwrap();
    let read = stream.read(&mut answer).await.unwrap();
    assert!(
        answer[..read].starts_with(b"HTTP/1.1 200"),
        "{}",
        String::from_utf8_lossy(&answer[..read])
    );
    tokio::time::timeout(Duration::from_mins(1), stopping).await.unwrap().unwrap();
}
