//! Files that the program writes about itself, committed so that they can be read without building.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::tree;

/// Where they lie in the repository.
const FOLDER: &str = "docs/reference";

pub(crate) fn write(program: &str) -> Result<()> {
    documents(program, &tree::root()?.join(FOLDER))
}

pub(crate) fn faults(program: &str) -> Result<Vec<String>> {
    let root = tree::root()?;
    let fresh = root.join("target/generated");
    if fresh.exists() {
        fs::remove_dir_all(&fresh)?;
    }
    documents(program, &fresh)?;
    let mut faults = Vec::new();
    for file in fs::read_dir(&fresh)? {
        let file = file?;
        let name = file.file_name();
        let committed = fs::read(root.join(FOLDER).join(&name)).unwrap_or_default();
        if committed != fs::read(file.path())? {
            let name = name.to_string_lossy();
            faults.push(format!("generated: {FOLDER}/{name} is out of date: just generate"));
        }
    }
    ensure!(fresh.read_dir()?.next().is_some(), "{program} wrote no documents");
    Ok(faults)
}

fn documents(program: &str, folder: &Path) -> Result<()> {
    let output = Command::new(program).args(["config", "documents"]).arg(folder).output();
    let output = output.with_context(|| format!("{program} config documents"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program} config documents: {}", said.trim());
    Ok(())
}
