//! `lanyard bench mirror` on a small tenant, with the server killed on the way.

use std::process::{Command, Stdio};

use serde_json::Value;

#[test]
fn a_tenant_is_read_to_its_last_object_although_the_server_is_killed_on_the_way() {
    let output = Command::new(env!("CARGO_BIN_EXE_lanyard"))
        .args(["--json", "bench", "mirror", "--devices", "300", "--seed", "7", "--kills", "1"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    for (kind, expected) in [("EntraUser", 150), ("EntraDevice", 300), ("IntuneDevice", 300)] {
        assert_eq!(report["objects"][kind], expected, "{report}");
    }
    assert_eq!((&report["rows"], &report["kills"]), (&750.into(), &1.into()));
    assert!(report["peak_resident_bytes"].as_u64().unwrap() > 1 << 20, "{report}");
    assert!(report["store_bytes"].as_u64().unwrap() > 1 << 16, "{report}");
}
