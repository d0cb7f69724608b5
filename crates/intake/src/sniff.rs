//! What a file is, from its first bytes, so that a wrong file is refused with
//! a sentence and not read as a million bad rows.

use crate::problem::Refused;

/// Refuses archives, spreadsheets, UTF-16 and other binary content. Nothing is
/// ever unpacked here, so a compressed bomb has nowhere to go off.
pub(crate) fn expect_text(head: &[u8]) -> Result<(), Refused> {
    const MAGIC: [(&[u8], &str); 9] = [
        (b"PK\x03\x04", "a ZIP archive (or a spreadsheet, which is one)"),
        (b"\x1f\x8b", "gzip-compressed"),
        (b"\x28\xb5\x2f\xfd", "zstd-compressed"),
        (b"BZh", "bzip2-compressed"),
        (b"\xfd7zXZ", "xz-compressed"),
        (b"7z\xbc\xaf", "a 7-Zip archive"),
        (b"%PDF", "a PDF"),
        (b"SQLite format 3", "an SQLite database"),
        (b"PAR1", "a Parquet file"),
    ];
    for (magic, what) in MAGIC {
        if head.starts_with(magic) {
            return Err(Refused::Content(format!(
                "this is {what}, not text; unpack or export it first (nothing is unpacked here, \
                 so that a small file cannot grow into a huge one)"
            )));
        }
    }
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return Err(Refused::Content("this is UTF-16; save it as UTF-8".to_owned()));
    }
    if head.contains(&0) {
        return Err(Refused::Content(
            "this holds zero bytes, so it is not text in UTF-8".to_owned(),
        ));
    }
    if head.trim_ascii_start().starts_with(b"<") {
        let reason = "this is HTML or XML; perhaps an error page was saved in place of the data";
        return Err(Refused::Content(reason.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_kinds_are_named() {
        for (head, word) in [
            (&b"PK\x03\x04rest"[..], "ZIP"),
            (b"\x1f\x8b\x08", "gzip"),
            (b"\xff\xfel\0a\0", "UTF-16"),
            (b"lat\0lon", "zero bytes"),
            (b"  <!DOCTYPE html>", "HTML"),
        ] {
            let error = expect_text(head).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
        expect_text("широта,довгота\n".as_bytes()).unwrap();
        expect_text(b"").unwrap();
    }
}
