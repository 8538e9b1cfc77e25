//! SCEP from outside: foreign clients, our own, and everything hostile.

mod common;
mod conversation;
mod foreign_requests;
mod queries;
