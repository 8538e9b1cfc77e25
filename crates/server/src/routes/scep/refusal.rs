//! What a refusal looks like in SCEP (RFC 8894 section 3.2.1.4).

use lanyard_lifecycle::Refusal;
use lanyard_scep::FailInfo;

/// The failInfo of a refusal.
pub(super) fn fail_info(refusal: &Refusal) -> FailInfo {
    match refusal {
        Refusal::UnsupportedKey(_) | Refusal::AlgorithmNotAllowed { .. } => FailInfo::BadAlg,
        Refusal::BadProofOfPossession => FailInfo::BadMessageCheck,
        Refusal::BadTime => FailInfo::BadTime,
        Refusal::ForeignCertificate | Refusal::UnknownCertificate | Refusal::UnknownTransaction => {
            FailInfo::BadCertId
        }
        Refusal::NotConfigured
        | Refusal::ChallengeMissing
        | Refusal::WrongChallenge
        | Refusal::ChallengeTooLong { .. }
        | Refusal::Unauthenticated
        | Refusal::WeakKey(_)
        | Refusal::BadName { .. }
        | Refusal::NameNotAllowed { .. }
        | Refusal::NoName
        | Refusal::NoUsage
        | Refusal::NotValidated(_)
        | Refusal::ValidationSilent
        | Refusal::NoticeWaiting
        | Refusal::NoticeRefused
        | Refusal::Unbound(_)
        | Refusal::DirectorySilent { .. }
        | Refusal::RenewalNotAllowed
        | Refusal::RenewalKindNotAllowed { .. }
        | Refusal::RenewalOfOtherScope
        | Refusal::RenewalOfOtherEndpoint
        | Refusal::NotGoodAnymore(_)
        | Refusal::NameChanged { .. }
        | Refusal::KeyReused
        | Refusal::AuthorityNotValid
        | Refusal::ValidityImpossible
        | Refusal::TransactionReused
        | Refusal::IssuedNotGood(_)
        | Refusal::Declined
        | Refusal::Malformed(_)
        | Refusal::TooLarge { .. }
        | Refusal::TooManyAttempts { .. }
        | Refusal::RevokedForGood
        | Refusal::NotOnHold => FailInfo::BadRequest,
    }
}

/// Whether a refusal counts against the address that it came from.
pub(super) fn is_wrong_challenge(refusal: &Refusal) -> bool {
    matches!(refusal, Refusal::WrongChallenge | Refusal::ChallengeTooLong { .. })
}
