//! lanyard-signer
