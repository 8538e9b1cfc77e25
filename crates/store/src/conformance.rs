//! What both databases must do, as one suite.
