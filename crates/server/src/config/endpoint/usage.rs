//! What certificates are for, as settings name it.

use std::fmt;
use std::str::FromStr;

use lanyard_pki::extension::KeyUsages;
use lanyard_pki::{Oid, oid};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a key may do (RFC 5280, section 4.2.1.3). What authorities do with theirs is not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum KeyUsageSetting {
    /// To sign what proves who somebody is.
    DigitalSignature,
    /// To sign what somebody stands by (nonRepudiation).
    ContentCommitment,
    /// To encrypt keys: RSA alone.
    KeyEncipherment,
    /// To encrypt data itself: RSA alone.
    DataEncipherment,
    /// To agree on keys: elliptic curves alone.
    KeyAgreement,
}

impl KeyUsageSetting {
    /// All of them together.
    pub fn together(usages: &[Self]) -> KeyUsages {
        let each = usages.iter().map(|usage| match usage {
            Self::DigitalSignature => KeyUsages::DIGITAL_SIGNATURE,
            Self::ContentCommitment => KeyUsages::NON_REPUDIATION,
            Self::KeyEncipherment => KeyUsages::KEY_ENCIPHERMENT,
            Self::DataEncipherment => KeyUsages::DATA_ENCIPHERMENT,
            Self::KeyAgreement => KeyUsages::KEY_AGREEMENT,
        });
        each.fold(KeyUsages::EMPTY, KeyUsages::union)
    }
}

/// What a certificate is for (RFC 5280, section 4.2.1.12): a name, or a dotted object identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageSetting {
    /// To authenticate as a TLS client.
    ClientAuth,
    /// To authenticate as a TLS server.
    ServerAuth,
    /// To sign and encrypt e-mail.
    EmailProtection,
    /// To sign programs.
    CodeSigning,
    /// To log on with a smart card.
    SmartcardLogon,
    /// To be a Kerberos key distribution centre (RFC 4556).
    KerberosKdc,
    /// Anything else.
    Other(Oid),
}

/// Usages with a name.
const NAMED: [(&str, UsageSetting, Oid); 6] = [
    ("client-auth", UsageSetting::ClientAuth, oid::CLIENT_AUTH),
    ("server-auth", UsageSetting::ServerAuth, oid::SERVER_AUTH),
    ("email-protection", UsageSetting::EmailProtection, oid::EMAIL_PROTECTION),
    ("code-signing", UsageSetting::CodeSigning, oid::CODE_SIGNING),
    ("smartcard-logon", UsageSetting::SmartcardLogon, oid::MS_SMARTCARD_LOGON),
    ("kerberos-kdc", UsageSetting::KerberosKdc, oid::KDC),
];

impl From<UsageSetting> for Oid {
    fn from(usage: UsageSetting) -> Self {
        if let UsageSetting::Other(oid) = usage {
            return oid;
        }
        // Every other one is in the list, which a test sees to.
        let named = NAMED.iter().find(|(_, named, _)| *named == usage);
        named.map_or(oid::CLIENT_AUTH, |(_, _, oid)| *oid)
    }
}

impl FromStr for UsageSetting {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some((_, named, _)) = NAMED.iter().find(|(name, ..)| *name == text) {
            return Ok(*named);
        }
        let oid: Oid = text.parse().map_err(|_| {
            let names: Vec<_> = NAMED.iter().map(|(name, ..)| *name).collect();
            format!(
                "`{text}` is no usage: write {}, or an object identifier such as 1.3.6.1.5.5.7.3.2",
                names.join(", ")
            )
        })?;
        let named = NAMED.iter().find(|(_, _, known)| *known == oid);
        Ok(named.map_or(Self::Other(oid), |(_, named, _)| *named))
    }
}

impl fmt::Display for UsageSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (NAMED.iter().find(|(_, named, _)| named == self), self) {
            (Some((name, ..)), _) => f.write_str(name),
            (None, usage) => write!(f, "{}", Oid::from(*usage)),
        }
    }
}

impl Serialize for UsageSetting {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UsageSetting {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for UsageSetting {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "UsageSetting".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<_> = NAMED.iter().map(|(name, ..)| *name).collect();
        let kind = format!("usage: {} or an object identifier", names.join(", "));
        json_schema!({ "type": "string", "x-kind": kind })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_usage_reads_back_as_it_was_written_by_name_or_by_number() {
        for (name, usage, oid) in NAMED {
            assert_eq!(name.parse(), Ok(usage));
            assert_eq!(usage.to_string(), name);
            assert_eq!(oid.to_string().parse(), Ok(usage));
            assert_eq!(Oid::from(usage), oid);
        }
        let other: UsageSetting = "1.3.6.1.4.1.311.10.3.4".parse().unwrap();
        assert_eq!(other.to_string(), "1.3.6.1.4.1.311.10.3.4");
        assert!("client".parse::<UsageSetting>().unwrap_err().contains("client-auth"));
    }
}
