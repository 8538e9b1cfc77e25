//! OCSP answers and CMS messages as text.

use super::{Text, or_fault};
use crate::{
    Certificate,
    cms::{CertificateId, EnvelopedData, KeyTransport, Recipient, SignedData, SignerInfo},
    name::decode_string,
    ocsp::{CertStatus, ReceivedAnswer, ReceivedResponse, ResponderId},
    oid::{self, Named},
};

/// An OCSP response as text.
pub fn ocsp_response(der: &[u8]) -> String {
    let mut text = Text::default();
    text.below("OCSP response", |text| match ReceivedResponse::from_der(der) {
        Err(fault) => text.line(fault),
        Ok(response) => push_response(text, &response),
    });
    text.out
}

fn push_response(text: &mut Text, response: &ReceivedResponse<'_>) {
    match response.responder {
        ResponderId::ByKey(hash) => text.field("responder key", hex::encode(hash)),
        ResponderId::ByName(name) => {
            text.field("responder", or_fault(crate::Name::from_der(name)));
        }
    }
    text.field("produced at", response.produced_at);
    for answer in &response.answers {
        push_answer(text, answer);
    }
    if let Some(nonce) = response.nonce {
        text.field("nonce", hex::encode(nonce));
    }
    push_certificates(text, &response.certificates);
    text.field("signed with", response.algorithm);
}

fn push_answer(text: &mut Text, answer: &ReceivedAnswer<'_>) {
    text.below(format_args!("serial {}:", or_fault(answer.id.serial())), |text| {
        match answer.status {
            CertStatus::Good => text.line("good"),
            CertStatus::Unknown => text.line("unknown"),
            CertStatus::Revoked { at, reason: None } => {
                text.line(format_args!("revoked since {at}"));
            }
            CertStatus::Revoked { at, reason: Some(reason) } => {
                text.line(format_args!("revoked since {at}, {reason}"));
            }
        }
        let digest = answer.id.digest.map_or_else(|| "unknown".to_owned(), |d| d.to_string());
        text.field("issuer name", hex::encode(answer.id.issuer_name_hash));
        text.field("issuer key", hex::encode(answer.id.issuer_key_hash));
        text.field("hashed with", digest);
        text.field("this update", answer.this_update);
        match answer.next_update {
            Some(next) => text.field("next update", next),
            None => text.line("next update: (not said)"),
        }
    });
}

fn push_certificates(text: &mut Text, certificates: &[&[u8]]) {
    for der in certificates {
        let summary = Certificate::from_der(der)
            .map(|it| format!("{}, serial {}", it.subject(), it.serial()));
        text.field("certificate", or_fault(summary));
    }
}

/// A CMS message with signed data as text: who signed, with which SCEP attributes, and what came along.
/// The content itself is not shown.
pub fn signed_data(der: &[u8]) -> String {
    let mut text = Text::default();
    text.below("signed data", |text| match SignedData::from_der(der) {
        Err(fault) => text.line(fault),
        Ok(signed) => {
            text.field("content", Named(signed.content_type));
            let octets = signed.content.map_or(0, <[u8]>::len);
            text.field("octets", octets);
            push_certificates(text, &signed.certificates);
            text.field("CRLs", signed.crls.len());
            for signer in &signed.signers {
                push_signer(text, signer);
            }
        }
    });
    text.out
}

fn push_signer(text: &mut Text, signer: &SignerInfo<'_>) {
    const ATTRIBUTES: [crate::Oid; 9] = [
        oid::CONTENT_TYPE,
        oid::SIGNING_TIME,
        oid::SCEP_MESSAGE_TYPE,
        oid::SCEP_PKI_STATUS,
        oid::SCEP_FAIL_INFO,
        oid::SCEP_FAIL_INFO_TEXT,
        oid::SCEP_TRANSACTION_ID,
        oid::SCEP_SENDER_NONCE,
        oid::SCEP_RECIPIENT_NONCE,
    ];
    text.below(format_args!("signer {}:", certificate_id(&signer.id)), |text| {
        text.field("digest", signer.digest);
        text.line(format_args!(
            "signed with: {}, named {}",
            signer.algorithm,
            Named(signer.algorithm_oid)
        ));
        let Some(attributes) = &signer.attributes else { return };
        for attribute in ATTRIBUTES {
            if let Ok(Some(value)) = attributes.optional(attribute) {
                let shown = decode_string(value.tag, value.contents).map_or_else(
                    || hex::encode(value.contents),
                    |it| it.escape_debug().to_string(),
                );
                text.field(Named(attribute), shown);
            }
        }
    });
}

fn certificate_id(id: &CertificateId) -> String {
    match id {
        CertificateId::IssuerAndSerial(id) => format!("{}, serial {}", id.issuer, id.serial),
        CertificateId::KeyIdentifier(identifier) => format!("key {}", hex::encode(identifier)),
    }
}

/// A CMS message with enveloped data as text: for whom, and encrypted with what.
pub fn enveloped_data(der: &[u8]) -> String {
    let mut text = Text::default();
    text.below("enveloped data", |text| match EnvelopedData::from_der(der) {
        Err(fault) => text.line(fault),
        Ok(enveloped) => {
            for recipient in &enveloped.recipients {
                text.line(match recipient {
                    Recipient::KeyTransport(it) => {
                        let padding = match &it.transport {
                            KeyTransport::Pkcs1 => "PKCS #1 v1.5".to_owned(),
                            KeyTransport::Oaep { digest, mask, .. } => {
                                format!("OAEP with {digest}, mask {mask}")
                            }
                        };
                        format!("for {}: {padding}", certificate_id(&it.id))
                    }
                    Recipient::Password(_) => "for who knows the password".to_owned(),
                    Recipient::Other => "for somebody in another way".to_owned(),
                });
            }
            text.field("cipher", format_args!("{:?}", enveloped.content.cipher));
            text.field("octets", enveloped.content.octets.len());
        }
    });
    text.out
}
