//! Records to try a store with: unlike each other, and alike whenever they are made again.

use aws_lc_rs::digest::{SHA256, digest};
use lanyard_lifecycle::{
    Binding, DepartmentId, DirectoryId, EndpointId, Kind, ObjectId, OrganizationId, Scope, Source,
};
use lanyard_pki::{SerialNumber, Time};

use crate::{
    AuditEntry, AuditOutcome, CaId, CaMaterial, CaState, Claim, CrlPartition, Issuance, Keep,
    Names, NewCa, NewCertificate, NewEnrollment, Store, StoreError,
};

/// The time at which samples are made.
pub const NOW: Time = Time::from_unix(1_800_000_000);

/// An endpoint.
pub const ENDPOINT: EndpointId = EndpointId::from_bytes([0xE1; 16]);

/// A day in seconds.
pub const DAY: i64 = 86_400;

/// A scope that is not the default one.
pub fn other_scope() -> Scope {
    Scope {
        organization: OrganizationId::from_bytes([0x0A; 16]),
        department: Some(DepartmentId::from_bytes([0x0D; 16])),
    }
}

/// Bytes that look random and depend on `what` and `seed` alone.
pub fn bytes(what: &str, seed: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    let mut text = what.as_bytes().to_vec();
    text.extend_from_slice(&seed.to_be_bytes());
    bytes.copy_from_slice(digest(&SHA256, &text).as_ref());
    bytes
}

fn first_half(bytes: [u8; 32]) -> [u8; 16] {
    u128::to_be_bytes(bytes.iter().take(16).fold(0, |n, b| (n << 8) | u128::from(*b)))
}

/// A serial number of twenty octets.
pub fn serial(seed: u64) -> SerialNumber {
    let mut magnitude = [0x41; 20];
    magnitude.iter_mut().skip(1).zip(bytes("serial", seed)).for_each(|(to, from)| *to = from);
    SerialNumber::from_bytes(&magnitude).unwrap_or_else(|_| unreachable_serial())
}

fn unreachable_serial() -> SerialNumber {
    // Twenty octets with a small first one are always a serial number.
    std::process::abort()
}

/// The bytes of a sample.
pub fn der(seed: u64) -> Vec<u8> {
    bytes("der", seed).repeat(40)
}

/// A certificate for a device.
pub fn certificate(ca: CaId, seed: u64) -> NewCertificate {
    NewCertificate {
        serial: serial(seed),
        ca,
        crl_partition: CrlPartition::COMPLETE,
        scope: Scope::DEFAULT,
        binding: Binding {
            kind: Kind::IntuneDevice,
            object: ObjectId::from_bytes(first_half(bytes("object", seed))),
            directory: Some(DirectoryId::from_bytes([0xD1; 16])),
        },
        source: Source::Intune,
        endpoint: ENDPOINT,
        profile: "device".to_owned(),
        names: Names {
            subject: Some(format!("CN=Device-{seed},O=Example")),
            common_name: Some(format!("Device-{seed}")),
            alternative_names: vec![format!("DNS:device-{seed}.example")],
            upn: Some(format!("User{seed}@Example.com")),
            requester: Some("192.0.2.7".to_owned()),
        },
        spki_sha256: bytes("spki", seed),
        not_before: NOW.plus(-DAY),
        not_after: NOW.plus(365 * DAY),
        issued_at: NOW,
        der: der(seed),
        keep: Keep::Everything,
        due: None,
        notice: None,
    }
}

/// A client's transaction.
pub fn enrollment(seed: u64) -> NewEnrollment {
    NewEnrollment {
        endpoint: ENDPOINT,
        transaction_id: bytes("transaction", seed).to_vec(),
        scope: Scope::DEFAULT,
        signer_sha256: bytes("signer", seed),
        csr_sha256: bytes("csr digest", seed),
        csr: Some(bytes("csr", seed).repeat(20)),
        context: Some("{\"challenge\":\"matched\"}".to_owned()),
        subject: Some(format!("CN=Device-{seed}")),
        renews: None,
        address: Some("192.0.2.7".to_owned()),
        received_at: NOW,
        expires_at: NOW.plus(30 * DAY),
    }
}

/// A claim of a new transaction.
pub fn claim(seed: u64) -> Claim {
    Claim::New(Box::new(enrollment(seed)))
}

/// An audit entry.
pub fn audit(action: &str, target: &str) -> AuditEntry {
    AuditEntry {
        at: NOW,
        scope: Scope::DEFAULT,
        actor: "test".to_owned(),
        address: Some("192.0.2.7".to_owned()),
        action: action.to_owned(),
        target: Some(target.to_owned()),
        outcome: AuditOutcome::Done,
        detail: Some("{}".to_owned()),
    }
}

/// A CA.
pub fn ca(state: CaState, seed: u64) -> NewCa {
    let mut key_identifier = [0; 20];
    key_identifier.iter_mut().zip(bytes("key", seed)).for_each(|(to, from)| *to = from);
    NewCa {
        scope: Scope::DEFAULT,
        name: format!("CA {seed}"),
        state,
        key_identifier,
        key_reference: format!("ca-{seed}"),
        request: (state == CaState::Requested).then(|| vec![1, 2, 3]),
        material: (state != CaState::Requested).then(|| material(seed)),
        created_at: NOW,
    }
}

/// A CA's certificate and chain.
pub fn material(seed: u64) -> CaMaterial {
    CaMaterial {
        certificate: bytes("ca", seed).repeat(30),
        chain: vec![bytes("intermediate", seed).to_vec(), bytes("root", seed).to_vec()],
        not_before: NOW.plus(-DAY),
        not_after: NOW.plus(3650 * DAY),
    }
}

/// Records a current CA.
pub async fn with_ca(store: &Store) -> Result<CaId, StoreError> {
    store.add_ca(ca(CaState::Current, 0), None).await
}

/// Issues a certificate.
pub async fn issue(store: &Store, new: NewCertificate) -> Result<(), StoreError> {
    match store.issue_certificate(new, Claim::None, None).await? {
        Issuance::Issued => Ok(()),
        other => Err(StoreError::Conflict(format!("{other:?}"))),
    }
}

/// Issues many certificates at once.
pub async fn issue_all(
    store: &Store,
    all: impl Iterator<Item = NewCertificate>,
) -> Result<(), StoreError> {
    let all: Vec<_> = all.collect();
    for some in all.chunks(256) {
        let each = some.iter().map(|new| issue(store, new.clone()));
        futures_util::future::try_join_all(each).await?;
    }
    Ok(())
}
