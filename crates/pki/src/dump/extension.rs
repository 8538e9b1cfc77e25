//! Extensions as text: decoded where we know them, else in hexadecimal.

use super::Text;
use crate::{
    DerError, Extension, GeneralName, Oid,
    extension::{
        AuthorityInfoAccess, AuthorityKeyIdentifier, BasicConstraints, CertificatePolicies,
        Criticality, CrlDistributionPoints, DistributionPoint, EntraDeviceId, EntraTenantId,
        ExtendedKeyUsage, ExtensionValue, FreshestCrl, IssuingDistributionPoint, KeyUsages,
        NameConstraints, OcspNoCheck, Scope, SecurityIdentifier, SubjectAltName,
        SubjectKeyIdentifier,
    },
    oid::{self, Named},
    tlv::Reader,
};

pub(super) fn push(text: &mut Text, extension: &Extension) {
    let name = Named(extension.oid);
    let critical = match extension.criticality {
        Criticality::Critical => " (critical)",
        Criticality::NonCritical => "",
    };
    let lines = match decoded(extension.oid, &extension.value) {
        Ok(Some(lines)) => lines,
        Ok(None) => vec![hex::encode(&extension.value)],
        Err(fault) => vec![format!("{} ({fault})", hex::encode(&extension.value))],
    };
    match lines.as_slice() {
        [] => text.line(format_args!("{name}{critical}")),
        [line] => text.line(format_args!("{name}{critical}: {line}")),
        lines => text.below(format_args!("{name}{critical}:"), |text| {
            for line in lines {
                text.line(line);
            }
        }),
    }
}

/// What the extension says, in lines; `None` for one that we do not know.
fn decoded(oid: Oid, value: &[u8]) -> Result<Option<Vec<String>>, DerError> {
    Ok(Some(match oid {
        oid::BASIC_CONSTRAINTS => vec![constraints(BasicConstraints::read(value)?)],
        oid::KEY_USAGE => vec![KeyUsages::read(value)?.to_string()],
        oid::EXTENDED_KEY_USAGE => vec![joined(&ExtendedKeyUsage::read(value)?.0)],
        oid::CERTIFICATE_POLICIES => vec![joined(&CertificatePolicies::read(value)?.0)],
        oid::SUBJECT_KEY_IDENTIFIER => vec![hex::encode(SubjectKeyIdentifier::read(value)?.0)],
        oid::AUTHORITY_KEY_IDENTIFIER => authority(&AuthorityKeyIdentifier::read(value)?),
        oid::SUBJECT_ALT_NAME | oid::ISSUER_ALT_NAME => names(&SubjectAltName::read(value)?.0),
        oid::NAME_CONSTRAINTS => {
            let NameConstraints { permitted, excluded } = NameConstraints::read(value)?;
            let permitted = permitted.iter().map(|name| format!("permitted {name}"));
            permitted.chain(excluded.iter().map(|name| format!("excluded {name}"))).collect()
        }
        oid::AUTHORITY_INFO_ACCESS => {
            let AuthorityInfoAccess { ocsp, ca_issuers } = AuthorityInfoAccess::read(value)?;
            let ocsp = ocsp.iter().map(|url| format!("OCSP {}", url.escape_debug()));
            let issuers = ca_issuers.iter().map(|url| format!("issuer {}", url.escape_debug()));
            ocsp.chain(issuers).collect()
        }
        oid::CRL_DISTRIBUTION_POINTS => points(&CrlDistributionPoints::read(value)?.0),
        oid::FRESHEST_CRL => points(&FreshestCrl::read(value)?.0),
        oid::ISSUING_DISTRIBUTION_POINT => distribution(&IssuingDistributionPoint::read(value)?),
        oid::CRL_NUMBER | oid::DELTA_CRL_INDICATOR => {
            vec![Reader::new(value).small_integer()?.to_string()]
        }
        oid::EXPIRED_CERTS_ON_CRL => vec![Reader::new(value).time()?.to_string()],
        oid::OCSP_NO_CHECK => {
            OcspNoCheck::read(value)?;
            Vec::new()
        }
        oid::MS_SID => vec![SecurityIdentifier::read(value)?.0.escape_debug().to_string()],
        oid::ENTRA_TENANT_ID => vec![guid(EntraTenantId::read(value)?.0)],
        oid::ENTRA_DEVICE_ID => vec![guid(EntraDeviceId::read(value)?.0)],
        _ => return Ok(None),
    }))
}

fn constraints(constraints: BasicConstraints) -> String {
    match constraints {
        BasicConstraints::EndEntity => "end entity".to_owned(),
        BasicConstraints::Authority { path_len: None } => "authority".to_owned(),
        BasicConstraints::Authority { path_len: Some(length) } => {
            format!("authority, at most {length} below it")
        }
    }
}

fn joined(list: &[Oid]) -> String {
    list.iter().map(|oid| Named(*oid).to_string()).collect::<Vec<_>>().join(", ")
}

fn authority(identifier: &AuthorityKeyIdentifier) -> Vec<String> {
    let key = identifier.key_identifier.iter().map(hex::encode);
    let issuer = identifier.issuer.iter().map(ToString::to_string);
    let serial = identifier.serial.iter().map(|serial| format!("serial {serial}"));
    key.chain(issuer).chain(serial).collect()
}

fn names(names: &[GeneralName]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

fn points(points: &[DistributionPoint]) -> Vec<String> {
    points.iter().flat_map(|point| names(&point.full_name)).collect()
}

fn distribution(point: &IssuingDistributionPoint) -> Vec<String> {
    let mut lines = names(&point.full_name);
    lines.push(match point.scope {
        Scope::All => "covers every kind of certificate".to_owned(),
        Scope::UserCertificates => "covers end entities".to_owned(),
        Scope::AuthorityCertificates => "covers authorities".to_owned(),
        Scope::AttributeCertificates => "covers attribute certificates".to_owned(),
    });
    if point.some_reasons {
        lines.push("some reasons only".to_owned());
    }
    if point.indirect {
        lines.push("lists certificates of other issuers".to_owned());
    }
    lines
}

/// A GUID as Windows writes it: the first three fields are little-endian in the octets.
fn guid(octets: [u8; 16]) -> String {
    const FIELDS: [&[usize]; 5] =
        [&[3, 2, 1, 0], &[5, 4], &[7, 6], &[8, 9], &[10, 11, 12, 13, 14, 15]];
    let field = |places: &&[usize]| -> String {
        hex::encode(places.iter().filter_map(|at| octets.get(*at)).copied().collect::<Vec<u8>>())
    };
    FIELDS.iter().map(field).collect::<Vec<_>>().join("-")
}
