//! A daemon as `docker info` shows it.

use serde::Deserialize;

use super::null::null_is_default;
use crate::text::parse_json;

/// What `docker info` says of a daemon.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Info {
    /// The daemon's version; empty when it did not answer.
    pub server_version: String,
    /// The host's name as docker has it.
    pub name: String,
    /// Where images and containers are kept.
    pub docker_root_dir: String,
    /// `linux`.
    #[serde(rename = "OSType")]
    pub os_type: String,
    /// `x86_64`, `aarch64`.
    pub architecture: String,
    /// Why the daemon could not be asked, where it could not.
    #[serde(deserialize_with = "null_is_default")]
    pub server_errors: Vec<String>,
    /// What the store of images says of itself, each a name and a value.
    #[serde(deserialize_with = "null_is_default")]
    pub driver_status: Vec<(String, String)>,
}

impl Info {
    /// Whether containerd keeps the images, as a new Docker 29 has it do. It loads an image only as a whole: it wants the
    /// files of layers that it has, too.
    /// <https://docs.docker.com/engine/storage/containerd/>
    pub fn keeps_images_in_containerd(&self) -> bool {
        let is_snapshotter = |value: &str| value.starts_with("io.containerd.snapshotter");
        let mut status = self.driver_status.iter();
        status.any(|(name, value)| name == "driver-type" && is_snapshotter(value))
    }
}

/// Reads what `docker info --format '{{json .}}'` printed. Podman's `docker` prints its own `podman info` there.
pub fn parse_info(json: &str) -> Result<Info, serde_json::Error> {
    let info: Info = parse_json(json)?;
    if !info.server_version.is_empty() {
        return Ok(info);
    }
    let podman: Podman = parse_json(json)?;
    Ok(podman.into_info().unwrap_or(info))
}

/// What `podman info` says, as far as it is the same.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Podman {
    host: PodmanHost,
    store: PodmanStore,
    version: PodmanVersion,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PodmanHost {
    hostname: String,
    os: String,
    arch: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PodmanStore {
    graph_root: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct PodmanVersion {
    version: String,
}

impl Podman {
    fn into_info(self) -> Option<Info> {
        (!self.version.version.is_empty()).then(|| Info {
            server_version: self.version.version,
            name: self.host.hostname,
            docker_root_dir: self.store.graph_root,
            os_type: self.host.os,
            architecture: self.host.arch,
            ..Info::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_keeps_the_images() {
        for (json, is_containerd) in [
            (
                r#"{"ServerVersion":"28.5.2","Driver":"overlayfs","DriverStatus":[["driver-type","io.containerd.snapshotter.v1"]]}"#,
                true,
            ),
            (
                r#"{"ServerVersion":"28.5.2","Driver":"overlay2","DriverStatus":[["Backing Filesystem","extfs"],["Supports d_type","true"]]}"#,
                false,
            ),
            (r#"{"ServerVersion":"20.10.24","DriverStatus":null}"#, false),
        ] {
            let info = parse_info(json).expect("read");
            assert_eq!(info.keeps_images_in_containerd(), is_containerd, "{json}");
        }
    }

    #[test]
    fn podman_says_the_same_under_other_names() {
        let json = r#"{"host":{"arch":"amd64","os":"linux","hostname":"host-1","cpus":2},
            "store":{"graphRoot":"/var/lib/containers/storage","graphStatus":{}},
            "version":{"APIVersion":"5.8.6","Version":"5.8.6","Built":1}}"#;
        let info = parse_info(json).expect("read");
        assert_eq!(info.server_version, "5.8.6");
        assert_eq!(info.docker_root_dir, "/var/lib/containers/storage");
        assert_eq!(info.os_type, "linux");
        let neither = parse_info("{}").expect("read");
        assert_eq!(neither, Info::default());
    }
}
