//! What a token is asked for: a scope or a resource, and the application that is meant by it.

use crate::tenant::app::{GRAPH, INTUNE_API};
use crate::tenant::{App, Tenant, World};

use super::error::TokenError;

/// Other names of Microsoft's own services: those of national clouds.
const GRAPHS: [&str; 4] = [
    "https://graph.microsoft.com",
    "https://graph.microsoft.us",
    "https://dod-graph.microsoft.us",
    "https://microsoftgraph.chinacloudapi.cn",
];

const INTUNES: [&str; 2] = ["https://api.manage.microsoft.com", "https://api.manage.microsoft.us"];

/// The application that this resource or audience names.
pub(super) fn find<'a>(world: &World, tenant: &'a Tenant, name: &str) -> Option<&'a App> {
    let bare = name.trim_end_matches('/');
    let own = bare.strip_prefix(world.base_url());
    if GRAPHS.contains(&bare) || own == Some("/graph") {
        return tenant.apps.find(GRAPH);
    }
    if INTUNES.contains(&bare) || own == Some("/manage") {
        return tenant.apps.find(INTUNE_API);
    }
    tenant.apps.called(bare)
}

/// What a request's `scope` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// The resource, as the request writes it.
    pub(super) resource: String,
    /// The delegated permissions; `.default` stands for all.
    pub(super) permissions: Vec<String>,
    /// Whether an id token is asked for.
    pub(super) id_token: bool,
    /// Whether a refresh token is asked for.
    pub(super) refresh_token: bool,
}

impl Wanted {
    /// Reads the scope of a sign-in: permissions of one resource, and those of OpenID Connect.
    pub(super) fn of_scope(scope: &str) -> Result<Self, TokenError> {
        let mut wanted = Self {
            resource: String::new(),
            permissions: Vec::new(),
            id_token: false,
            refresh_token: false,
        };
        for part in scope.split_whitespace() {
            match part {
                "openid" | "profile" | "email" => wanted.id_token = true,
                "offline_access" => wanted.refresh_token = true,
                _ => {
                    let (resource, permission) = match part.rsplit_once('/') {
                        Some((resource, permission)) => (resource, permission),
                        None => ("https://graph.microsoft.com", part),
                    };
                    if !wanted.resource.is_empty() && wanted.resource != resource {
                        return Err(TokenError::SeveralResources);
                    }
                    resource.clone_into(&mut wanted.resource);
                    wanted.permissions.push(permission.to_owned());
                }
            }
        }
        if wanted.resource.is_empty() && wanted.id_token {
            "https://graph.microsoft.com".clone_into(&mut wanted.resource);
            wanted.permissions.push("User.Read".to_owned());
        }
        if wanted.resource.is_empty() {
            return Err(TokenError::Scope(scope.to_owned()));
        }
        Ok(wanted)
    }

    /// Reads the scope of an application's own token: `.default` of one resource.
    pub(super) fn of_app(scope: &str) -> Result<String, TokenError> {
        let mut parts = scope.split_whitespace();
        match (parts.next().and_then(|part| part.strip_suffix("/.default")), parts.next()) {
            (Some(resource), None) if !resource.is_empty() => Ok(resource.to_owned()),
            (Some(_), Some(_)) => Err(TokenError::SeveralResources),
            _ => Err(TokenError::Scope(scope.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_double_slash_before_default_is_part_of_the_resource() {
        let read = Wanted::of_app("https://api.manage.microsoft.com//.default");
        assert_eq!(read.unwrap(), "https://api.manage.microsoft.com/");
        assert!(Wanted::of_app("https://graph.microsoft.com/User.Read").is_err());
        assert!(Wanted::of_app("a/.default b/.default").is_err());
    }

    #[test]
    fn a_sign_in_asks_for_one_resource_only() {
        let wanted = Wanted::of_scope("openid profile offline_access api://x/enroll").unwrap();
        assert_eq!(wanted.resource, "api://x");
        assert_eq!(wanted.permissions, ["enroll"]);
        assert!(wanted.id_token && wanted.refresh_token);
        assert!(Wanted::of_scope("api://x/enroll api://y/enroll").is_err());
        assert!(Wanted::of_scope("offline_access").is_err());
    }
}
