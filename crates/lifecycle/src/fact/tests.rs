use super::*;

#[test]
fn a_fact_is_kept_as_json_and_comes_back() {
    let learnt = Time::from_unix(1_800_000_000);
    let from = FactSource::Directory {
        name: "Intune".into(),
        directory: DirectoryId::from_bytes([7; 16]),
    };
    let facts = vec![
        Fact {
            source: from,
            object: Some(ObjectId::from_u128(9)),
            name: "managementState".into(),
            value: "wipePending".into(),
            learnt,
        },
        Fact {
            source: FactSource::Record,
            object: None,
            name: "standing".into(),
            value: "notRevoked".into(),
            learnt,
        },
    ];
    let kept = serde_json::to_string_pretty(&facts).unwrap();
    assert_eq!(serde_json::from_str::<Vec<Fact>>(&kept).unwrap(), facts);
    insta::assert_snapshot!(kept);
}
