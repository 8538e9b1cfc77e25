//! Fixed cases, a generator of BER from DER, and a second opinion from another decoder.

use proptest::prelude::*;

use super::{write::put_length, *};

const LIMITS: Limits = Limits::of_octets(1 << 20);

fn der(hex_digits: &str) -> Result<String, BerError> {
    let octets = hex::decode(hex_digits.replace(' ', "")).unwrap();
    normalise(&octets, LIMITS).map(hex::encode)
}

#[test]
fn der_is_passed_through_without_a_copy() {
    let octets = hex::decode("3006020101040100").unwrap();
    assert!(matches!(normalise(&octets, LIMITS), Ok(Cow::Borrowed(same)) if same == octets));
}

#[test]
fn indefinite_and_long_lengths_become_minimal() {
    assert_eq!(der("3080 020101 0000").unwrap(), "3003020101");
    assert_eq!(der("3084 00000003 020101").unwrap(), "3003020101");
    assert_eq!(der("30820003 028200 0101").unwrap_err(), BerError::Truncated);
    assert_eq!(der("3080 a080 0000 0000").unwrap(), "3002a000");
}

#[test]
fn chunks_of_an_octet_string_are_joined_however_they_nest() {
    assert_eq!(der("2480 0401aa 0401bb 0000").unwrap(), "0402aabb");
    assert_eq!(der("2406 0401aa 0401bb").unwrap(), "0402aabb");
    assert_eq!(der("2480 2480 0401aa 0000 2403 0401bb 0000").unwrap(), "0402aabb");
    assert_eq!(der("2480 0000").unwrap(), "0400");
    assert_eq!(der("30 05 2403 0401aa").unwrap(), "30030401aa");
}

#[test]
fn encrypted_content_under_its_implicit_tag_is_joined() {
    let info = "0603 2a0304 3000";
    assert_eq!(der(&format!("3080{info} a080 0401aa 0401bb 0000 0000")).unwrap(), {
        format!("300b{}8002aabb", info.replace(' ', ""))
    });
    assert_eq!(der(&format!("300f{info} a006 0401aa 0401bb")).unwrap(), {
        format!("300b{}8002aabb", info.replace(' ', ""))
    });
    assert_eq!(der(&format!("3009{info} a000")).unwrap().len(), 22);
}

#[test]
fn an_explicit_tag_elsewhere_keeps_its_shape() {
    // EncapsulatedContentInfo: the same tag, explicit, right after the content type.
    assert_eq!(der("300a 0603 2a0304 a003 0401aa").unwrap(), "300a06032a0304a0030401aa");
    assert_eq!(der("3080 0603 2a0304 a080 2480 0401aa 0000 0000 0000").unwrap(), {
        "300a06032a0304a0030401aa"
    });
}

#[test]
fn what_is_not_ber_is_refused_with_its_place() {
    for (octets, error) in [
        ("", BerError::Truncated),
        ("30", BerError::Truncated),
        ("3003 0201", BerError::Truncated),
        ("3080 020101", BerError::Truncated),
        ("3000 00", BerError::Trailing),
        ("3000 3000", BerError::Trailing),
        ("0480 0000", BerError::Header { at: 0 }),
        ("30ff 00", BerError::Header { at: 0 }),
        ("3085 0100000000 00", BerError::Header { at: 0 }),
        ("3002 0000", BerError::Header { at: 2 }),
        ("2403 020101", BerError::Chunk { at: 2 }),
        ("2402 3000", BerError::Chunk { at: 2 }),
        ("2c03 0c0161", BerError::Chunk { at: 0 }),
        ("2304 03020001", BerError::Chunk { at: 0 }),
        ("1fffffffffff01 00", BerError::Header { at: 0 }),
        // The end of contents lies beyond the end of the element around it.
        ("3004 3080 0201 0000", BerError::Truncated),
    ] {
        assert_eq!(der(octets), Err(error), "{octets}");
    }
}

#[test]
fn size_is_checked_first_and_depth_while_reading() {
    let long = vec![0xff; 65];
    assert_eq!(normalise(&long, Limits::of_octets(64)), Err(BerError::TooLong { limit: 64 }));
    let nested = |levels: usize| [[0x30, 0x80].repeat(levels), [0, 0].repeat(levels)];
    assert!(normalise(&nested(32).concat(), LIMITS).is_ok());
    assert_eq!(normalise(&nested(33).concat(), LIMITS), Err(BerError::TooDeep { limit: 32 }));
    let bomb = [0x24, 0x80].repeat(1 << 18);
    assert_eq!(normalise(&bomb, LIMITS), Err(BerError::TooDeep { limit: 32 }));
}

/// Writes DER again as BER, drawing every free choice from `choices`.
fn as_ber(der: &[u8], choices: &mut impl FnMut() -> u8) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = der;
    let mut seen = Vec::new();
    while let Some((tag, value)) = take(&mut rest) {
        let encrypted_content = tag == 0x80 && seen == [tag::OID, tag::SEQUENCE];
        seen.push(tag);
        let choice = choices();
        if tag & 0x20 != 0 {
            wrap(&mut out, tag, &as_ber(value, choices), choice);
        } else if (tag == tag::OCTET_STRING || encrypted_content) && choice & 0x10 != 0 {
            let chunks = chunked(value, choices, 0);
            wrap(&mut out, tag | 0x20, &chunks, choice);
        } else {
            wrap(&mut out, tag, value, choice | 1);
        }
    }
    out
}

/// The first element of some DER.
fn take<'a>(rest: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let [tag, first, after @ ..] = *rest else { return None };
    let long = usize::from(first.saturating_sub(0x80));
    let (length, after) = after.split_at(long);
    let length = match long {
        0 => usize::from(*first),
        _ => length.iter().fold(0, |sum, octet| (sum << 8) | usize::from(*octet)),
    };
    let (value, after) = after.split_at(length);
    *rest = after;
    Some((*tag, value))
}

/// One element of DER.
fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut out = vec![tag];
    put_length(&mut out, parts.iter().map(|part| part.len()).sum());
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

fn chunked(octets: &[u8], choices: &mut impl FnMut() -> u8, depth: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in octets.chunks(1 + usize::from(choices())) {
        let choice = choices();
        if choice & 0x10 != 0 && depth < 2 {
            let inner = chunked(chunk, choices, depth + 1);
            wrap(&mut out, 0x24, &inner, choice);
        } else {
            wrap(&mut out, tag::OCTET_STRING, chunk, choice | 1);
        }
    }
    out
}

/// Choice bit 0: definite; bits 1 and 2: how many needless length octets.
fn wrap(out: &mut Vec<u8>, tag: u8, content: &[u8], choice: u8) {
    out.push(tag);
    if choice & 1 == 0 {
        out.push(0x80);
        out.extend_from_slice(content);
        out.extend_from_slice(&[0, 0]);
    } else if choice & 6 == 0 {
        put_length(out, content.len());
        out.extend_from_slice(content);
    } else {
        let octets = u32::try_from(content.len()).unwrap().to_be_bytes();
        out.extend_from_slice(&[0x80 | 5, 0]);
        out.extend_from_slice(&octets);
        out.extend_from_slice(content);
    }
}

/// Any DER made of sequences, explicit tags, octet strings, integers and encrypted content.
fn any_der() -> impl Strategy<Value = Vec<u8>> {
    let octets = || proptest::collection::vec(any::<u8>(), 0..300);
    let leaf = prop_oneof![
        octets().prop_map(|v| element(tag::OCTET_STRING, &[&v])),
        octets().prop_map(|v| element(0x02, &[&v])),
        octets().prop_map(|v| element(0x80, &[&v])),
        Just(vec![0x05, 0]),
        octets().prop_map(|v| {
            let info = [element(tag::OID, &[&[42]]), element(0x30, &[]), element(0x80, &[&v])];
            element(tag::SEQUENCE, &[&info.concat()])
        }),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        (prop_oneof![Just(0x31u8), Just(0xa1), Just(0x30)], proptest::collection::vec(inner, 0..6))
            .prop_map(|(tag, members)| element(tag, &[&members.concat()]))
    })
}

proptest! {
    #[test]
    fn any_ber_of_some_der_becomes_that_der(der in any_der(), seed in any::<u64>()) {
        let ber = as_ber(&der, &mut splitmix(seed));
        let normalised = normalise(&ber, LIMITS).unwrap();
        prop_assert_eq!(normalised.as_ref(), der.as_slice());
    }

    #[test]
    fn the_short_way_agrees_with_the_long_one(
        der in any_der(),
        at in any::<prop::sample::Index>(),
        octet in any::<u8>(),
        touched in any::<bool>(),
    ) {
        let mut octets = der;
        if touched {
            let at = at.index(octets.len());
            octets[at] = octet;
        }
        let mut scan = Scan::new(&octets, LIMITS);
        let long = scan.run().is_ok() && scan.canonical;
        let short = is_der(&octets, Limits::DEPTH);
        prop_assert!(long || !short);
        prop_assert!(short || touched);
    }

    #[test]
    fn normalising_twice_changes_nothing(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(once) = normalise(&octets, LIMITS) {
            let again = normalise(&once, LIMITS);
            prop_assert!(matches!(again, Ok(Cow::Borrowed(same)) if same == once.as_ref()));
        }
    }

    #[test]
    fn another_decoder_reads_the_same_envelope_before_and_after(
        content in proptest::collection::vec(any::<u8>(), 0..600),
        key in proptest::collection::vec(any::<u8>(), 0..300),
        seed in any::<u64>(),
    ) {
        let der = envelope(&content, &key);
        let ber = as_ber(&der, &mut splitmix(seed));
        let ours = normalise(&ber, LIMITS).unwrap();
        prop_assert_eq!(ours.as_ref(), der.as_slice());
        let theirs = second_opinion(&ber).unwrap();
        prop_assert_eq!(second_opinion(&ours).unwrap(), theirs.clone());
        prop_assert_eq!(theirs, (content, vec![key]));
    }

    #[test]
    fn what_we_refuse_of_a_damaged_envelope_never_panics_and_what_we_accept_they_accept(
        content in proptest::collection::vec(any::<u8>(), 0..60),
        seed in any::<u64>(),
        at in any::<prop::sample::Index>(),
        octet in any::<u8>(),
    ) {
        let mut ber = as_ber(&envelope(&content, &[1, 2, 3]), &mut splitmix(seed));
        let at = at.index(ber.len());
        ber[at] = octet;
        let Ok(ours) = normalise(&ber, LIMITS) else { return Ok(()) };
        if let (Some(before), Some(after)) = (second_opinion(&ber), second_opinion(&ours)) {
            prop_assert_eq!(before, after);
        }
    }
}

/// What rasn finds in an envelope: the encrypted content and keys. (It keeps algorithm
/// parameters as the octets they came in, so whole values differ between BER and DER.)
fn second_opinion(ber: &[u8]) -> Option<(Vec<u8>, Vec<Vec<u8>>)> {
    let envelope = rasn::ber::decode::<rasn_cms::EnvelopedData>(ber).ok()?;
    let keys = envelope.recipient_infos.to_vec().into_iter().map(|recipient| match recipient {
        rasn_cms::RecipientInfo::KeyTransRecipientInfo(info) => info.encrypted_key.to_vec(),
        _ => Vec::new(),
    });
    let keys = keys.collect();
    Some((envelope.encrypted_content_info.encrypted_content?.to_vec(), keys))
}

/// The generator of Steele, Lea and Flood: small, and the same on every machine.
fn splitmix(mut state: u64) -> impl FnMut() -> u8 {
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)).to_be_bytes()[2]
    }
}

/// An `EnvelopedData` with one recipient, found by key identifier.
fn envelope(content: &[u8], key: &[u8]) -> Vec<u8> {
    let algorithm = hex::decode("300d06092a864886f70d0101010500").unwrap();
    let cipher = hex::decode("301d060960864801650304010204100102030405060708090a0b0c0d0e0f10");
    let recipient = [
        hex::decode("020102").unwrap(),
        element(0x80, &[&[7; 20]]),
        algorithm,
        element(tag::OCTET_STRING, &[key]),
    ];
    let info = [
        hex::decode("06092a864886f70d010701").unwrap(),
        cipher.unwrap(),
        element(0x80, &[content]),
    ];
    let parts = [
        hex::decode("020102").unwrap(),
        element(tag::SET, &[&element(tag::SEQUENCE, &[&recipient.concat()])]),
        element(tag::SEQUENCE, &[&info.concat()]),
    ];
    element(tag::SEQUENCE, &[&parts.concat()])
}
