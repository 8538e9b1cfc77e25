//! A zip archive of one file, stored as it is.

/// An archive with one file in it.
pub(super) fn stored(name: &str, content: &[u8]) -> Vec<u8> {
    let (crc, size) = (crc32(content), u32::try_from(content.len()).unwrap_or(u32::MAX));
    let name_length = u16::try_from(name.len()).unwrap_or(u16::MAX);
    // What the local header and the directory say alike: version 2.0, no flags, stored, dated
    // 1980-01-01 00:00, which is the first day that the format knows.
    let mut common = Vec::new();
    for field in [20_u16, 0, 0, 0, 0x21] {
        common.extend(field.to_le_bytes());
    }
    for field in [crc, size, size] {
        common.extend(field.to_le_bytes());
    }
    common.extend(name_length.to_le_bytes());
    common.extend(0_u16.to_le_bytes());

    let mut archive = b"PK\x03\x04".to_vec();
    archive.extend(&common);
    archive.extend(name.as_bytes());
    archive.extend(content);
    let directory_at = archive.len();
    archive.extend(b"PK\x01\x02");
    archive.extend(20_u16.to_le_bytes());
    archive.extend(&common);
    archive.extend([0; 14]);
    archive.extend(name.as_bytes());
    let directory = archive.len() - directory_at;
    archive.extend(b"PK\x05\x06");
    for field in [0_u16, 0, 1, 1] {
        archive.extend(field.to_le_bytes());
    }
    for field in [directory, directory_at] {
        archive.extend(u32::try_from(field).unwrap_or(u32::MAX).to_le_bytes());
    }
    archive.extend([0; 2]);
    archive
}

/// The checksum of zip (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_iso_3309() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
