//! Source files fit a reader: 300 lines as a rule, 500 at most.

use anyhow::Result;

use crate::tree;

const RULE: usize = 300;
const MOST: usize = 500;

/// Files over the most are faults; those over the rule are only named.
pub(crate) fn faults() -> Result<Vec<String>> {
    let mut faults = Vec::new();
    let mut long = 0;
    for file in tree::files()? {
        if !(file.has_extension("rs") || file.has_extension("py")) {
            continue;
        }
        let lines = file.lines().count();
        if lines > MOST {
            faults.push(format!("lengths: {} has {lines} lines, over {MOST}", file.path));
        } else if lines > RULE {
            println!("note: {} has {lines} lines, over {RULE}", file.path);
            long += 1;
        }
    }
    println!("note: {long} files are longer than {RULE} lines");
    Ok(faults)
}
