use super::*;
use serde_json::json;

fn holds(filter: &str) -> bool {
    let object = json!({
        "id": "12", "udid": "A-1", "general": {"name": "Ada's Mac", "managed": true},
        "userAndLocation": {"username": "ada", "email": null},
    });
    Filter::parse(filter).unwrap().matches(&object)
}

#[test]
fn comparisons_look_into_the_object() {
    assert!(holds(r#"udid=="a-1""#));
    assert!(holds("general.managed==true"));
    assert!(holds(r#"general.name=="Ada*""#));
    assert!(holds("general.name=='*Mac'"));
    assert!(holds(r#"general.name=="a*'s*c""#));
    assert!(!holds(r#"general.name=="*Windows*""#));
    assert!(holds("id=in=(1,12,30)"));
    assert!(!holds("id=out=(1,12,30)"));
    assert!(holds("id>9"));
    assert!(!holds("id=gt=12"));
    assert!(holds("userAndLocation.email==''"));
}

#[test]
fn and_binds_closer_than_or() {
    assert!(holds("id==12,udid==none;id==1"));
    assert!(!holds("(id==12,udid==none);id==1"));
    assert!(holds("id==1 or id==12 and udid==a-1"));
}

#[test]
fn what_is_no_filter_is_refused() {
    for text in ["", "id", "id==", "==1", "id==1;", "(id==1", "id==1)", "id=in=(1", "id==\"1"] {
        assert!(Filter::parse(text).is_err(), "{text}");
    }
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "[a-z.=!<>()*,;\"' \\\\]{0,30}") {
        if let Ok(filter) = Filter::parse(&text) {
            filter.matches(&json!({ "a": "b" }));
        }
    }

    #[test]
    fn any_value_can_be_asked_for_in_quotes(value in "[ -)+-~äß]{0,20}") {
        let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
        let filter = Filter::parse(&format!("a.b==\"{quoted}\"")).unwrap();
        let matches = filter.matches(&json!({ "a": { "b": value } }));
        proptest::prop_assert!(matches);
    }
}
