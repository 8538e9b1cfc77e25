//! Every reader of octets from outside, and what must hold of it for any input.
//!
//! A reader returns whether it took the input; that it returns at all is the first property.

use std::borrow::Cow;

use lanyard_pki::ber::{self, Limits};
use lanyard_pki::certificate::Certificate;
use lanyard_pki::cms::{EnvelopedData, SignedData};
use lanyard_pki::crl::Crl;
use lanyard_pki::csr::CertificationRequest;
use lanyard_pki::ocsp::{OcspRequest, ReceivedResponse};
use lanyard_pki::{Name, PublicKey, SerialNumber, pem, url_base64};
use lanyard_scep::client::{CaCertificates, Expected, ReplyRefused};
use lanyard_scep::operation::{Query, endpoint_path};
use lanyard_scep::server::Message;
use lanyard_scep::{Capabilities, Legacy, Policy, SenderNonce, TransactionId};

/// A reader under its name.
pub type Reader = (&'static str, fn(&[u8]) -> bool);

/// All of them; a fuzz target each.
pub const READERS: &[Reader] = &[
    ("ber", ber),
    ("certificate", certificate),
    ("crl", crl),
    ("request", request),
    ("signed_data", signed_data),
    ("enveloped_data", enveloped_data),
    ("ocsp_request", ocsp_request),
    ("ocsp_response", ocsp_response),
    ("scep_message", scep_message),
    ("scep_reply", scep_reply),
    ("scep_authority", scep_authority),
    ("scep_query", scep_query),
    ("public_key", public_key),
    ("text", text),
];

const LIMITS: Limits = Limits::of_octets(1 << 20);

/// BER becomes DER that needs no second pass.
pub fn ber(input: &[u8]) -> bool {
    let Ok(der) = ber::normalise(input, LIMITS) else { return false };
    let again = ber::normalise(&der, LIMITS);
    assert!(matches!(again, Ok(Cow::Borrowed(same)) if same == &*der), "not yet DER");
    true
}

/// A certificate keeps its octets, and every accessor answers.
pub fn certificate(input: &[u8]) -> bool {
    let Ok(certificate) = Certificate::from_der(input) else { return false };
    assert_eq!(certificate.as_der(), input);
    let _ = certificate.key_usage();
    let _ = certificate.extended_key_usage();
    let _ = certificate.basic_constraints();
    let _ = certificate.subject_alt_names();
    let _ = certificate.authority_key_identifier();
    let _ = certificate.subject_key_identifier();
    let _ = certificate.authority_info_access();
    let _ = certificate.crl_distribution_points();
    let _ = format!("{} {} {}", certificate.subject(), certificate.issuer(), certificate.serial());
    if let Ok(key) = certificate.public_key() {
        let _ = certificate.verify_signed_by(key);
    }
    true
}

/// A CRL keeps its octets, and its entries can be walked and searched.
pub fn crl(input: &[u8]) -> bool {
    let Ok(crl) = Crl::from_der(input) else { return false };
    assert_eq!(crl.as_der(), input);
    let _ = (crl.number(), crl.base(), crl.distribution_point(), crl.authority_key_identifier());
    let walked = crl.entries().take_while(Result::is_ok).count();
    assert!(walked <= input.len(), "more entries than octets");
    let _ = crl.entry(&SerialNumber::from_bytes(&[1]).expect("a serial number"));
    true
}

/// A certification request keeps its octets, and every accessor answers.
pub fn request(input: &[u8]) -> bool {
    let Ok(request) = CertificationRequest::from_der(input) else { return false };
    assert_eq!(request.as_der(), input);
    let _ = request.verify();
    let _ = request.challenge_password();
    let _ = request.requested_extensions();
    let _ = request.requested_alt_names();
    let _ = request.requested_validity();
    let _ = request.subject().to_string();
    true
}

/// Signed data, taken as BER as the doors take it; its signers are checked against its certificates.
pub fn signed_data(input: &[u8]) -> bool {
    let Ok(der) = ber::normalise(input, LIMITS) else { return false };
    let Ok(signed) = SignedData::from_der(&der) else { return false };
    for certificate in &signed.certificates {
        certificate_of_signer(&signed, certificate);
    }
    if let Some(content) = signed.content {
        enveloped_data(content);
    }
    true
}

fn certificate_of_signer(signed: &SignedData<'_>, certificate: &[u8]) {
    let Ok(certificate) = Certificate::from_der(certificate) else { return };
    let Ok(key) = certificate.public_key() else { return };
    for signer in &signed.signers {
        let content = signed.content.unwrap_or_default();
        let _ = signer.verify(signed.content_type, content, key);
    }
}

/// Enveloped data, taken as BER; opened with a wrong key it fails and no more.
pub fn enveloped_data(input: &[u8]) -> bool {
    let Ok(der) = ber::normalise(input, LIMITS) else { return false };
    let Ok(enveloped) = EnvelopedData::from_der(&der) else { return false };
    let _ = enveloped.key_transports().count() + enveloped.passwords().count();
    let _ = enveloped.content.open(&[0x5a; 16]);
    let _ = enveloped.content.open(&[0x5a; 24]);
    true
}

/// An OCSP request; each of its parts can be walked.
pub fn ocsp_request(input: &[u8]) -> bool {
    let Ok(request) = OcspRequest::from_der(input) else { return false };
    let walked = request.requests().filter(|single| single.id.serial().is_ok()).count();
    assert!(walked <= request.len(), "more requests than it says");
    let _ = request.nonce();
    true
}

/// An OCSP response, as the program's own client reads it.
pub fn ocsp_response(input: &[u8]) -> bool {
    ReceivedResponse::from_der(input).is_ok()
}

/// A SCEP request through every stage that needs no private key, and the one after it with a key
/// that is wrong.
pub fn scep_message(input: &[u8]) -> bool {
    let policy = Policy { legacy: Legacy::Allowed, ..Policy::default() };
    let Ok(message) = Message::parse(input, policy) else { return false };
    let _ = message.reply_to();
    let Ok(verified) = message.verify() else { return false };
    let recipient = include_str!("../../interop/fixtures/authority/ca.pem");
    let recipient = pem::decode("CERTIFICATE", recipient).expect("a fixture");
    let recipient = Certificate::from_der(&recipient).expect("a fixture");
    let Ok(sealed) = verified.envelope(&[&recipient]) else { return false };
    let key = vec![0x5a; sealed.key_len()];
    assert!(sealed.decrypted(&key).is_err(), "opened with a wrong key");
    true
}

/// A SCEP reply as the program's own client reads it: up to the envelope, whose key is not there.
pub fn scep_reply(input: &[u8]) -> bool {
    let policy = Policy { legacy: Legacy::Allowed, ..Policy::default() };
    let authority = include_bytes!("../../interop/fixtures/authority/ca.pem");
    let authority = pem::der_or_pem(&["CERTIFICATE"], authority).expect("a fixture");
    let client = Certificate::from_der(&authority).expect("a fixture");
    let authority = CaCertificates::from_answer(&authority).expect("a fixture");
    let id = TransactionId::from_random([0; 16]);
    let nonce = SenderNonce::from_random([0; 16]).returned();
    let reply = Expected::new(id, nonce, &client).reply(input, &authority, &policy);
    assert!(reply.is_err(), "a reply to a message that was never sent");
    matches!(reply, Err(ReplyRefused::Other(_)))
}

/// What an authority announces: a certificate, or several in degenerate signed data.
pub fn scep_authority(input: &[u8]) -> bool {
    let _ = Capabilities::parse(input).to_string();
    let Ok(announced) = CaCertificates::from_answer(input) else { return false };
    let _ = (announced.encryption(), announced.authority());
    let _ = CaCertificates::from_next_answer(input, &announced);
    true
}

/// The query of a SCEP request, its message and its path.
pub fn scep_query(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let _ = endpoint_path(text);
    let Ok(query) = Query::parse(text) else { return false };
    let _ = query.tolerances();
    let _ = query.pki_message(1 << 16);
    true
}

/// A public key and a name, which stand alone nowhere but in every other format.
pub fn public_key(input: &[u8]) -> bool {
    if let Ok(name) = Name::from_der(input) {
        let _ = name.to_string();
    }
    PublicKey::from_spki_der(input).is_ok()
}

/// Text from addresses, files and command lines.
pub fn text(input: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(input) else { return false };
    let _ = url_base64::decode(text);
    let _ = text.parse::<SerialNumber>();
    pem::decode_all(text).is_ok()
}
