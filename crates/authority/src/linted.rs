//! The linter's look at a certificate before the real key signs: a copy, completed by a signature that is nobody's.

use lanyard_pki::Unsigned;
use lanyard_pki::certificate::Certificate;
use lanyard_pki::lint::{self, Expectations, Finding};
use lanyard_pki::unsigned::Frame as _;

use crate::Fault;

/// What the linter holds against a certificate: a mistake in a profile or in this program, never the client's.
#[derive(Debug, thiserror::Error)]
#[error("the linter refuses it: {}", texts(.0))]
struct Refused(Vec<Finding>);

fn texts(findings: &[Finding]) -> String {
    let texts: Vec<String> = findings.iter().map(ToString::to_string).collect();
    texts.join("; ")
}

/// Lints what would be signed; `stand_in` has the signature's shape. Without an issuer the certificate is its own.
pub(crate) fn check(
    unsigned: &Unsigned<Certificate>,
    stand_in: &[u8],
    issuer: Option<&Certificate>,
    expected: &Expectations<'_>,
) -> Result<(), Fault> {
    let copy = Certificate::frame(unsigned.tbs(), unsigned.algorithm(), stand_in, &[]);
    let findings = lint::lint(&copy, issuer, Some(expected));
    if lint::may_be_issued(&findings) {
        Ok(())
    } else {
        Err(Fault::lasting("issue a certificate", Refused(findings)))
    }
}
