//! What is different between two specs, field by field.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{docker::PinnedImage, model::ContainerSpec};

/// One field that is different.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// `image`, `command`, `env.PORT`.
    pub field: String,
    /// What it was; `None` when it was not set.
    pub old: Option<String>,
    /// What it becomes; `None` when it is no longer set.
    pub new: Option<String>,
}

/// What is different between two specs with their images, in a fixed order. Maps (`env`, `labels`) are
/// compared entry by entry. Secrets have no value in a spec, so none can be shown.
pub fn differences(
    old: (&ContainerSpec, &PinnedImage),
    new: (&ContainerSpec, &PinnedImage),
) -> Vec<Difference> {
    let (old_fields, new_fields) = (fields(old), fields(new));
    let names: BTreeSet<_> = old_fields
        .iter()
        .chain(&new_fields)
        .map(|(name, _)| name.clone())
        .collect();
    let value = |fields: &[(String, String)], name: &str| {
        fields
            .iter()
            .find(|(field, _)| field == name)
            .map(|(_, value)| value.clone())
    };
    let compared = names.into_iter().map(|field| Difference {
        old: value(&old_fields, &field),
        new: value(&new_fields, &field),
        field,
    });
    compared
        .filter(|difference| difference.old != difference.new)
        .collect()
}

/// What a container is made from, field by field, with its values; of secrets the names.
pub fn fields((spec, image): (&ContainerSpec, &PinnedImage)) -> Vec<(String, String)> {
    let mut fields = vec![(
        "image".to_owned(),
        describe_image(&spec.image, &image.digest),
    )];
    let Ok(Value::Object(object)) = serde_json::to_value(spec) else {
        return fields;
    };
    for (name, value) in object {
        match (name.as_str(), value) {
            ("image" | "source", _) => {}
            ("setup", value) => {
                fields.push((
                    "before, after, uploads".to_owned(),
                    format!("hash {}", plain(&value)),
                ));
            }
            ("secrets", _) => {
                let names: Vec<_> = spec.secrets.iter().map(String::as_str).collect();
                fields.push((name, names.join(", ")));
            }
            ("stop_timeout", _) => fields.push((name, crate::text::duration(spec.stop_timeout))),
            (_, Value::Object(entries)) => {
                fields.extend(
                    entries
                        .into_iter()
                        .map(|(key, value)| (format!("{name}.{key}"), plain(&value))),
                );
            }
            (_, value) => fields.push((name, plain(&value))),
        }
    }
    fields
}

/// A reference with enough of its digest to tell two apart: `web:latest (sha256:0123456789ab)`.
fn describe_image(reference: &str, digest: &str) -> String {
    let short: String = digest.chars().take("sha256:".len() + 12).collect();
    if reference.contains('@') {
        reference.to_owned()
    } else {
        format!("{reference} ({short})")
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_compared_one_by_one_and_maps_entry_by_entry() {
        let spec = |json: &str| serde_json::from_str::<ContainerSpec>(json).expect("a spec");
        let image = |digest: &str| PinnedImage {
            reference: String::new(),
            digest: digest.into(),
            id: None,
        };
        let stop = r#""stop_timeout":{"secs":30,"nanos":0}"#;
        let old = spec(&format!(
            r#"{{"image":"web:1","env":{{"A":"1","B":"2"}},"volumes":["/a:/b"],{stop}}}"#
        ));
        let new = spec(&format!(
            r#"{{"image":"web:1","env":{{"A":"1","C":"3"}},"command":["x"],{stop}}}"#
        ));
        let found = differences(
            (&old, &image("sha256:aaaaaaaaaaaaaaaa")),
            (&new, &image("sha256:bbbbbbbbbbbbbbbb")),
        );
        let lines: Vec<_> = found
            .iter()
            .map(|d| {
                format!(
                    "{}: {} → {}",
                    d.field,
                    d.old.as_deref().unwrap_or("-"),
                    d.new.as_deref().unwrap_or("-")
                )
            })
            .collect();
        assert_eq!(
            lines,
            [
                "command: - → [\"x\"]",
                "env.B: 2 → -",
                "env.C: - → 3",
                "image: web:1 (sha256:aaaaaaaaaaaa) → web:1 (sha256:bbbbbbbbbbbb)",
                "volumes: [\"/a:/b\"] → -",
            ]
        );
        assert!(differences((&old, &image("a")), (&old, &image("a"))).is_empty());
    }
}
