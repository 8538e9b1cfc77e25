//! What does not work at present, in words: for `/probe` and the status page.

use lanyard_lifecycle::id::OrganizationId;

use crate::app::App;

/// What does not work at present, a sentence each; none when all is well.
pub async fn troubles(app: &App) -> Vec<String> {
    let mut troubles = Vec::new();
    if let Err(fault) = app.authority.show_cas().await {
        tracing::error!(fault.id = %fault.id(), "The store does not answer: {}", fault.report());
        troubles.push(format!("The store does not answer (fault {}).", fault.id()));
    }
    let cas = app.authority.cas();
    match cas.current(OrganizationId::DEFAULT) {
        None => troubles.push(
            "No authority issues here: its certificate has to be requested and imported."
                .to_owned(),
        ),
        Some(ca) if !ca.is_valid_at(app.now()) => {
            troubles.push("The authority's own certificate is not valid now.".to_owned());
        }
        Some(_) => {}
    }
    troubles
}
