//! Queries as clients put them into URLs.

use lanyard_scep::{
    Capabilities, Policy, Tolerance, Tolerances,
    operation::{Operation, Query, QueryError, endpoint_path, pki_operation_query},
    server::Message,
};
use proptest::prelude::*;

use crate::common::{fixture, text};

/// The query in the request line of a captured request.
fn query_of(file: &str) -> String {
    let request = text(file);
    let line = request.lines().next().unwrap();
    let target = line.split(' ').nth(1).unwrap();
    target.split_once('?').unwrap().1.to_owned()
}

#[test]
fn certmonger_sends_its_message_by_get() {
    let query = query_of("certmonger/daemon.pkcs-req.http");
    let query = Query::parse(&query).unwrap();
    assert_eq!(query.operation, Operation::PkiOperation);
    let (message, tolerances) = query.pki_message(Policy::OCTETS).unwrap();
    assert_eq!(message, fixture("certmonger/daemon.pkcs-req.der"));
    assert!(tolerances.contains(Tolerance::PkiOperationByGet));
    assert!(Message::parse(&message, Policy::default()).unwrap().verify().is_ok());
}

#[test]
fn a_message_parameter_is_not_needed_where_it_says_nothing() {
    let none = Tolerances::none();
    let missing = none.with(Tolerance::NoMessageParameter);
    for (file, operation, tolerances) in [
        ("certmonger/daemon.getcacaps.http", Operation::GetCaCaps, none),
        ("certmonger/daemon.getcacert.http", Operation::GetCaCert, none),
        ("strongswan/aes-sha256.getcacaps.http", Operation::GetCaCaps, missing),
        ("strongswan/scepca.getcacert.http", Operation::GetCaCert, missing),
        ("scepclient/enroll.getcacaps.http", Operation::GetCaCaps, missing),
        ("scepclient/enroll.getcacert.http", Operation::GetCaCert, missing),
    ] {
        let query = query_of(file);
        let query = Query::parse(&query).unwrap();
        assert_eq!((query.operation, query.tolerances()), (operation, tolerances), "{file}");
    }
}

/// Constructed from the notes about Apple's mdmclient: `+` and `/` as they are, `=` escaped.
#[test]
fn apples_raw_base64_is_read_from_the_raw_query() {
    let message = fixture("constructed/aes128-sha256.pkcs-req.der");
    let raw = pki_operation_query(&message).replace("%2B", "+").replace("%2F", "/");
    assert!(raw.contains('+') && raw.contains('/'));
    let (octets, tolerances) = Query::parse(&raw).unwrap().pki_message(Policy::OCTETS).unwrap();
    assert_eq!(octets, message);
    assert!(tolerances.contains(Tolerance::RawBase64InQuery));
    let spaced = raw.replace('+', " ");
    let (octets, tolerances) = Query::parse(&spaced).unwrap().pki_message(Policy::OCTETS).unwrap();
    assert_eq!(octets, message);
    assert!(tolerances.contains(Tolerance::SpaceForPlus));
}

#[test]
fn other_spellings_of_base64_are_read() {
    let message = fixture("constructed/aes128-sha256.pkcs-req.der");
    let query = pki_operation_query(&message);
    for (spelled, tolerance) in [
        (query.replace("%2B", "-").replace("%2F", "_"), Some(Tolerance::UrlAlphabet)),
        (query.replace("%3D", ""), Some(Tolerance::NoBase64Padding)),
        (query.replace("message=MII", "message=MI%0AI"), Some(Tolerance::LineBreaksInBase64)),
        (query.replace("PKIOperation", "pkioperation"), None),
    ] {
        let (octets, tolerances) =
            Query::parse(&spelled).unwrap().pki_message(Policy::OCTETS).unwrap();
        assert_eq!(octets, message);
        assert!(tolerance.is_none_or(|one| tolerances.contains(one)), "{tolerance:?}");
    }
}

#[test]
fn what_is_no_scep_query_is_refused_in_words() {
    let refusal = |raw: &str| Query::parse(raw).unwrap_err();
    assert_eq!(refusal(""), QueryError::NoOperation);
    assert_eq!(refusal("message=x"), QueryError::NoOperation);
    assert_eq!(
        refusal("operation=GetEverything").to_string(),
        "the SCEP operation \"GetEverything\" is unknown"
    );
    let message = |raw: &str| Query::parse(raw).unwrap().pki_message(100).unwrap_err();
    assert_eq!(message("operation=PKIOperation"), QueryError::NoMessage);
    assert_eq!(message("operation=PKIOperation&message="), QueryError::NoMessage);
    let long = format!("operation=PKIOperation&message={}", "A".repeat(136));
    assert_eq!(message(&long), QueryError::TooLong(100));
    let longer = format!("operation=PKIOperation&message={}", "A".repeat(13600));
    assert_eq!(message(&longer), QueryError::TooLong(100));
}

/// Constructed from Microsoft's documents: Windows appends the name of a program.
#[test]
fn windows_appends_the_name_of_a_program() {
    let exe = Tolerances::none().with(Tolerance::PkiClientExe);
    for (path, endpoint, tolerances) in [
        ("/static/pkiclient.exe", "/static", exe),
        ("/certsrv/mscep/mscep.dll/pkiclient.exe", "/certsrv/mscep/mscep.dll", exe),
        ("/static//PKICLIENT.EXE", "/static", exe),
        ("/static", "/static", Tolerances::none()),
        ("/notpkiclient.exe", "/notpkiclient.exe", Tolerances::none()),
        ("", "", Tolerances::none()),
    ] {
        assert_eq!(endpoint_path(path), (endpoint, tolerances));
    }
}

#[test]
fn the_announced_capabilities_are_text() {
    assert_eq!(Capabilities::CONTENT_TYPE, "text/plain");
    assert_eq!(Operation::GetNextCaCert.query(), "operation=GetNextCACert");
}

proptest! {
    #[test]
    fn any_message_survives_the_query(message in proptest::collection::vec(any::<u8>(), 1..400)) {
        let query = pki_operation_query(&message);
        let (octets, tolerances) = Query::parse(&query).unwrap().pki_message(400).unwrap();
        prop_assert_eq!(octets, message);
        prop_assert_eq!(tolerances, Tolerances::none().with(Tolerance::PkiOperationByGet));
    }

    #[test]
    fn hostile_queries_never_panic(raw in "(operation=PKIOperation&message=)?.{0,100}") {
        if let Ok(query) = Query::parse(&raw) {
            let _ = query.pki_message(50);
        }
    }
}
