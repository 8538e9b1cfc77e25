//! GetCACaps (RFC 8894, 3.5): what a server says it can do, one keyword a line.

use std::fmt;

/// A keyword of GetCACaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Capability {
    /// AES-128 in CBC mode
    Aes,
    /// Triple DES in CBC mode
    Des3,
    /// The next CA certificate can be had before it is used
    GetNextCaCert,
    /// PKIOperation by POST
    PostPkiOperation,
    /// Renewal with the old certificate
    Renewal,
    /// SHA-1
    Sha1,
    /// SHA-256
    Sha256,
    /// SHA-384. Not in the registry of RFC 8894, see
    /// [`Tolerance::Sha384Announced`](crate::Tolerance::Sha384Announced)
    Sha384,
    /// SHA-512
    Sha512,
    /// All that RFC 8894 makes mandatory: AES, POST and SHA-256
    ScepStandard,
}

impl Capability {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Renewal,
        Self::Sha1,
        Self::Sha256,
        Self::Sha384,
        Self::Sha512,
        Self::Aes,
        Self::Des3,
        Self::ScepStandard,
        Self::PostPkiOperation,
        Self::GetNextCaCert,
    ];

    /// The keyword.
    #[must_use]
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Aes => "AES",
            Self::Des3 => "DES3",
            Self::GetNextCaCert => "GetNextCACert",
            Self::PostPkiOperation => "POSTPKIOperation",
            Self::Renewal => "Renewal",
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
            Self::ScepStandard => "SCEPStandard",
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.keyword())
    }
}

/// What a server can do.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Capabilities(u16);

impl Capabilities {
    /// The content type of the reply.
    pub const CONTENT_TYPE: &str = "text/plain";

    /// Nothing: a server that does not know GetCACaps.
    #[must_use]
    pub const fn none() -> Self {
        Self(0)
    }

    /// With one more.
    #[must_use]
    pub const fn with(self, capability: Capability) -> Self {
        Self(self.0 | capability.bit())
    }

    /// With one less.
    #[must_use]
    pub const fn without(self, capability: Capability) -> Self {
        Self(self.0 & !capability.bit())
    }

    /// Everything that is served here; `Renewal` and `GetNextCACert` depend on how it is set up.
    #[must_use]
    pub const fn ours() -> Self {
        Self::none()
            .with(Capability::Sha1)
            .with(Capability::Sha256)
            .with(Capability::Sha384)
            .with(Capability::Sha512)
            .with(Capability::Aes)
            .with(Capability::Des3)
            .with(Capability::ScepStandard)
            .with(Capability::PostPkiOperation)
            .with(Capability::Renewal)
    }

    /// Whether the server can do it. [`Capability::ScepStandard`] stands for three others.
    #[must_use]
    pub const fn contains(self, capability: Capability) -> bool {
        let standard = self.0 & Capability::ScepStandard.bit() != 0
            && matches!(
                capability,
                Capability::Aes | Capability::PostPkiOperation | Capability::Sha256
            );
        standard || self.0 & capability.bit() != 0
    }

    /// Reads a reply. Unknown keywords are passed over (RFC 8894, 3.5.2), case does not count, and any
    /// white space divides.
    #[must_use]
    pub fn parse(reply: &[u8]) -> Self {
        let words = reply.split(u8::is_ascii_whitespace);
        let named = words.filter_map(|word| {
            let matches = |c: &Capability| c.keyword().as_bytes().eq_ignore_ascii_case(word);
            Capability::ALL.into_iter().find(matches)
        });
        named.fold(Self::none(), Self::with)
    }

    /// Those that are named, in a fixed order.
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        Capability::ALL.into_iter().filter(move |capability| self.0 & capability.bit() != 0)
    }
}

impl fmt::Display for Capabilities {
    /// The reply: keywords divided by line feeds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, capability) in self.iter().enumerate() {
            write!(f, "{}{capability}", if number == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_announced_is_read_back() {
        let ours = Capabilities::ours().with(Capability::GetNextCaCert);
        assert_eq!(Capabilities::parse(ours.to_string().as_bytes()), ours);
        assert_eq!(
            Capabilities::ours().to_string().lines().collect::<Vec<_>>(),
            [
                "Renewal",
                "SHA-1",
                "SHA-256",
                "SHA-384",
                "SHA-512",
                "AES",
                "DES3",
                "SCEPStandard",
                "POSTPKIOperation"
            ]
        );
    }

    #[test]
    fn replies_of_other_servers_are_read() {
        let step =
            b"Renewal\r\nSHA-1\r\nSHA-256\r\nAES\r\nDES3\r\nSCEPStandard\r\nPOSTPKIOperation";
        let caps = Capabilities::parse(step);
        assert_eq!(caps.iter().count(), 7);
        assert!(
            Capabilities::parse(b"  sha-512\n\nposTPKIoperation\nUpdate\nx=1")
                .iter()
                .eq([Capability::Sha512, Capability::PostPkiOperation])
        );
        assert_eq!(Capabilities::parse(b"<html>404</html>"), Capabilities::none());
    }

    #[test]
    fn the_standard_stands_for_three_others() {
        let caps = Capabilities::parse(b"SCEPStandard");
        assert!(caps.contains(Capability::Aes) && caps.contains(Capability::Sha256));
        assert!(caps.contains(Capability::PostPkiOperation) && !caps.contains(Capability::Sha512));
        assert!(!caps.without(Capability::ScepStandard).contains(Capability::Aes));
    }

    /// strongSwan 5.9.8 to 5.9.10 take the number of a keyword for a bit mask, so that they find AES only
    /// where the keyword of that bit, SHA-384, is announced.
    #[test]
    fn sha_384_is_announced_for_strongswan() {
        assert!(Capabilities::ours().to_string().lines().any(|line| line == "SHA-384"));
    }
}
