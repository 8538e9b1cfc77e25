//! Hello-world servers to compare with: the same framework, the same size of answer, none of Lanyard.
//!
//! `hello KIND SIZE` listens on a free port of 127.0.0.1, prints the port, and answers every request with SIZE
//! octets. KIND is `axum` or `hyper` (nothing but HTTP), `axum-rsa2048` or `axum-p256` (one signature an answer).

use std::convert::Infallible;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256};
use axum::Router;
use axum::body::Bytes;
use axum::routing::any;
use axum::serve::ListenerExt;
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Answer = Arc<dyn Fn(&[u8]) -> Vec<u8> + Send + Sync>;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let kind = arguments.next().context("which kind?")?;
    let size: usize = arguments.next().context("which size?")?.parse()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    match kind.as_str() {
        "hyper" => serve_hyper(listener, Bytes::from(vec![b'x'; size])).await,
        "axum" => serve_axum(listener, Arc::new(move |_| vec![b'x'; size])).await,
        "axum-rsa2048" => {
            let key = RsaKeyPair::generate(KeySize::Rsa2048)?;
            serve_axum(
                listener,
                Arc::new(move |body| {
                    let mut answer = vec![b'x'; size.max(key.public_modulus_len())];
                    let signature = answer.split_at_mut(key.public_modulus_len()).0;
                    let signed = key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), body, signature);
                    assert!(signed.is_ok(), "a fresh key signs");
                    answer
                }),
            )
            .await
        }
        "axum-p256" => {
            let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)?;
            serve_axum(
                listener,
                Arc::new(move |body| {
                    let mut answer = vec![b'x'; size];
                    if let Ok(signature) = key.sign(&SystemRandom::new(), body) {
                        let length = signature.as_ref().len().min(size);
                        answer[..length].copy_from_slice(&signature.as_ref()[..length]);
                    }
                    answer
                }),
            )
            .await
        }
        other => bail!("no kind is called {other}"),
    }
}

async fn serve_axum(listener: TcpListener, answer: Answer) -> Result<()> {
    let router = Router::new().fallback(any(move |body: Bytes| {
        let answer = Arc::clone(&answer);
        async move { answer(&body) }
    }));
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            eprintln!("a connection stays slow: {error}");
        }
    });
    Ok(axum::serve(listener, router).await?)
}

async fn serve_hyper(listener: TcpListener, answer: Bytes) -> Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let answer = answer.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                let answer = answer.clone();
                async move {
                    let read = request.into_body().collect().await;
                    drop(read);
                    Ok::<_, Infallible>(hyper::Response::new(Full::new(answer)))
                }
            });
            let served = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service);
            if let Err(error) = served.await {
                eprintln!("a connection ended: {error}");
            }
        });
    }
}
