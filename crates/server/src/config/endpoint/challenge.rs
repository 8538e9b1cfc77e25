//! The endpoints where a challenge is all that is asked for: `/static`, `/static/aad`, `/jamf`, `/dc`.

use std::path::PathBuf;

use secrecy::{ExposeSecret as _, SecretString};

use super::section::{Issuing, section};
use super::{
    Approval, DirectoryIdsSetting, DirectorySidSetting, KindSetting, RenewalSetting, UsageSetting,
};

/// The most characters that Jamf Pro keeps of a challenge.
const JAMF_LONGEST_CHALLENGE: usize = 32;

const STATIC: &[KindSetting] = &[KindSetting::Static];
const ENTRA: &[KindSetting] = &[KindSetting::EntraUser, KindSetting::EntraDevice];
const JAMF: &[KindSetting] = &[
    KindSetting::JamfComputer,
    KindSetting::JamfDevice,
    KindSetting::JamfUserOnComputer,
    KindSetting::JamfUserOnDevice,
];
const CONTROLLER: &[KindSetting] = &[KindSetting::DomainController];

section! {
    /// `/static`: enrollment by SCEP for anyone who knows the challenge. On when a challenge is set.
    StaticSection issues STATIC, by default Issuing::of(STATIC);
    /// A file with the challenge that every client sends.
    #[serde(skip_serializing_if = "Option::is_none")]
    challenge_file: Option<PathBuf> = None,
    /// The challenge itself.
    #[serde(skip)]
    challenge: Option<SecretString> = None,
    /// Who decides on a request.
    approval: Approval = Approval::Automatic,
}

section! {
    /// `/static/aad`: enrollment by SCEP for whoever knows the challenge and names a user or device of Entra ID, which the
    /// certificate then follows. On when a challenge is set.
    StaticAadSection issues ENTRA, by default Issuing::of(ENTRA);
    /// A file with the challenge that every client sends.
    #[serde(skip_serializing_if = "Option::is_none")]
    challenge_file: Option<PathBuf> = None,
    /// The challenge itself.
    #[serde(skip)]
    challenge: Option<SecretString> = None,
    /// The name of the tenant, as its `[[directory]]` has it. Not needed where there is one tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    directory: Option<String> = None,
    /// Who decides on a request.
    approval: Approval = Approval::Automatic,
    /// Whether certificates name the tenant, and those of devices the device's id in Entra ID.
    directory_ids: DirectoryIdsSetting = DirectoryIdsSetting::Added,
    /// Whether certificates get the security identifier that the directory has of the user or device.
    directory_sid: DirectorySidSetting = DirectorySidSetting::LeftOut,
}

section! {
    /// `/jamf`: enrollment by SCEP for Jamf Pro, as a proxy or by its devices. Certificates follow the computer, device or user
    /// that they name. On when a challenge is set.
    JamfSection issues JAMF, by default Issuing { renewals: RenewalSetting::Refused, ..Issuing::of(JAMF) };
    /// A file with the challenge that every client sends: at most 32 characters, which is what Jamf Pro takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    challenge_file: Option<PathBuf> = None,
    /// The challenge itself.
    #[serde(skip)]
    #[garde(inner(custom(short_enough_for_jamf)))]
    challenge: Option<SecretString> = None,
    /// The name of the instance, as its `[[directory]]` has it. Not needed where there is one instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    directory: Option<String> = None,
    /// Who decides on a request.
    approval: Approval = Approval::Automatic,
}

section! {
    /// `/dc`: enrollment by SCEP for domain controllers, with the usages of a Kerberos key distribution centre. On when a
    /// challenge is set.
    DcSection issues CONTROLLER, by default Issuing {
        usages: vec![
            UsageSetting::ClientAuth,
            UsageSetting::ServerAuth,
            UsageSetting::SmartcardLogon,
            UsageSetting::KerberosKdc,
        ],
        ..Issuing::of(CONTROLLER)
    };
    /// A file with the challenge that every client sends.
    #[serde(skip_serializing_if = "Option::is_none")]
    challenge_file: Option<PathBuf> = None,
    /// The challenge itself.
    #[serde(skip)]
    challenge: Option<SecretString> = None,
    /// Who decides on a request.
    approval: Approval = Approval::Automatic,
}

fn short_enough_for_jamf(challenge: &SecretString, _: &()) -> garde::Result {
    let length = challenge.expose_secret().chars().count();
    if length > JAMF_LONGEST_CHALLENGE {
        return Err(garde::Error::new(format!(
            "has {length} characters; Jamf Pro takes {JAMF_LONGEST_CHALLENGE} at most"
        )));
    }
    Ok(())
}
