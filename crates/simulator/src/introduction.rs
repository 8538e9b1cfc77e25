//! What a newcomer needs to know of a simulated tenant: where it is, how to come in, objects to try.

use serde::Serialize;
use uuid::Uuid;

use crate::jamf::Jamf;
use crate::tenant::{NoTenant, REHEARSAL_SECRET, Tenant, View, World};

/// Objects of a tenant to try things with; they belong together as far as there are any.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Examples {
    /// A device that Intune manages.
    pub intune_device_id: Option<Uuid>,
    /// The same in Entra ID, by the id that certificates carry.
    pub entra_device_id: Option<Uuid>,
    /// Its user.
    pub user_id: Option<Uuid>,
    /// That user's name.
    pub upn: Option<String>,
    /// A computer in Jamf Pro.
    pub jamf_computer_id: Option<String>,
}

/// How to get to a tenant and into it. What is secret here protects made-up data on loopback only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Introduction {
    /// Where the simulator answers.
    pub simulator_url: String,
    /// Where it is told what is to happen, and shows it.
    pub control_url: String,
    /// The tenant.
    pub tenant_id: Uuid,
    /// Its name.
    pub tenant_name: String,
    /// The domain of its people's names.
    pub domain: String,
    /// Where people and applications sign in.
    pub login_url: String,
    /// Microsoft Graph.
    pub graph_url: String,
    /// The endpoint of managed identities.
    pub managed_identity_url: String,
    /// Its Jamf Pro.
    pub jamf_url: String,
    /// An application with every role that a connector needs.
    pub client_id: Option<Uuid>,
    /// Its secret.
    pub client_secret: &'static str,
    /// A client of Jamf Pro that may read everything.
    pub jamf_client_id: String,
    /// Its secret.
    pub jamf_client_secret: String,
    /// Objects to try things with.
    pub examples: Examples,
}

impl Introduction {
    /// Of a tenant.
    pub fn of(world: &World, tenant: Uuid) -> Result<Self, NoTenant> {
        world.read(tenant, |tenant| Self::new(world.base_url(), tenant))
    }

    fn new(base: &str, tenant: &Tenant) -> Self {
        let (jamf_client_id, jamf_client_secret) = Jamf::first_client(&tenant.blueprint);
        let client = tenant.apps.all().find(|app| !app.secrets.is_empty());
        Self {
            simulator_url: base.to_owned(),
            control_url: format!("{base}/_control/"),
            tenant_id: tenant.id,
            tenant_name: tenant.name.clone(),
            domain: tenant.domain().to_owned(),
            login_url: format!("{base}/login"),
            graph_url: format!("{base}/graph"),
            managed_identity_url: format!("{base}/imds/{}", tenant.id),
            jamf_url: format!("{base}/jamf/{}", tenant.domain()),
            client_id: client.map(|app| app.app_id),
            client_secret: REHEARSAL_SECRET,
            jamf_client_id,
            jamf_client_secret,
            examples: examples(tenant),
        }
    }
}

fn examples(tenant: &Tenant) -> Examples {
    let device = tenant.managed_devices.page(View::Current, 0, 1).records.pop();
    let user = device.as_ref().and_then(|device| device.user_id);
    let user = user.and_then(|id| tenant.users.find(id));
    let computer = tenant.jamf.computers.seen(View::Current).all().next();
    Examples {
        intune_device_id: device.as_ref().map(|device| device.id),
        entra_device_id: device.and_then(|device| device.azure_ad_device_id),
        user_id: user.as_ref().map(|user| user.id),
        upn: user.map(|user| user.user_principal_name.clone()),
        jamf_computer_id: computer.map(|computer| computer.id.to_string()),
    }
}
