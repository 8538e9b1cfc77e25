use super::*;

#[test]
fn only_what_nobody_has_to_do_anything_about_is_passing() {
    let kind = ObjectKind::EntraUser;
    assert!(Refusal::DirectorySilent { kind }.is_passing());
    assert!(Refusal::NotGoodAnymore(NotGood::Undecided).is_passing());
    assert!(!Refusal::NotGoodAnymore(NotGood::OnHold).is_passing());
    assert!(!Refusal::Unbound(Unbound::NoSuchObject(kind)).is_passing());
    assert!(!Refusal::NotValidated(String::new()).is_passing());
}

#[test]
fn refusals_are_sentences_for_people() {
    let at = Time::from_unix(1_800_000_000);
    let name = |part, fault| Refusal::BadName { part, fault };
    let not_good = Refusal::NotGoodAnymore;
    let refusals = [
        Refusal::NotConfigured,
        Refusal::ChallengeMissing,
        Refusal::WrongChallenge,
        Refusal::ChallengeTooLong { limit: 1024 },
        Refusal::BadProofOfPossession,
        Refusal::WeakKey(WeakKey::RsaTooShort { bits: 1024, least: 2048 }),
        Refusal::WeakKey(WeakKey::RsaExponent),
        Refusal::WeakKey(WeakKey::Roca),
        Refusal::WeakKey(WeakKey::RsaSmallFactor { factor: 3 }),
        Refusal::UnsupportedKey(UnsupportedKey::RsaTooLong { bits: 16384, most: 8192 }),
        Refusal::UnsupportedKey(UnsupportedKey::NotAllowedHere { algorithm: "Ed25519" }),
        Refusal::UnsupportedKey(UnsupportedKey::Unknown),
        Refusal::AlgorithmNotAllowed { algorithm: "MD5" },
        name(NamePart::Subject, NameFault::TooLong { limit: 64 }),
        name(NamePart::AlternativeNames, NameFault::TooMany { limit: 100 }),
        name(NamePart::UserPrincipalName, NameFault::ControlCharacter),
        name(NamePart::DnsName, NameFault::Malformed),
        name(NamePart::Uri, NameFault::Empty),
        Refusal::NameNotAllowed { part: NamePart::OtherName },
        Refusal::NoName,
        Refusal::NoUsage,
        Refusal::NotValidated("Intune refuses the request: it is late (ChallengeExpired)".into()),
        Refusal::ValidationSilent,
        Refusal::NoticeWaiting,
        Refusal::NoticeRefused,
        Refusal::RenewalNotAllowed,
        Refusal::RenewalKindNotAllowed { kind: Kind::JamfComputer },
        Refusal::ForeignCertificate,
        not_good(NotGood::Expired { at }),
        not_good(NotGood::NotYetValid { from: at }),
        not_good(NotGood::OnHold),
        not_good(NotGood::Revoked { reason: RevocationReason::KeyCompromise }),
        not_good(NotGood::Unknown),
        not_good(NotGood::Undecided),
        Refusal::NameChanged { part: NamePart::Subject },
        Refusal::KeyReused,
        Refusal::AuthorityNotValid,
        Refusal::ValidityImpossible,
        Refusal::RenewalOfOtherScope,
        Refusal::RenewalOfOtherEndpoint,
        Refusal::TransactionReused,
        Refusal::IssuedNotGood(NotGood::OnHold),
        Refusal::TooManyAttempts { seconds: 30 },
        Refusal::RevokedForGood,
        Refusal::NotOnHold,
    ];
    let sentences: Vec<String> = refusals.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(sentences.join("\n"));
}
