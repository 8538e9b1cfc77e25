//! The operations, a file a subject.

pub mod brake;
pub mod ca;
pub mod certificate;
pub mod directory;
pub mod request;
pub mod why;

use axum::Router;
use lanyard_authority::Authority;

use super::server::offer;

/// Offers every operation.
pub(super) fn offer_all(router: Router<Authority>) -> Router<Authority> {
    let router = offer::<brake::ShowBrake>(router);
    let router = offer::<brake::DecideHeldBack>(router);
    let router = offer::<ca::ListCas>(router);
    let router = offer::<ca::RequestCa>(router);
    let router = offer::<ca::ImportCa>(router);
    let router = offer::<ca::PrepareNextCa>(router);
    let router = offer::<ca::ActivateCa>(router);
    let router = offer::<ca::MakeResponder>(router);
    let router = offer::<certificate::SearchCertificates>(router);
    let router = offer::<certificate::ShowCertificate>(router);
    let router = offer::<certificate::ChangeStanding>(router);
    let router = offer::<certificate::ExportCertificate>(router);
    let router = offer::<why::ExplainCertificate>(router);
    let router = offer_directories(router);
    let router = offer::<request::ListRequests>(router);
    let router = offer::<request::ApproveRequest>(router);
    offer::<request::DeclineRequest>(router)
}

/// Offers what makes sense without the installation's store.
pub(super) fn offer_directories(router: Router<Authority>) -> Router<Authority> {
    let router = offer::<directory::ListDirectories>(router);
    let router = offer::<directory::SyncDirectories>(router);
    let router = offer::<directory::LookUpObject>(router);
    offer::<directory::CheckDirectories>(router)
}
