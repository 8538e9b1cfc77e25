//! The certificate that a client makes for itself to sign its first request (RFC 8894, 2.3).

use lanyard_pki::{
    Certificate, Name, PublicKey, SerialNumber, SignatureAlgorithm, Time, Unsigned,
    extension::{Criticality, ExtensionValue, Extensions, KeyUsages},
    tlv::Writer,
};

/// A self-signed certificate: the subject and the key of the request, for signing and, where the key
/// can, for decrypting the reply.
#[must_use]
pub fn self_signed(
    subject: &Name,
    public_key: &PublicKey,
    serial: &SerialNumber,
    not_before: Time,
    not_after: Time,
    algorithm: SignatureAlgorithm,
) -> Unsigned<Certificate> {
    let usages = if public_key.algorithm().can_encipher() {
        KeyUsages::DIGITAL_SIGNATURE.union(KeyUsages::KEY_ENCIPHERMENT)
    } else {
        KeyUsages::DIGITAL_SIGNATURE
    };
    let mut extensions = Extensions::none();
    extensions.push(usages.extension(Criticality::Critical));
    let tbs = Writer::sequence_of(|w| {
        w.context(0, |w| w.small_integer(2));
        w.serial_number(serial);
        w.raw(&algorithm.identifier());
        w.raw(subject.as_der());
        w.sequence(|w| {
            w.time(not_before);
            w.time(not_after);
        });
        w.raw(subject.as_der());
        w.raw(public_key.spki_der());
        w.context(3, |w| extensions.write(w));
    });
    Unsigned::new(tbs, algorithm)
}
