//! The control interface: what scripts and the page at `/_control/` do to a tenant.
//!
//! Bodies are JSON whatever their content type says, so that `curl -d` does. It answers on loopback
//! only; a web page of somebody else is refused all the same.

mod apps;
mod body;
mod objects;
mod page;
mod world;

use axum::extract::Request;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post, put};
use axum::{Json, Router};
use http::{HeaderMap, StatusCode, header};
use serde_json::json;
use url::Url;

use crate::tenant::{Device, ManagedDevice, RiskyUser, User};
use crate::{Shared, intune, jamf};

pub(crate) use body::Body;

/// Its routes, below `/_control`.
pub fn routes() -> Router<Shared> {
    Router::new()
        .route("/tenants", get(world::tenants))
        .route("/time", get(world::time).post(world::travel))
        .route("/faults", get(world::faults).put(world::put_faults).delete(world::clear_faults))
        .route("/faults/{place}", axum::routing::delete(world::end_fault))
        .route("/limits", put(world::limits))
        .route("/keys/rotate", post(world::rotate_keys))
        .route("/deltaTokens/expire", post(world::expire_positions))
        .route("/subscriptions", get(world::subscriptions))
        .route("/subscriptions/{id}/{event}", post(world::lifecycle))
        .route("/users/{id}/restore", post(objects::restore))
        .route("/apps", get(apps::list).post(apps::make))
        .route("/apps/{id}", get(apps::show).patch(apps::change).delete(apps::remove))
        .route(
            "/apps/{id}/assignments/{principal}/{role}",
            put(apps::assign).delete(apps::unassign),
        )
        .merge(objects::routes::<User>())
        .merge(objects::routes::<Device>())
        .merge(objects::routes::<ManagedDevice>())
        .merge(objects::routes::<RiskyUser>())
        .merge(intune::control_routes())
        .merge(jamf::control_routes())
        .merge(page::routes())
        .layer(middleware::from_fn(own_pages_only))
}

/// The page at `/_control/`, which the routes below it do not include.
pub fn index() -> Router<Shared> {
    page::index("/_control/").layer(middleware::from_fn(own_pages_only))
}

/// Refuses requests that a page of another origin makes a browser send.
async fn own_pages_only(request: Request, next: Next) -> Response {
    if is_foreign(request.headers()) {
        let text = "the control interface answers its own page and programs, not other web pages";
        return (StatusCode::FORBIDDEN, Json(json!({ "error": text }))).into_response();
    }
    next.run(request).await
}

fn is_foreign(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &http::HeaderValue| value.to_str().ok());
    // Every browser says which host it means.
    let Some(host) = text(header::HOST) else { return false };
    let is_here = |host: &str| {
        Url::parse(&format!("http://{host}/")).is_ok_and(|url| match url.host() {
            Some(url::Host::Domain(name)) => name == "localhost",
            Some(url::Host::Ipv4(address)) => address.is_loopback(),
            Some(url::Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        })
    };
    let own_origin = format!("http://{host}");
    !is_here(host) || text(header::ORIGIN).is_some_and(|origin| origin != own_origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_web_pages_are_refused_by_host_and_by_origin() {
        for (host, origin, foreign) in [
            ("127.0.0.1:7490", None, false),
            ("localhost:7490", None, false),
            ("[::1]:7490", None, false),
            ("127.0.0.1:7490", Some("http://127.0.0.1:7490"), false),
            ("127.0.0.1:7490", Some("https://evil.example"), true),
            ("127.0.0.1:7490", Some("null"), true),
            ("evil.example", None, true),
            ("", None, true),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            assert_eq!(is_foreign(&headers), foreign, "{host} {origin:?}");
        }
    }
}
