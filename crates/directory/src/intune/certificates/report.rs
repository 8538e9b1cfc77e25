//! Reading the report `AllDeviceCertificates`: a CSV file, alone or in a ZIP archive.
//!
//! The file may be large and comes from a place that is not trusted to be brief: it lies on the
//! disk, is read row by row, and nothing in it makes memory grow.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::ControlFlow;

use csv::{ByteRecord, ReaderBuilder};
use rawzip::{CompressionMethod, RECOMMENDED_BUFFER_SIZE, ZipArchive};
use tokio::sync::mpsc;

use super::record::{CertificateRecord, CertificateStatus, object, said, thumbprint, time};
use crate::intune::revocation::read_serial;

/// A row longer than this is none.
const LONGEST_ROW: u64 = 1 << 20;
/// An archive with more files than this is not the report.
const MOST_FILES: u64 = 100;
/// Rows handed over at a time.
const BATCH: usize = 500;

/// A report that was downloaded.
#[derive(Debug)]
pub struct Report {
    file: File,
    most_octets: u64,
}

/// The report cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// Not the form that is known.
    #[error("the report of certificates cannot be read: {0}")]
    Unreadable(&'static str),
    /// It is longer than allowed, or one of its rows is.
    #[error("the report of certificates is longer than allowed")]
    TooLong,
    /// The disk, or what lies on it.
    #[error("the report of certificates cannot be read: {0}")]
    Io(#[source] io::Error),
}

impl Report {
    /// A report in a file that nothing else uses. Unpacked it may be as long as `most_octets`.
    pub fn new(file: File, most_octets: u64) -> Self {
        Self { file, most_octets }
    }

    /// Reads it on a thread for blocking work. Receives as fast as the reader of the channel takes;
    /// an error is the last thing received, and its absence means that the report was complete.
    pub fn receive(self) -> mpsc::Receiver<Result<Vec<CertificateRecord>, ReportError>> {
        let (sender, receiver) = mpsc::channel(2);
        tokio::task::spawn_blocking(move || {
            let mut batch = Vec::with_capacity(BATCH);
            let read = self.each(|record| {
                batch.push(record);
                if batch.len() < BATCH {
                    return ControlFlow::Continue(());
                }
                match sender.blocking_send(Ok(std::mem::take(&mut batch))) {
                    Ok(()) => ControlFlow::Continue(()),
                    Err(_) => ControlFlow::Break(()),
                }
            });
            // Whoever asked may have lost interest; then nobody is there to be told.
            let _ = match read {
                Ok(()) if batch.is_empty() => Ok(()),
                Ok(()) => sender.blocking_send(Ok(batch)),
                Err(error) => sender.blocking_send(Err(error)),
            };
        });
        receiver
    }

    /// Gives each row to `visit`, until it breaks off. Blocks.
    pub fn each(
        mut self,
        visit: impl FnMut(CertificateRecord) -> ControlFlow<()>,
    ) -> Result<(), ReportError> {
        let mut start = [0; 4];
        self.file.seek(SeekFrom::Start(0)).map_err(ReportError::Io)?;
        let read = self.file.read(&mut start).map_err(ReportError::Io)?;
        self.file.seek(SeekFrom::Start(0)).map_err(ReportError::Io)?;
        match start.get(..read) {
            Some(b"PK\x03\x04" | b"PK\x05\x06") => unpack(self.file, self.most_octets, visit),
            _ => rows(self.file, self.most_octets, visit),
        }
    }
}

/// The one CSV file of an archive.
fn unpack(
    file: File,
    most_octets: u64,
    visit: impl FnMut(CertificateRecord) -> ControlFlow<()>,
) -> Result<(), ReportError> {
    const BROKEN: ReportError = ReportError::Unreadable("the archive is broken");
    let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
    let archive = ZipArchive::from_file(file, &mut buffer).map_err(|_| BROKEN)?;
    let mut entries = archive.entries(&mut buffer);
    let mut found = None;
    let mut seen = 0;
    while let Some(entry) = entries.next_entry().map_err(|_| BROKEN)? {
        seen += 1;
        if seen > MOST_FILES {
            return Err(ReportError::Unreadable("the archive has too many files"));
        }
        let path = entry.file_path();
        let name: &[u8] = path.as_ref();
        if name.len() > 4 && name[name.len() - 4..].eq_ignore_ascii_case(b".csv") {
            if found.is_some() {
                return Err(ReportError::Unreadable("the archive has more than one CSV file"));
            }
            found = Some((entry.wayfinder(), entry.compression_method()));
        }
    }
    let Some((wayfinder, method)) = found else {
        return Err(ReportError::Unreadable("the archive has no CSV file"));
    };
    let entry = archive.get_entry(wayfinder).map_err(|_| BROKEN)?;
    match method {
        CompressionMethod::STORE => {
            rows(entry.verifying_reader(entry.reader()), most_octets, visit)
        }
        CompressionMethod::DEFLATE => {
            let inflated = flate2::read::DeflateDecoder::new(entry.reader());
            rows(entry.verifying_reader(inflated), most_octets, visit)
        }
        _ => Err(ReportError::Unreadable("the archive is packed in an unknown way")),
    }
}

/// The rows of a CSV file whose first row names the columns.
fn rows(
    file: impl Read,
    most_octets: u64,
    mut visit: impl FnMut(CertificateRecord) -> ControlFlow<()>,
) -> Result<(), ReportError> {
    let row_budget = Cell::new(LONGEST_ROW);
    let bounded = Bounded { inner: file, row: &row_budget, left: most_octets };
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bounded);
    let mut row = ByteRecord::new();
    if !reader.read_byte_record(&mut row).map_err(|error| fault(&error))? {
        return Err(ReportError::Unreadable("it is empty"));
    }
    let columns = Columns::new(&row)?;
    loop {
        row_budget.set(LONGEST_ROW);
        if !reader.read_byte_record(&mut row).map_err(|error| fault(&error))? {
            return Ok(());
        }
        if visit(columns.record(&row)).is_break() {
            return Ok(());
        }
    }
}

fn fault(error: &csv::Error) -> ReportError {
    match error.kind() {
        csv::ErrorKind::Io(error) if error.kind() == io::ErrorKind::FileTooLarge => {
            ReportError::TooLong
        }
        csv::ErrorKind::Io(error) => {
            ReportError::Io(io::Error::new(error.kind(), error.to_string()))
        }
        _ => ReportError::Unreadable("it is not CSV"),
    }
}

/// Ends what is read when a row, or all of it, grows too long.
struct Bounded<'a, R> {
    inner: R,
    row: &'a Cell<u64>,
    left: u64,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let octets = u64::try_from(read).unwrap_or(u64::MAX);
        let (Some(row), Some(left)) =
            (self.row.get().checked_sub(octets), self.left.checked_sub(octets))
        else {
            return Err(io::ErrorKind::FileTooLarge.into());
        };
        self.row.set(row);
        self.left = left;
        Ok(read)
    }
}

/// Where each column is.
struct Columns {
    serial: Option<usize>,
    thumbprint: Option<usize>,
    status: Option<usize>,
    device: Option<usize>,
    device_name: Option<usize>,
    user: Option<usize>,
    user_principal_name: Option<usize>,
    subject: Option<usize>,
    issuer: Option<usize>,
    not_after: Option<usize>,
}

impl Columns {
    fn new(header: &ByteRecord) -> Result<Self, ReportError> {
        let at = |name: &str| {
            header.iter().position(|column| {
                let column = column.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(column);
                column.trim_ascii().eq_ignore_ascii_case(name.as_bytes())
            })
        };
        let columns = Self {
            serial: at("SerialNumber"),
            thumbprint: at("Thumbprint"),
            status: at("CertificateStatus"),
            device: at("DeviceId"),
            device_name: at("DeviceName"),
            user: at("UserId"),
            user_principal_name: at("UPN"),
            subject: at("SubjectName"),
            issuer: at("IssuerName"),
            not_after: at("ValidTo"),
        };
        if columns.serial.is_none() && columns.thumbprint.is_none() {
            return Err(ReportError::Unreadable("it has neither SerialNumber nor Thumbprint"));
        }
        Ok(columns)
    }

    fn record(&self, row: &ByteRecord) -> CertificateRecord {
        let field = |at: Option<usize>| {
            let octets = at.and_then(|at| row.get(at))?;
            said(Some(String::from_utf8_lossy(octets).into_owned()))
        };
        CertificateRecord {
            serial: field(self.serial).as_deref().and_then(read_serial),
            thumbprint: field(self.thumbprint).as_deref().and_then(thumbprint),
            status: CertificateStatus::from(field(self.status).unwrap_or_default().as_str()),
            status_since: None,
            device: field(self.device).as_deref().and_then(object),
            device_name: field(self.device_name),
            user: field(self.user).as_deref().and_then(object),
            user_principal_name: field(self.user_principal_name),
            subject: field(self.subject),
            issuer: field(self.issuer),
            not_after: field(self.not_after).as_deref().and_then(time),
        }
    }
}

#[cfg(test)]
mod tests;
