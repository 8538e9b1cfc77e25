//! `/assets/…`: the files that pages refer to.

use std::sync::Arc;

use axum::Router;
use axum::response::IntoResponse as _;
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use lanyard_web::asset::ASSETS;

use crate::app::App;

pub(super) fn routes() -> Router<Arc<App>> {
    ASSETS.into_iter().fold(Router::new(), |router, asset| {
        let headers = [(CONTENT_TYPE, asset.media_type), (CACHE_CONTROL, "public, max-age=3600")];
        router
            .route(asset.path, get(move || async move { (headers, asset.content).into_response() }))
    })
}
