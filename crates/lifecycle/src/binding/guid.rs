//! GUIDs as devices and their managements write them.

use uuid::Uuid;

/// The scheme of the URI that Intune has for network access control.
const SCHEME: &str = "IntuneDeviceId://";

/// A GUID in any letter case, with or without braces and hyphens.
pub(super) fn read(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text.trim()).ok()
}

/// What follows `IntuneDeviceId://` in a URI, as it is encoded there; none for another URI.
pub(super) fn in_intune_uri(uri: &str) -> Option<&str> {
    let (scheme, rest) = uri.trim().split_at_checked(SCHEME.len())?;
    scheme.eq_ignore_ascii_case(SCHEME).then(|| rest.trim_end_matches('/'))
}

/// The text without percent-encoding (RFC 3986 section 2.1); none if it is not so encoded.
pub(super) fn percent_decoded(text: &str) -> Option<String> {
    let mut octets = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(octet) = octets.next() {
        decoded.push(match octet {
            b'%' => digit(octets.next()?)? << 4 | digit(octets.next()?)?,
            other => other,
        });
    }
    String::from_utf8(decoded).ok()
}

fn digit(octet: u8) -> Option<u8> {
    char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
