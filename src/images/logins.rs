//! The logins of private registries, and when their passwords are read.

use secrecy::SecretString;
use tokio::sync::OnceCell;

use super::wanted::Wanted;
use crate::{
    command::RemoteCommand,
    docker,
    hosts::{HostError, Run, Stop},
    model::{ImageSource, Reference, RegistryLogin, registry_named},
    secrets::Secrets,
};

/// The logins of an environment's private registries.
///
/// A password is read when its registry is about to be asked, and not before. A rollback to containers that are
/// still there asks no registry, so it must not fail because a password is missing.
pub struct Logins<'a> {
    logins: Vec<Login<'a>>,
    secrets: Secrets<'a>,
}

struct Login<'a> {
    login: &'a RegistryLogin,
    /// Kept also when it could not be read, so that a command that asks a vault runs once and not for each host.
    password: OnceCell<Result<SecretString, NoPassword>>,
}

/// A registry's password that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct NoPassword {
    message: String,
    /// What to type.
    pub hint: Option<String>,
}

impl From<Box<Stop>> for NoPassword {
    fn from(stop: Box<Stop>) -> Self {
        let report = stop.report;
        let lines: Vec<_> = std::iter::once(report.message)
            .chain(report.causes)
            .collect();
        Self {
            message: lines.join(": "),
            hint: report.hint,
        }
    }
}

impl From<NoPassword> for HostError {
    fn from(error: NoPassword) -> Self {
        Self::Fact(error.to_string())
    }
}

impl<'a> Logins<'a> {
    /// Reads no password yet.
    pub fn new(logins: &'a [RegistryLogin], secrets: Secrets<'a>) -> Self {
        let logins = logins.iter().map(|login| Login {
            login,
            password: OnceCell::new(),
        });
        Self {
            logins: logins.collect(),
            secrets,
        }
    }

    /// Reads the passwords of the registries of these images, so that a missing one ends the run before any
    /// host is contacted.
    pub async fn read_for(&self, images: impl IntoIterator<Item = &Wanted>) -> Run<()> {
        for wanted in images {
            let login = self.of_registry(&wanted.reference);
            if let (ImageSource::Registry, Some(login)) = (wanted.source, login) {
                self.read(login.login).await?;
            }
        }
        Ok(())
    }

    /// The command with a login to the registry of `reference`, if there is one.
    pub async fn for_registry_of(
        &self,
        reference: &str,
        command: RemoteCommand,
    ) -> Result<RemoteCommand, NoPassword> {
        let Some(Login { login, password }) = self.of_registry(reference) else {
            return Ok(command);
        };
        let read = async || self.read(login).await.map_err(NoPassword::from);
        let password = password.get_or_init(read).await.clone()?;
        Ok(docker::logged_in(
            &command,
            &login.server,
            &login.username,
            password,
        ))
    }

    fn of_registry(&self, reference: &str) -> Option<&Login<'a>> {
        let registry = Reference::parse(reference).registry();
        self.logins
            .iter()
            .find(|Login { login, .. }| registry_named(&login.server) == registry)
    }

    async fn read(&self, login: &RegistryLogin) -> Run<SecretString> {
        let name = format!("registries.{}.password", login.server);
        self.secrets.value(&name, &login.password).await
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::model::SecretSource;

    /// A login whose password comes from a command that writes down that it ran.
    fn login(server: &str, script: &str) -> RegistryLogin {
        RegistryLogin {
            server: server.into(),
            username: "deploy".into(),
            password: SecretSource::Command(format!("echo {server} >>asked; {script}")),
        }
    }

    fn asked(folder: &Path) -> String {
        std::fs::read_to_string(folder.join("asked")).unwrap_or_default()
    }

    #[tokio::test]
    async fn a_password_is_read_when_its_registry_is_asked_and_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let logins = [
            login("one.example:5000", "echo s3cret"),
            login("two.example", "echo other"),
        ];
        let logins = Logins::new(&logins, Secrets::new(folder.path(), &|_| {}, None));
        let pull = async |reference: &str| {
            let command = logins.for_registry_of(reference, docker::pull(reference, None));
            command.await.expect("a password")
        };
        let elsewhere = pull("one.example/web:1").await;
        assert_eq!(
            elsewhere,
            docker::pull("one.example/web:1", None),
            "no login"
        );
        assert_eq!(asked(folder.path()), "");
        for _ in 0..2 {
            let command = pull("one.example:5000/web:1").await;
            assert!(command.stdin().is_some(), "{command}");
            assert_eq!(asked(folder.path()), "one.example:5000\n");
        }
    }

    #[tokio::test]
    async fn a_password_that_cannot_be_read_is_asked_for_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let logins = [login("one.example", "echo no vault >&2; exit 3")];
        let logins = Logins::new(&logins, Secrets::new(folder.path(), &|_| {}, None));
        for host in ["host-1", "host-2"] {
            let command = RemoteCommand::new(host);
            let error = logins
                .for_registry_of("one.example/web:1", command)
                .await
                .expect_err("no password");
            assert_eq!(
                error.to_string(),
                "the secret `registries.one.example.password` has no value: \
                 `echo one.example >>asked; echo no vault >&2; exit 3` failed (exit status: 3): no vault"
            );
            assert_eq!(
                error.hint.as_deref(),
                Some("run it yourself to see what is wrong")
            );
        }
        assert_eq!(asked(folder.path()), "one.example\n");
    }

    #[tokio::test]
    async fn only_the_registries_of_the_wanted_images_are_read_for_beforehand() {
        let folder = tempfile::tempdir().expect("a folder");
        let logins = [
            login("one.example", "echo s3cret"),
            login("two.example", "exit 1"),
            login("three.example", "exit 1"),
        ];
        let logins = Logins::new(&logins, Secrets::new(folder.path(), &|_| {}, None));
        let read = async |reference: &str, source| {
            let wanted = [Wanted {
                reference: reference.to_owned(),
                source,
                platform: None,
            }];
            let read = logins.read_for(&wanted).await;
            read.map_err(|stop| (stop.outcome.exit_code(), stop.report.message))
        };
        assert_eq!(read("one.example/web", ImageSource::Registry).await, Ok(()));
        assert_eq!(read("two.example/web", ImageSource::Local).await, Ok(()));
        assert_eq!(asked(folder.path()), "one.example\n");
        assert_eq!(
            read("two.example/web", ImageSource::Registry).await,
            Err((
                2,
                "the secret `registries.two.example.password` has no value".to_owned()
            ))
        );
        logins
            .for_registry_of("one.example/web", docker::pull("one.example/web", None))
            .await
            .expect("it was read");
        assert_eq!(asked(folder.path()), "one.example\ntwo.example\n");
    }
}
