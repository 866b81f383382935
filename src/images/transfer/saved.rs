//! An image in a temporary file of the deployer's machine.

use std::{io, time::Duration};

use tempfile::TempPath;

use crate::docker::Archive;

/// How long a transfer may stand still. Its ends count too: before the first byte, the docker of a host that saves
/// an image writes it to its own disk, and after the last byte, that of a host that loads one unpacks it. Both are
/// silent meanwhile.
pub const STALL: Duration = Duration::from_secs(5 * 60);

/// How much is read and compressed at a time, in bytes.
pub const BLOCK: usize = 256 * 1024;

/// A saved image. The file is removed when this value is dropped.
pub struct SavedImage {
    /// The archive of `docker save`, not compressed.
    pub path: TempPath,
    /// What is in it, and where.
    pub archive: Archive,
}

impl SavedImage {
    /// Reads what is in an archive.
    pub async fn read(path: TempPath) -> io::Result<Self> {
        let opened = path.to_path_buf();
        let read = tokio::task::spawn_blocking(move || {
            Archive::read(std::io::BufReader::new(std::fs::File::open(opened)?))
        });
        let archive = read.await.map_err(io::Error::other)??;
        Ok(Self { path, archive })
    }
}

/// An empty temporary file.
pub fn temporary() -> io::Result<TempPath> {
    let file = tempfile::Builder::new()
        .prefix("shipit-image-")
        .tempfile()?;
    Ok(file.into_temp_path())
}

/// A size as it is shown: `12.3 MB`.
#[expect(clippy::cast_precision_loss, reason = "it is shown with one decimal")]
pub fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}
