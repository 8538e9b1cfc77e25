//! Intune's services for certification authorities tried out for an administrator.

use super::certificates;
use super::discovery::IntuneService;
use super::services::CertificateServices;
use super::validation::{Enrollment, ValidationError};
use crate::check::Check;
use crate::graph::{Permission, Probe, check_token};
use crate::ignorance::Why;
use crate::token::Token;

const NO_ENROLLMENT: &str =
    "devices of Intune cannot enroll, because their requests cannot be validated.";
const NO_REVOCATION: &str = "certificates that Intune wants revoked stay good until their device \
                             shows in the directory that it is gone.";

impl CertificateServices {
    /// Tries everything that the services need, and says how it went: a line a thing. A validation
    /// is tried with an empty request, which Intune refuses and forgets; requests to revoke are not
    /// fetched, because Intune would think them taken.
    pub async fn try_out(&self) -> Vec<Check> {
        let probes = [
            Probe {
                permission: Permission::APPLICATIONS,
                url: self.discovery.url(),
                disables: "Intune's services are not found: devices of Intune cannot enroll, and \
                           its requests to revoke are not carried out.",
                licence: None,
            },
            Probe {
                permission: Permission::DEVICE_CONFIGURATION,
                url: certificates::probe(&self.certificates),
                disables: "what Intune believes to be issued and revoked is not compared with what \
                           was.",
                licence: Some("Intune"),
            },
        ];
        let mut checks = self.discovery.graph().check(&self.sign_in, &probes).await;
        for service in IntuneService::ALL {
            checks.push(self.place(service).await);
        }
        let (token, got) = check_token(&self.tokens, &self.sign_in, "Intune").await;
        checks.push(token);
        if let Some(token) = got {
            checks.push(self.role(&token).await);
        }
        checks
    }

    async fn place(&self, service: IntuneService) -> Check {
        let what = format!("Service {}", service.provider_name());
        match self.discovery.endpoint(service).await {
            Ok(url) => Check::ok(what, format!("Found at {}.", url.host_str().unwrap_or_default())),
            Err(ignorance) => Check::problem(what, format!("{ignorance}."))
                .disables(match service {
                    IntuneService::ScepRequestValidation => NO_ENROLLMENT,
                    IntuneService::PkiConnector => NO_REVOCATION,
                })
                .remedy(
                    "see to the permission above; if it is granted, see that the tenant has an \
                     Intune licence and that Intune is its MDM authority.",
                ),
        }
    }

    async fn role(&self, token: &Token) -> Check {
        const EMPTY: Enrollment<'_> =
            Enrollment { transaction_id: "lanyard-doctor", request: &[0x30, 0x00] };
        let permission = Permission::SCEP_CHALLENGE;
        let what = format!("Permission {}", permission.name);
        let claimed = token.roles().map(|roles| permission.is_among(&roles));
        let problem = |found: String| {
            Check::problem(what.clone(), found).disables(format!("{NO_ENROLLMENT} {NO_REVOCATION}"))
        };
        match self.validation().validate(EMPTY).await {
            Err(ValidationError::Rejected(_)) => Check::ok(what, "Granted, and it works."),
            Ok(()) => problem("Intune accepts a request that is none.".to_owned())
                .remedy("do not enroll devices before it is known what answers there."),
            Err(ValidationError::Unanswered(ignorance)) => match (ignorance.why, claimed) {
                (Why::Forbidden { .. } | Why::Unauthorized, Some(true)) => problem(format!(
                    "The token has the role, and yet: {ignorance}."
                ))
                .remedy("see that cloud and tenant are right, and that the tenant has Intune."),
                (Why::Forbidden { .. } | Why::Unauthorized, _) => {
                    problem(format!("Missing: {ignorance}."))
                        .remedy(format!("{}.", permission.remedy()))
                }
                _ => problem(format!("Could not be tried: {ignorance}.")).remedy(
                    "see whether this machine reaches the service, and the service's health.",
                ),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use lanyard_lifecycle::DirectoryId;
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;
    use crate::canned::{self, Canned, Reply};
    use crate::check::Outcome;
    use crate::cloud::Cloud;
    use crate::http::Limits;
    use crate::intune::Settings;
    use crate::tenant::{Tenant, TenantSettings, Transports};
    use crate::token::Credential;

    const ENDPOINTS: &str =
        "/v1.0/servicePrincipals/appId=0000000a-0000-0000-c000-000000000000/endpoints";

    fn services(answer: fn(&str) -> Reply) -> (Arc<Canned>, CertificateServices) {
        let wire = Canned::new(move |request| {
            let path = request.uri().path();
            if path.ends_with("/oauth2/v2.0/token") {
                return Reply::json(200, &json!({"access_token": "a.b.c", "expires_in": 3599}));
            }
            answer(path)
        });
        let settings = TenantSettings {
            directory: DirectoryId::from(Uuid::from_u128(1)),
            tenant: "contoso.example".into(),
            endpoints: Cloud::Global.endpoints(),
            credential: Credential::Secret { client_id: "app".into(), secret: "s3cret".into() },
            limits: Limits { attempts: 1, ..Limits::default() },
        };
        let tenant = Tenant::new(settings, Transports::one(wire.clone()), canned::ambient());
        (wire, CertificateServices::new(&tenant, Settings::default()))
    }

    fn listed() -> Reply {
        let services: Vec<Value> = IntuneService::ALL
            .iter()
            .map(|service| {
                json!({"providerName": service.provider_name(), "uri": "https://fef.example.org/x"})
            })
            .collect();
        Reply::json(200, &json!({"value": services}))
    }

    fn problems(checks: &[Check]) -> Vec<&str> {
        checks
            .iter()
            .filter(|check| check.outcome == Outcome::Problem)
            .map(|check| check.what.as_str())
            .collect()
    }

    #[tokio::test]
    async fn all_is_well_when_intune_refuses_an_empty_request() {
        let (wire, services) = services(|path| match path {
            ENDPOINTS => listed(),
            path if path.ends_with("/validateRequest") => Reply::json(
                200,
                &json!({"code": "CertificateRequestDecodingFailed", "errorDescription": ""}),
            ),
            _ => Reply::json(200, &json!({"value": []})),
        });
        let checks = services.try_out().await;
        assert_eq!(problems(&checks), Vec::<&str>::new(), "{checks:?}");
        let scopes: Vec<String> = wire
            .asked()
            .iter()
            .map(|request| String::from_utf8_lossy(request.body()).into_owned())
            .filter(|body| body.contains("scope="))
            .collect();
        assert!(
            scopes
                .iter()
                .any(|form| form
                    .contains("scope=https%3A%2F%2Fapi.manage.microsoft.com%2F%2F.default")),
            "{scopes:?}"
        );
        assert!(!wire.lines().iter().any(|line| line.contains("Revocation")));
    }

    #[tokio::test]
    async fn a_missing_role_is_named_with_what_it_disables_and_how_to_grant_it() {
        let (_, services) = services(|path| match path {
            ENDPOINTS => listed(),
            path if path.ends_with("/validateRequest") => Reply::json(401, &json!({})),
            _ => Reply::json(403, &json!({"error": {"code": "Authorization_RequestDenied"}})),
        });
        let checks = services.try_out().await;
        assert_eq!(
            problems(&checks),
            [
                "Permission DeviceManagementConfiguration.Read.All",
                "Permission scep_challenge_provider",
            ]
        );
        let text = checks.last().unwrap().to_string();
        assert!(text.contains("39d724e8-6a34-4930-9a36-364082c35716"), "{text}");
        assert!(text.contains("cannot enroll"), "{text}");
    }

    #[tokio::test]
    async fn a_tenant_without_intune_is_told_what_is_missing() {
        let (_, services) = services(|_| Reply::json(200, &json!({"value": []})));
        let checks = services.try_out().await;
        assert_eq!(
            problems(&checks),
            [
                "Service ScepRequestValidationFEService",
                "Service PkiConnectorFEService",
                "Permission scep_challenge_provider",
            ]
        );
    }
}
