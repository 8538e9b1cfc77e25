//! `[[directory]]`: the directories whose users and devices certificates follow.

use std::path::PathBuf;

use garde::Validate;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use super::unit::Span;

/// A directory whose users and devices certificates follow: a tenant of Entra ID and Intune, or an instance of Jamf Pro.
/// Write this section once for each.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema, Validate)]
#[serde(default, deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct DirectorySection {
    /// Its name in commands, logs and metrics.
    #[garde(custom(a_name))]
    pub name: String,
    /// What it is.
    pub r#type: DirectoryType,
    /// Entra ID: the tenant's id, a GUID.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[garde(inner(custom(a_guid)))]
    pub tenant_id: Option<String>,
    /// Under which id, a GUID, its objects are kept. Without it, the tenant's id, for Jamf Pro one that follows from its
    /// address: set it before the address of an instance changes. Certificates name it, so never change it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[garde(inner(custom(a_guid)))]
    pub id: Option<String>,
    /// Entra ID: the cloud that the tenant lives in.
    pub cloud: CloudSetting,
    /// Entra ID: which of the tenant's objects are followed.
    pub follow: Vec<FollowSetting>,
    /// Jamf Pro: the address of the instance, such as `https://example.jamfcloud.com`. Entra ID: the address of a
    /// simulated tenant, instead of the cloud's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[garde(inner(custom(an_address)))]
    pub url: Option<Url>,
    /// The client id of the application in Entra ID, or of the API client in Jamf Pro. With neither secret nor
    /// certificate, the client id of a managed identity of this Azure machine, or of the App Service that the server runs
    /// in (`IDENTITY_ENDPOINT` and `IDENTITY_HEADER` in the environment say so); without that too, the one that it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Entra ID: the object id of the managed identity, a GUID, instead of its client id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[garde(inner(custom(a_guid)))]
    pub identity_object_id: Option<String>,
    /// Entra ID: the resource id of the managed identity (`/subscriptions/…`), instead of its client id.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[garde(inner(custom(a_resource_id)))]
    pub identity_resource_id: Option<String>,
    /// A file with the application's or API client's secret, or with the account's password.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_file: Option<PathBuf>,
    /// The secret itself, or the password.
    #[serde(skip)]
    pub secret: Option<SecretString>,
    /// Where this runs in an App Service: its endpoint for managed identities.
    #[serde(skip)]
    pub app_service: Option<AppService>,
    /// Entra ID: a file with the application's certificate, PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate_file: Option<PathBuf>,
    /// Entra ID: a file with the RSA key of the application's certificate, PKCS#8 in PEM.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
    /// Entra ID: what tokens for Intune's certificate services are for, instead of what the cloud's are
    /// (`https://api.manage.microsoft.com/`). For the clouds `dod` and `china` Microsoft documents none, and the likely one
    /// is taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[garde(inner(custom(an_address)))]
    pub intune_resource: Option<Url>,
    /// Jamf Pro: an account instead of an API client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// How often the directory is asked what has changed, where it tells: users and devices in Entra ID.
    #[garde(custom(a_second_or_more))]
    pub change_interval: Span,
    /// How often all objects are read anew, where it does not tell: Intune and Jamf Pro.
    #[garde(custom(ten_seconds_or_more))]
    pub sweep_interval: Span,
    /// How old a fact may be before an answer that rests on it asks the directory itself.
    #[garde(custom(a_second_or_more))]
    pub max_detection_delay: Span,
    /// How long the last known facts serve while the directory cannot be asked. After that, clients are told to try
    /// later.
    #[garde(custom(a_second_or_more))]
    pub max_staleness: Span,
    /// For how long an object that the directory did not know is not asked for again.
    pub missing_for: Span,
    /// How long an answer waits for a look-up.
    #[garde(custom(a_second_or_more))]
    pub look_up_deadline: Span,
    /// Look-ups under way at a time.
    #[garde(range(min = 1, max = 1024))]
    pub look_ups_at_once: usize,
    /// Entra ID: the address under which Microsoft Graph reaches `/notifications/<name>` of this server, by HTTPS, so that
    /// changes of users are told at once. Without it, they are found by the next round.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[garde(inner(custom(an_address)))]
    pub notification_url: Option<Url>,
    /// Jamf Pro: a file with the value of the authorization header that its webhooks send to
    /// `/notifications/<name>`. Without it, webhooks are refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_secret_file: Option<PathBuf>,
    /// That value itself.
    #[serde(skip)]
    pub webhook_secret: Option<SecretString>,
}

/// The endpoint for managed identities of the App Service or Function that this runs in.
#[derive(Debug, Clone)]
pub struct AppService {
    /// `IDENTITY_ENDPOINT`
    pub endpoint: Url,
    /// `IDENTITY_HEADER`
    pub header: SecretString,
}

impl Default for DirectorySection {
    fn default() -> Self {
        Self {
            name: "example".to_owned(),
            r#type: DirectoryType::default(),
            tenant_id: None,
            id: None,
            cloud: CloudSetting::default(),
            follow: vec![FollowSetting::Entra, FollowSetting::Intune],
            url: None,
            client_id: None,
            identity_object_id: None,
            identity_resource_id: None,
            secret_file: None,
            secret: None,
            app_service: None,
            certificate_file: None,
            key_file: None,
            intune_resource: None,
            username: None,
            change_interval: Span::seconds(30),
            sweep_interval: Span::minutes(10),
            max_detection_delay: Span::seconds(60),
            max_staleness: Span::days(1),
            missing_for: Span::seconds(30),
            look_up_deadline: Span::seconds(5),
            look_ups_at_once: 64,
            notification_url: None,
            webhook_secret_file: None,
            webhook_secret: None,
        }
    }
}

/// What a directory is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum DirectoryType {
    /// A tenant of Entra ID, with Intune or without.
    #[default]
    EntraIntune,
    /// An instance of Jamf Pro.
    Jamf,
}

/// The cloud that a tenant lives in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum CloudSetting {
    /// The public cloud, GCC included.
    #[default]
    Global,
    /// GCC High of the US government.
    GccHigh,
    /// The US Department of Defense.
    Dod,
    /// China, operated by 21Vianet.
    China,
}

/// Which of a tenant's objects are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum FollowSetting {
    /// Users and devices of Entra ID: permission Directory.Read.All.
    Entra,
    /// Users at risk: permission IdentityRiskyUser.Read.All.
    UserRisk,
    /// Managed devices of Intune: permission DeviceManagementManagedDevices.Read.All.
    Intune,
}

impl FollowSetting {
    /// How the setting writes it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Entra => "entra",
            Self::UserRisk => "user_risk",
            Self::Intune => "intune",
        }
    }
}

impl DirectorySection {
    /// What is wrong with the settings together, where each alone is right: the setting and the fault.
    pub(super) fn faults(&self) -> Vec<(&'static str, &'static str)> {
        let mut faults = Vec::new();
        if self.certificate_file.is_some() != self.key_file.is_some() {
            faults.push(("certificate_file", "and key_file belong together: set both or neither"));
        }
        match self.r#type {
            DirectoryType::EntraIntune => self.faults_of_entra(&mut faults),
            DirectoryType::Jamf => self.faults_of_jamf(&mut faults),
        }
        faults
    }

    fn faults_of_entra(&self, faults: &mut Vec<(&'static str, &'static str)>) {
        if self.tenant_id.is_none() {
            faults.push(("tenant_id", "names the tenant: set it"));
        }
        if self.has_secret() && self.certificate_file.is_some() {
            faults.push(("secret_file", "and certificate_file exclude each other"));
        }
        let has_credential = self.has_secret() || self.certificate_file.is_some();
        if has_credential && self.client_id.is_none() {
            faults.push(("client_id", "names the application: set it"));
        }
        let identities = [&self.identity_object_id, &self.identity_resource_id];
        let named = identities.iter().filter(|identity| identity.is_some()).count();
        if named > 0 && has_credential {
            let text = "is for managed identities: an application has a client id";
            faults.push((self.identity_setting(), text));
        } else if named + usize::from(self.client_id.is_some()) > 1 {
            let text = "names the managed identity a second time: keep one of client_id, \
                        identity_object_id and identity_resource_id";
            faults.push((self.identity_setting(), text));
        }
        if self.follow.is_empty() {
            faults.push(("follow", "must name something, or the section is of no use"));
        }
        if self.notification_url.is_some() && !self.follow.contains(&FollowSetting::Entra) {
            faults.push(("notification_url", "is for changes of users: follow \"entra\" too"));
        }
        if self.has_webhook_secret() {
            let text = "is for Jamf Pro: Microsoft Graph sends a secret that is made here, once \
                        notification_url is set";
            faults.push(("webhook_secret_file", text));
        }
        if self.username.is_some() {
            faults
                .push(("username", "is for Jamf Pro: an application signs in with its client_id"));
        }
    }

    fn faults_of_jamf(&self, faults: &mut Vec<(&'static str, &'static str)>) {
        if self.url.is_none() {
            faults.push(("url", "is the address of the instance: set it"));
        }
        if self.client_id.is_some() == self.username.is_some() {
            faults.push(("client_id", "or username: set one of the two"));
        }
        if !self.has_secret() {
            faults.push(("secret_file", "holds the secret or password: set it"));
        }
        if self.notification_url.is_some() {
            let text = "is for Entra ID: Jamf Pro sends its webhooks by itself, and \
                        webhook_secret_file lets them in";
            faults.push(("notification_url", text));
        }
        if self.identity_object_id.is_some() || self.identity_resource_id.is_some() {
            let text = "is for Entra ID: Jamf Pro knows no managed identities";
            faults.push((self.identity_setting(), text));
        }
        if self.intune_resource.is_some() {
            faults.push(("intune_resource", "is for Entra ID: Jamf Pro has no Intune"));
        }
    }

    const fn identity_setting(&self) -> &'static str {
        if self.identity_object_id.is_some() {
            "identity_object_id"
        } else {
            "identity_resource_id"
        }
    }

    const fn has_secret(&self) -> bool {
        self.secret_file.is_some() || self.secret.is_some()
    }

    const fn has_webhook_secret(&self) -> bool {
        self.webhook_secret_file.is_some() || self.webhook_secret.is_some()
    }
}

/// A secret of a directory. The setting that names its file is this with `_file` after it.
pub(super) struct DirectorySecret {
    pub(super) name: &'static str,
    /// Where it goes.
    pub(super) slot: fn(&mut DirectorySection) -> &mut Option<SecretString>,
}

/// Every secret of a directory.
pub(super) const DIRECTORY_SECRETS: [DirectorySecret; 2] = [
    DirectorySecret { name: "secret", slot: |section| &mut section.secret },
    DirectorySecret { name: "webhook_secret", slot: |section| &mut section.webhook_secret },
];

/// Under which name a secret of a directory is found: as a systemd credential, and, written as other settings are, in the
/// environment.
pub(super) fn secret_path(directory: &str, secret: &DirectorySecret) -> String {
    format!("directory.{directory}.{}", secret.name)
}

fn a_name(name: &str, (): &()) -> garde::Result {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > 63 || !name.chars().all(is_plain) {
        return Err(garde::Error::new("is made of small letters, digits and hyphens, at most 63"));
    }
    Ok(())
}

fn a_guid(text: &str, (): &()) -> garde::Result {
    let form = "is a GUID: xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    Uuid::try_parse(text).map(|_| ()).map_err(|_| garde::Error::new(form))
}

fn a_resource_id(text: &str, (): &()) -> garde::Result {
    if text.to_ascii_lowercase().starts_with("/subscriptions/") {
        return Ok(());
    }
    Err(garde::Error::new("begins with /subscriptions/"))
}

fn an_address(url: &Url, (): &()) -> garde::Result {
    let is_loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" if url.host().is_some() => Ok(()),
        "http" if is_loopback => Ok(()),
        _ => Err(garde::Error::new("begins with https://; http:// is for this machine alone")),
    }
}

fn a_second_or_more(span: &Span, (): &()) -> garde::Result {
    if span.as_seconds() == 0 {
        return Err(garde::Error::new("is a second or more"));
    }
    Ok(())
}

fn ten_seconds_or_more(span: &Span, (): &()) -> garde::Result {
    if span.as_seconds() < 10 {
        return Err(garde::Error::new("is ten seconds or more"));
    }
    Ok(())
}
