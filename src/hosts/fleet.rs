//! The hosts of a run and the sessions to them.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;

use crate::{
    command::RemoteCommand,
    consul::{Agent, ConsulError},
    event::{EventKind, Events},
    model::{Environment, Host, HostName},
    text,
    transport::{ConnectError, Connector, Output, Session, SessionError},
};

/// The longest that docker may take for what it does in milliseconds on a healthy host. A daemon that
/// hangs is a failed host, not a run that hangs.
pub const QUICK: Duration = Duration::from_secs(30);

/// A host with its open session.
#[derive(Clone)]
pub struct Reached {
    /// The host.
    pub host: Arc<Host>,
    /// The session to it.
    pub session: Session,
    /// Its Consul agent, reached through the session when it is asked.
    pub consul: Agent,
}

/// Why something did not work on a host.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The session failed.
    #[error("cannot run `{command}`")]
    Session {
        /// What was to run; for something else than a command, what was to be done.
        command: String,
        /// Why not.
        source: SessionError,
    },
    /// The command ran and failed.
    #[error("`{command}` failed with status {status}: {message}")]
    Status {
        /// What ran.
        command: String,
        /// Its exit status.
        status: u32,
        /// The last line it printed as an error.
        message: String,
        /// Everything it printed.
        output: Vec<String>,
    },
    /// The command printed something else than it should.
    #[error("cannot read what `{command}` printed")]
    Output {
        /// What ran.
        command: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// Consul's agent failed.
    #[error(transparent)]
    Consul(#[from] ConsulError),
    /// Something else, said in full.
    #[error("{0}")]
    Fact(String),
}

impl HostError {
    /// Whether the host itself is out of reach, so that nothing more can be done there.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Session { source, .. } => source.is_unreachable(),
            Self::Consul(error) => error.is_host_unreachable(),
            Self::Status { .. } | Self::Output { .. } | Self::Fact(_) => false,
        }
    }

    /// What the failing command printed, if that is what failed.
    pub fn output(&self) -> &[String] {
        match self {
            Self::Status { output, .. } => output,
            _ => &[],
        }
    }
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

    /// Runs a command and returns what came of it, whatever its status.
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

/// A command that ran and did not succeed.
pub fn failed(command: String, output: &Output) -> HostError {
    let lines: Vec<String> = output
        .stderr
        .lines()
        .chain(output.stdout.lines())
        .map(str::to_owned)
        .collect();
    let last_of = |text: &str| {
        text.lines()
            .rev()
            .map(str::trim)
            .find(|line| !line.is_empty())
            .map(str::to_owned)
    };
    let message = last_of(&output.stderr)
        .or_else(|| last_of(&output.stdout))
        .unwrap_or_else(|| "no output".into());
    HostError::Status {
        command,
        status: output.status,
        message,
        output: lines,
    }
}

/// A command as an error names it: one line, not too long.
pub fn short(command: &RemoteCommand) -> String {
    const MOST: usize = 100;
    // Of our own scripts the interesting part is what docker is asked, not the shell around it.
    let words = command.words();
    let line = match words {
        [sh, c, script, rest @ ..]
            if sh == "sh" && c == "-c" && rest.first().is_some_and(|word| word == "shipit") =>
        {
            match rest.get(1).map(String::as_str) {
                Some("docker") => rest[1..].join(" "),
                _ => script.split_whitespace().collect::<Vec<_>>().join(" "),
            }
        }
        _ => words.join(" "),
    };
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= MOST {
        line
    } else {
        format!("{}…", line.chars().take(MOST).collect::<String>())
    }
}

/// All the hosts of a run, in the inventory's order.
#[derive(Clone, Default)]
pub struct Fleet {
    hosts: Vec<Reached>,
}

impl Fleet {
    /// Connects to as many of `hosts` as there are to be had, and returns why it could not to the others.
    pub async fn connect_to_any(
        environment: &Environment,
        hosts: &[&Host],
        connector: &Connector,
        events: &Events,
    ) -> (Self, Vec<(HostName, ConnectError)>) {
        let connecting = hosts.iter().map(|host| async move {
            let step = "connect".to_owned();
            let (name, recipe) = (host.name.to_string(), None);
            events.send(EventKind::StepStarted {
                host: name.clone(),
                recipe: recipe.clone(),
                step: step.clone(),
            });
            let began = tokio::time::Instant::now();
            match connector.connect(host).await {
                Ok(session) => {
                    let took = began.elapsed();
                    events.send(EventKind::StepFinished {
                        host: name,
                        recipe,
                        step,
                        took,
                        detail: Some(host.address.clone()),
                    });
                    let consul = Agent::new(session.clone(), environment.consul.address.clone());
                    Ok(Reached {
                        host: Arc::new((*host).clone()),
                        session,
                        consul,
                    })
                }
                Err(error) => {
                    let evidence = Vec::new();
                    events.send(EventKind::StepFailed {
                        host: name,
                        recipe,
                        step,
                        error: text::chain(&error),
                        evidence,
                    });
                    Err((host.name.clone(), error))
                }
            }
        });
        let (mut reached, mut failures) = (Vec::new(), Vec::new());
        for result in join_all(connecting).await {
            match result {
                Ok(host) => reached.push(host),
                Err(failure) => failures.push(failure),
            }
        }
        (Self { hosts: reached }, failures)
    }

    /// The same without some hosts.
    pub fn without(&self, left_out: impl Fn(&HostName) -> bool) -> Self {
        let hosts = self.hosts.iter().filter(|it| !left_out(it.name()));
        Self {
            hosts: hosts.cloned().collect(),
        }
    }

    /// The hosts, in the inventory's order.
    pub fn hosts(&self) -> &[Reached] {
        &self.hosts
    }

    /// One host.
    pub fn host(&self, name: &HostName) -> Option<&Reached> {
        self.hosts.iter().find(|reached| reached.name() == name)
    }

    /// Does something on every host at once; the results in the inventory's order.
    pub async fn each<'a, T, F>(&'a self, work: impl Fn(&'a Reached) -> F) -> Vec<(&'a Reached, T)>
    where
        F: Future<Output = T>,
    {
        join_all(self.hosts.iter().map(|host| {
            let doing = work(host);
            async move { (host, doing.await) }
        }))
        .await
    }

    /// Ends every session.
    pub async fn close(&self) {
        self.each(|host| host.session.close()).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docker;

    #[test]
    fn a_command_is_shown_in_one_short_line() {
        let shown =
            |words: &[&str]| short(&RemoteCommand::new(words[0]).args(words[1..].iter().copied()));
        assert_eq!(shown(&["docker", "ps", "--all"]), "docker ps --all");
        assert_eq!(shown(&["sh", "-c", "a\n   b"]), "sh -c a b");
        let long = shown(&["echo", &"ü".repeat(200)]);
        assert_eq!((long.chars().count(), long.ends_with('…')), (101, true));
        let listed = short(&docker::list_containers("staging"));
        assert!(
            !listed.contains('\n') && listed.contains("docker ps"),
            "{listed}"
        );
    }
}
