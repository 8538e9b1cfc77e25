//! lanyard-authority
