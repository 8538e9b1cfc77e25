//! Why a request is not tethered to an object.

use crate::kind::Kind;
use crate::object::ObjectKind;
use crate::verdict::Rule;

/// Why a request is not tethered to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unbound {
    /// No common name is a GUID, and there is no user principal name.
    #[error(
        "the request names no device and no user: a device is named by its id as the common name, \
         a user by a user principal name"
    )]
    NoDeviceOrUser,
    /// The id is the one that all devices have before they are registered.
    #[error("the request names a device by an id of zeros only, which is no device's")]
    NoDeviceId,
    /// An `IntuneDeviceId://` URI without a GUID.
    #[error("the request has an IntuneDeviceId:// URI without a device's id")]
    BadDeviceUri,
    /// Two different ids of devices.
    #[error("the request names several devices, and a certificate is for one")]
    SeveralDevices,
    /// Two different names of users.
    #[error("the request names several users, and a certificate is for one")]
    SeveralUsers,
    /// The device is named by its id in Intune alone, and the endpoint does not look there.
    #[error("the request names a device by its id in Intune, where this endpoint does not look")]
    IntuneNotAsked,
    /// No directory that was asked has the device.
    #[error("no directory has a device with the id that the request names")]
    UnknownDevice,
    /// No organizational unit says what sort of object of Jamf Pro it is.
    #[error(
        "the request's subject has no organizational unit that is one of computers, devices, \
         users-on-computers and users-on-devices"
    )]
    NoJamfUnit,
    /// Organizational units that contradict each other.
    #[error("the request's organizational units contradict each other")]
    SeveralJamfUnits,
    /// No common name is a number.
    #[error("the request's subject has no common name that is a number of Jamf Pro")]
    NoJamfId,
    /// No e-mail address says which user it is.
    #[error("the request names no user: it has no e-mail address among its alternative names")]
    NoEmail,
    /// The directory has no such object.
    #[error("there is no such {}", .0.text())]
    NoSuchObject(ObjectKind),
    /// The object is there and may have no certificate.
    #[error("the request is for an object that may have no certificate now: {}", .0.text())]
    NotGood(Rule),
    /// No certificate of that kind can be had so.
    #[error("certificates of the kind {0} cannot be had here")]
    NotFollowed(Kind),
}
