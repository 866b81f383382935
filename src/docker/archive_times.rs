//! The times in an archive of `docker save`, which are not the image's.
//!
//! Docker 25 to 28 write the time of the call on the folder of the blobs, and older ones on links, so that two archives
//! of one image differ. A transfer that is cut off goes on in a later run only if the archive has the same bytes again.

use std::io::{self, Read, Seek, SeekFrom, Write};

use super::{archive::MOST_ENTRIES, archive_identity::wrong};

/// The longest name that an entry may have, and the longest extension of its header, in bytes. Linux has no path of more
/// than 4,096.
const LONGEST_NAME: u64 = 64 * 1024;

/// Sets the time of every entry to zero. `docker load` reads none of them. An archive that no docker writes is refused: it
/// comes from a host, and its headers are kept.
pub fn clear_times(mut archive: impl Read + Write + Seek) -> io::Result<()> {
    archive.rewind()?;
    let mut headers = Vec::new();
    for entry in tar::Archive::new(&mut archive)
        .entries_with_seek()?
        .raw(true)
    {
        let entry = entry?;
        let kind = entry.header().entry_type();
        let is_file = kind.is_file() || kind.is_contiguous();
        if headers.len() >= MOST_ENTRIES {
            return Err(wrong("it has too many files"));
        }
        if !is_file && entry.size() > LONGEST_NAME {
            return Err(wrong("one of its names is too long"));
        }
        headers.push((entry.raw_header_position(), entry.header().clone()));
    }
    for (place, mut header) in headers {
        header.set_mtime(0);
        header.set_cksum();
        archive.seek(SeekFrom::Start(place))?;
        archive.write_all(header.as_bytes())?;
    }
    archive.rewind()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    /// An archive with a folder, a file with a long name in it, and a link to that, saved at this time.
    fn saved_at(time: u64) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        let long = format!("blobs/{}", "0123456789".repeat(12));
        for (path, kind, content) in [
            ("blobs/", tar::EntryType::Directory, ""),
            (&*long, tar::EntryType::Regular, "layer"),
            ("again", tar::EntryType::Symlink, ""),
        ] {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(kind);
            header.set_size(content.len() as u64);
            header.set_mtime(time);
            header.set_cksum();
            let appended = if kind == tar::EntryType::Symlink {
                builder.append_link(&mut header, path, &long)
            } else {
                builder.append_data(&mut header, path, content.as_bytes())
            };
            appended.expect("appended");
        }
        builder.into_inner().expect("an archive")
    }

    #[test]
    fn an_image_that_is_saved_twice_is_the_same_archive() {
        let settled = |time| {
            let mut archive = Cursor::new(saved_at(time));
            clear_times(&mut archive).expect("an archive");
            archive.into_inner()
        };
        assert_ne!(saved_at(1_700_000_000), saved_at(1_700_000_001));
        assert_eq!(settled(1_700_000_000), settled(1_700_000_001));
    }

    #[test]
    fn nothing_but_times_is_changed() {
        let mut archive = Cursor::new(saved_at(1_700_000_000));
        clear_times(&mut archive).expect("an archive");
        assert_eq!(archive.into_inner(), saved_at(0));
    }

    #[test]
    fn an_archive_of_nothing_but_names_is_refused() {
        let header = |kind: tar::EntryType, size: u64| {
            let mut header = tar::Header::new_gnu();
            header.set_path("x").expect("a path");
            header.set_entry_type(kind);
            header.set_size(size);
            header.set_cksum();
            header.as_bytes().to_vec()
        };
        let refused = |archive: Vec<u8>| {
            let refused = clear_times(Cursor::new(archive)).expect_err("no image");
            refused.to_string()
        };
        let folders = header(tar::EntryType::Directory, 0).repeat(MOST_ENTRIES + 1);
        assert!(refused(folders).contains("too many files"));
        let long = header(tar::EntryType::GNULongName, LONGEST_NAME + 1);
        let archive = [long, vec![b'x'; 2 * 65_536]].concat();
        assert!(refused(archive).contains("too long"));
    }

    #[test]
    fn what_is_no_archive_is_refused() {
        let no_archive = Cursor::new(b"not a tar".repeat(100));
        assert!(clear_times(no_archive).is_err());
    }
}
