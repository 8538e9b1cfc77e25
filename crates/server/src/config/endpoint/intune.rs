//! `[endpoints.intune]`: the endpoint whose challenges Intune checks.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::section::{Issuing, section};
use super::{
    AvailabilitySetting, DirectoryIdsSetting, DirectorySidSetting, KindSetting, RenewalSetting,
    RequestedUsagesSetting, UsageSetting,
};
use crate::config::tether::a_minute_or_more;
use crate::config::unit::Span;

const INTUNE: &[KindSetting] = &[
    KindSetting::IntuneDevice,
    KindSetting::IntuneBootstrap,
    KindSetting::EntraDevice,
    KindSetting::EntraUser,
];

section! {
    /// `/certsrv/mscep/mscep.dll`: enrollment by SCEP for devices and users of Intune, whose challenges Intune itself checks.
    IntuneSection issues INTUNE, by default Issuing {
        availability: AvailabilitySetting::Closed,
        // Intune is asked about every certificate.
        renewals: RenewalSetting::Refused,
        // What a request asks for, Intune has compared with its profile.
        requested_usages: RequestedUsagesSetting::Granted,
        grantable_usages: vec![
            UsageSetting::ClientAuth,
            UsageSetting::ServerAuth,
            UsageSetting::EmailProtection,
            UsageSetting::SmartcardLogon,
        ],
        ..Issuing::of(INTUNE)
    };
    /// The name of the tenant, as its `[[directory]]` has it. Not needed where there is one tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    directory: Option<String> = None,
    /// Where a device is looked for.
    device_directory: DeviceDirectorySetting = DeviceDirectorySetting::EntraAndIntuneOpportunistic,
    /// When Intune is told of a certificate that was issued.
    notification: NotificationSetting = NotificationSetting::BeforeAnswer,
    /// Whether certificates name the tenant, and those of devices the device's id in Entra ID.
    directory_ids: DirectoryIdsSetting = DirectoryIdsSetting::Added,
    /// Whether certificates get the security identifier that the directory has of the user or device.
    directory_sid: DirectorySidSetting = DirectorySidSetting::LeftOut,
    /// How often Intune is asked what it wants revoked. It is asked as well before a device that has a certificate gets another.
    #[garde(custom(a_minute_or_more))]
    revocation_interval: Span = Span::minutes(5),
    /// How often Intune's list of certificates is read, with `device_directory = "entra_and_intune_and_endpoint_list"`.
    #[garde(custom(a_minute_or_more))]
    list_interval: Span = Span::hours(1),
    /// What a device gets that is not compliant yet, where `tether.compliance_check` is on and its grace is over.
    bootstrap: BootstrapSetting = BootstrapSetting::Refused,
    /// How long a bootstrap certificate is valid.
    #[garde(custom(an_hour_or_more))]
    bootstrap_validity: Span = Span::hours(3),
    /// For how long after its enrollment in Intune a device may get bootstrap certificates.
    bootstrap_within: Span = Span::days(1),
}

/// What a device gets that is not compliant yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum BootstrapSetting {
    /// Nothing.
    #[default]
    Refused,
    /// A short-lived certificate, so that it can reach what makes it compliant. It is good while the device is there and
    /// is not wiped.
    Issued,
}

/// Where a device is looked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum DeviceDirectorySetting {
    /// In Entra ID alone.
    Entra,
    /// In Intune alone.
    Intune,
    /// In both, in Intune first: found in one is enough.
    EntraAndIntune,
    /// In both, or in Entra ID alone while Intune's devices may not be read.
    #[default]
    EntraAndIntuneOpportunistic,
    /// In both; and a certificate that Intune lists as revoked is revoked.
    EntraAndIntuneAndEndpointList,
}

/// When Intune is told of a certificate that was issued.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum NotificationSetting {
    /// Before the device gets it: a certificate that Intune does not know of is never in use.
    #[default]
    BeforeAnswer,
    /// The device gets it at once; Intune is told by the way, again and again until it has taken it.
    AfterAnswer,
}

fn an_hour_or_more(span: &Span, _: &()) -> garde::Result {
    if *span < Span::hours(1) {
        return Err(garde::Error::new("must be an hour (1h) or more"));
    }
    Ok(())
}
