//! Reading a file that a user named: never a pipe or a device, which may never end, or never begin.

use std::{
    fs::File,
    io::{self, Read as _},
    path::Path,
};

/// The largest file that is read as text, in bytes.
pub const LARGEST: u64 = 16 << 20;

/// Whether a path is a file that can be read to its end.
///
/// # Errors
///
/// When nothing is there, or something else.
pub fn expect_file(path: &Path) -> io::Result<()> {
    let metadata = path.metadata()?;
    if metadata.is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::IsADirectory,
            "it is a directory",
        ));
    }
    if !metadata.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    Ok(())
}

/// The bytes of a file, at most `largest`.
///
/// # Errors
///
/// When it cannot be read, is no regular file, or is larger.
pub fn read_bytes(path: &Path, largest: u64) -> io::Result<Vec<u8>> {
    expect_file(path)?;
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

/// The bytes of a file of OpenSSH's, at most [`LARGEST`]. `/dev/null` is empty: people name it to have none.
///
/// # Errors
///
/// As [`read_bytes`].
pub fn read_or_null(path: &Path) -> io::Result<Vec<u8>> {
    if path == Path::new("/dev/null") {
        return Ok(Vec::new());
    }
    read_bytes(path, LARGEST)
}

/// The text of a file, at most [`LARGEST`].
///
/// # Errors
///
/// Also when it is not UTF-8.
pub fn read_text(path: &Path) -> io::Result<String> {
    String::from_utf8(read_bytes(path, LARGEST)?)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}
