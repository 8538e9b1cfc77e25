//! lanyard-lifecycle
