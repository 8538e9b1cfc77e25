//! Which addresses are SCEP endpoints, however clients write them.
//!
//! Management systems join a base address and a path as they like, some in other letter cases: `/CertSrv//mscep/MSCEP.dll/`.

use std::borrow::Cow;

use lanyard_lifecycle::EndpointId;
use lanyard_scep::Tolerances;
use lanyard_scep::operation::endpoint_path;

use crate::settings::{
    DC_ENDPOINT, INTUNE_ENDPOINT, JAMF_ENDPOINT, STATIC_AAD_ENDPOINT, STATIC_ENDPOINT,
};

/// The path at which Intune's devices expect to enroll: that of Microsoft's own service.
pub const INTUNE: &str = "/certsrv/mscep/mscep.dll";

/// Every path and the endpoint behind it.
pub const DOORS: [(&str, EndpointId); 5] = [
    ("/static", STATIC_ENDPOINT),
    (INTUNE, INTUNE_ENDPOINT),
    ("/static/aad", STATIC_AAD_ENDPOINT),
    ("/jamf", JAMF_ENDPOINT),
    ("/dc", DC_ENDPOINT),
];

/// The endpoint at a path that is written as it should be, but for what comes after it.
pub(super) fn at(path: &str) -> (Option<EndpointId>, Tolerances) {
    let (path, tolerances) = endpoint_path(path);
    let path = path.trim_end_matches('/');
    let found = DOORS.iter().find(|(door, _)| *door == path);
    (found.map(|(_, endpoint)| *endpoint), tolerances)
}

/// The path as it should be, when it leads to one of the doors in other letter cases.
pub fn in_small_letters(path: &str) -> Cow<'_, str> {
    let is_door = |door: &str| {
        let begins = path.get(..door.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(door));
        begins && path.as_bytes().get(door.len()).is_none_or(|next| *next == b'/')
    };
    let is_written_otherwise = path.bytes().any(|octet| octet.is_ascii_uppercase());
    if is_written_otherwise && DOORS.iter().any(|(door, _)| is_door(door)) {
        return Cow::Owned(path.to_ascii_lowercase());
    }
    Cow::Borrowed(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_found_with_and_without_the_program_and_slashes_after_it() {
        let intune = [
            "/certsrv/mscep/mscep.dll",
            "/certsrv/mscep/mscep.dll/",
            "/certsrv/mscep/mscep.dll/pkiclient.exe",
            "/certsrv/mscep/mscep.dll/PkiClient.EXE",
        ];
        for path in intune {
            assert_eq!(at(path).0, Some(INTUNE_ENDPOINT), "{path}");
        }
        assert_eq!(at("/static/pkiclient.exe").0, Some(STATIC_ENDPOINT));
        assert_eq!(at("/static/aad").0, Some(STATIC_AAD_ENDPOINT));
        assert_eq!(at("/static/aad/pkiclient.exe").0, Some(STATIC_AAD_ENDPOINT));
        for path in ["/certsrv/mscep", "/static/other", "/dc/x", "/jamfx", "/"] {
            assert_eq!(at(path).0, None, "{path}");
        }
    }

    #[test]
    fn letter_case_is_overlooked_at_the_doors_alone() {
        let small = |path| in_small_letters(path).into_owned();
        assert_eq!(
            small("/CertSrv/MSCEP/mscep.dll/PKIClient.exe"),
            format!("{INTUNE}/pkiclient.exe")
        );
        assert_eq!(small("/Static/AAD"), "/static/aad");
        assert_eq!(small("/JAMF/"), "/jamf/");
        assert_eq!(small("/StaticFiles"), "/StaticFiles");
        assert_eq!(small("/crl/ABCDEF"), "/crl/ABCDEF");
        assert_eq!(small("/notifications/Contoso"), "/notifications/Contoso");
        assert_eq!(small("/dcä"), "/dcä");
    }
}
