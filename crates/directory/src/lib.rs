//! Connectors to the directories whose objects certificates follow: look an object up, and tell what has changed.
//!
//! A connector speaks the domain's words. Only a documented "not found" makes an object absent; everything else that
//! goes wrong is ignorance, which is never an answer.
