//! PEM (RFC 7468): DER between two lines of text.

use base64::{Engine, prelude::BASE64_STANDARD};

/// What a block of PEM holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The word or words after `BEGIN`.
    pub label: String,
    /// What is inside.
    pub der: Vec<u8>,
}

/// The label of a certificate.
pub const CERTIFICATE: &str = "CERTIFICATE";
/// The label of a certification request.
pub const CERTIFICATE_REQUEST: &str = "CERTIFICATE REQUEST";
/// The label that some older programs give a certification request.
pub const NEW_CERTIFICATE_REQUEST: &str = "NEW CERTIFICATE REQUEST";
/// The label of a CRL.
pub const CRL: &str = "X509 CRL";
/// The label of a PKCS #8 private key.
pub const PRIVATE_KEY: &str = "PRIVATE KEY";
/// The label of an encrypted PKCS #8 private key.
pub const ENCRYPTED_PRIVATE_KEY: &str = "ENCRYPTED PRIVATE KEY";

/// Why text is not PEM.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    /// A block that does not end, or ends with another label.
    #[error("the PEM block {0:?} does not end")]
    Unfinished(String),
    /// What is between the lines is not base64.
    #[error("the PEM block {0:?} is not base64")]
    NotBase64(String),
    /// No block with the wanted label.
    #[error("there is no PEM block {0:?}")]
    Missing(String),
}

/// `der` as PEM, 64 characters a line.
pub fn encode(label: &str, der: &[u8]) -> String {
    let base64 = BASE64_STANDARD.encode(der);
    let mut text = String::with_capacity(base64.len() + base64.len() / 64 + 2 * label.len() + 40);
    text.push_str("-----BEGIN ");
    text.push_str(label);
    text.push_str("-----\n");
    let mut rest = base64.as_str();
    while let Some((line, after)) = rest.split_at_checked(64) {
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    if !rest.is_empty() {
        text.push_str(rest);
        text.push('\n');
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

/// All blocks, in order. Text around them is passed over, as are header lines inside (RFC 1421).
pub fn decode_all(text: &str) -> Result<Vec<Block>, PemError> {
    let mut lines = text.lines().map(str::trim);
    let mut blocks = Vec::new();
    while let Some(line) = lines.next() {
        let Some(label) =
            line.strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----"))
        else {
            continue;
        };
        let end = format!("-----END {label}-----");
        let mut base64 = String::new();
        loop {
            match lines.next() {
                Some(line) if line == end => break,
                Some(line) if line.contains(':') => {}
                Some(line) if !line.starts_with("-----") => base64.push_str(line),
                _ => return Err(PemError::Unfinished(label.to_owned())),
            }
        }
        let der =
            BASE64_STANDARD.decode(base64).map_err(|_| PemError::NotBase64(label.to_owned()))?;
        blocks.push(Block { label: label.to_owned(), der });
    }
    Ok(blocks)
}

/// The first block with this label.
pub fn decode(label: &str, text: &str) -> Result<Vec<u8>, PemError> {
    let blocks = decode_all(text)?;
    let block = blocks.into_iter().find(|block| block.label == label);
    block.map(|block| block.der).ok_or_else(|| PemError::Missing(label.to_owned()))
}

/// DER from what a file may hold: PEM with one of `labels`, or DER itself.
pub fn der_or_pem(labels: &[&str], bytes: &[u8]) -> Result<Vec<u8>, PemError> {
    let Ok(text) = std::str::from_utf8(bytes) else { return Ok(bytes.to_vec()) };
    if !text.contains("-----BEGIN ") {
        return Ok(bytes.to_vec());
    }
    let blocks = decode_all(text)?;
    let block = blocks.into_iter().find(|block| labels.contains(&block.label.as_str()));
    let wanted = || PemError::Missing(labels.first().copied().unwrap_or_default().to_owned());
    block.map(|block| block.der).ok_or_else(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn text_and_headers_around_the_base64_are_passed_over() {
        let text = "subject=a\n-----BEGIN CERTIFICATE-----\r\nComment: x\r\n\r\nMAA=\r\n\
                    -----END CERTIFICATE-----\n-----BEGIN X-----\nAQ==\n-----END X-----\n";
        let blocks = decode_all(text).unwrap();
        assert_eq!(blocks.len(), 2);
        assert_eq!(blocks[0].der, [0x30, 0]);
        assert_eq!(decode("X", text), Ok(vec![1]));
        assert_eq!(der_or_pem(&["Y", "X"], text.as_bytes()), Ok(vec![1]));
        assert_eq!(der_or_pem(&["X"], &[0x30, 0x80]), Ok(vec![0x30, 0x80]));
        assert_eq!(der_or_pem(&["X"], &[0x30, 0]), Ok(vec![0x30, 0]));
    }

    #[test]
    fn a_broken_block_says_which() {
        let broken = |text: &str| decode_all(text).unwrap_err().to_string();
        assert_eq!(broken("-----BEGIN A-----\nAQ=="), "the PEM block \"A\" does not end");
        assert_eq!(
            broken("-----BEGIN A-----\n-----END B-----"),
            "the PEM block \"A\" does not end"
        );
        let not_base64 = broken("-----BEGIN A-----\n!\n-----END A-----");
        assert_eq!(not_base64, "the PEM block \"A\" is not base64");
        assert_eq!(decode("A", "").unwrap_err().to_string(), "there is no PEM block \"A\"");
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes(der in any::<Vec<u8>>()) {
            let text = encode(CERTIFICATE, &der);
            prop_assert!(text.lines().all(|line| line.len() <= 64));
            prop_assert_eq!(decode(CERTIFICATE, &text).unwrap(), der);
        }

        #[test]
        fn hostile_text_never_panics(text in "(-----|BEGIN |END |A|\n|[a-z]){0,20}") {
            let _ = decode_all(&text);
        }
    }
}
