//! The passphrase that key files are encrypted with, and where it comes from.
//!
//! The environment is not read here: configuration hands its value in.

use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use zeroize::Zeroizing;

/// The longest passphrase that is read, in octets; a file beyond it is a mistake.
const MOST: u64 = 4096;

/// A passphrase: never empty, redacted, wiped when dropped.
#[derive(Clone)]
pub struct Passphrase(SecretString);

impl Passphrase {
    /// The passphrase in this text, without the line break at its end.
    pub fn new(text: &str) -> Result<Self, PassphraseError> {
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.is_empty() {
            return Err(PassphraseError::Empty);
        }
        Ok(Self(SecretString::from(text)))
    }

    pub(crate) fn octets(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(redacted)")
    }
}

/// Where the passphrase comes from.
#[derive(Debug, Clone, Default)]
pub enum PassphraseSource {
    /// There is none: key files are protected by their permissions alone.
    #[default]
    None,
    /// A file, its first and only line.
    File(PathBuf),
    /// A value that was handed in, from an environment variable as a rule.
    Value {
        /// Where it was found, for people.
        origin: String,
        /// The value.
        value: SecretString,
    },
    /// A systemd credential (`LoadCredential=`, `LoadCredentialEncrypted=`).
    Credential {
        /// The service's credentials directory, `$CREDENTIALS_DIRECTORY`.
        directory: PathBuf,
        /// The credential's name.
        name: String,
    },
}

/// Why there is no passphrase.
#[derive(Debug, thiserror::Error)]
pub enum PassphraseError {
    /// The text is empty.
    #[error("the passphrase is empty")]
    Empty,
    /// The file cannot be read.
    #[error("the passphrase file {} cannot be read: {fault}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        fault: io::Error,
    },
    /// The file is no single line of text.
    #[error("the passphrase file {} is not one line of text", .0.display())]
    NotText(PathBuf),
    /// Others may write to the file.
    #[error(
        "the passphrase file {} may be changed by others (mode {mode:03o}); remove that right",
        path.display()
    )]
    Writable {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
}

impl PassphraseSource {
    /// Reads the passphrase; none if there is no source.
    ///
    /// Containers mount secrets readable by everyone inside, so that only files that others may
    /// *write* are refused.
    pub fn read(&self) -> Result<Option<Passphrase>, PassphraseError> {
        match self {
            Self::None => Ok(None),
            Self::Value { value, .. } => Passphrase::new(value.expose_secret()).map(Some),
            Self::File(path) => read_file(path).map(Some),
            Self::Credential { directory, name } => read_file(&directory.join(name)).map(Some),
        }
    }
}

impl fmt::Display for PassphraseSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none: key files are protected by their permissions alone"),
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Value { origin, .. } => f.write_str(origin),
            Self::Credential { name, .. } => write!(f, "the systemd credential {name}"),
        }
    }
}

fn read_file(path: &Path) -> Result<Passphrase, PassphraseError> {
    let unreadable = |fault| PassphraseError::Unreadable { path: path.to_owned(), fault };
    let about = fs::metadata(path).map_err(unreadable)?;
    let mode = about.permissions().mode() & 0o777;
    if mode & 0o022 != 0 {
        return Err(PassphraseError::Writable { path: path.to_owned(), mode });
    }
    let not_text = || PassphraseError::NotText(path.to_owned());
    if about.len() > MOST {
        return Err(not_text());
    }
    let octets = Zeroizing::new(fs::read(path).map_err(unreadable)?);
    let passphrase = Passphrase::new(std::str::from_utf8(&octets).map_err(|_| not_text())?)?;
    if passphrase.octets().contains(&b'\n') {
        return Err(not_text());
    }
    Ok(passphrase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(contents: &[u8], mode: u32) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("passphrase");
        fs::write(&path, contents).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        (folder, path)
    }

    #[test]
    fn the_line_break_at_the_end_is_no_part_of_it() {
        for contents in [&b"open sesame"[..], b"open sesame\n", b"open sesame\r\n"] {
            let (_folder, path) = file(contents, 0o600);
            let read = PassphraseSource::File(path).read().unwrap().unwrap();
            assert_eq!(read.octets(), b"open sesame");
        }
    }

    #[test]
    fn a_credential_is_read_from_the_service_s_directory() {
        let (folder, _) = file(b"from systemd", 0o440);
        let directory = folder.path().to_owned();
        let source = PassphraseSource::Credential { directory, name: "passphrase".into() };
        assert_eq!(source.read().unwrap().unwrap().octets(), b"from systemd");
    }

    #[test]
    fn an_empty_or_binary_or_long_file_is_refused() {
        for contents in [&b""[..], b"\n", b"\xFF\xFE", b"two\nlines", &[b'a'; 5000]] {
            let (_folder, path) = file(contents, 0o600);
            assert!(PassphraseSource::File(path).read().is_err());
        }
        let value = SecretString::from("");
        let source = PassphraseSource::Value { origin: "LANYARD_PASSPHRASE".into(), value };
        assert!(matches!(source.read(), Err(PassphraseError::Empty)));
    }

    #[test]
    fn a_file_that_others_may_change_is_refused() {
        let (_folder, path) = file(b"secret", 0o666);
        let fault = PassphraseSource::File(path).read().unwrap_err().to_string();
        assert!(fault.contains("mode 666"), "{fault}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let fault = PassphraseSource::File("/nonexistent/passphrase".into()).read().unwrap_err();
        assert!(fault.to_string().contains("/nonexistent/passphrase"), "{fault}");
    }

    #[test]
    fn it_does_not_show() {
        let value = SecretString::from("open sesame");
        let source = PassphraseSource::Value { origin: "LANYARD_PASSPHRASE".into(), value };
        let shown = format!("{source:?} {source} {:?}", source.read().unwrap());
        assert!(!shown.contains("sesame"), "{shown}");
    }
}
