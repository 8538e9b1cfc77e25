//! Times in what stores keep: whole seconds since 1970.

use lanyard_pki::Time;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde calls")]
pub(crate) fn serialize<S: Serializer>(at: &Time, s: S) -> Result<S::Ok, S::Error> {
    at.unix().serialize(s)
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Time, D::Error> {
    i64::deserialize(d).map(Time::from_unix)
}

/// The same for a time that may be missing.
pub(crate) mod optional {
    use lanyard_pki::Time;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "the signature that serde calls")]
    pub(crate) fn serialize<S: Serializer>(at: &Option<Time>, s: S) -> Result<S::Ok, S::Error> {
        at.map(Time::unix).serialize(s)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Time>, D::Error> {
        Ok(Option::<i64>::deserialize(d)?.map(Time::from_unix))
    }
}
