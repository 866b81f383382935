//! Images, their layers and their manifests as docker prints them.

use crate::text::parse_json;

/// An image on a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// The reference that was asked for.
    pub reference: String,
    /// The image id, `sha256:…`.
    pub id: String,
    /// Its tags, `REPOSITORY:TAG`.
    pub tags: Vec<String>,
    /// Its digests, `REPOSITORY@sha256:…`.
    pub digests: Vec<String>,
}

/// Reads what [`crate::docker::inspect_images`] printed: a reference, a space, and id, tags and digests as
/// JSON.
pub fn parse_images(text: &str) -> Result<Vec<Image>, serde_json::Error> {
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    lines
        .map(|(reference, json)| {
            let (id, tags, digests): (String, Option<Vec<String>>, Option<Vec<String>>) =
                parse_json(json)?;
            Ok(Image {
                reference: reference.to_owned(),
                id: full_id(id),
                tags: tags.unwrap_or_default(),
                digests: digests.unwrap_or_default(),
            })
        })
        .collect()
}

/// An image's id as docker writes it: podman leaves `sha256:` out.
pub(super) fn full_id(id: String) -> String {
    let is_bare = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_bare { format!("sha256:{id}") } else { id }
}

/// Reads what [`crate::docker::list_image_layers`] printed: the layers of each image, lowest first.
pub fn parse_layers(text: &str) -> Result<Vec<Vec<String>>, serde_json::Error> {
    let images = text.lines().map(parse_json::<Option<Vec<String>>>);
    images
        .map(|layers| layers.map(Option::unwrap_or_default))
        .collect()
}

/// The image ids that `docker manifest inspect --verbose` has for a reference, one for each platform.
pub fn manifest_config_digests(json: &str) -> Vec<String> {
    let Ok(value) = parse_json::<serde_json::Value>(json) else {
        return Vec::new();
    };
    let entries = match value {
        serde_json::Value::Array(entries) => entries,
        entry => vec![entry],
    };
    let manifest_of = |entry: &serde_json::Value| {
        ["SchemaV2Manifest", "OCIManifest"].iter().find_map(|kind| {
            entry
                .get(kind)?
                .get("config")?
                .get("digest")?
                .as_str()
                .map(str::to_owned)
        })
    };
    entries.iter().filter_map(manifest_of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_that_are_missing_print_no_line() {
        let text = "web:1 [\"sha256:aa\",[\"web:1\"],null]\n";
        let images = parse_images(text).expect("lines");
        assert_eq!(images[0].reference, "web:1");
        assert_eq!(
            (images[0].id.as_str(), images[0].digests.len()),
            ("sha256:aa", 0)
        );
        assert!(parse_images("").expect("no lines").is_empty());
    }

    #[test]
    fn an_id_of_podmans_is_written_as_docker_writes_it() {
        let bare = "24d34423f4d0ed2852d73d6c78c1cc41476370d4f8ac325850492f3433b5d452";
        let images = parse_images(&format!("web:1 [\"{bare}\",null,null]\n")).expect("a line");
        assert_eq!(images[0].id, format!("sha256:{bare}"));
    }

    #[test]
    fn a_manifest_list_has_an_image_for_each_platform() {
        let one = r#"{"SchemaV2Manifest":{"config":{"digest":"sha256:a"}}}"#;
        assert_eq!(manifest_config_digests(one), ["sha256:a"]);
        let two = format!(r#"[{one},{{"OCIManifest":{{"config":{{"digest":"sha256:b"}}}}}}]"#);
        assert_eq!(manifest_config_digests(&two), ["sha256:a", "sha256:b"]);
        assert!(manifest_config_digests("denied").is_empty());
    }
}
