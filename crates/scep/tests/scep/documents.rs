//! The page about tolerances is written from the list in the program.

use std::fmt::Write;

use lanyard_scep::Tolerance;

const HEAD: &str = "\
# What Lanyard overlooks in SCEP messages, and for whom

Strict is the default. Each entry is a tolerance in `lanyard_scep::Tolerance`; its name is the one in metrics and logs.

| name | seen with | why it does no harm |
|---|---|---|
";

#[test]
#[expect(clippy::disallowed_methods, reason = "a switch for whoever runs the tests")]
fn the_page_about_tolerances_is_current() {
    let mut page = HEAD.to_owned();
    for tolerance in Tolerance::ALL {
        let (name, client) = (tolerance.name(), tolerance.client());
        writeln!(page, "| `{name}` | {client} | {} |", tolerance.reason()).unwrap();
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/scep-tolerances.md");
    if std::env::var_os("UPDATE_DOCUMENTS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap();
    assert_eq!(written, page, "UPDATE_DOCUMENTS=1 cargo test writes it anew");
}
