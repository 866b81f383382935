//! An image in a temporary file of the deployer's machine.

use std::{
    fs::File,
    io::{self, BufReader},
    sync::Arc,
    time::Duration,
};

use crate::docker::{self, Archive};

/// How long a transfer may stand still. Its ends count too: before the first byte, the docker of a host that saves
/// an image writes it to its own disk, and after the last byte, that of a host that loads one unpacks it. Both are
/// silent meanwhile.
pub const STALL: Duration = Duration::from_secs(5 * 60);

/// How much is read and compressed at a time, in bytes.
pub const BLOCK: usize = 256 * 1024;

/// A saved image.
pub struct SavedImage {
    /// The archive of `docker save`, not compressed. Several may read it at once, each at its own place.
    pub file: Arc<File>,
    /// What is in it, and where.
    pub archive: Archive,
}

impl SavedImage {
    /// Reads what is in an archive, and makes it the same one whenever the image is saved.
    pub async fn read(file: File) -> io::Result<Self> {
        let read = tokio::task::spawn_blocking(move || {
            docker::clear_times(&file)?;
            let archive = Archive::read(BufReader::new(&file))?;
            let file = Arc::new(file);
            Ok(Self { file, archive })
        });
        read.await.map_err(io::Error::other)?
    }
}

/// An empty temporary file. It has no name, so that its space is free when it is closed, also by a kill.
pub fn temporary() -> io::Result<File> {
    tempfile::tempfile()
}

/// A size as it is shown: `12.3 MB`.
#[expect(clippy::cast_precision_loss, reason = "it is shown with one decimal")]
pub fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn a_kill_leaves_no_file_behind() {
        let file = super::temporary().expect("a file");
        assert_eq!(file.metadata().expect("its metadata").nlink(), 0);
    }
}
