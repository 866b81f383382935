//! `shipit previews`.

mod prune;
pub mod read;

use std::time::Duration;

use clap::Args;
use jiff::Timestamp;

use crate::{
    commands::{
        arguments::{DefaultEnvironment, Wait},
        command::{HostCommand, Lock, Needs},
        on_hosts::invocation::Invocation,
    },
    event::{EventKind, Outcome},
    hosts::{HostFailure, Run, Stop},
    model::{Environment, Name},
    plan::Scope,
    release::Terms,
    run::Context,
    state, text,
};

/// List the previews of an environment, or remove the old ones
#[derive(Debug, Args)]
#[command(after_help = "\
`[previews] keep` and `limit` in the inventory say which are old. A preview goes as with `shipit down`.

Examples:
  shipit previews staging
  shipit previews staging --prune --yes
  shipit previews staging --output json")]
pub struct Previews {
    #[command(flatten)]
    pub environment: DefaultEnvironment,
    #[command(flatten)]
    pub wait: Wait,
    /// Remove those that are older than `keep`, and the oldest beyond `limit`
    #[arg(long)]
    pub prune: bool,
    /// Do not ask
    #[arg(long, requires = "prune")]
    pub yes: bool,
}

impl HostCommand for Previews {
    const NAME: &'static str = "previews";
    const NEEDS: Needs = Needs {
        contacts: "as many hosts as answer; with `--prune` all",
        lock: Lock::With("--prune"),
        changes: "with `--prune`: the previews' containers, volumes and records",
        log: true,
        exit_codes: &[0, 1, 2, 3, 4, 130],
    };
    const HAS_PREVIEWS: bool = false;

    fn environment(&self) -> Option<&Name> {
        self.environment.name()
    }

    fn lock_wait(&self) -> Duration {
        self.wait.time()
    }

    fn keeps_log(&self) -> bool {
        self.prune
    }

    fn scope(&self, invocation: &Invocation<'_>) -> Run<Scope> {
        let environment = invocation.context.environment;
        if environment.previews.is_none() || environment.preview.is_some() {
            return Err(without_previews(environment));
        }
        if self.prune && !self.yes && !invocation.terminal.can_ask() {
            let message = "cannot ask here whether to remove previews";
            return Err(Stop::new(Outcome::Usage, message)
                .hint("`--yes` removes the old ones without asking"));
        }
        Ok(Scope::default())
    }

    async fn run(self, invocation: &Invocation<'_>, _: Scope) -> Run<Outcome> {
        if self.prune {
            return prune::prune(invocation, self.yes).await;
        }
        let context = &invocation.context;
        let shown = show(context);
        context.interruptible("nothing was changed", shown).await?;
        Ok(Outcome::NothingToDo)
    }
}

#[expect(
    clippy::unnecessary_box_returns,
    reason = "it becomes the error of a `Run`"
)]
fn without_previews(environment: &Environment) -> Box<Stop> {
    let name = &environment.name;
    if let Some(preview) = &environment.preview {
        let message = format!("`{name}` is a preview itself");
        return Stop::new(Outcome::Usage, message)
            .hint(format!("shipit previews {}", preview.base));
    }
    let message = format!("`{name}` has no previews");
    Stop::new(Outcome::Usage, message).hint(format!(
        "`[previews]` in `inventory/{name}.toml` with `recipes = [\"web\"]` says what each has of its own"
    ))
}

async fn show(context: &Context<'_>) -> Run<()> {
    let environment = context.environment;
    let hosts: Vec<_> = environment.hosts.iter().collect();
    let fleet = context.connect_to_any(&hosts).await?;
    let key = state::key_to_look(context).await;
    let terms = Terms {
        key: key.as_ref(),
        strays: false,
    };
    let (found, failures) = read::read(&fleet, context, terms, Timestamp::now()).await;
    warn_of(&failures, context);
    let all_answer = failures.is_empty() && fleet.hosts().len() == hosts.len();
    if found.is_empty() && all_answer {
        let message = format!(
            "`{0}` has no preview now; `shipit deploy {0} --as NAME` makes one",
            environment.name
        );
        context.events.send(EventKind::Note { message });
    }
    let previews = found.into_iter().map(|it| it.row).collect();
    context.events.send(EventKind::Previews { previews });
    fleet.close().await;
    Ok(())
}

/// A host that cannot be read may have more.
pub fn warn_of(failures: &[HostFailure], context: &Context<'_>) {
    for (host, error) in failures {
        let why = text::chain(error).join(": ");
        context.events.send(EventKind::Warning {
            host: Some(host.to_string()),
            message: format!("its previews are not known: {why}"),
            hint: error.hint(),
        });
    }
}
