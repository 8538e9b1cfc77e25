//! What an installation decides about a directory: how often it is asked, and how old its word may be.

use std::time::Duration;

use lanyard_lifecycle::id::{DirectoryId, Scope};

use crate::settings::days;

/// How a directory is mirrored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectorySettings {
    /// Which one: the id of the tenant, or of the installation of Jamf Pro.
    pub id: DirectoryId,
    /// Its name, for people.
    pub name: String,
    /// Whose certificates follow it.
    pub scope: Scope,
    /// How often it is asked what has changed, where it tells. The default is 30 seconds.
    pub change_interval: Duration,
    /// How often all objects are read anew, where it does not tell what has changed. The default is 10 minutes.
    pub sweep_interval: Duration,
    /// How old a fact may be before an answer that rests on it asks the directory itself. The default is a minute.
    pub max_detection_delay: Duration,
    /// How long the last known facts serve while the directory cannot be asked. The default is a day.
    pub max_staleness: Duration,
    /// For how long an object that the directory did not know is not asked for again. The default is 30 seconds.
    pub missing_for: Duration,
    /// How long an answer waits for a look-up. The default is 5 seconds.
    pub look_up_deadline: Duration,
    /// Look-ups under way at a time; as many again may wait eight times over. The default is 64.
    pub look_ups_at_once: usize,
}

impl DirectorySettings {
    /// Defaults, for a directory of this id and name.
    pub fn new(id: DirectoryId, name: impl Into<String>) -> Self {
        Self {
            id,
            name: name.into(),
            scope: Scope::DEFAULT,
            change_interval: Duration::from_secs(30),
            sweep_interval: Duration::from_mins(10),
            max_detection_delay: Duration::from_mins(1),
            max_staleness: days(1),
            missing_for: Duration::from_secs(30),
            look_up_deadline: Duration::from_secs(5),
            look_ups_at_once: 64,
        }
    }
}
