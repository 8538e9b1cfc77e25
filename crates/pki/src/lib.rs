//! lanyard-pki
