//! Reading a file that a user named.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

/// The largest file of a project that is read as TOML or as a template.
const LARGEST: u64 = 16 << 20;

/// The bytes of a file, at most `largest`. A pipe or a device may never end, or never begin.
///
/// # Errors
///
/// When it cannot be read, is no regular file, or is larger.
pub fn read_bytes(path: &Path, largest: u64) -> io::Result<Vec<u8>> {
    let metadata = path.metadata()?;
    if metadata.is_dir() {
        return Err(io::Error::other("it is a directory"));
    }
    if !metadata.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    let limit = largest.saturating_add(1);
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > largest {
        return Err(io::Error::other(format!(
            "it is larger than {} MiB",
            largest >> 20
        )));
    }
    Ok(bytes)
}

/// The same as text.
///
/// # Errors
///
/// Also when it is not UTF-8.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read_bytes(path, LARGEST)?)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}
