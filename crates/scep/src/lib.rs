//! lanyard-scep
