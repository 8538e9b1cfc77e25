//! Who acts on an installation from this machine: a user of the operating system, as the kernel knows him.
//!
//! What he says of himself (the person behind sudo) stands beside it and never in its place.

use std::path::Path;

/// Where the system's own users are listed.
const USERS: &str = "/etc/passwd";

/// The most characters of what somebody says of himself.
const LONGEST_CLAIM: usize = 64;

/// The user of this id for the audit trail, by name where the machine knows it, with what he calls himself if that differs.
pub fn of_user(uid: u32, claim: Option<&str>) -> String {
    described(uid, name(Path::new(USERS), uid), claim)
}

/// The user that this process runs as, for the audit trail.
pub fn of_this_process(claim: &str) -> String {
    of_user(rustix::process::getuid().as_raw(), Some(claim))
}

fn described(uid: u32, name: Option<String>, claim: Option<&str>) -> String {
    let user = name.unwrap_or_else(|| format!("uid {uid}"));
    let shown = |claim: &str| -> String {
        claim.chars().filter(|c| !c.is_control()).take(LONGEST_CLAIM).collect()
    };
    match claim.map(shown) {
        Some(claim) if !claim.is_empty() && claim != user => format!("{user} (says {claim})"),
        _ => user,
    }
}

/// The name in a file of users (passwd(5)); users of a directory are not there.
fn name(users: &Path, uid: u32) -> Option<String> {
    let users = std::fs::read_to_string(users).ok()?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let number = fields.nth(1)?.parse::<u32>().ok()?;
        (number == uid).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_named_by_the_machine_else_by_number() {
        let folder = tempfile::tempdir().unwrap();
        let users = folder.path().join("passwd");
        let text = "root:x:0:0:root:/root:/bin/sh\n\n+\nada:x:1000:1000:,,,:/:/bin/sh\n";
        std::fs::write(&users, text).unwrap();
        assert_eq!(name(&users, 0).as_deref(), Some("root"));
        assert_eq!(name(&users, 1000).as_deref(), Some("ada"));
        assert_eq!(name(&users, 1001), None);
        assert_eq!(name(&folder.path().join("none"), 0), None);
        assert_eq!(described(1001, None, None), "uid 1001");
    }

    #[test]
    fn what_somebody_says_of_himself_is_a_remark() {
        let described = |claim| described(0, Some("root".into()), Some(claim));
        assert_eq!(described("root"), "root");
        assert_eq!(described(""), "root");
        assert_eq!(described("ada"), "root (says ada)");
        assert_eq!(described("a\u{1b}[2Jda"), "root (says a[2Jda)");
        assert_eq!(described(&"x".repeat(1000)).len(), "root (says )".len() + 64);
    }
}
