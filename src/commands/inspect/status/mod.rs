//! `shipit status`.

mod instance;
mod of_consul;
mod read;
mod watch;

use clap::Args;

use crate::{
    commands::{
        arguments::DefaultEnvironment,
        command::{HostCommand, Needs},
        on_hosts::{consul, invocation::Invocation},
    },
    event::{EventKind, Outcome, StatusForm},
    hosts::Run,
    model::Name,
    plan::Scope,
    run::Context,
    state,
};

/// Show what runs on every host
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  shipit status staging
  shipit status staging --watch
  shipit status --output json")]
pub struct Status {
    #[command(flatten)]
    pub environment: DefaultEnvironment,
    /// A line for each container, with release, address, name and image
    #[arg(short, long)]
    pub wide: bool,
    /// Show it again until interrupted; not on a terminal: whenever something has changed
    #[arg(long)]
    pub watch: bool,
}

impl HostCommand for Status {
    const NAME: &'static str = "status";
    const NEEDS: Needs = Needs::HOSTS_THAT_ANSWER;

    fn environment(&self) -> Option<&Name> {
        self.environment.name()
    }

    fn ends_with_reader(&self) -> bool {
        self.watch
    }

    fn redraws(&self) -> bool {
        self.watch
    }

    async fn run(self, invocation: &Invocation<'_>, scope: Scope) -> Run<Outcome> {
        let context = &invocation.context;
        let form = StatusForm {
            is_wide: self.wide,
            redraws: self.watch,
        };
        if self.watch {
            watch::watch(context, &scope, form).await?;
        } else {
            let shown = show(context, &scope, form);
            context.interruptible("nothing was changed", shown).await?;
        }
        Ok(Outcome::NothingToDo)
    }
}

async fn show(context: &Context<'_>, scope: &Scope, form: StatusForm) -> Run<()> {
    let asking = context.with_consul(consul::access_to_look(context).await);
    let fleet = asking.connect_to_any(&context.hosts_of(scope)).await?;
    let key = state::key_to_look(context).await;
    let status = read::read(context, scope, &fleet, key.as_ref(), context.events).await?;
    if status.is_before_the_first_deploy() {
        let message = format!("`{}` has nothing deployed yet", context.environment.name);
        context.events.send(EventKind::Note { message });
    }
    let status = Box::new(status);
    context.events.send(EventKind::Status { status, form });
    fleet.close().await;
    Ok(())
}
