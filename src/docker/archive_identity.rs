//! Which image an archive has, told by the bytes that are in it rather than by who gave it.
//!
//! A docker that keeps images in a storage driver loads what `manifest.json` names, and calls it by the digest of its
//! configuration. One that keeps them in containerd loads what `index.json` names, and calls it by the digest of a
//! manifest or of a list of manifests. Both must be the same image, or a host would run another one than was looked at.

use std::{collections::BTreeSet, io};

use serde::{Deserialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::text;

/// How deep lists of manifests lie in each other.
const DEEPEST: usize = 3;

#[derive(Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Descriptor {
    digest: String,
    #[serde(default)]
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Platform {
    #[serde(default)]
    os: String,
}

/// A list of manifests has `manifests`, a manifest has `config`.
#[derive(Deserialize)]
struct Blob {
    #[serde(default)]
    manifests: Option<Vec<Descriptor>>,
    #[serde(default)]
    config: Option<Config>,
}

#[derive(Deserialize)]
struct Config {
    digest: String,
}

/// Reads a small file of an archive; `None` where there is none of that name.
pub(super) type ReadFile<'a> = dyn FnMut(&str) -> io::Result<Option<Vec<u8>>> + 'a;

/// The digests that are the image of an archive whose `manifest.json` names this configuration. Whoever asks for one of
/// them gets this image and no other.
pub(super) fn identities(config: &[u8], read: &mut ReadFile<'_>) -> io::Result<BTreeSet<String>> {
    let config = digest(config);
    let Some(index) = read("index.json")? else {
        return Ok(BTreeSet::from([config]));
    };
    let index: Index = parse(&index)?;
    let mut leaves = Vec::new();
    for descriptor in &index.manifests {
        collect(descriptor, DEEPEST, read, &mut leaves)?;
    }
    let is_only_one = !leaves.is_empty() && leaves.iter().all(|leaf| leaf.config == config);
    let mut identities = BTreeSet::new();
    if is_only_one {
        identities.extend(leaves.iter().map(|leaf| leaf.manifest.clone()));
        identities.insert(config.clone());
    }
    // A list for several platforms is what its digest says, whatever is in it.
    if let [top] = &index.manifests[..]
        && leaves.iter().any(|leaf| leaf.config == config)
    {
        identities.insert(top.digest.clone());
    }
    Ok(identities)
}

/// A manifest that is in the archive, and the configuration that it names.
struct Leaf {
    manifest: String,
    config: String,
}

/// Finds the manifests below a descriptor. What is not in the archive cannot be loaded; attestations do not run.
fn collect(
    descriptor: &Descriptor,
    deepest: usize,
    read: &mut ReadFile<'_>,
    leaves: &mut Vec<Leaf>,
) -> io::Result<()> {
    let runs = descriptor
        .platform
        .as_ref()
        .is_none_or(|it| it.os != "unknown");
    let hex = descriptor
        .digest
        .strip_prefix("sha256:")
        .unwrap_or_default();
    if !runs || hex.is_empty() {
        return Ok(());
    }
    let Some(bytes) = read(&format!("blobs/sha256/{hex}"))? else {
        return Ok(());
    };
    if digest(&bytes) != descriptor.digest {
        return Err(wrong("a file in it is not what its name says"));
    }
    let blob: Blob = parse(&bytes)?;
    if let Some(config) = blob.config {
        leaves.push(Leaf {
            manifest: descriptor.digest.clone(),
            config: config.digest,
        });
    }
    for below in blob.manifests.iter().flatten() {
        let deepest = deepest
            .checked_sub(1)
            .ok_or_else(|| wrong("its lists of manifests are too deep"))?;
        collect(below, deepest, read, leaves)?;
    }
    Ok(())
}

fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// Reads a description in an archive, which may come from any host.
pub(super) fn parse<T: DeserializeOwned>(json: &[u8]) -> io::Result<T> {
    let json = std::str::from_utf8(json).map_err(io::Error::other)?;
    text::parse_json(json).map_err(io::Error::from)
}

pub(super) fn wrong(what: &str) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("not a `docker save` archive: {what}"),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde_json::json;

    use super::*;

    const CONFIG: &[u8] = b"{\"rootfs\":{}}";

    /// The files of an archive.
    #[derive(Default)]
    struct Files(HashMap<String, Vec<u8>>);

    impl Files {
        /// Puts a blob in; returns its digest.
        fn blob(&mut self, value: &serde_json::Value) -> String {
            let bytes = value.to_string().into_bytes();
            let digest = digest(&bytes);
            let path = format!("blobs/sha256/{}", &digest["sha256:".len()..]);
            self.0.insert(path, bytes);
            digest
        }

        fn index(&mut self, digests: &[&str]) {
            let manifests: Vec<_> = digests.iter().map(|it| json!({ "digest": it })).collect();
            let index = json!({ "manifests": manifests }).to_string();
            self.0.insert("index.json".to_owned(), index.into_bytes());
        }

        fn identities(&self) -> io::Result<Vec<String>> {
            let mut read = |path: &str| Ok(self.0.get(path).cloned());
            identities(CONFIG, &mut read).map(|set| set.into_iter().collect())
        }
    }

    #[test]
    fn an_image_is_its_configuration_and_its_manifest() {
        let config = digest(CONFIG);
        let mut files = Files::default();
        assert_eq!(
            files.identities().expect("one"),
            std::slice::from_ref(&config),
            "an old docker"
        );
        let manifest = files.blob(&json!({ "config": { "digest": config } }));
        files.index(&[&manifest]);
        let mut expected = vec![config.clone(), manifest.clone()];
        expected.sort();
        assert_eq!(files.identities().expect("one"), expected);
        // A list for several platforms, of which one is here.
        let attestation = json!({ "digest": "sha256:00", "platform": { "os": "unknown" } });
        let list = files.blob(&json!({ "manifests": [
            { "digest": manifest, "platform": { "os": "linux" } }, { "digest": "sha256:11" }, attestation,
        ]}));
        files.index(&[&list]);
        let mut expected = vec![config, manifest, list];
        expected.sort();
        assert_eq!(files.identities().expect("one"), expected);
    }

    #[test]
    fn what_would_load_another_image_elsewhere_is_not_this_one() {
        let config = digest(CONFIG);
        let mut files = Files::default();
        // `manifest.json` names one configuration, `index.json` another.
        let other = files.blob(&json!({ "config": { "digest": "sha256:66" } }));
        files.index(&[&other]);
        assert_eq!(files.identities().expect("none"), [] as [&str; 0]);
        let manifest = files.blob(&json!({ "config": { "digest": config } }));
        files.index(&[&manifest, &other]);
        assert_eq!(files.identities().expect("none"), [] as [&str; 0]);
        files.index(&[]);
        assert_eq!(files.identities().expect("none"), [] as [&str; 0]);
        // Several platforms are what the digest of their list says.
        let list =
            files.blob(&json!({ "manifests": [{ "digest": manifest }, { "digest": other }] }));
        files.index(&[&list]);
        assert_eq!(
            files.identities().expect("one"),
            std::slice::from_ref(&list)
        );
        // A file that is not what its name says.
        let path = format!("blobs/sha256/{}", &list["sha256:".len()..]);
        files.0.insert(path, b"{}".to_vec());
        assert!(files.identities().is_err());
    }
}
