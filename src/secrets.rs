//! The values of secrets, read on the deployer's machine before any host is contacted.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use secrecy::{ExposeSecret, SecretString};
use tokio::{process::Command, sync::Mutex};

use crate::hosts::{Run, Stop};
use crate::{event::Outcome, model::SecretSource, text};

/// The deadline of a secret's command, which may ask a vault over the network.
const COMMAND: Duration = Duration::from_secs(60);

/// Reads secrets, each source once in a run. Clones share what was read.
#[derive(Clone)]
pub struct Secrets<'a> {
    root: &'a Path,
    mask: &'a (dyn Fn(&str) + Sync),
    values: Arc<Mutex<Vec<(SecretSource, SecretString)>>>,
}

impl<'a> Secrets<'a> {
    /// Reads relative paths from `root`, runs commands in it, and gives every value to `mask` before it is used
    /// anywhere.
    pub fn new(root: &'a Path, mask: &'a (dyn Fn(&str) + Sync)) -> Self {
        Self {
            root,
            mask,
            values: Arc::default(),
        }
    }

    /// The values of a container's secrets.
    pub async fn of(
        &self,
        sources: &BTreeMap<String, SecretSource>,
    ) -> Run<BTreeMap<String, SecretString>> {
        let mut values = BTreeMap::new();
        for (name, source) in sources {
            values.insert(name.clone(), self.value(name, source).await?);
        }
        Ok(values)
    }

    /// The value of one secret. An error calls it `name`.
    pub async fn value(&self, name: &str, source: &SecretSource) -> Run<SecretString> {
        // Locked while the value is read, so that who wants the same one meanwhile waits and does not read it again.
        let mut values = self.values.lock().await;
        if let Some((_, value)) = values.iter().find(|(known, _)| known == source) {
            return Ok(value.clone());
        }
        let value = self.read(source).await.map_err(|(cause, hint)| {
            Stop::new(Outcome::Usage, format!("the secret `{name}` has no value"))
                .cause(cause)
                .hint(hint)
        })?;
        (self.mask)(value.expose_secret());
        values.push((source.clone(), value.clone()));
        Ok(value)
    }

    async fn read(&self, source: &SecretSource) -> Result<SecretString, (String, String)> {
        match source {
            SecretSource::Env(variable) => {
                std::env::var(variable)
                    .map(SecretString::from)
                    .map_err(|_| {
                        (
                            format!("the environment variable `{variable}` is not set"),
                            format!("export {variable}=…"),
                        )
                    })
            }
            SecretSource::File(path) => {
                let path = self.root.join(in_home(path));
                let read = std::fs::read_to_string(&path);
                read.map(|text| without_newline(text).into())
                    .map_err(|error| {
                        (
                            format!("cannot read {}: {error}", path.display()),
                            "put the value into that file".to_owned(),
                        )
                    })
            }
            SecretSource::Command(script) => self.run(script).await.map_err(|cause| {
                (
                    format!("`{script}` {cause}"),
                    "run it yourself to see what is wrong".to_owned(),
                )
            }),
        }
    }

    async fn run(&self, script: &str) -> Result<SecretString, String> {
        let child = Command::new("sh")
            .args(["-c", script])
            .current_dir(self.root)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = tokio::time::timeout(COMMAND, child)
            .await
            .map_err(|_| format!("did not end within {}", text::duration(COMMAND)))?
            .map_err(|error| format!("could not be run: {error}"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!(
                "failed ({}): {}",
                output.status,
                text::complaint(&said).as_deref().unwrap_or("no output")
            ));
        }
        String::from_utf8(output.stdout)
            .map(|text| without_newline(text).into())
            .map_err(|_| "printed something that is not UTF-8".to_owned())
    }
}

/// The path with the home folder in place of a leading `~`.
fn in_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::home_dir()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

fn without_newline(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[tokio::test]
    async fn each_source_is_read_once_and_its_value_masked_first() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("token"), "from a file\n").expect("written");
        let masked = Mutex::new(Vec::new());
        let mask = |value: &str| masked.lock().expect("not poisoned").push(value.to_owned());
        let secrets = Secrets::new(folder.path(), &mask);
        let counted = SecretSource::Command("echo x >>count; printf 'two\\nlines\\n'".into());
        let sources = BTreeMap::from([
            ("A".to_owned(), SecretSource::File("token".into())),
            ("B".to_owned(), counted.clone()),
            ("C".to_owned(), counted),
        ]);
        let values = secrets.of(&sources).await.expect("values");
        let shown: Vec<_> = values
            .values()
            .map(|value| value.expose_secret().to_owned())
            .collect();
        assert_eq!(shown, ["from a file", "two\nlines", "two\nlines"]);
        assert_eq!(
            std::fs::read_to_string(folder.path().join("count")).expect("counted"),
            "x\n"
        );
        assert_eq!(
            *masked.lock().expect("not poisoned"),
            ["from a file", "two\nlines"]
        );
    }

    #[tokio::test]
    async fn a_secret_without_a_value_says_what_to_do() {
        let folder = tempfile::tempdir().expect("a folder");
        let secrets = Secrets::new(folder.path(), &|_| {});
        let source = SecretSource::Command("echo no vault >&2; exit 3".into());
        let stop = secrets.value("TOKEN", &source).await.expect_err("it fails");
        assert_eq!(stop.report.message, "the secret `TOKEN` has no value");
        assert_eq!(
            stop.report.causes,
            ["`echo no vault >&2; exit 3` failed (exit status: 3): no vault"]
        );
        let stop = secrets
            .value("TOKEN", &SecretSource::Env("SHIPIT_NO_SUCH".into()))
            .await
            .expect_err("unset");
        assert_eq!(stop.report.hint.as_deref(), Some("export SHIPIT_NO_SUCH=…"));
    }
}
