//! `shipit shell`.

use clap::Args;

use super::console::attach;
use crate::{
    commands::{
        arguments::{DefaultEnvironment, Kind},
        command::{HostCommand, Lock, Needs},
        on_hosts::{invocation::Invocation, scope::scope},
    },
    event::Outcome,
    hosts::{Run, Stop},
    model::Name,
    plan::Scope,
    terminal, text,
};

/// Open a login shell on a host
#[derive(Debug, Args)]
#[command(
    allow_missing_positional = true,
    after_help = "\
The account's own shell, with the inventory's keys, jump hosts and known hosts. The exit code is the shell's. In a
pipe it has no terminal, and reads standard input, as `ssh -T`.

Examples:
  shipit shell staging host-1
  echo 'df -h' | shipit shell staging host-1"
)]
pub struct Shell {
    #[command(flatten)]
    pub environment: DefaultEnvironment,
    /// The host
    #[arg(value_name = "HOST", add = Kind::Host)]
    pub host: String,
}

impl HostCommand for Shell {
    const NAME: &'static str = "shell";
    const NEEDS: Needs = Needs {
        contacts: "the host",
        lock: Lock::Never,
        changes: "what is typed",
        log: true,
        exit_codes: &[0, 1, 2, 3, 130],
    };

    fn environment(&self) -> Option<&Name> {
        self.environment.name()
    }

    fn host(&self) -> Option<&str> {
        Some(&self.host)
    }

    fn redraws(&self) -> bool {
        true
    }

    fn hands_output_over(&self) -> bool {
        true
    }

    fn scope(&self, invocation: &Invocation<'_>) -> Run<Scope> {
        let scope = scope(invocation, &[], std::slice::from_ref(&self.host))?;
        if let [_, _, ..] = scope.hosts[..] {
            let message = format!("`{}` is {} hosts", self.host, scope.hosts.len());
            let hint = format!("name one of {}", text::list(&scope.hosts));
            return Err(Stop::new(Outcome::Usage, message).hint(hint));
        }
        Ok(scope)
    }

    async fn run(self, invocation: &Invocation<'_>, scope: Scope) -> Run<Outcome> {
        let context = &invocation.context;
        let hosts = context.hosts_of(&scope);
        // Whatever the login shell is, it is what was asked for: nothing runs in it beforehand.
        let fleet = context.connect_to(&hosts, |_| true).await?;
        let Some(reached) = fleet.hosts().first() else {
            return Ok(Outcome::NothingToDo);
        };
        let what = format!("a shell on `{}`", reached.name());
        let has_terminal = terminal::is_for_a_remote_command();
        let ended = attach(invocation, reached, &what, None, has_terminal).await;
        fleet.close().await;
        ended
    }
}
