//! Pages, a struct each.

pub mod status;

pub use askama::{Error as RenderError, Template as Page};
