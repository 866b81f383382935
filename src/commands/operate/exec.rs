//! `shipit exec`.

use std::time::Duration;

use clap::Args;

use crate::{
    command::RemoteCommand,
    commands::{
        arguments::{DefaultEnvironment, Kind, value},
        command::{HostCommand, Lock, Needs},
        on_hosts::{invocation::Invocation, scope::scope},
    },
    event::{EventKind, Outcome, Severity},
    hosts::{self, Run, Stop, row},
    model::Name,
    plan::Scope,
    text,
    transport::Deadline,
};

/// Run a command on all hosts
#[derive(Debug, Args)]
#[command(after_help = "\
All hosts run it at once. The words reach the command as they are; for a pipe or a variable of the
host, run `sh -c`.

Examples:
  shipit exec staging -- docker ps
  shipit exec staging --hosts apps,host-3 --timeout 30s -- df -h /var/lib/docker
  shipit exec staging -- sh -c 'uptime | cut -d, -f1'")]
pub struct Exec {
    #[command(flatten)]
    pub environment: DefaultEnvironment,
    /// Only on these hosts and groups
    #[arg(
        long,
        alias = "limit",
        value_name = "HOST|GROUP",
        value_delimiter = ',',
        add = Kind::HostOrGroup
    )]
    pub hosts: Vec<String>,
    /// Time limit on each host: 30s, 5m, 1h
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = value::duration)]
    pub timeout: Duration,
    /// The command and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

impl HostCommand for Exec {
    const NAME: &'static str = "exec";
    const NEEDS: Needs = Needs {
        contacts: "all hosts, or `--hosts`",
        lock: Lock::Never,
        changes: "what its command changes",
        log: false,
        exit_codes: &[0, 1, 2, 3, 130, 141],
    };

    fn environment(&self) -> Option<&Name> {
        self.environment.name()
    }

    fn ends_with_reader(&self) -> bool {
        true
    }

    fn scope(&self, invocation: &Invocation<'_>) -> Run<Scope> {
        scope(invocation, &[], &self.hosts)
    }

    async fn run(self, invocation: &Invocation<'_>, scope: Scope) -> Run<Outcome> {
        let context = &invocation.context;
        let fleet = context.connect(&context.hosts_of(&scope)).await?;
        let Some((program, arguments)) = self.command.split_first() else {
            return Ok(Outcome::NothingToDo);
        };
        let command = RemoteCommand::new(program).args(arguments);
        let deadline = Deadline::Total(self.timeout);
        let running =
            fleet.each(|reached| hosts::stream(reached, command.clone(), deadline, context.events));
        let results = context
            .interruptible("it is not known how far the command got", async {
                Ok(running.await)
            })
            .await?;
        let mut failed = Vec::new();
        for (reached, result) in results {
            let (state, severity) = match result {
                Ok((0, _)) => ("exited with 0".to_owned(), Severity::Good),
                Ok((status, _)) => (format!("exited with {status}"), Severity::Bad),
                Err(error) => (text::chain(&error).join(": "), Severity::Bad),
            };
            if severity == Severity::Bad {
                failed.push(reached.name().clone());
            }
            context.events.send(EventKind::HostState {
                row: row(reached.name(), state, severity),
            });
        }
        fleet.close().await;
        if failed.is_empty() {
            return Ok(Outcome::Done);
        }
        Err(Stop::new(
            Outcome::Failed,
            format!("`{program}` failed on {}", text::list(&failed)),
        ))
    }
}
