//! The token of Consul, and with it how Consul's agents are asked.

use secrecy::SecretString;

use super::{Secrets, at_hand};
use crate::{
    consul::{Access, NoAccess},
    event::Outcome,
    hosts::{Run, Stop},
    model::{ConsulSettings, SecretSource},
};

/// What errors call it.
const NAME: &str = "consul.token";

/// How Consul's agents are asked, with the token that the files name.
///
/// # Errors
///
/// The token has no value, or the authorities that are trusted cannot be read.
pub async fn access(settings: &ConsulSettings, secrets: &Secrets<'_>) -> Run<Access> {
    let token = match &settings.token {
        Some(source) => Some(secrets.value(NAME, source).await?),
        None => None,
    };
    Access::new(settings, token).map_err(|NoAccess { why, hint }| {
        let mut stop = Stop::new(Outcome::Usage, "Consul cannot be asked").cause(why);
        stop.report.hint = hint;
        stop
    })
}

/// The same for those who only look. Where that fails, the agents are not asked, and who asks them is told why.
pub async fn access_to_look(settings: &ConsulSettings, secrets: &Secrets<'_>) -> Access {
    access(settings, secrets).await.unwrap_or_else(|stop| {
        let why = stop.report.chain();
        let hint = stop.report.hint;
        Access::none(settings, NoAccess { why, hint })
    })
}

/// The same for a dry run, which asks nobody for a secret. The error says why the agents are not asked then.
pub async fn access_at_hand(
    settings: &ConsulSettings,
    secrets: &Secrets<'_>,
) -> Result<Access, NoAccess> {
    let token = match &settings.token {
        Some(source) => {
            let value = at_hand(source, secrets.root, &secrets.keys).await;
            let value = value.ok_or_else(|| NoAccess {
                why: why_not_at_hand(source),
                hint: None,
            })?;
            (secrets.mask)(&value);
            Some(SecretString::from(value))
        }
        None => None,
    };
    Access::new(settings, token)
}

fn why_not_at_hand(source: &SecretSource) -> String {
    match source {
        SecretSource::Env(variable) => {
            format!("its token is in the environment variable `{variable}`, which is not set")
        }
        SecretSource::File(path) => {
            let path = path.display();
            format!("its token is in `{path}`, which cannot be read")
        }
        SecretSource::Command(_) => {
            "its token comes from a command, which a dry run does not run".to_owned()
        }
        SecretSource::Sealed(name) => {
            format!("its token is sealed as `{name}`, which cannot be opened without a passphrase")
        }
    }
}

#[cfg(test)]
mod tests;
