//! What a container is given beyond itself: of its host, and of what docker keeps it from.

use super::difference::Difference;
use crate::{docker::PinnedImage, model::ContainerSpec};

/// Where a record would start a container with more than today's files give it: docker's options, folders and
/// sockets of the host, docker's volumes, the network of the host or of another container, the user. `old` is what the files say,
/// `new` the record. Without a container in the files, nothing of that is given.
pub fn beyond(recorded: &ContainerSpec, today: Option<&ContainerSpec>) -> Vec<Difference> {
    let nothing = ContainerSpec::default();
    let today = today.unwrap_or(&nothing);
    let mut found = Vec::new();
    let mut differs = |field: &str, old: Option<String>, new: Option<String>| {
        found.push(Difference {
            field: field.to_owned(),
            old,
            new,
        });
    };
    if recorded.options != today.options {
        let words = |words: &[String]| (!words.is_empty()).then(|| words.join(" "));
        differs("options", words(&today.options), words(&recorded.options));
    }
    let given: Vec<_> = mounted(today).collect();
    let more: Vec<_> = mounted(recorded).filter(|it| !given.contains(it)).collect();
    if !more.is_empty() {
        let list = |volumes: &[&str]| (!volumes.is_empty()).then(|| volumes.join(", "));
        differs("volumes", list(&given), list(&more));
    }
    let is_shared = |network: &str| network == "host" || network.starts_with("container:");
    if recorded.network != today.network && recorded.network.as_deref().is_some_and(is_shared) {
        differs("network", today.network.clone(), recorded.network.clone());
    }
    if recorded.user != today.user {
        differs("user", today.user.clone(), recorded.user.clone());
    }
    found
}

/// What it shares with others: folders of the host, and docker's volumes that have a name, as any container on the host
/// may have them. A volume without a name is its own.
fn mounted(spec: &ContainerSpec) -> impl Iterator<Item = &str> {
    let volumes = spec.volumes.iter().map(String::as_str);
    volumes.filter(|volume| volume.contains(':'))
}

/// What a container is made from, field by field, in the order of the files: for whoever is to agree to it. Of
/// variables and secrets only the names.
pub fn settings(spec: &ContainerSpec, image: &PinnedImage) -> Vec<(String, String)> {
    let PinnedImage {
        reference,
        digest,
        id: _,
    } = image;
    let exact = if reference.contains(digest) {
        reference.clone()
    } else {
        format!("{reference} ({digest})")
    };
    let mut settings = vec![("image".to_owned(), exact)];
    let Ok(serde_json::Value::Object(fields)) = serde_json::to_value(spec) else {
        return settings;
    };
    let names = |names: Vec<&str>| names.join(", ");
    for (field, value) in fields {
        let shown = match field.as_str() {
            "image" | "source" => continue,
            "setup" => {
                let commands = (
                    "before, after, uploads".to_owned(),
                    "of today's files".to_owned(),
                );
                settings.push(commands);
                continue;
            }
            "env" => names(spec.env.keys().map(String::as_str).collect()),
            "secrets" => names(spec.secrets.iter().map(String::as_str).collect()),
            "labels" => names(spec.labels.keys().map(String::as_str).collect()),
            "command" | "options" | "publish" | "volumes" => words(&value),
            "stop_timeout" => crate::text::duration(spec.stop_timeout),
            _ => match value {
                serde_json::Value::String(text) => text,
                other => other.to_string(),
            },
        };
        settings.push((field, shown));
    }
    settings
}

/// A list of words as one would type them: each that could be taken for two is quoted.
fn words(value: &serde_json::Value) -> String {
    let words = value.as_array().into_iter().flatten();
    let words = words.filter_map(serde_json::Value::as_str).map(|word| {
        let is_plain = !word.is_empty() && !word.contains([' ', '\n', '\t', '"', '\'', '\\']);
        if is_plain {
            word.to_owned()
        } else {
            format!("{word:?}")
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(json: serde_json::Value) -> ContainerSpec {
        serde_json::from_value(json).expect("a spec")
    }

    fn found(recorded: serde_json::Value, today: serde_json::Value) -> Vec<String> {
        let found = beyond(&spec(recorded), Some(&spec(today)));
        let lines = found.iter().map(|it| {
            let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
            format!("{}: {} → {}", it.field, shown(&it.old), shown(&it.new))
        });
        lines.collect()
    }

    #[test]
    fn what_a_record_starts_beyond_the_container_is_compared_with_the_files() {
        use serde_json::json;
        let forged = json!({
            "image": "web:1", "options": ["--privileged"], "network": "host", "user": "0",
            "volumes": ["/:/hostroot", "/srv:/data", "cache:/cache", "other_data:/x", "/anonymous"],
        });
        let today =
            json!({ "image": "web:2", "user": "1000", "volumes": ["/srv:/data", "cache:/cache"] });
        assert_eq!(
            found(forged.clone(), today.clone()),
            [
                "options: - → --privileged",
                "volumes: /srv:/data, cache:/cache → /:/hostroot, other_data:/x",
                "network: - → host",
                "user: 1000 → 0",
            ]
        );
        assert_eq!(
            beyond(&spec(forged.clone()), None).len(),
            4,
            "not in the files"
        );
        assert_eq!(found(forged.clone(), forged), [] as [&str; 0]);
        // What is the container's own may differ: that is what a rollback is for.
        let own = json!({
            "image": "web:9", "command": ["serve"], "env": { "A": "1" }, "publish": ["80:80"], "user": "1000",
            "network": "backend", "volumes": ["/data"],
        });
        assert_eq!(found(own, today), [] as [&str; 0]);
    }

    #[test]
    fn settings_name_variables_and_secrets_and_show_no_value() {
        let spec = spec(serde_json::json!({
            "image": "web:1", "command": ["serve", "two words"], "env": { "A": "value" }, "secrets": ["TOKEN"],
            "publish": ["8080:80"], "options": ["--init"], "setup": "0123", "stop_timeout": { "secs": 90, "nanos": 0 },
        }));
        let image = PinnedImage {
            reference: "web@sha256:aa".into(),
            digest: "sha256:aa".into(),
            id: None,
        };
        let lines = settings(&spec, &image);
        let lines: Vec<_> = lines
            .iter()
            .map(|(field, value)| format!("{field}: {value}"))
            .collect();
        assert_eq!(
            lines,
            [
                "image: web@sha256:aa",
                "command: serve \"two words\"",
                "env: A",
                "secrets: TOKEN",
                "publish: 8080:80",
                "options: --init",
                "stop_timeout: 1m30s",
                "before, after, uploads: of today's files",
            ]
        );
    }
}
