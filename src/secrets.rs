//! The values of secrets, read on the deployer's machine before any host is contacted.

pub mod consul;
mod read;
pub mod sealed;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use secrecy::SecretString;
use tokio::sync::Mutex;

use crate::{
    event::{EventKind, Events, Outcome},
    hosts::{Run, Stop},
    model::{Environment, SecretSource},
    transport::Connector,
};

use self::sealed::Keys;

/// Reads secrets, each source once in a run. Clones share what was read.
#[derive(Clone)]
pub struct Secrets<'a> {
    root: &'a Path,
    mask: &'a (dyn Fn(&str) + Sync),
    keys: Keys<'a>,
    events: Option<&'a Events>,
    values: Arc<Mutex<Vec<(SecretSource, SecretString)>>>,
}

impl<'a> Secrets<'a> {
    /// Reads relative paths from `root`, runs commands in it, and gives every value to `mask` before it is used
    /// anywhere. SSH keys that open sealed values are read through `connector`; without one only age keys are.
    pub fn new(
        root: &'a Path,
        mask: &'a (dyn Fn(&str) + Sync),
        connector: Option<&'a Connector>,
    ) -> Self {
        Self {
            root,
            mask,
            keys: Keys::of_this_account(connector),
            events: None,
            values: Arc::default(),
        }
    }

    /// The same, with warnings of values that can hardly be meant.
    #[must_use]
    pub fn warning(self, events: &'a Events) -> Self {
        Self {
            events: Some(events),
            ..self
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
        let no_value = |(cause, hint): (String, String)| {
            Stop::new(Outcome::Usage, format!("the secret `{name}` has no value"))
                .cause(cause)
                .hint(hint)
        };
        let value = self.read(source).await.map_err(no_value)?;
        (self.mask)(&value);
        check(name, &value).map_err(|(cause, hint)| {
            Stop::new(
                Outcome::Usage,
                format!("the secret `{name}` cannot be used"),
            )
            .cause(cause)
            .hint(hint)
        })?;
        if let (true, Some(events)) = (value.is_empty(), self.events) {
            events.send(EventKind::Warning {
                host: None,
                message: format!("the secret `{name}` is empty"),
                hint: None,
            });
        }
        let value = SecretString::from(value);
        values.push((source.clone(), value.clone()));
        Ok(value)
    }

    async fn read(&self, source: &SecretSource) -> Result<String, (String, String)> {
        match source {
            SecretSource::Env(variable) => of_variable(variable),
            SecretSource::File(path) => {
                let read = read::file(&self.root.join(in_home(path)), None).await;
                read.map(without_newline)
                    .map_err(|cause| (cause, "put the value into that file".to_owned()))
            }
            SecretSource::Command(script) => {
                let read = read::command(script, self.root).await;
                read.map(without_newline).map_err(|failure| {
                    // It may say half of the value again, in its own words.
                    (self.mask)(&failure.came);
                    (
                        format!("`{script}` {}", failure.cause),
                        "run it yourself to see what is wrong".to_owned(),
                    )
                })
            }
            SecretSource::Sealed(name) => {
                let opened = self.keys.value(self.root, name, true).await;
                let opened = opened.map(without_newline);
                opened.map_err(|failure| (failure.cause, failure.hint))
            }
        }
    }
}

/// Masks what can be known without asking anybody: the secrets of an environment that are in variables, in files, or
/// sealed for a key without a passphrase. A container that is only looked at may print one.
pub async fn mask_at_hand(
    environment: &Environment,
    root: &Path,
    mask: &(dyn Fn(&str) + Sync),
    connector: &Connector,
) {
    let keys = Keys::of_this_account(Some(connector));
    let on = environment
        .recipes
        .iter()
        .flat_map(|recipe| recipe.by_host.values());
    let passwords = environment.registries.iter().map(|login| &login.password);
    let mut known = Vec::new();
    let sources = on.flat_map(|on| on.secrets.values()).chain(passwords);
    let of_tables = environment
        .state_key
        .iter()
        .chain(&environment.consul.token);
    for source in sources.chain(of_tables) {
        if known.contains(&source) {
            continue;
        }
        known.push(source);
        if let Some(value) = at_hand(source, root, &keys).await {
            mask(&value);
        }
    }
}

/// The value of a secret that can be read without asking anybody: no command runs, and nobody types a passphrase.
async fn at_hand(source: &SecretSource, root: &Path, keys: &Keys<'_>) -> Option<String> {
    let value = match source {
        SecretSource::Env(variable) => of_variable(variable).ok(),
        SecretSource::File(path) => read::plain_file(&root.join(in_home(path))).await,
        SecretSource::Sealed(name) => keys.value(root, name, false).await.ok(),
        SecretSource::Command(_) => None,
    };
    value.map(without_newline)
}

/// Whether a container can be given a value; if not, why, and what to do.
pub fn check(name: &str, value: &str) -> Result<(), (String, String)> {
    // `NAME=VALUE` and the zero byte behind it.
    if name.len() + value.len() + 2 > read::LONGEST {
        return Err((
            format!("with its name it has more than {}", read::limit()),
            "put it into a file on the host, and mount that".to_owned(),
        ));
    }
    if value.contains('\0') {
        let fact = "its value has a NUL byte, which ends a variable";
        let hint = "encode it, for instance with base64, and let the app decode it";
        return Err((fact.to_owned(), hint.to_owned()));
    }
    Ok(())
}

fn of_variable(variable: &str) -> Result<String, (String, String)> {
    let why = |error| match error {
        std::env::VarError::NotPresent => "not set",
        std::env::VarError::NotUnicode(_) => "not UTF-8",
    };
    std::env::var(variable).map_err(|error| {
        (
            format!("the environment variable `{variable}` is {}", why(error)),
            format!("export {variable}=…"),
        )
    })
}

/// The path with the home folder in place of a leading `~`.
fn in_home(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::home_dir()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_owned(),
    }
}

/// A value without the newline that files and commands end with.
pub fn without_newline(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    text
}

#[cfg(test)]
mod tests;
