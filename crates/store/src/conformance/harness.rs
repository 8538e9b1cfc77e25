//! The little that a test program with a `main` of its own needs, so that `cargo test` and
//! `cargo nextest` can list it, filter it and count it: the program is one test with many parts.

use std::{fmt::Display, process::ExitCode};

/// A test program that runs.
#[derive(Debug)]
pub struct Harness {
    name: &'static str,
    filter: Option<String>,
    passed: usize,
    failed: usize,
    passed_over: usize,
}

impl Harness {
    /// Reads the command line; `None` if the program was only asked what tests it has, which is
    /// answered then.
    pub fn begin(name: &'static str) -> Option<Self> {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let has = |flag: &str| arguments.iter().any(|argument| argument == flag);
        if has("--list") {
            if !has("--ignored") {
                println!("{name}: test");
            }
            return None;
        }
        let filter = arguments.into_iter().find(|argument| !argument.starts_with('-'));
        let filter = filter.filter(|filter| filter != name);
        Some(Self { name, filter, passed: 0, failed: 0, passed_over: 0 })
    }

    /// False if the program was called with a text that the part's name does not contain.
    pub fn wants(&self, part: &str) -> bool {
        self.filter.as_ref().is_none_or(|filter| part.contains(filter.as_str()))
    }

    /// A number that the program was called with instead of a name.
    pub fn number(&self) -> Option<u64> {
        self.filter.as_ref()?.parse().ok()
    }

    /// Reports a part's end.
    pub fn ended<E: Display>(&mut self, part: &str, outcome: Result<(), E>) {
        match outcome {
            Ok(()) => {
                self.passed += 1;
                println!("test {part} ... ok");
            }
            Err(error) => {
                self.failed += 1;
                println!("test {part} ... FAILED\n{error}");
            }
        }
    }

    /// Reports a part that cannot run here, and why.
    pub fn pass_over(&mut self, part: &str, why: &str) {
        self.passed_over += 1;
        println!("test {part} ... SKIPPED: {why}");
    }

    /// Reports the program's end.
    pub fn end(self) -> ExitCode {
        let Self { name, passed, failed, passed_over, .. } = self;
        let (result, code) =
            if failed == 0 { ("ok", ExitCode::SUCCESS) } else { ("FAILED", ExitCode::FAILURE) };
        println!(
            "\ntest result: {result}. {passed} passed; {failed} failed; {passed_over} ignored; \
             0 measured; 0 filtered out ({name})"
        );
        code
    }
}
