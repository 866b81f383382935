//! What a record must be before it counts: as it could have been written by a deploy.

use super::record::{Record, volume_name};
use crate::{
    docker::{HIGHEST_RELEASE, PinnedImage, Volume, label},
    model::{Name, Reference, container_faults},
};

/// Why a record does not count; `None` where nothing is wrong with it. It was read from a host, and what is in it
/// goes to `docker run`, onto the terminal and into sums: so it passes what the files must pass.
pub(super) fn fault(record: &Record, volume: &Volume, environment: &str) -> Option<String> {
    let Record {
        number,
        environment: of,
        preview_of: _,
        host,
        action: _,
        by: _,
        started: _,
        finished: _,
        revision: _,
        outcome,
        recipes,
        notes: _,
    } = record;
    if of != environment {
        return Some("it is of another environment".to_owned());
    }
    if !(1..=HIGHEST_RELEASE).contains(&number.0) {
        return Some(format!(
            "{number} is no release: numbers go from r1 to r{HIGHEST_RELEASE}"
        ));
    }
    let is_named = volume.name == volume_name(of, *number, *outcome, host);
    let labelled = volume.labels.get(label::RELEASE);
    if !is_named || labelled.is_none_or(|labelled| *labelled != number.0.to_string()) {
        return Some(format!(
            "it says that it is of {number}, which its volume does not"
        ));
    }
    recipes.iter().find_map(|(name, recipe)| {
        if name.parse::<Name>().is_err() {
            return Some(format!("`{}` is no recipe", name.escape_debug()));
        }
        let is_hash = |text: &str| text.len() <= 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let fault = container_faults(&recipe.spec)
            .into_iter()
            .next()
            .or_else(|| image_fault(&recipe.image))
            .or_else(|| (recipe.instances == 0).then(|| "no instances".to_owned()))
            .or_else(|| (!is_hash(&recipe.hash)).then(|| "its hash is none".to_owned()));
        fault.map(|fault| format!("`{name}`: {fault}"))
    })
}

/// What is wrong with an exact image. It is a word for docker, beside options.
fn image_fault(image: &PinnedImage) -> Option<String> {
    let PinnedImage {
        reference,
        digest,
        id,
    } = image;
    if Reference::checked(reference).is_err() {
        return Some(format!("{reference:?} is not an image"));
    }
    let is_digest = |text: &str| {
        let hex = text.split_once(':').map(|(_, hex)| hex);
        let is_hex = |hex: &str| !hex.is_empty() && hex.bytes().all(|b| b.is_ascii_hexdigit());
        text.len() <= 200 && hex.is_some_and(is_hex)
    };
    let mut digests = [digest].into_iter().chain(id);
    let wrong = digests.find(|digest| !is_digest(digest))?;
    Some(format!("{wrong:?} is not a digest"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::record::{Outcome, tests::record};
    use super::*;

    /// Why a record is refused after a change of it.
    fn refused(change: impl FnOnce(&mut Value)) -> String {
        let mut written = serde_json::to_value(record(1, Outcome::Succeeded)).expect("JSON");
        written["recipes"]["web"] = json!({
            "spec": {
                "image": "registry.example/web:1", "env": { "A": "two\nlines" }, "secrets": ["TOKEN"],
                "publish": ["8080:80"], "volumes": ["/srv:/data:ro"], "network": "host", "user": "1000:1000",
                "restart": "on-failure:3", "labels": { "team": "shop" }, "workdir": "/srv",
                "options": ["--memory", "512m", "--init", "--cap-add=NET_ADMIN"],
                "stop_timeout": { "secs": 30, "nanos": 0 },
            },
            "image": { "reference": "registry.example/web@sha256:370442ca489591189ef2f8ff5e3763402fe42865f2d216b794f6be747a59eadf", "digest": "sha256:aa" },
            "instances": 1,
            "hash": "deadbeefdeadbeefdeadbeefdeadbeef",
        });
        change(&mut written);
        let record: Record = match serde_json::from_value(written) {
            Ok(record) => record,
            Err(error) => return format!("not read: {error}"),
        };
        let volume = Volume {
            name: record.volume_name(),
            labels: record.volume_labels().expect("labels"),
        };
        fault(&record, &volume, "staging").unwrap_or_else(|| "taken".to_owned())
    }

    #[test]
    fn a_record_passes_what_the_files_must_pass() {
        assert_eq!(refused(|_| {}), "taken");
        let of_spec = |key: &str, value: Value| {
            refused(|record| record["recipes"]["web"]["spec"][key] = value)
        };
        for (key, value) in [
            ("image", json!("--privileged")),
            ("network", json!("host\n")),
            ("user", json!("")),
            ("env", json!({ "A=B": "1" })),
            ("env", json!({ "A": "nul\0" })),
            ("env", json!({ "TOKEN": "twice" })),
            ("secrets", json!(["DOCKER_HOST"])),
            ("secrets", json!(["A B"])),
            ("volumes", json!(["../etc:/etc"])),
            ("volumes", json!(["/a:/data", "/b:/data"])),
            ("options", json!(["--name", "other"])),
            ("options", json!(["alpine"])),
            ("options", json!(["--memory"])),
            ("options", json!(["--volume=/:/host"])),
            ("labels", json!({ "shipit.recipe": "other" })),
            ("restart", json!("sometimes")),
            ("workdir", json!("srv")),
            ("publish", json!(["0:0"])),
            ("stop_timeout", json!({ "secs": u64::MAX, "nanos": 0 })),
        ] {
            let refused = of_spec(key, value.clone());
            assert_ne!(refused, "taken", "{key} = {value}");
        }
        let of_recipe =
            |key: &str, value: Value| refused(|record| record["recipes"]["web"][key] = value);
        for (key, value) in [
            ("instances", json!(0)),
            ("hash", json!("\u{1b}[2J")),
            (
                "image",
                json!({ "reference": "--privileged", "digest": "sha256:aa" }),
            ),
            ("image", json!({ "reference": "web:1", "digest": "a\nb" })),
        ] {
            assert_ne!(of_recipe(key, value.clone()), "taken", "{key} = {value}");
        }
    }

    #[test]
    fn a_number_that_no_deploy_reaches_is_refused() {
        for number in [0, HIGHEST_RELEASE + 1, u64::MAX] {
            let refused = refused(|record| record["number"] = json!(number));
            assert_eq!(
                refused,
                format!("r{number} is no release: numbers go from r1 to r1000000000")
            );
        }
        assert_eq!(
            refused(|record| record["number"] = json!(HIGHEST_RELEASE)),
            "taken"
        );
    }

    #[test]
    fn a_record_of_another_environment_or_under_another_name_is_refused() {
        assert_eq!(
            refused(|record| record["environment"] = json!("production")),
            "it is of another environment"
        );
        let record = record(7, Outcome::Succeeded);
        let volume = Volume {
            name: "shipit-staging-r8-succeeded-0a1b2c3d".into(),
            labels: record.volume_labels().expect("labels"),
        };
        assert_eq!(
            fault(&record, &volume, "staging").as_deref(),
            Some("it says that it is of r7, which its volume does not")
        );
    }
}
