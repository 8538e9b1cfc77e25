//! Files that pages refer to. Each is served under its own path, with its media type.

/// A file that pages refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asset {
    /// Where pages look for it.
    pub path: &'static str,
    /// Its media type.
    pub media_type: &'static str,
    /// Its content.
    pub content: &'static str,
}

/// The stylesheet of every page: light and dark, no fonts or images from elsewhere.
pub const STYLESHEET: Asset = Asset {
    path: "/assets/lanyard.css",
    media_type: "text/css; charset=utf-8",
    content: include_str!("../assets/lanyard.css"),
};

/// The icon that browsers show beside the title.
pub const ICON: Asset = Asset {
    path: "/assets/lanyard.svg",
    media_type: "image/svg+xml",
    content: include_str!("../assets/lanyard.svg"),
};

/// Every asset.
pub const ASSETS: [Asset; 2] = [STYLESHEET, ICON];
