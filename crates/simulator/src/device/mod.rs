//! Devices as actors: what they do when they check in.
