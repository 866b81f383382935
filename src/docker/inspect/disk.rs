//! What docker says of its disk, and of the images that it deleted.

use std::collections::BTreeMap;

/// Enough of an id to tell it from others; docker shows no more of it in tables.
const SHORT: usize = 12;

/// What images and containers take of a host's disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DiskUsage {
    images: BTreeMap<String, u64>,
    containers: BTreeMap<String, u64>,
}

impl DiskUsage {
    /// What an image takes that no other one shares, in bytes.
    pub fn image(&self, id: &str) -> u64 {
        self.images.get(short(id)).copied().unwrap_or_default()
    }

    /// What a container has written, in bytes.
    pub fn container(&self, id: &str) -> u64 {
        self.containers.get(short(id)).copied().unwrap_or_default()
    }
}

fn short(id: &str) -> &str {
    let id = id.strip_prefix("sha256:").unwrap_or(id);
    id.get(..SHORT).unwrap_or(id)
}

/// Reads what [`crate::docker::disk_usage`] printed.
pub fn parse_disk_usage(text: &str) -> DiskUsage {
    let mut usage = DiskUsage::default();
    for line in text.lines() {
        let mut words = line.split_ascii_whitespace();
        let (Some(kind), Some(id), Some(size)) = (words.next(), words.next(), words.next()) else {
            continue;
        };
        let Some(size) = bytes(size) else { continue };
        let of_kind = match kind {
            "image" => &mut usage.images,
            "container" => &mut usage.containers,
            _ => continue,
        };
        of_kind.insert(short(id).to_owned(), size);
    }
    usage
}

/// A size as docker shows it, with powers of 1000: `12.5MB`.
fn bytes(text: &str) -> Option<u64> {
    let end = text.find(|it: char| !it.is_ascii_digit() && it != '.')?;
    let (number, unit) = text.split_at(end);
    let power = ["B", "kB", "MB", "GB", "TB", "PB"]
        .iter()
        .position(|it| *it == unit)?;
    let (whole, rest) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() {
        return None;
    }
    // So many digits stand behind the point that there are no more bytes behind them.
    let digits = power * 3;
    let rest: String = rest
        .chars()
        .chain(std::iter::repeat('0'))
        .take(digits)
        .collect();
    format!("{whole}{rest}").parse().ok()
}

/// The ids of what `docker rmi` says that it deleted, images and layers.
pub fn deleted_images(text: &str) -> Vec<&str> {
    let lines = text.lines();
    lines
        .filter_map(|line| line.trim().strip_prefix("Deleted: "))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_says_what_images_and_containers_take() {
        let usage = parse_disk_usage(
            "image 0123456789ab 12.5MB\nimage sha256:fedcba9876543210 1.234GB\nimage ff N/A\n\
             container 111111111111 3.1kB (virtual 133MB)\ncontainer 2 0B\n\n",
        );
        assert_eq!(usage.image("sha256:0123456789abcdef"), 12_500_000);
        assert_eq!(usage.image("sha256:fedcba987654"), 1_234_000_000);
        assert_eq!(usage.container("1111111111110000"), 3_100);
        assert_eq!((usage.container("2"), usage.image("ff")), (0, 0));
    }

    #[test]
    fn sizes_are_dockers() {
        for (text, expected) in [
            ("0B", Some(0)),
            ("999B", Some(999)),
            ("1.05kB", Some(1050)),
            ("7.25TB", Some(7_250_000_000_000)),
            ("99999999999999999999PB", None),
            ("1.23456kB", Some(1234)),
            ("12", None),
            ("MB", None),
            ("1.2.3MB", None),
        ] {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }

    #[test]
    fn what_was_only_untagged_is_not_deleted() {
        let text =
            "Untagged: web:1\nUntagged: web@sha256:aa\nDeleted: sha256:bb\nDeleted: sha256:cc\n";
        assert_eq!(deleted_images(text), ["sha256:bb", "sha256:cc"]);
    }
}
