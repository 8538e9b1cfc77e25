use std::io::Write;

use super::*;

const HEADER: &str = "CertificateStatus,DeviceId,DeviceName,EnhancedKeyUsage,IssuerName,KeyUsage,\
    PolicyId,SerialNumber,SubjectName,Thumbprint,UPN,UserId,ValidFrom,ValidTo";
const DEVICE: &str = "0f8fad5b-d9cb-469f-a165-70867728950e";

fn row(serial: usize) -> String {
    format!(
        "Issued,{DEVICE},\"laptop, second\",1.3.6.1.5.5.7.3.2,CN=Example,160,p,{serial:040X},\
         \"CN=\"\"x\"\"\",,ada@example.org,,2026-01-01 00:00:00.0000000,2027-01-01 00:00:00.0000000"
    )
}

fn file(octets: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(octets).unwrap();
    file
}

fn zip(name: &str, contents: &[u8], method: CompressionMethod) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut archive = rawzip::ZipArchiveWriter::new(&mut octets);
    let (mut entry, config) = archive.new_file(name).compression_method(method).start().unwrap();
    let descriptor = if method == CompressionMethod::DEFLATE {
        let packer = flate2::write::DeflateEncoder::new(&mut entry, flate2::Compression::fast());
        let mut writer = config.wrap(packer);
        writer.write_all(contents).unwrap();
        let (packer, descriptor) = writer.finish().unwrap();
        packer.finish().unwrap();
        descriptor
    } else {
        let mut writer = config.wrap(&mut entry);
        writer.write_all(contents).unwrap();
        writer.finish().unwrap().1
    };
    entry.finish(descriptor).unwrap();
    archive.finish().unwrap();
    octets
}

fn read(octets: &[u8]) -> Result<Vec<CertificateRecord>, ReportError> {
    let mut records = Vec::new();
    Report::new(file(octets), 1 << 30).each(|record| {
        records.push(record);
        ControlFlow::Continue(())
    })?;
    Ok(records)
}

fn refusal(octets: &[u8]) -> String {
    read(octets).unwrap_err().to_string()
}

#[test]
fn a_report_is_read_plain_and_from_an_archive() {
    let text = format!("\u{feff}{HEADER}\r\n{}\r\n{}\r\n", row(1), row(2));
    let plain = read(text.as_bytes()).unwrap();
    assert_eq!(plain.len(), 2);
    assert_eq!(plain[1].serial, "02".parse().ok());
    assert_eq!(plain[0].device, DEVICE.parse().ok());
    assert_eq!(plain[0].device_name.as_deref(), Some("laptop, second"));
    assert_eq!(plain[0].subject.as_deref(), Some("CN=\"x\""));
    assert_eq!(plain[0].status, CertificateStatus::Issued);
    assert_eq!((plain[0].thumbprint, plain[0].user), (None, None));
    assert_eq!(plain[0].not_after, "2027-01-01T00:00:00Z".parse().ok());
    for method in [CompressionMethod::STORE, CompressionMethod::DEFLATE] {
        let name = "AllDeviceCertificates_0f8fad5b.CSV";
        assert_eq!(read(&zip(name, text.as_bytes(), method)).unwrap(), plain);
    }
}

#[test]
fn columns_may_come_in_any_order_and_rows_may_be_short() {
    let records = read(b"upn,SERIALNUMBER\nada@example.org,0A\nbob@example.org\n\n").unwrap();
    assert_eq!(records.len(), 2);
    assert_eq!(records[0].serial, "0A".parse().ok());
    assert_eq!(records[1].serial, None);
}

#[test]
fn what_is_no_report_is_refused_in_words() {
    let text = format!("{HEADER}\n{}\n", row(1));
    assert!(refusal(b"").contains("it is empty"));
    assert!(refusal(b"<html><body>Sign in</body></html>").contains("neither SerialNumber"));
    assert!(refusal(b"{\"values\":[]}").contains("neither SerialNumber"));
    assert!(refusal(b"PK\x03\x04 and then nothing").contains("broken"));
    let readme = zip("readme.txt", text.as_bytes(), CompressionMethod::STORE);
    assert!(refusal(&readme).contains("no CSV"));
    let packed = zip("a.csv", text.repeat(50).as_bytes(), CompressionMethod::DEFLATE);
    assert!(read(&packed[..packed.len() / 2]).is_err());
}

#[test]
fn an_altered_archive_is_not_taken_for_a_complete_report() {
    let text = format!("{HEADER}\n{}\n", row(1));
    let mut packed = zip("a.csv", text.as_bytes(), CompressionMethod::STORE);
    let at = packed.windows(6).position(|octets| octets == b"laptop").unwrap();
    packed[at] = b'L';
    assert!(matches!(read(&packed), Err(ReportError::Io(_))));
}

#[test]
fn a_report_that_unpacks_to_too_much_is_refused() {
    let text = format!("{HEADER}\n{}", format!("{}\n", row(7)).repeat(20_000));
    let packed = zip("a.csv", text.as_bytes(), CompressionMethod::DEFLATE);
    assert!(packed.len() < text.len() / 20);
    let read = Report::new(file(&packed), 1 << 20).each(|_| ControlFlow::Continue(()));
    assert!(matches!(read, Err(ReportError::TooLong)));
}

#[test]
fn a_row_without_end_is_refused() {
    let text = format!("{HEADER}\n\"{}", "x\n".repeat(1 << 20));
    assert!(matches!(read(text.as_bytes()), Err(ReportError::TooLong)));
}

#[tokio::test]
async fn a_report_arrives_in_batches_and_its_end_is_known() {
    let rows = (0..1201).map(row).collect::<Vec<_>>().join("\n");
    let mut batches = Report::new(file(format!("{HEADER}\n{rows}").as_bytes()), 1 << 30).receive();
    let mut sizes = Vec::new();
    while let Some(batch) = batches.recv().await {
        sizes.push(batch.unwrap().len());
    }
    assert_eq!(sizes, [500, 500, 201]);
    let mut batches = Report::new(file(b"no report"), 1 << 30).receive();
    assert!(batches.recv().await.unwrap().is_err());
    assert!(batches.recv().await.is_none());
}

#[test]
fn whoever_has_enough_may_stop() {
    let text = format!("{HEADER}\n{}\n{}\n", row(1), row(2));
    let mut seen = 0;
    Report::new(file(text.as_bytes()), 1 << 30)
        .each(|_| {
            seen += 1;
            ControlFlow::Break(())
        })
        .unwrap();
    assert_eq!(seen, 1);
}
