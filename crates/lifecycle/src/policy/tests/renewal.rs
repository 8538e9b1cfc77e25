use super::*;
use crate::refusal::{NamePart, NotGood};
use crate::revocation::RevocationReason;

#[test]
fn renewal_keeps_the_old_certificate_s_names() {
    let (old, good) = (old(), standing(Standing::NotRevoked));
    let credential = Credential::Renewal(ours(&old, &good));
    let silent = Claims { subject: Name::empty(), alternative_names: Vec::new(), ..claims() };
    let upper = GeneralName::Dns("LAPTOP.example.com".into());
    let repeating = Claims { alternative_names: vec![upper], ..claims() };
    for claims in [claims(), silent, repeating] {
        let permit = ask(&renewing(), &claims, &credential).unwrap();
        assert_eq!(permit.grant, Grant::Renewal(Kind::Static));
        assert_eq!(permit.subject, old.subject().clone());
        assert_eq!(permit.alternative_names, old.subject_alt_names().unwrap());
    }
}

#[test]
fn renewal_under_another_name_is_refused() {
    let (old, good) = (old(), standing(Standing::NotRevoked));
    let credential = Credential::Renewal(ours(&old, &good));
    let other = Claims { subject: Name::from_str("CN=server,O=Example").unwrap(), ..claims() };
    let refused = ask(&renewing(), &other, &credential);
    assert_eq!(refused, Err(Refusal::NameChanged { part: NamePart::Subject }));
    let more = GeneralName::Dns("server.example.com".into());
    let wider = Claims { alternative_names: vec![more], ..claims() };
    let refused = ask(&renewing(), &wider, &credential);
    assert_eq!(refused, Err(Refusal::NameChanged { part: NamePart::AlternativeNames }));
}

#[test]
fn renewal_is_refused_where_it_is_not_allowed() {
    let (old, good) = (old(), standing(Standing::NotRevoked));
    let credential = Credential::Renewal(ours(&old, &good));
    let off = ask(&EndpointPolicy::default(), &claims(), &credential);
    assert_eq!(off, Err(Refusal::RenewalNotAllowed));
    let kinds = vec![Kind::JamfComputer];
    let from = RenewalFrom::ThisEndpoint;
    let renewal = RenewalRules::On { kinds, key: KeyReuse::Allowed, from };
    let others = EndpointPolicy { renewal, ..EndpointPolicy::default() };
    let refused = Refusal::RenewalKindNotAllowed { kind: Kind::Static };
    assert_eq!(ask(&others, &claims(), &credential), Err(refused));
    let foreign = OldCertificate { certificate: &old, origin: Origin::Foreign };
    let refused = ask(&renewing(), &claims(), &Credential::Renewal(foreign));
    assert_eq!(refused, Err(Refusal::ForeignCertificate));
}

#[test]
fn an_endpoint_renews_its_own_certificates_and_others_only_where_it_is_there_for_that() {
    let (old, good) = (old(), standing(Standing::NotRevoked));
    let renewal = RenewalRules::On {
        kinds: vec![Kind::Static],
        key: KeyReuse::Allowed,
        from: RenewalFrom::AnyEndpoint,
    };
    let any = EndpointPolicy { renewal, ..EndpointPolicy::default() };
    let renew = |policy: &EndpointPolicy, at| {
        let permit = ask(policy, &claims(), &Credential::Renewal(issued(at, &old, &good)));
        permit.map(|permit| permit.grant)
    };
    let granted = Ok(Grant::Renewal(Kind::Static));
    assert_eq!(renew(&renewing(), IssuedAt::ThisEndpoint), granted);
    assert_eq!(renew(&any, IssuedAt::OtherEndpoint), granted);
    let refused = Err(Refusal::RenewalOfOtherEndpoint);
    assert_eq!(renew(&renewing(), IssuedAt::OtherEndpoint), refused);
    for policy in [renewing(), any] {
        let refused = renew(&policy, IssuedAt::OtherScope);
        assert_eq!(refused, Err(Refusal::RenewalOfOtherScope));
    }
}

#[test]
fn renewal_is_refused_once_the_old_certificate_is_not_good() {
    let old = old();
    let reason = RevocationReason::KeyCompromise;
    let unknown = verdict(record(None, None, NOW));
    for (verdict, fault) in [
        (standing(Standing::OnHold { since: NOW }), NotGood::OnHold),
        (standing(Standing::Revoked { since: NOW, reason }), NotGood::Revoked { reason }),
        (unknown, NotGood::Unknown),
    ] {
        let refused = ask(&renewing(), &claims(), &Credential::Renewal(ours(&old, &verdict)));
        assert_eq!(refused, Err(Refusal::NotGoodAnymore(fault)));
    }
}

#[test]
fn renewal_is_refused_outside_of_the_old_certificate_s_validity() {
    let good = standing(Standing::NotRevoked);
    let names = claims().alternative_names;
    let (past, future) = (NOW.plus(-1), NOW.plus(1));
    for (not_before, not_after, fault) in [
        (ISSUER.not_before, past, NotGood::Expired { at: past }),
        (future, ISSUER.not_after, NotGood::NotYetValid { from: future }),
    ] {
        let old = certificate("CN=laptop,O=Example", &names, Period { not_before, not_after });
        let refused = ask(&renewing(), &claims(), &Credential::Renewal(ours(&old, &good)));
        assert_eq!(refused, Err(Refusal::NotGoodAnymore(fault)));
    }
}

#[test]
fn a_renewal_with_the_old_key_is_the_endpoint_s_choice() {
    let (old, good) = (old(), standing(Standing::NotRevoked));
    let credential = Credential::Renewal(ours(&old, &good));
    let same_key = Claims { public_key: ed25519(), ..claims() };
    assert!(ask(&renewing(), &same_key, &credential).is_ok());
    let from = RenewalFrom::ThisEndpoint;
    let renewal = RenewalRules::On { kinds: vec![Kind::Static], key: KeyReuse::Refused, from };
    let strict = EndpointPolicy { renewal, ..EndpointPolicy::default() };
    assert_eq!(ask(&strict, &same_key, &credential), Err(Refusal::KeyReused));
    assert!(ask(&strict, &claims(), &credential).is_ok());
}

#[test]
fn a_request_signed_by_an_old_certificate_may_also_enroll_by_challenge() {
    let (old, good) = (old(), standing(Standing::NotRevoked));
    let held = standing(Standing::OnHold { since: NOW });
    let both =
        |verdict, given| Credential::RenewalOrChallenge(ours(&old, verdict), challenge(given));
    let (wrong, right) = (Some(&b"wrong"[..]), Some(CHALLENGE));
    let grant = |policy, verdict, given| {
        ask(policy, &claims(), &both(verdict, given)).map(|permit| permit.grant)
    };
    let (renewing, not_allowed) = (renewing(), EndpointPolicy::default());
    assert_eq!(grant(&renewing, &good, None), Ok(Grant::Renewal(Kind::Static)));
    assert_eq!(grant(&renewing, &good, wrong), Ok(Grant::Renewal(Kind::Static)));
    assert_eq!(grant(&not_allowed, &good, right), Ok(Grant::Enrollment));
    assert_eq!(grant(&renewing, &held, right), Ok(Grant::Enrollment));
    assert_eq!(grant(&not_allowed, &good, None), Err(Refusal::RenewalNotAllowed));
    assert_eq!(grant(&not_allowed, &good, wrong), Err(Refusal::WrongChallenge));
}

#[test]
fn where_no_challenge_is_asked_a_bad_old_certificate_is_not_passed_over() {
    let policy = EndpointPolicy { challenge: ChallengeRule::NotAsked, ..renewing() };
    let (old, held) = (old(), standing(Standing::OnHold { since: NOW }));
    let credential = Credential::RenewalOrChallenge(ours(&old, &held), challenge(None));
    let refused = ask(&policy, &claims(), &credential);
    assert_eq!(refused, Err(Refusal::NotGoodAnymore(NotGood::OnHold)));
}
