//! Intune's SCEP validation: whether a request may be answered, and what became of it.

mod code;

pub use code::{Code, Group};
