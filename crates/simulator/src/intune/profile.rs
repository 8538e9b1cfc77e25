//! SCEP profiles as an administrator configures them, and what they ask of one device's request.

use super::{AltName, AltNameKind, Expected};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Whose certificate it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CertificateType {
    /// The device's.
    #[default]
    Device,
    /// Its user's.
    User,
}

/// Where the device keeps the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum KeyStorage {
    /// In whatever it has.
    #[default]
    Device,
    /// In Windows Hello for Business: the key has to be one that the directory lists for the user.
    WindowsHelloForBusiness,
}

/// Who gets a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Assignment {
    /// All devices.
    AllDevices,
    /// The members of these groups, users or devices.
    Groups(BTreeSet<Uuid>),
}

/// A SCEP profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// Its id.
    pub id: Uuid,
    /// How often it was changed, and once more.
    pub version: u32,
    /// What an administrator sets.
    #[serde(flatten)]
    pub settings: Settings,
}

/// What an administrator sets in a SCEP profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Settings {
    /// Its name.
    pub display_name: String,
    /// Whose certificate.
    pub certificate_type: CertificateType,
    /// The subject, with variables.
    pub subject_name_format: String,
    /// The alternative names, with variables.
    pub subject_alternative_names: Vec<AltName>,
    /// The names of the key usage's bits.
    pub key_usage: BTreeSet<String>,
    /// The length of the RSA key, in bits.
    pub key_size: u32,
    /// The extended key usages, as dotted identifiers.
    pub extended_key_usages: BTreeSet<String>,
    /// Where the key is kept.
    pub key_storage: KeyStorage,
    /// Who gets it.
    pub assignment: Assignment,
}

impl Default for Settings {
    /// A profile that identifies a device by both of its ids to a network.
    fn default() -> Self {
        let uri =
            AltName { kind: AltNameKind::Uri, value: "IntuneDeviceId://{{DeviceId}}".to_owned() };
        Self {
            display_name: "Network access".to_owned(),
            certificate_type: CertificateType::Device,
            subject_name_format: "CN={{AAD_Device_ID}}".to_owned(),
            subject_alternative_names: vec![uri],
            key_usage: ["digitalSignature", "keyEncipherment"].map(str::to_owned).into(),
            key_size: 2048,
            extended_key_usages: ["1.3.6.1.5.5.7.3.2".to_owned()].into(),
            key_storage: KeyStorage::Device,
            assignment: Assignment::AllDevices,
        }
    }
}

/// What Intune puts in the place of variables, for one device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables(Vec<(&'static str, String)>);

impl Variables {
    /// Sets a variable.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    /// The template with every variable replaced as it is, without any escaping: that is Intune's
    /// way, and why `+ , ; =` in a value break it. Unknown variables become nothing.
    pub fn fill(&self, template: &str) -> String {
        self.fill_with(template, str::to_owned)
    }

    /// The template with every variable replaced by what `each` makes of its value.
    pub fn fill_with(&self, template: &str, each: impl Fn(&str) -> String) -> String {
        let (mut filled, mut rest) = (String::new(), template);
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((name, after)) = after.split_once("}}") else { break };
            filled.push_str(before);
            let value = self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name.trim()));
            filled.push_str(&value.map(|(_, value)| each(value)).unwrap_or_default());
            rest = after;
        }
        filled.push_str(rest);
        filled
    }
}

impl Settings {
    /// A profile that identifies people to a network.
    pub fn user() -> Self {
        let upn = AltName { kind: AltNameKind::Upn, value: "{{UserPrincipalName}}".to_owned() };
        Self {
            display_name: "Network access of people".to_owned(),
            certificate_type: CertificateType::User,
            subject_name_format: "CN={{UserName}},E={{EmailAddress}}".to_owned(),
            subject_alternative_names: vec![upn],
            ..Self::default()
        }
    }

    /// What a request of the device with these variables must say.
    pub fn expected(&self, variables: &Variables, purposes: Purposes) -> Expected {
        Expected {
            subject: variables.fill(&self.subject_name_format),
            alt_names: self.alt_names(variables),
            key_usage: self.key_usage.clone(),
            key_size: self.key_size,
            extended_key_usages: self.extended_key_usages.clone(),
            purposes,
            key_storage: self.key_storage,
        }
    }

    /// The alternative names of the device with these variables; none that came out empty.
    pub fn alt_names(&self, variables: &Variables) -> Vec<AltName> {
        let filled = self.subject_alternative_names.iter().filter_map(|name| {
            let value = variables.fill(&name.value);
            (!value.is_empty()).then_some(AltName { kind: name.kind, value })
        });
        filled.collect()
    }

    /// The subject as the device writes it: with the characters escaped that RFC 4514 asks for.
    pub fn device_subject(&self, variables: &Variables) -> String {
        variables.fill_with(&self.subject_name_format, escaped)
    }
}

/// Whether requests of the platform can carry the extended key usage at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Purposes {
    /// They must.
    Demanded,
    /// Apple's SCEP payload has no place for it.
    IfPresent,
}

/// A value in the text of a distinguished name (RFC 4514, 2.4).
fn escaped(value: &str) -> String {
    let mut text = String::new();
    for (at, character) in value.char_indices() {
        let edge = at == 0 || at + character.len_utf8() == value.len();
        if "\"+,;<>\\=".contains(character)
            || (edge && character == ' ')
            || (at == 0 && character == '#')
        {
            text.push('\\');
        }
        text.push(character);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use lanyard_pki::Name;
    use proptest::prelude::*;

    #[test]
    fn variables_are_replaced_in_any_letter_case_and_unknown_ones_vanish() {
        let variables = Variables::default().with("DeviceName", "PC 1").with("UserName", "ada");
        let filled = variables.fill("CN={{devicename}},OU={{ UserName }},O={{Weather}}{{");
        assert_eq!(filled, "CN=PC 1,OU=ada,O={{");
    }

    proptest! {
        #[test]
        fn what_the_device_writes_says_the_value_whatever_is_in_it(value in "[ -~äß]{1,40}") {
            let settings = Settings {
                subject_name_format: "CN={{DeviceName}},O=Example".to_owned(),
                ..Settings::default()
            };
            let variables = Variables::default().with("DeviceName", value.clone());
            let name: Name = settings.device_subject(&variables).parse().unwrap();
            prop_assert_eq!(name.common_name(), Some(value));
        }
    }
}
