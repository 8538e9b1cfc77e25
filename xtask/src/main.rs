//! Checks of the tree that the compiler cannot make, and the files generated from the program.
//!
//! Not here: anything that builds, tests or lints code; `./check` calls those tools itself.

mod directions;
mod generated;
mod lengths;
mod tree;
mod words;

use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "usage: cargo xtask <command>
  check                  directions, lengths and words, one after the other
  directions             which crate may depend on which, and on what from outside
  lengths                source files that are too long
  words                  words, addresses and paths that do not belong into the tree
  generate <lanyard>     write the files that the program describes itself with
  generated <lanyard>    fail when one of those files is out of date";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<()> {
    match arguments {
        ["check"] => {
            let faults = [directions::faults()?, lengths::faults()?, words::faults()?];
            report(&faults.concat())
        }
        ["directions"] => report(&directions::faults()?),
        ["lengths"] => report(&lengths::faults()?),
        ["words"] => report(&words::faults()?),
        ["generate", program] => generated::write(program),
        ["generated", program] => report(&generated::faults(program)?),
        _ => bail!("{USAGE}"),
    }
}

fn report(faults: &[String]) -> Result<()> {
    for fault in faults {
        println!("{fault}");
    }
    match faults.len() {
        0 => Ok(()),
        1 => bail!("1 fault"),
        many => bail!("{many} faults"),
    }
}
