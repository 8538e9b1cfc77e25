use std::fmt::Write;

use super::*;

#[test]
fn names_come_back() {
    for rule in Rule::ALL.iter().copied() {
        assert_eq!(Rule::from_name(rule.name()), Some(rule));
        let kept = serde_json::to_string(&rule).unwrap();
        assert_eq!(serde_json::from_str::<Rule>(&kept).unwrap(), rule);
    }
    assert_eq!(Rule::from_name("bored"), None);
    assert!(serde_json::from_str::<Rule>("\"bored\"").is_err());
}

#[test]
fn the_names_are_as_stores_keep_them() {
    let mut table = String::new();
    for rule in Rule::ALL {
        writeln!(table, "{:<26} {rule}", rule.name()).unwrap();
    }
    insta::assert_snapshot!(table);
}
