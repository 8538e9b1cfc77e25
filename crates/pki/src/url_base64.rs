//! Base64 inside a URL as clients write it: OCSP and SCEP messages by GET.
//!
//! RFC 6960, A.1 and RFC 8894, 4.1 want base64, then percent-encoding. What clients leave out of that
//! is undone here and reported, so that protocols can say which of it they tolerate. The input is the
//! *raw* text of the URL, before any framework has made spaces of its plus signs.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use thiserror::Error;

/// Not base64, however leniently read.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum UrlBase64Error {
    /// A percent sign without two hexadecimal digits.
    #[error("a percent sign in the URL is not followed by two hexadecimal digits")]
    Percent,
    /// Octets that are not base64.
    #[error("the message in the URL is not base64")]
    Base64,
}

/// How a text deviates from percent-encoded base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deviation {
    /// `+` stands in the URL as it is.
    RawPlus,
    /// Something made spaces of the plus signs.
    SpaceForPlus,
    /// `/` stands in the URL as it is.
    RawSlash,
    /// The alphabet of RFC 4648, 5 with `-` and `_`.
    UrlAlphabet,
    /// Lines of base64.
    LineBreaks,
    /// No `=` at the end though the length asks for it.
    NoPadding,
}

const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The octets that `text` stands for, and what had to be overlooked, in the order of its appearance.
pub fn decode(text: &str) -> Result<(Vec<u8>, Vec<Deviation>), UrlBase64Error> {
    let mut deviations = Vec::new();
    let mut note = |deviation| {
        if !deviations.contains(&deviation) {
            deviations.push(deviation);
        }
    };
    let mut symbols = Vec::with_capacity(text.len());
    let mut octets = text.bytes();
    while let Some(octet) = octets.next() {
        let escaped = octet == b'%';
        let octet = if escaped { unescape(octets.next(), octets.next())? } else { octet };
        let (symbol, deviation) = match octet {
            b'+' => (b'+', (!escaped).then_some(Deviation::RawPlus)),
            b'/' => (b'/', (!escaped).then_some(Deviation::RawSlash)),
            b' ' => (b'+', Some(Deviation::SpaceForPlus)),
            b'-' => (b'+', Some(Deviation::UrlAlphabet)),
            b'_' => (b'/', Some(Deviation::UrlAlphabet)),
            b'\r' | b'\n' => {
                note(Deviation::LineBreaks);
                continue;
            }
            other => (other, None),
        };
        deviation.into_iter().for_each(&mut note);
        symbols.push(symbol);
    }
    if symbols.len() % 4 != 0 {
        note(Deviation::NoPadding);
    }
    let octets = ENGINE.decode(&symbols).map_err(|_| UrlBase64Error::Base64)?;
    Ok((octets, deviations))
}

fn unescape(high: Option<u8>, low: Option<u8>) -> Result<u8, UrlBase64Error> {
    let digit = |octet: Option<u8>| octet.and_then(|octet| char::from(octet).to_digit(16));
    let (high, low) = digit(high).zip(digit(low)).ok_or(UrlBase64Error::Percent)?;
    u8::try_from(high << 4 | low).map_err(|_| UrlBase64Error::Percent)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_clients_leave_out_is_undone_and_reported() {
        use Deviation::{LineBreaks, NoPadding, RawPlus, RawSlash, SpaceForPlus, UrlAlphabet};
        for (text, deviations) in [
            ("%2B%2B%2F%2F%2FzA%3D", &[][..]),
            ("%2b%2b%2f%2f%2fzA=", &[]),
            ("++%2F%2F%2FzA=", &[RawPlus]),
            ("%20%20%2F%2F%2FzA=", &[SpaceForPlus]),
            ("%2B%2B///zA=", &[RawSlash]),
            ("--___zA=", &[UrlAlphabet]),
            ("%2B%2B%2F%2F%0D%0A%2FzA=%0A", &[LineBreaks]),
            ("%2B+%2F%2F/zA", &[RawPlus, RawSlash, NoPadding]),
        ] {
            let expected = vec![0xfb, 0xef, 0xff, 0xff, 0x30];
            assert_eq!(decode(text), Ok((expected, deviations.to_vec())), "{text}");
        }
    }

    #[test]
    fn what_is_not_base64_is_refused() {
        assert_eq!(decode("AAA%"), Err(UrlBase64Error::Percent));
        assert_eq!(decode("AAA%2"), Err(UrlBase64Error::Percent));
        assert_eq!(decode("AAA%2G"), Err(UrlBase64Error::Percent));
        assert_eq!(decode("AA=A"), Err(UrlBase64Error::Base64));
        assert_eq!(decode("A!AA"), Err(UrlBase64Error::Base64));
        assert_eq!(decode("AAAAA"), Err(UrlBase64Error::Base64));
    }

    proptest! {
        #[test]
        fn any_octets_come_back(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
            let text = base64::engine::general_purpose::STANDARD.encode(&octets);
            prop_assert_eq!(&decode(&text).unwrap().0, &octets);
            let pairs = hex::encode(text);
            let pairs = pairs.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).unwrap());
            let escaped: String = pairs.flat_map(|pair| ["%", pair]).collect();
            prop_assert_eq!(decode(&escaped).unwrap(), (octets, Vec::new()));
        }

        #[test]
        fn hostile_text_never_panics(text in ".{0,80}") {
            let _ = decode(&text);
        }
    }
}
