//! What ties a container to the environment, recipe and release that made it: its labels and its name.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::{ContainerSpec, Order, Reference};

/// The labels that shipit puts on what it makes.
pub mod label {
    /// The environment's name.
    pub const ENVIRONMENT: &str = "shipit.environment";
    /// The environment beside which a preview is; only what belongs to a preview has it.
    pub const PREVIEW_OF: &str = "shipit.preview-of";
    /// The recipe's name.
    pub const RECIPE: &str = "shipit.recipe";
    /// The number of the release that made it.
    pub const RELEASE: &str = "shipit.release";
    /// Which of a host's equal containers it is, from 1.
    pub const INSTANCE: &str = "shipit.instance";
    /// The hash of its resolved spec.
    pub const SPEC: &str = "shipit.spec";
    /// The key under which the hash holds its secrets; absent where there are none.
    pub const SPEC_KEY: &str = "shipit.spec-key";
    /// For whom a one-off container is there: `command` or `console`.
    pub const ONE_OFF: &str = "shipit.one-off";
    /// A release record, as JSON (on a volume).
    pub const RECORD: &str = "shipit.record";
    /// The signature of a release record (on a volume).
    pub const RECORD_SIGNATURE: &str = "shipit.record-signature";
    /// A lasting lock, as JSON (on a volume).
    pub const HOLD: &str = "shipit.hold";
}

/// The highest number of a release. A higher one was not reached by deploys: it is left out wherever a host claims
/// it, or nobody could deploy any more once the numbers have run out.
pub const HIGHEST_RELEASE: u64 = 1_000_000_000;

/// An image as a deploy pinned it: every host runs the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PinnedImage {
    /// What `docker run` is told on a host: `REPOSITORY@sha256:…`, or for an image that came from the
    /// deployer's own Docker the tag that was made for it.
    pub reference: String,
    /// The digest that went into the spec's hash: the manifest's for a registry's image, the image id
    /// for one of the deployer's own.
    pub digest: String,
    /// The id under which the host had it once it had come from its source, where that is known: by it an image is
    /// told that comes from elsewhere, as a tag can be moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

impl PinnedImage {
    /// The tag under which a host has it that got it from another host. `docker load` brings the bytes and
    /// no digest of a registry, so what a registry's image is pinned by cannot be had in that way. The tag
    /// names the digest, as the one of an image of the deployer's own does its id; which for such an image
    /// it is already.
    pub fn stand_in(&self) -> String {
        let reference = Reference::parse(&self.reference);
        reference
            .stand_in()
            .unwrap_or_else(|| self.reference.clone())
    }
}

/// A hash of a resolved spec: equal hashes mean that a container has nothing to gain from a deploy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpecHash {
    hash: String,
    key: Option<String>,
}

impl SpecHash {
    /// Hashes what a container is made from: the spec with its image by digest, and its secrets' values
    /// under `key`. The key is stored beside the hash, on the container that has the values in its
    /// environment anyway; it only keeps equal secrets from showing as equal hashes elsewhere.
    pub fn of(
        spec: &ContainerSpec,
        image: &PinnedImage,
        secrets: &BTreeMap<String, SecretString>,
        key: &str,
    ) -> Self {
        let mut counted = spec.counted_in_hash();
        counted.image.clone_from(&image.digest);
        let mut counted = serde_json::to_value(&counted).unwrap_or_default();
        // The hashes on containers that run were made with this one last.
        if let Some(keys) = counted.as_object_mut()
            && let Some(last) = keys.shift_remove("stop_timeout")
        {
            keys.insert("stop_timeout".to_owned(), last);
        }
        let mut hasher = Sha256::new();
        hasher.update(counted.to_string());
        for (name, value) in secrets {
            hasher.update(name);
            hasher.update(keyed(key, value));
        }
        let hash = hex::encode(&hasher.finalize()[..16]);
        Self {
            hash,
            key: (!secrets.is_empty()).then(|| key.to_owned()),
        }
    }

    /// The hash a container's labels carry.
    pub fn from_labels(hash: &str, key: Option<&str>) -> Self {
        Self {
            hash: hash.to_owned(),
            key: key.map(str::to_owned),
        }
    }

    /// The key it was made with, to make another that can be compared.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// The hash itself, as hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.hash
    }
}

fn keyed(key: &str, value: &SecretString) -> Vec<u8> {
    // An HMAC takes a key of any length, so this cannot fail; an empty tag would only cost a redeploy.
    Hmac::<Sha256>::new_from_slice(key.as_bytes())
        .map(|mac| {
            mac.chain_update(value.expose_secret())
                .finalize()
                .into_bytes()
                .to_vec()
        })
        .unwrap_or_default()
}

/// The first `length` bytes of the SHA-256 of `bytes`, as hexadecimal digits.
pub fn short_hash(bytes: &[u8], length: usize) -> String {
    hex::encode(&Sha256::digest(bytes)[..length.min(32)])
}

/// Which environment, recipe and release a container belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The environment's name.
    pub environment: String,
    /// The environment that it is a preview of, if it is one.
    pub preview_of: Option<String>,
    /// The recipe's name.
    pub recipe: String,
    /// The number of the release that made it.
    pub release: u64,
    /// Which of a host's equal containers it is, from 1.
    pub instance: u16,
    /// The hash of its resolved spec.
    pub spec: SpecHash,
}

impl Identity {
    /// The labels that say so.
    pub fn labels(&self) -> BTreeMap<String, String> {
        let mut labels = BTreeMap::from([
            (label::ENVIRONMENT.to_owned(), self.environment.clone()),
            (label::RECIPE.to_owned(), self.recipe.clone()),
            (label::RELEASE.to_owned(), self.release.to_string()),
            (label::INSTANCE.to_owned(), self.instance.to_string()),
            (label::SPEC.to_owned(), self.spec.hash.clone()),
        ]);
        if let Some(base) = &self.preview_of {
            labels.insert(label::PREVIEW_OF.to_owned(), base.clone());
        }
        if let Some(key) = &self.spec.key {
            labels.insert(label::SPEC_KEY.to_owned(), key.clone());
        }
        labels
    }

    /// Reads the labels of a container; `None` where it is not one of ours.
    pub fn from_labels(labels: &BTreeMap<String, String>) -> Option<Self> {
        Some(Self {
            environment: labels.get(label::ENVIRONMENT)?.clone(),
            preview_of: labels.get(label::PREVIEW_OF).cloned(),
            recipe: labels.get(label::RECIPE)?.clone(),
            release: labels.get(label::RELEASE)?.parse().ok()?,
            instance: labels
                .get(label::INSTANCE)
                .and_then(|text| text.parse().ok())
                .unwrap_or(1),
            spec: SpecHash::from_labels(
                labels.get(label::SPEC)?,
                labels.get(label::SPEC_KEY).map(String::as_str),
            ),
        })
    }
}

/// The name of a new container.
///
/// Where old and new run side by side it is unique to the release, which also keeps the service ids that
/// Registrator makes from it (`hostname:container:port`) apart. Where the old one goes first, the plain
/// name is free and stays the same over all releases, and the old one is renamed to the unique form.
pub fn container_base_name(recipe: &str, order: Order, release: u64, instance: u16) -> String {
    let instance = if instance > 1 {
        format!("-{instance}")
    } else {
        String::new()
    };
    match order {
        Order::StartFirst | Order::BlueGreen => {
            format!("{recipe}-r{release}{instance}")
        }
        Order::StopFirst => format!("{recipe}{instance}"),
    }
}

/// The name that no other environment's container has: with the environment before it. A preview's has a dot in
/// between, as neither a preview's name nor a container's begins with one: `staging.pr-4` and `staging.pr-4-web` stay
/// apart.
pub fn own_name(environment: &str, is_preview: bool, name: &str) -> String {
    let between = if is_preview { '.' } else { '-' };
    format!("{environment}{between}{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> ContainerSpec {
        serde_json::from_value(
            serde_json::json!({"image": "web:1", "stop_timeout": {"secs": 30, "nanos": 0}}),
        )
        .expect("a spec")
    }

    fn pinned(digest: &str) -> PinnedImage {
        PinnedImage {
            reference: format!("web@{digest}"),
            digest: digest.into(),
            id: None,
        }
    }

    #[test]
    fn the_hash_follows_the_digest_and_not_the_tag() {
        let hash = |spec: &ContainerSpec, digest| {
            SpecHash::of(spec, &pinned(digest), &BTreeMap::new(), "")
        };
        let retagged = ContainerSpec {
            image: "web:2".into(),
            ..spec()
        };
        assert_eq!(hash(&spec(), "sha256:a"), hash(&retagged, "sha256:a"));
        assert_ne!(hash(&spec(), "sha256:a"), hash(&spec(), "sha256:b"));
    }

    #[test]
    fn the_hash_notices_a_changed_secret_and_does_not_show_it() {
        let hash = |value: &str, key| {
            let secrets =
                BTreeMap::from([("TOKEN".to_owned(), SecretString::from(value.to_owned()))]);
            SpecHash::of(&spec(), &pinned("sha256:a"), &secrets, key)
        };
        assert_eq!(hash("one", "k"), hash("one", "k"));
        assert_ne!(hash("one", "k"), hash("two", "k"));
        assert_ne!(hash("one", "k").as_str(), hash("one", "l").as_str());
    }

    #[test]
    fn labels_read_back_as_what_they_were() {
        let identity = Identity {
            environment: "staging".into(),
            preview_of: None,
            recipe: "web".into(),
            release: 7,
            instance: 2,
            spec: SpecHash::from_labels("ab", Some("key")),
        };
        assert_eq!(Identity::from_labels(&identity.labels()), Some(identity));
        assert_eq!(Identity::from_labels(&BTreeMap::new()), None);
    }

    #[test]
    fn names_are_unique_to_a_release_only_where_two_run_side_by_side() {
        assert_eq!(
            container_base_name("web", Order::StartFirst, 42, 1),
            "web-r42"
        );
        assert_eq!(
            container_base_name("web", Order::StartFirst, 42, 2),
            "web-r42-2"
        );
        assert_eq!(
            container_base_name("consul", Order::StopFirst, 42, 1),
            "consul"
        );
    }
}
