//! The wire against servers that do not keep to HTTP.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::net::SocketAddr;

use bytes::Bytes;
use http::{Request, Response};
use lanyard_directory::http::{Https, Proxy, Transport, TransportError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const MOST: usize = 64 << 10;

/// What a server does with a connection whose request it has read.
#[derive(Debug, Clone, Copy)]
enum Manner {
    /// Says this and closes.
    Says(&'static [u8]),
    /// Says this, and then goes on without end.
    SaysWithoutEnd(&'static [u8]),
}

async fn serve(listener: TcpListener, manner: Manner) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(answer(stream, manner));
    }
}

async fn answer(mut stream: TcpStream, manner: Manner) {
    let mut request = [0; 4096];
    // Whoever goes away while it is answered ends the answer.
    let _ = stream.read(&mut request).await;
    match manner {
        Manner::Says(text) => {
            let _ = stream.write_all(text).await;
        }
        Manner::SaysWithoutEnd(text) => {
            if stream.write_all(text).await.is_ok() {
                while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
            }
        }
    }
}

async fn ask(address: SocketAddr) -> Result<Response<Bytes>, TransportError> {
    let uri = format!("http://{address}/users/ada@contoso.example");
    let request = Request::get(uri).body(Bytes::new()).unwrap();
    Https::new(Proxy::Direct).unwrap().send(request, MOST).await
}

async fn ask_one_that(manner: Manner) -> Result<Response<Bytes>, TransportError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(serve(listener, manner));
    let answer = ask(address).await;
    server.abort();
    answer
}

#[tokio::test]
async fn an_answer_without_end_is_given_up() {
    let endless: [&[u8]; 3] = [
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFF\r\n",
    ];
    for head in endless {
        let answer = ask_one_that(Manner::SaysWithoutEnd(head)).await;
        assert_eq!(answer.unwrap_err(), TransportError::TooLong);
    }
    // A header without end is none.
    let answer = ask_one_that(Manner::SaysWithoutEnd(b"HTTP/1.1 200 OK\r\nX: ")).await;
    assert!(matches!(answer, Err(TransportError::Broken(_))), "{answer:?}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_no_answer() {
    let broken: [&[u8]; 6] = [
        b"",
        b"HTTP/1.1 200",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{\"id\"",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"id\"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\n{}xyz",
    ];
    for text in broken {
        let answer = ask_one_that(Manner::Says(text)).await;
        let Err(TransportError::Broken(detail)) = &answer else {
            unreachable!("{:?}: {answer:?}", String::from_utf8_lossy(text));
        };
        assert!(!detail.contains("ada"), "the address may hold a name: {detail}");
    }
}

#[tokio::test]
async fn a_redirection_is_handed_back_and_not_followed() {
    let text = b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n";
    let answer = ask_one_that(Manner::Says(text)).await.unwrap();
    assert_eq!(answer.status(), 302);
}

#[tokio::test]
async fn where_nobody_listens_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let answer = ask(address).await;
    assert!(matches!(answer, Err(TransportError::Unreachable(_))), "{answer:?}");
}

#[tokio::test]
async fn a_server_that_does_not_speak_tls_was_sent_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(serve(listener, Manner::Says(b"HTTP/1.1 400 Bad Request\r\n\r\n")));
    let request = Request::get(format!("https://{address}/")).body(Bytes::new()).unwrap();
    let answer = Https::new(Proxy::Direct).unwrap().send(request, MOST).await;
    server.abort();
    assert!(matches!(answer, Err(TransportError::Unreachable(_))), "{answer:?}");
}
