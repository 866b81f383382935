//! A host that this run has reached: its session, and the commands that run through it.

use std::{sync::Arc, time::Duration};

use super::error::{HostError, failed, short};
use crate::{
    command::RemoteCommand,
    consul::{Access, Agent},
    docker,
    model::{Host, HostName},
    transport::{ConnectError, Connector, Held, Output, Session},
};

/// The deadline of what docker does in milliseconds on a healthy host. A daemon that hangs fails its host; it
/// must not hang the run.
pub const QUICK: Duration = Duration::from_secs(30);

/// The longest that a host is waited for by those who only look.
pub const SOON: Duration = Duration::from_secs(5);

/// Does something on a host for no longer than `deadline`.
///
/// # Errors
///
/// Its own, or that it took too long.
pub async fn within<T>(
    deadline: Duration,
    work: impl Future<Output = Result<T, HostError>>,
) -> Result<T, HostError> {
    let Ok(done) = tokio::time::timeout(deadline, work).await else {
        let seconds = deadline.as_secs();
        return Err(HostError::Fact(format!("no answer within {seconds}s")));
    };
    done
}

/// Why a command that was to be held has ended, as it says itself.
pub async fn why_ended(held: &Held) -> String {
    let ended = tokio::time::timeout(QUICK, held.ended()).await;
    ended.map_or_else(|_| "nothing was said".to_owned(), |end| end.to_string())
}

/// A host with its open session.
#[derive(Clone)]
pub struct Reached {
    /// The host.
    pub host: Arc<Host>,
    /// The session to it.
    pub session: Session,
    /// Its Consul agent, which is asked through the session.
    pub consul: Agent,
}

impl Reached {
    /// Opens a session to a host, whose Consul agent is asked as `consul` says.
    pub async fn connect(
        consul: &Access,
        host: &Host,
        connector: &Connector,
    ) -> Result<Self, ConnectError> {
        let session = connector.connect(host).await?;
        let consul = Agent::new(session.clone(), consul.clone());
        Ok(Self {
            host: Arc::new(host.clone()),
            session,
            consul,
        })
    }

    /// The host's name.
    pub fn name(&self) -> &HostName {
        &self.host.name
    }

    /// The command as it runs on this host: through sudo where the inventory says `become`.
    pub fn adapt(&self, command: RemoteCommand) -> RemoteCommand {
        if self.host.ssh.r#become {
            command.with_sudo()
        } else {
            command
        }
    }

    /// Whether something failed because the connection to the host was lost, in itself or as what it went through.
    pub fn has_lost(&self, error: &HostError) -> bool {
        let went_through_it = matches!(error, HostError::Session { .. } | HostError::Consul(_));
        error.is_unreachable() || went_through_it && self.session.is_lost()
    }

    /// Runs a command and returns its output and status, whatever the status.
    pub async fn run(
        &self,
        command: RemoteCommand,
        deadline: Duration,
    ) -> Result<Output, HostError> {
        let command = self.adapt(command);
        self.session
            .run(&command, deadline)
            .await
            .map_err(|source| HostError::Session {
                command: short(&command),
                source,
            })
    }

    /// Starts a command that goes on for as long as somebody holds it, and reads the first line that it prints: `None`
    /// where it ends before. An error calls it by `name`.
    pub async fn hold(
        &self,
        command: RemoteCommand,
        name: &str,
    ) -> Result<(Held, Option<String>), HostError> {
        let command = self.adapt(command);
        let start = async {
            let mut held = self.session.hold(&command, QUICK).await?;
            let first = held.line(QUICK).await?;
            Ok((held, first))
        };
        start.await.map_err(|source| HostError::Session {
            command: name.to_owned(),
            source,
        })
    }

    /// Runs a command that must succeed, and returns its standard output.
    pub async fn expect(
        &self,
        command: RemoteCommand,
        deadline: Duration,
    ) -> Result<String, HostError> {
        let shown = short(&command);
        let output = self.run(command, deadline).await?;
        if output.status == 0 {
            Ok(output.stdout)
        } else {
            Err(failed(shown, &output))
        }
    }

    /// [`expect`](Self::expect) for a docker command about things that somebody else may take away meanwhile:
    /// those that are missing are no failure.
    pub async fn expect_of_those_there(
        &self,
        command: RemoteCommand,
        deadline: Duration,
    ) -> Result<String, HostError> {
        let shown = short(&command);
        let output = self.run(command, deadline).await?;
        if output.status == 0 || docker::is_only_missing(&output.stderr) {
            Ok(output.stdout)
        } else {
            Err(failed(shown, &output))
        }
    }

    /// Runs a quick docker command whose output `parse` reads. What went between being listed and being looked
    /// at is left out.
    pub async fn read<T>(
        &self,
        command: RemoteCommand,
        parse: impl FnOnce(&str) -> Result<T, serde_json::Error>,
    ) -> Result<T, HostError> {
        let shown = short(&command);
        let output = self.expect_of_those_there(command, QUICK).await?;
        parse(&output).map_err(|source| HostError::Output {
            command: shown,
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hosts::testing::{Act, TestFleet, fails, out};

    const INSPECTED: &str = r#"[{"Id":"c1","Name":"/web-r1","Image":"sha256:aa",
        "State":{"Status":"running","Running":true},"Config":{},"HostConfig":{}}]"#;

    async fn containers(acts: Vec<Act>) -> Result<Vec<String>, String> {
        let lab = TestFleet::of_one(move |_| acts.clone()).await;
        let command = docker::list_containers("staging");
        let read = lab.fleet.hosts()[0].read(command, docker::parse_containers);
        let names = |all: Vec<docker::Container>| all.into_iter().map(|it| it.name).collect();
        read.await
            .map(names)
            .map_err(|error| crate::text::chain(&error).join(": "))
    }

    #[tokio::test]
    async fn containers_that_go_while_they_are_looked_at_are_left_out() {
        let gone = b"Error: No such container: c2\n".to_vec();
        let acts = vec![out(INSPECTED), Act::Err(gone), Act::Status(1)];
        assert_eq!(containers(acts).await, Ok(vec!["web-r1".to_owned()]));
    }

    #[tokio::test]
    async fn any_other_complaint_is_an_error_whatever_was_printed() {
        let acts = fails(1, "Cannot connect to the Docker daemon\n");
        let error = containers(acts).await.expect_err("nobody answered");
        assert!(error.contains("Cannot connect"), "{error}");
        let both = "Error: No such container: c2\nError response from daemon: timeout\n";
        let acts = vec![
            out(INSPECTED),
            Act::Err(both.as_bytes().to_vec()),
            Act::Status(1),
        ];
        containers(acts).await.expect_err("one did not answer");
    }
}
