//! Every tolerance towards real clients, by name: what is overlooked, for whom, and why that is safe.
//!
//! Where no entry applies, reading is strict. A message remembers what it needed, so that an operator
//! can see which clients still do.

use std::fmt;

/// Something that RFC 8894 or what it builds on does not allow, and a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tolerance {
    /// BER in place of DER outside: indefinite lengths, octet strings in chunks
    BerOutside,
    /// BER in place of DER in the envelope
    BerEnvelope,
    /// The signature's algorithm names the digest too, not the key alone
    SignatureNamesDigest,
    /// The signed attributes were signed sorted and sent otherwise
    UnsortedAttributes,
    /// The signer's own certificate carries a serial number of more than 20 octets
    LongSerialNumber,
    /// A PKCSReq signed with an existing certificate stands for a RenewalReq
    PkcsReqAsRenewal,
    /// OAEP for the content key, which RFC 8894 does not speak of
    Oaep,
    /// Triple DES
    TripleDes,
    /// SHA-1 under the signature
    Sha1,
    /// Single DES; only where a setting allows it
    SingleDes,
    /// MD5 under the signature; only where a setting allows it
    Md5,
    /// PKIOperation by GET though POST is announced
    PkiOperationByGet,
    /// `+` and `/` stand in the query as they are
    RawBase64InQuery,
    /// Something on the way made spaces of the plus signs
    SpaceForPlus,
    /// The URL-safe alphabet of base64
    UrlAlphabet,
    /// Base64 in lines
    LineBreaksInBase64,
    /// Base64 without its `=` at the end
    NoBase64Padding,
    /// No `message` beside an operation that should have one
    NoMessageParameter,
    /// The path ends in `pkiclient.exe`
    PkiClientExe,
    /// SHA-384 is announced though no registry has the keyword
    Sha384Announced,
}

impl Tolerance {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::BerOutside,
        Self::BerEnvelope,
        Self::SignatureNamesDigest,
        Self::UnsortedAttributes,
        Self::LongSerialNumber,
        Self::PkcsReqAsRenewal,
        Self::Oaep,
        Self::TripleDes,
        Self::Sha1,
        Self::SingleDes,
        Self::Md5,
        Self::PkiOperationByGet,
        Self::RawBase64InQuery,
        Self::SpaceForPlus,
        Self::UrlAlphabet,
        Self::LineBreaksInBase64,
        Self::NoBase64Padding,
        Self::NoMessageParameter,
        Self::PkiClientExe,
        Self::Sha384Announced,
    ];

    /// Its name in metrics and logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.entry().0
    }

    /// Who needs it.
    #[must_use]
    pub const fn client(self) -> &'static str {
        self.entry().1
    }

    /// What such a client does, and why overlooking it does no harm.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        self.entry().2
    }

    #[expect(clippy::too_many_lines, reason = "a table, one entry after the other")]
    const fn entry(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::BerOutside => (
                "ber_outside",
                "Google's connector (jscep on BouncyCastle), openssl cms -stream",
                "signatures are over the content's octets and the DER of the attributes, so that \
                 lengths may be written in any way",
            ),
            Self::BerEnvelope => (
                "ber_envelope",
                "Apple mdmclient, micromdm scepclient 2.1.0, openssl cms -stream",
                "the envelope is decrypted, not compared; its chunks are joined first",
            ),
            Self::SignatureNamesDigest => (
                "signature_names_digest",
                "strongSwan 5.9.8, micromdm scepclient 2.1.0",
                "RFC 5754, 3.2 allows it beside the identifier of the key; the digest must be the \
                 same in both places",
            ),
            Self::UnsortedAttributes => (
                "unsorted_attributes",
                "encoders that sort a SET OF to sign and not to send",
                "RFC 5652, 5.4 signs the DER, which is sorted; both orders sign the same attributes",
            ),
            Self::LongSerialNumber => (
                "long_serial_number",
                "certmonger 0.79, sscep",
                "the serial number of a certificate that a client signs for itself means nothing",
            ),
            Self::PkcsReqAsRenewal => (
                "pkcs_req_as_renewal",
                "Apple mdmclient",
                "it is treated as the RenewalReq that it should be, with all that a renewal needs",
            ),
            Self::Oaep => (
                "oaep",
                "Windows, Intune",
                "stronger than the PKCS#1 v1.5 that RFC 8894 assumes; the reply is wrapped alike",
            ),
            Self::TripleDes => (
                "triple_des",
                "strongSwan 5.9.8 and many of before 2016, for want of another cipher",
                "it protects one short message; the reply is encrypted alike",
            ),
            Self::Sha1 => (
                "sha1",
                "micromdm scepclient 2.1.0, strongSwan with --digest sha1, sscep",
                "collisions do not help against a message whose sender chose all of it",
            ),
            Self::SingleDes => (
                "single_des",
                "routers and printers of before 2005; micromdm scepclient where no AES is announced",
                "it does not protect a challenge password; refused unless a setting allows it",
            ),
            Self::Md5 => (
                "md5",
                "routers and printers of before 2005",
                "refused unless a setting allows it; the reply carries SHA-1",
            ),
            Self::PkiOperationByGet => (
                "pki_operation_by_get",
                "certmonger 0.79, and Apple where POST is not announced",
                "RFC 8894, 4.1 leaves it to older clients; the message is the same",
            ),
            Self::RawBase64InQuery => (
                "raw_base64_in_query",
                "Apple mdmclient",
                "no other reading of a plus sign or a slash in this parameter makes sense",
            ),
            Self::SpaceForPlus => (
                "space_for_plus",
                "proxies and frameworks that decode a query before they pass it on",
                "base64 has no spaces of its own",
            ),
            Self::UrlAlphabet => (
                "url_alphabet",
                "clients that take RFC 4648, 5 for what a URL needs",
                "the two alphabets do not overlap in what they add",
            ),
            Self::LineBreaksInBase64 => (
                "line_breaks_in_base64",
                "scripts around openssl base64",
                "base64 has no line breaks of its own",
            ),
            Self::NoBase64Padding => (
                "no_base64_padding",
                "proxies that strip the end of a query",
                "the length alone says how many octets there are",
            ),
            Self::NoMessageParameter => (
                "no_message_parameter",
                "sscep, Entrust, strongSwan 5.9.8",
                "there is one authority behind each address, so that nothing needs to name it",
            ),
            Self::PkiClientExe => (
                "pkiclient_exe",
                "Windows, Intune",
                "the name of a program that NDES never had on this path either",
            ),
            Self::Sha384Announced => (
                "sha384_announced",
                "strongSwan 5.9.8 to 5.9.10",
                "others pass over a keyword that they do not know (RFC 8894, 3.5.2)",
            ),
        }
    }

    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

impl fmt::Display for Tolerance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The tolerances that a message needed.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Tolerances(u32);

impl Tolerances {
    /// None at all.
    #[must_use]
    pub const fn none() -> Self {
        Self(0)
    }

    /// With one more.
    #[must_use]
    pub const fn with(self, tolerance: Tolerance) -> Self {
        Self(self.0 | tolerance.bit())
    }

    /// All of both.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether this one was needed.
    #[must_use]
    pub const fn contains(self, tolerance: Tolerance) -> bool {
        self.0 & tolerance.bit() != 0
    }

    /// Those that were needed.
    pub fn iter(self) -> impl Iterator<Item = Tolerance> {
        Tolerance::ALL.into_iter().filter(move |tolerance| self.contains(*tolerance))
    }

    pub(crate) const fn note(&mut self, tolerance: Tolerance) {
        *self = self.with(tolerance);
    }
}

impl FromIterator<Tolerance> for Tolerances {
    fn from_iter<I: IntoIterator<Item = Tolerance>>(tolerances: I) -> Self {
        tolerances.into_iter().fold(Self::none(), Self::with)
    }
}

impl fmt::Debug for Tolerances {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tolerance_has_its_own_name_a_client_and_a_reason() {
        let names: std::collections::BTreeSet<_> =
            Tolerance::ALL.iter().map(|tolerance| tolerance.name()).collect();
        assert_eq!(names.len(), Tolerance::ALL.len());
        for tolerance in Tolerance::ALL {
            assert!(!tolerance.client().is_empty() && !tolerance.reason().is_empty());
            assert_eq!(Tolerances::none().with(tolerance).iter().collect::<Vec<_>>(), [tolerance]);
        }
    }
}
