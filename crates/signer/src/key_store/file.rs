//! Files that only their owner may read, and that come into being whole or not at all.
//!
//! What is in them is not known here.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::error::KeyStoreError;
use super::name::KeyName;
use crate::random;

const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;

/// Makes a folder for its owner alone; one that is there must not be writable by others.
pub(super) fn make_folder(folder: &Path) -> Result<(), KeyStoreError> {
    let outcome = DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder);
    outcome.map_err(|fault| io_error(folder, "made", fault))?;
    let about = fs::metadata(folder).map_err(|fault| io_error(folder, "read", fault))?;
    let mode = about.permissions().mode() & 0o777;
    if mode & 0o022 != 0 {
        return Err(KeyStoreError::TooOpen { path: folder.to_owned(), mode, wanted: FOLDER_MODE });
    }
    Ok(())
}

/// Reads a file that only its owner may read.
pub(super) fn read(path: &Path) -> Result<Zeroizing<String>, KeyStoreError> {
    let fault = |fault: io::Error| match fault.kind() {
        io::ErrorKind::NotFound => KeyStoreError::Missing(path.to_owned()),
        io::ErrorKind::InvalidData => KeyStoreError::Damaged(path.to_owned()),
        _ => io_error(path, "read", fault),
    };
    let mut file = File::open(path).map_err(fault)?;
    let mode = file.metadata().map_err(fault)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(KeyStoreError::TooOpen { path: path.to_owned(), mode, wanted: FILE_MODE });
    }
    let mut text = Zeroizing::new(String::new());
    io::Read::read_to_string(&mut file, &mut text).map_err(fault)?;
    Ok(text)
}

/// Writes a new file, durably: it is there as a whole when this returns, or not at all.
pub(super) fn create(path: &Path, contents: &[u8]) -> Result<(), KeyStoreError> {
    let temporary = write_beside(path, contents)?;
    // A link, unlike a rename, fails if the name is taken.
    let linked = fs::hard_link(&temporary, path);
    let cleared = fs::remove_file(&temporary);
    linked.map_err(|fault| match fault.kind() {
        io::ErrorKind::AlreadyExists => KeyStoreError::Exists(path.to_owned()),
        _ => io_error(path, "written", fault),
    })?;
    cleared.map_err(|fault| io_error(&temporary, "removed", fault))?;
    sync_folder(path)
}

/// Replaces a file, durably: at every instant the old or the new one is there as a whole.
pub(super) fn replace(path: &Path, contents: &[u8]) -> Result<(), KeyStoreError> {
    let temporary = write_beside(path, contents)?;
    fs::rename(&temporary, path).map_err(|fault| io_error(path, "replaced", fault))?;
    sync_folder(path)
}

/// Deletes a file, durably.
pub(super) fn remove(path: &Path) -> Result<(), KeyStoreError> {
    fs::remove_file(path).map_err(|fault| match fault.kind() {
        io::ErrorKind::NotFound => KeyStoreError::Missing(path.to_owned()),
        _ => io_error(path, "removed", fault),
    })?;
    sync_folder(path)
}

/// The names of the files with this extension, in order; others are passed over.
pub(super) fn names(folder: &Path, extension: &str) -> Result<Vec<KeyName>, KeyStoreError> {
    let fault = |fault| io_error(folder, "read", fault);
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        if path.extension().is_some_and(|found| found == extension) {
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            names.extend(stem.and_then(|stem| KeyName::new(stem).ok()));
        }
    }
    names.sort();
    Ok(names)
}

fn write_beside(path: &Path, contents: &[u8]) -> Result<PathBuf, KeyStoreError> {
    let random = random::octets::<8>().map_err(|_| KeyStoreError::NoRandomness)?;
    let temporary = path.with_extension(format!("{:016x}.new", u64::from_be_bytes(*random)));
    let written = write(&temporary, contents);
    if let Err(fault) = written {
        // What is left of the attempt is of no use; that it cannot be removed either adds nothing
        // to the fault.
        let _ = fs::remove_file(&temporary);
        return Err(io_error(&temporary, "written", fault));
    }
    Ok(temporary)
}

fn write(path: &Path, contents: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path)?;
    file.write_all(contents)?;
    file.sync_all()
}

fn sync_folder(path: &Path) -> Result<(), KeyStoreError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|fault| io_error(folder, "written", fault))
}

fn io_error(path: &Path, act: &'static str, fault: io::Error) -> KeyStoreError {
    KeyStoreError::Io { path: path.to_owned(), act, fault }
}
