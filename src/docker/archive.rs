//! Image archives as `docker save` writes them: which bytes a host still needs.
//!
//! `docker load` reads a layer's file only when it does not have that layer on top of the same layers
//! already, so the files of layers that a host has can be left out of the archive. (This holds for
//! daemons that keep layers in a storage driver. One that keeps images in containerd may want all files;
//! whoever sends a shortened archive must send the whole one when it is refused.)

use std::{
    collections::{BTreeSet, HashMap},
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
};

use serde::Deserialize;

use super::archive_identity::{identities, parse, wrong};

/// The places of the layers in an archive of one image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// Its whole length in bytes.
    length: u64,
    /// The digests of the layers' contents, lowest first: the image's `rootfs.diff_ids`.
    pub layers: Vec<String>,
    /// Each layer's file, in the same order: header, content and padding.
    files: Vec<Option<Range<u64>>>,
    /// The digests that are this image and no other: what its bytes say, whoever gave them.
    pub identities: BTreeSet<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Manifest {
    config: String,
    layers: Vec<String>,
}

#[derive(Deserialize)]
struct Config {
    rootfs: RootFs,
}

#[derive(Deserialize)]
struct RootFs {
    diff_ids: Vec<String>,
}

impl Archive {
    /// Finds the layers' places. The contents of layers are skipped, not read.
    pub fn read(mut archive: impl Read + Seek) -> io::Result<Self> {
        let length = archive.seek(SeekFrom::End(0))?;
        archive.rewind()?;
        let mut places = HashMap::new();
        let mut reader = tar::Archive::new(&mut archive);
        for entry in reader.entries_with_seek()? {
            let entry = entry?;
            let path = entry.path()?.to_string_lossy().into_owned();
            let (start, content, size) = (
                entry.raw_header_position(),
                entry.raw_file_position(),
                entry.size(),
            );
            let regular = entry.header().entry_type().is_file();
            let place = Place {
                start,
                content,
                size,
                regular,
            };
            // Docker unpacks the archive and so reads the last of two files with one path; others read the first.
            if regular && (places.contains_key(&path) || !is_plain(&path)) {
                return Err(wrong("two of its files may have one path"));
            }
            places.insert(path, place);
        }
        let manifests = bytes(&mut archive, places.get("manifest.json"))?;
        let manifests: Vec<Manifest> = parse(&manifests)?;
        let [manifest] = &manifests[..] else {
            return Err(wrong("it does not have exactly one image"));
        };
        let config = bytes(&mut archive, places.get(&manifest.config))?;
        let identities = identities(&config, &mut |path| {
            let place = places.get(path).filter(|place| place.regular);
            place.map(|_| bytes(&mut archive, place)).transpose()
        })?;
        let config: Config = parse(&config)?;
        let layers = config.rootfs.diff_ids;
        if layers.len() != manifest.layers.len() {
            return Err(wrong(
                "its manifest and its configuration have different layers",
            ));
        }
        let file = |path: &String| {
            // Docker writes a layer that occurs twice as a link to the first: then neither may be left out.
            let place = places.get(path).filter(|place| place.regular)?;
            let once = manifest
                .layers
                .iter()
                .filter(|other| *other == path)
                .count()
                == 1;
            once.then(|| place.start..place.end())
        };
        let mut files: Vec<_> = manifest.layers.iter().map(file).collect();
        if files.iter().any(Option::is_none) {
            files.fill(None);
        }
        Ok(Self {
            length,
            layers,
            files,
            identities,
        })
    }

    /// How many of the lowest layers a host has, given the layers of each of its images.
    pub fn known_layers(&self, images: &[Vec<String>]) -> usize {
        let shared = |image: &Vec<String>| {
            image
                .iter()
                .zip(&self.layers)
                .take_while(|(a, b)| a == b)
                .count()
        };
        images.iter().map(shared).max().unwrap_or(0)
    }

    /// The bytes of the archive without the files of its `known` lowest layers, as ranges in order.
    pub fn without(&self, known: usize) -> Vec<Range<u64>> {
        let mut left_out: Vec<_> = self.files.iter().take(known).flatten().cloned().collect();
        left_out.sort_by_key(|range| range.start);
        let mut kept = Vec::new();
        let mut position = 0;
        for range in left_out {
            if range.start > position {
                kept.push(position..range.start);
            }
            position = range.end;
        }
        if position < self.length {
            kept.push(position..self.length);
        }
        kept
    }
}

/// The most entries of an archive that is read: an image has at most some hundred layers, each with a few.
pub(super) const MOST_ENTRIES: usize = 50_000;

/// The longest manifest or configuration that is read, in bytes; each has a few kilobytes.
const LONGEST_JSON: u64 = 4 * 1024 * 1024;

#[derive(Debug, Clone, Copy)]
struct Place {
    start: u64,
    content: u64,
    size: u64,
    regular: bool,
}

impl Place {
    /// Tar pads every file to whole blocks of 512 bytes.
    fn end(self) -> u64 {
        self.content + self.size.div_ceil(512) * 512
    }
}

fn bytes(archive: &mut (impl Read + Seek), place: Option<&Place>) -> io::Result<Vec<u8>> {
    let place = place.ok_or_else(|| wrong("its manifest names a file that is not there"))?;
    if place.size > LONGEST_JSON {
        return Err(wrong("a description in it is too large"));
    }
    archive.seek(SeekFrom::Start(place.content))?;
    let mut bytes = Vec::new();
    archive.by_ref().take(place.size).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether a path has one spelling.
fn is_plain(path: &str) -> bool {
    path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn archive(files: &[(&str, &str)]) -> Cursor<Vec<u8>> {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            header.set_cksum();
            builder
                .append_data(&mut header, path, content.as_bytes())
                .expect("appended");
        }
        Cursor::new(builder.into_inner().expect("an archive"))
    }

    fn image() -> Cursor<Vec<u8>> {
        archive(&[
            (
                "c.json",
                r#"{"rootfs":{"diff_ids":["sha256:a","sha256:b","sha256:c"]}}"#,
            ),
            ("1/layer.tar", "one"),
            ("2/layer.tar", "two"),
            ("3/layer.tar", "three"),
            (
                "manifest.json",
                r#"[{"Config":"c.json","Layers":["1/layer.tar","2/layer.tar","3/layer.tar"]}]"#,
            ),
        ])
    }

    fn layers(digests: &[&str]) -> Vec<String> {
        digests
            .iter()
            .map(|digest| format!("sha256:{digest}"))
            .collect()
    }

    #[test]
    fn layers_count_as_known_only_on_top_of_the_same_ones() {
        let archive = Archive::read(image()).expect("an archive");
        let known = |images: &[&[&str]]| {
            archive.known_layers(&images.iter().map(|image| layers(image)).collect::<Vec<_>>())
        };
        assert_eq!(known(&[]), 0);
        assert_eq!(known(&[&["b", "c"]]), 0);
        assert_eq!(known(&[&["a", "x"], &["a", "b", "y", "z"]]), 2);
        assert_eq!(known(&[&["a", "b", "c", "d"]]), 3);
    }

    #[test]
    fn what_is_left_is_an_archive_with_all_but_the_known_layers() {
        let bytes = image().into_inner();
        let archive = Archive::read(Cursor::new(&bytes)).expect("an archive");
        for (known, expected) in [
            (
                0,
                vec![
                    "c.json",
                    "1/layer.tar",
                    "2/layer.tar",
                    "3/layer.tar",
                    "manifest.json",
                ],
            ),
            (2, vec!["c.json", "3/layer.tar", "manifest.json"]),
            (3, vec!["c.json", "manifest.json"]),
        ] {
            let left: Vec<u8> = archive
                .without(known)
                .iter()
                .flat_map(|range| {
                    let index = |at: u64| usize::try_from(at).expect("small");
                    bytes[index(range.start)..index(range.end)].to_vec()
                })
                .collect();
            let mut reader = tar::Archive::new(&left[..]);
            let names: Vec<_> = reader
                .entries()
                .expect("entries")
                .map(|entry| {
                    entry
                        .expect("an entry")
                        .path()
                        .expect("a path")
                        .to_string_lossy()
                        .into_owned()
                })
                .collect();
            assert_eq!(names, expected);
        }
    }

    #[test]
    fn a_layer_that_is_there_twice_keeps_every_file() {
        let twice = archive(&[
            (
                "c.json",
                r#"{"rootfs":{"diff_ids":["sha256:a","sha256:a"]}}"#,
            ),
            ("1/layer.tar", "one"),
            (
                "manifest.json",
                r#"[{"Config":"c.json","Layers":["1/layer.tar","1/layer.tar"]}]"#,
            ),
        ]);
        let length = twice.get_ref().len() as u64;
        let whole = Archive::read(twice).expect("an archive").without(2);
        assert_eq!((whole.len(), whole[0].clone()), (1, 0..length));
    }

    #[test]
    fn something_else_is_refused_with_its_reason() {
        let error = Archive::read(archive(&[("a", "b")])).expect_err("no manifest");
        assert!(
            error.to_string().contains("names a file that is not there"),
            "{error}"
        );
        assert!(Archive::read(Cursor::new(b"not a tar".repeat(100))).is_err());
    }

    #[test]
    fn an_archive_in_which_two_files_may_have_one_path_is_refused() {
        for path in ["c.json", "./c.json"] {
            let twice = archive(&[("c.json", "{}"), (path, "{}")]);
            assert!(Archive::read(twice).is_err(), "{path}");
        }
    }
}
