//! lanyard-web
