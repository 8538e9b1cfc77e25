//! What is fuzzed. The targets run these readers under libFuzzer; the test `mutation` of
//! lanyard-scep runs the same ones over seeded mutations of the fixtures on every check.
#![deny(unsafe_code)]

pub mod readers;
