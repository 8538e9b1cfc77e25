use fpe::ff1::FlexibleNumeralString;
use proptest::prelude::*;

use super::*;
use crate::id::DirectoryId;

const ISSUER: [u8; 20] = *b"key identifier of CA";

fn key(fill: u8) -> SerialKey {
    SerialKey::new([fill; 32])
}

fn codec(fill: u8, epoch: u8) -> SerialCodec {
    SerialCodec::new(&key(fill), Epoch::new(epoch).unwrap())
}

fn bindings() -> impl Strategy<Value = Binding> {
    (0..Kind::ALL.len(), any::<u128>(), proptest::option::of(any::<[u8; 16]>())).prop_map(
        |(kind, object, directory)| Binding {
            kind: Kind::ALL[kind],
            object: ObjectId::from_u128(object),
            directory: directory.map(DirectoryId::from_bytes),
        },
    )
}

fn static_binding(object: u128) -> Binding {
    Binding { kind: Kind::Static, object: ObjectId::from_u128(object), directory: None }
}

proptest! {
    #[test]
    fn what_was_encoded_is_decoded(
        binding in bindings(), random: u32, secret: [u8; 32], issuer: [u8; 20], epoch in 0_u8..4,
    ) {
        let epoch = Epoch::new(epoch).unwrap();
        let codec = SerialCodec::new(&SerialKey::new(secret), epoch);
        let nonce = Nonce::from_random(random);
        let serial = codec.encode(&binding, nonce, &issuer);
        let Binding { kind, object, .. } = binding;
        prop_assert_eq!(codec.decode(&serial, &issuer), Some(Decoded { kind, object, nonce, epoch }));
        prop_assert_eq!(serial.as_bytes().len(), 20);
        prop_assert_eq!(serial.as_bytes()[0] >> 4, 4 | epoch.number());
    }

    #[test]
    fn another_key_or_issuer_never_yields_the_binding(
        binding in bindings(), random: u32, bit in 0_usize..256, issuer_bit in 0_usize..160,
    ) {
        let nonce = Nonce::from_random(random);
        let (mut other_key, mut other_issuer) = ([9; 32], ISSUER);
        other_key[bit / 8] ^= 1 << (bit % 8);
        other_issuer[issuer_bit / 8] ^= 1 << (issuer_bit % 8);
        let serial = codec(9, 0).encode(&binding, nonce, &ISSUER);
        let other_codec = SerialCodec::new(&SerialKey::new(other_key), Epoch::FIRST);
        for seen in [other_codec.decode(&serial, &ISSUER), codec(9, 0).decode(&serial, &other_issuer)] {
            prop_assert!(seen.is_none_or(|seen| seen.object != binding.object));
        }
    }

    #[test]
    fn our_two_word_digits_agree_with_the_library_s_digit_strings(
        secret: [u8; 32], tweak: [u8; 20], mut octets: [u8; 20],
    ) {
        octets[0] &= 0x0F;
        let ours = Cipher::new(&SerialKey::new(secret)).encrypt(&tweak, &Digits::from_octets(&octets));
        let library = FF1::<Aes256>::new(&secret, RADIX).unwrap();
        let theirs = library.encrypt(&tweak, &FlexibleNumeralString::from(nibbles(&octets))).unwrap();
        prop_assert_eq!(nibbles(&ours.to_octets()), Vec::from(theirs));
    }

    #[test]
    fn a_serial_number_of_other_shape_decodes_to_nothing(octets in proptest::collection::vec(any::<u8>(), 1..40)) {
        prop_assume!(octets.len() != OCTETS || octets[0] >> 4 != 4);
        if let Ok(serial) = SerialNumber::from_bytes(&octets) {
            prop_assume!(serial.as_bytes().len() != OCTETS || serial.as_bytes()[0] >> 4 != 4);
            prop_assert_eq!(codec(1, 0).decode(&serial, &ISSUER), None);
        }
    }
}

fn nibbles(octets: &[u8; 20]) -> Vec<u16> {
    let all = octets.iter().flat_map(|octet| [u16::from(octet >> 4), u16::from(octet & 15)]);
    all.skip(1).collect()
}

#[test]
fn one_bit_of_the_nonce_changes_about_half_of_the_serial_number() {
    let (codec, binding) = (codec(1, 0), static_binding(5));
    let first = codec.encode(&binding, Nonce::from_random(0), &ISSUER);
    let second = codec.encode(&binding, Nonce::from_random(1), &ISSUER);
    let differing: u32 =
        first.as_bytes().iter().zip(second.as_bytes()).map(|(a, b)| (a ^ b).count_ones()).sum();
    assert!((50..=106).contains(&differing), "{differing} of 156 bits differ");
}

#[test]
fn a_wrong_key_yields_a_known_kind_no_more_often_than_chance() {
    let (ours, other) = (codec(1, 0), codec(2, 0));
    let known = (0..4096)
        .filter(|n| {
            let serial = ours.encode(&static_binding(7), Nonce::from_random(*n), &ISSUER);
            other.decode(&serial, &ISSUER).is_some()
        })
        .count();
    assert!((160..=320).contains(&known), "15 kinds of 256 in 4096 is 240 on average, not {known}");
}

#[test]
fn after_a_change_of_key_old_and_new_serial_numbers_are_read() {
    let binding = static_binding(1);
    let old = codec(1, 3).encode(&binding, Nonce::from_random(2), &ISSUER);
    let rotated = SerialCodec::new(&key(2), Epoch::new(3).unwrap().next())
        .with_earlier(&key(1), Epoch::new(3).unwrap())
        .unwrap();
    let new = rotated.encode(&binding, Nonce::from_random(2), &ISSUER);
    assert_eq!(rotated.epoch(), Epoch::FIRST);
    assert_eq!(rotated.decode(&old, &ISSUER).map(|seen| seen.object), Some(binding.object));
    assert_eq!(rotated.decode(&new, &ISSUER).map(|seen| seen.object), Some(binding.object));
    assert_eq!(codec(2, 0).decode(&old, &ISSUER), None, "that epoch's key is not there");
}

#[test]
fn two_keys_of_one_epoch_are_refused() {
    let taken = codec(1, 2).with_earlier(&key(2), Epoch::new(2).unwrap());
    assert_eq!(taken.err(), Some(EpochTaken(Epoch::new(2).unwrap())));
    assert_eq!(Epoch::new(4), None);
}

#[test]
fn secrets_do_not_show() {
    assert_eq!(
        format!("{:?} {:?}", key(1), codec(1, 0)),
        "SerialKey(redacted) SerialCodec(epoch 0, earlier [])"
    );
}

/// The serial numbers of an installation must stay readable for as long as its certificates live.
#[test]
fn serial_numbers_stay_as_they_are() {
    let serials: Vec<String> = Kind::ALL
        .iter()
        .zip(0..)
        .map(|(kind, n)| {
            let object = ObjectId::from_u128(0x0f8f_ad5b_d9cb_469f_a165_7086_7728_950e);
            let binding = Binding { kind: *kind, object, directory: None };
            let codec = codec(0x2B, u8::try_from(n % 4).unwrap());
            format!("{kind} {}", codec.encode(&binding, Nonce::from_random(n), &ISSUER))
        })
        .collect();
    insta::assert_snapshot!(serials.join("\n"));
}

/// The nine samples that NIST publishes for FF1 in SP 800-38G: the library computes them.
#[test]
fn the_library_computes_the_published_samples() {
    const KEY: &str = "2b7e151628aed2a6abf7158809cf4f3c";
    const KEY_192: &str = "2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f";
    const KEY_256: &str = "2b7e151628aed2a6abf7158809cf4f3cef4359d8d580aa4f7f036d6f04fc6a94";
    let samples = [
        (KEY, 10, "", "0123456789", "2433477484"),
        (KEY, 10, "39383736353433323130", "0123456789", "6124200773"),
        (KEY, 36, "3737373770717273373737", "0123456789abcdefghi", "a9tv40mll9kdu509eum"),
        (KEY_192, 10, "", "0123456789", "2830668132"),
        (KEY_192, 10, "39383736353433323130", "0123456789", "2496655549"),
        (KEY_192, 36, "3737373770717273373737", "0123456789abcdefghi", "xbj3kv35jrawxv32ysr"),
        (KEY_256, 10, "", "0123456789", "6657667009"),
        (KEY_256, 10, "39383736353433323130", "0123456789", "1001623463"),
        (KEY_256, 36, "3737373770717273373737", "0123456789abcdefghi", "xs8a0azh2avyalyzuwd"),
    ];
    for (key, radix, tweak, plain, secret) in samples {
        let (key, tweak) = (hex::decode(key).unwrap(), hex::decode(tweak).unwrap());
        let plain = FlexibleNumeralString::from(digits(plain));
        let computed = match key.len() {
            16 => FF1::<aes::Aes128>::new(&key, radix).unwrap().encrypt(&tweak, &plain),
            24 => FF1::<aes::Aes192>::new(&key, radix).unwrap().encrypt(&tweak, &plain),
            _ => FF1::<Aes256>::new(&key, radix).unwrap().encrypt(&tweak, &plain),
        };
        assert_eq!(Vec::from(computed.unwrap()), digits(secret));
    }
}

fn digits(text: &str) -> Vec<u16> {
    text.chars().map(|c| u16::try_from(c.to_digit(36).unwrap()).unwrap()).collect()
}
