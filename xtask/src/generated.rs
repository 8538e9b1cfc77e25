//! Files that the program writes about itself, committed so that they can be read without building.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::tree;

/// Path in the repository, and the program's arguments that print it.
const FILES: &[(&str, &[&str])] = &[
    ("docs/reference/lanyard.example.toml", &["config", "example"]),
    ("docs/reference/configuration.schema.json", &["config", "schema"]),
    ("docs/reference/configuration.md", &["config", "reference"]),
];

pub(crate) fn write(program: &str) -> Result<()> {
    for (path, arguments) in FILES {
        let path = tree::root()?.join(path);
        fs::create_dir_all(path.parent().context("a file lies in a folder")?)?;
        fs::write(&path, printed(program, arguments)?)?;
    }
    Ok(())
}

pub(crate) fn faults(program: &str) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for (path, arguments) in FILES {
        let committed = fs::read(tree::root()?.join(path)).unwrap_or_default();
        if committed != printed(program, arguments)? {
            faults
                .push(format!("generated: {path} is out of date: cargo xtask generate {program}"));
        }
    }
    Ok(faults)
}

fn printed(program: &str, arguments: &[&str]) -> Result<Vec<u8>> {
    let shown = arguments.join(" ");
    let output = Command::new(program)
        .args(arguments)
        .current_dir(tree::root()?)
        .output()
        .with_context(|| format!("{program} {shown}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program} {shown}: {}", said.trim());
    Ok(output.stdout)
}
