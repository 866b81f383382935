//! A host that this run has reached: its session, and the commands that run through it.

use std::{sync::Arc, time::Duration};

use super::error::{HostError, failed, short};
use crate::{
    command::RemoteCommand,
    consul::Agent,
    model::{Host, HostName},
    transport::{Output, Session},
};

/// The deadline of what docker does in milliseconds on a healthy host. A daemon that hangs fails its host; it
/// must not hang the run.
pub const QUICK: Duration = Duration::from_secs(30);

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

    /// Runs a quick docker command whose output `parse` reads.
    pub async fn read<T>(
        &self,
        command: RemoteCommand,
        parse: impl FnOnce(&str) -> Result<T, serde_json::Error>,
    ) -> Result<T, HostError> {
        let shown = short(&command);
        let output = self.expect(command, QUICK).await?;
        parse(&output).map_err(|source| HostError::Output {
            command: shown,
            source,
        })
    }
}
