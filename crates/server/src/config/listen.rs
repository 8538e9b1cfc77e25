//! `[listen]`: addresses, time-outs and connection limits of the listeners.

use std::net::SocketAddr;

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::unit::{AddressRange, Span};

/// Where the server listens, and how long it waits for slow peers.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct ListenSection {
    /// Addresses for plain HTTP. SCEP, OCSP and CRLs carry their own signatures, and many clients speak nothing else.
    pub http: Vec<SocketAddr>,
    /// Addresses for HTTPS.
    pub https: Vec<SocketAddr>,
    /// Proxies whose `X-Forwarded-For` is believed when a client's address matters.
    pub trusted_proxies: Vec<AddressRange>,
    /// How long a peer may take to send a request's header, and to begin the next request of a connection.
    pub header_timeout: Span,
    /// How long a peer may take to send a request's body.
    pub body_timeout: Span,
    /// How long a peer may take to accept the next piece of a response.
    pub write_timeout: Span,
    /// How long a TLS handshake may take.
    pub handshake_timeout: Span,
    /// Connections open at a time, over all listeners. Further peers wait in the kernel's queue.
    #[garde(range(min = 1))]
    pub connections: usize,
    /// Connections open at a time from one address (IPv6: one /64); more are closed at once. 0 is no limit. Trusted proxies
    /// have none: their clients come through them. Raise it where more clients than this share one address (NAT).
    pub connections_per_address: usize,
    /// How long requests in progress may take to end when the server stops.
    pub stop_timeout: Span,
}

impl Default for ListenSection {
    fn default() -> Self {
        Self {
            http: vec![SocketAddr::from((std::net::Ipv6Addr::UNSPECIFIED, 8080))],
            https: vec![SocketAddr::from((std::net::Ipv6Addr::UNSPECIFIED, 8443))],
            trusted_proxies: Vec::new(),
            header_timeout: Span::seconds(20),
            body_timeout: Span::seconds(30),
            write_timeout: Span::seconds(30),
            handshake_timeout: Span::seconds(10),
            connections: 10_000,
            connections_per_address: 512,
            stop_timeout: Span::seconds(30),
        }
    }
}
